/*
 * load PORT MS: sends to an echo at PORT for so long, and takes what comes back. Messages of 40 datagrams of 64 bytes
 * (UDP_SEGMENT), from 4 sockets in turn.
 *
 * At most 64 messages are under way, which the receive buffers hold: nothing is lost, and the echo always has something
 * to do as long as it is the slower of the two. It never sleeps, so that the echo does not pay for waking it.
 *
 * Prints what was sent, what came back and in what time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

#define FLOWS 4
#define SIZE 64
#define SEGMENTS 40
#define WINDOW (64 * SEGMENTS)
#define MESSAGES 64 /* of one call */
#define CONTROL 64
#define PATIENCE 0.25    /* seconds without an answer: what is under way is taken for lost */
#define END_PATIENCE 2.0 /* the same once it has stopped sending */
#define DEADLINE 60      /* seconds; whatever becomes of who started it */

static struct iovec vectors[MESSAGES];
static char controls[MESSAGES][CONTROL] __attribute__((aligned(8)));
static struct mmsghdr headers[MESSAGES];
static int sockets[FLOWS], ports[FLOWS];
static uint64_t sent, back, lost;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void open_flow(int flow, int port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1, segment = SIZE, bytes = 4 << 20;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    socklen_t length = sizeof name;
    if (fd < 0)
        fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof one) != 0 ||
        setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0)
        fail("UDP_SEGMENT");
    if (connect(fd, (struct sockaddr *)&name, length) != 0 || getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        fail("connect");
    sockets[flow] = fd;
    ports[flow] = ntohs(name.sin_port);
}

/* Datagrams of a message that came back. Of each at most a byte was copied; the length is told all the same. */
static int datagrams_of(struct mmsghdr *message)
{
    int segment = message->msg_len;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message->msg_hdr); c != NULL; c = CMSG_NXTHDR(&message->msg_hdr, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
    if (segment != SIZE || message->msg_len % SIZE != 0) {
        fprintf(stderr, "error: %u bytes in datagrams of %d came back\n", message->msg_len, segment);
        exit(1);
    }
    return message->msg_len / SIZE;
}

/* Takes what there is at one socket; the number of datagrams. */
static int take(int fd)
{
    int datagrams = 0;
    for (int i = 0; i < MESSAGES; i++)
        headers[i].msg_hdr.msg_controllen = CONTROL;
    int count = recvmmsg(fd, headers, MESSAGES, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (count < 0 && errno != EAGAIN && errno != EINTR)
        fail("recvmmsg");
    for (int i = 0; i < count; i++)
        datagrams += datagrams_of(&headers[i]);
    return datagrams;
}

/* Sends messages, from one socket after the other, until so many are under way. */
static void fill(void)
{
    static const char message[SEGMENTS * SIZE];
    while (sent - back - lost + SEGMENTS <= WINDOW) {
        if (send(sockets[sent / SEGMENTS % FLOWS], message, sizeof message, 0) < 0)
            fail("send");
        sent += SEGMENTS;
    }
}

/* What the kernel dropped on its way back, in messages. */
static uint64_t drops(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < FLOWS; i++) {
        uint32_t info[SK_MEMINFO_VARS] = {0};
        socklen_t length = sizeof info;
        getsockopt(sockets[i], SOL_SOCKET, SO_MEMINFO, info, &length);
        sum += info[SK_MEMINFO_DROPS];
    }
    return sum;
}

int main(int argc, char **argv)
{
    static char byte;
    if (argc != 3)
        return 2;
    alarm(DEADLINE);
    for (int i = 0; i < FLOWS; i++)
        open_flow(i, atoi(argv[1]));
    for (int i = 0; i < MESSAGES; i++) {
        vectors[i] = (struct iovec){.iov_base = &byte, .iov_len = sizeof byte};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1, .msg_control = controls[i]};
    }
    double start = now(), end = start + atoi(argv[2]) / 1e3, last = start;
    for (;;) {
        /* Before looking: it may itself have been kept from its CPU since. */
        double time = now();
        if (time >= end && (sent == back || time > last + END_PATIENCE))
            break;
        if (time < end)
            fill();
        uint64_t before = back;
        for (int i = 0; i < FLOWS; i++)
            back += take(sockets[i]);
        if (back > before)
            last = now();
        else if (time < end && time > last + PATIENCE) {
            lost = sent - back;
            last = time;
        }
        if (sent < back + lost)
            lost = sent - back; /* some were only late */
    }
    printf("{\"datagrams\":%lu,\"back\":%lu,\"drops\":%lu,\"seconds\":%.6f,\"ports\":[%d,%d,%d,%d],\"gso\":true}\n", sent,
           back, drops(), last - start, ports[0], ports[1], ports[2], ports[3]);
}
