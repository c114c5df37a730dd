/*
 * echo [--segments]: poll(2), then recvmmsg(2) for up to 64 messages without waiting, and sendmmsg(2) of the same headers
 * and memory back to where they came from. --segments is UDP_GRO for receiving and UDP_SEGMENT for sending: a message
 * that was coalesced goes back as one.
 *
 * As every receiver here it prints the port that it is bound to, and on SIGUSR2 what it has received, and sent, so far.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

#define MESSAGES 64
#define SLOT 65536
#define CONTROL 64
#define DEADLINE 60 /* seconds; whatever becomes of who started it */

static char slots[MESSAGES][SLOT];
static char controls[MESSAGES][CONTROL] __attribute__((aligned(8)));
static struct sockaddr_in names[MESSAGES];
static struct iovec vectors[MESSAGES];
static struct mmsghdr headers[MESSAGES];
static int held[MESSAGES]; /* datagrams of each message */

static uint64_t datagrams, sizes, ports, calls, sent;
static volatile sig_atomic_t asked;

static void on_ask(int signal)
{
    (void)signal;
    asked = 1;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int bound_socket(int segments)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1, bytes = 4 << 20;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    if (fd < 0)
        fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (segments && setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof one) != 0)
        fail("UDP_GRO");
    if (bind(fd, (struct sockaddr *)&name, length) != 0 || getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        fail("bind");
    printf("{\"ports\":[%d]}\n", ntohs(name.sin_port));
    fflush(stdout);
    return fd;
}

static int receive(int fd, int segments)
{
    for (int i = 0; i < MESSAGES; i++) {
        vectors[i] = (struct iovec){.iov_base = slots[i], .iov_len = SLOT};
        headers[i].msg_hdr = (struct msghdr){
            .msg_iov = &vectors[i],
            .msg_iovlen = 1,
            .msg_name = &names[i],
            .msg_namelen = sizeof names[i],
            .msg_control = segments ? controls[i] : NULL,
            .msg_controllen = segments ? CONTROL : 0,
        };
    }
    return recvmmsg(fd, headers, MESSAGES, MSG_DONTWAIT, NULL);
}

/* Counts a message and makes it an answer: as long as it is, and cut into what it was coalesced of. */
static void turn_round(int i)
{
    struct msghdr *header = &headers[i].msg_hdr;
    int length = headers[i].msg_len, segment = 0;
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    if (c != NULL && c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
        memcpy(&segment, CMSG_DATA(c), sizeof segment);
    held[i] = segment > 0 ? (length + segment - 1) / segment : 1;
    datagrams += held[i];
    sizes += length;
    ports += (uint64_t)held[i] * ntohs(names[i].sin_port);
    vectors[i].iov_len = length;
    header->msg_controllen = 0;
    if (held[i] > 1) {
        uint16_t size = segment;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof size);
        memcpy(CMSG_DATA(c), &size, sizeof size);
        header->msg_controllen = CMSG_SPACE(sizeof size);
    }
}

static void answer(int fd, int count)
{
    for (int next = 0; next < count;) {
        int taken = sendmmsg(fd, headers + next, count - next, MSG_DONTWAIT);
        if (taken < 0 && errno != EAGAIN && errno != EINTR)
            fail("sendmmsg");
        if (taken < 0)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 100);
        for (int i = 0; i < taken; i++)
            sent += held[next++];
    }
}

int main(int argc, char **argv)
{
    int segments = argc > 1 && strcmp(argv[1], "--segments") == 0;
    signal(SIGUSR2, on_ask);
    alarm(DEADLINE);
    int fd = bound_socket(segments);
    for (;;) {
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        /* The wait is bounded because the signal may come between looking at `asked` and waiting. */
        int ready = poll(&entry, 1, 100);
        if (asked) {
            asked = 0;
            printf("{\"datagrams\":%lu,\"sizes\":%lu,\"ports\":%lu,\"calls\":%lu,\"sent\":%lu}\n", datagrams, sizes, ports,
                   calls, sent);
            fflush(stdout);
        }
        if (ready <= 0)
            continue;
        int count = receive(fd, segments);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            fail("recvmmsg");
        calls += count > 0;
        for (int i = 0; i < count; i++)
            turn_round(i);
        answer(fd, count);
    }
}
