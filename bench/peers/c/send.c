/*
 * send SEGMENTS SHOWN WINDOW PORT MS MS: sendmmsg(2) of 64 messages a call, each a datagram of 64 bytes, or with
 * UDP_SEGMENT so many of them. What is sent lies ready, and so do the headers.
 *
 * As every sender here it prints the port that it sends from; on SIGUSR2 it sends to PORT for so many milliseconds, at
 * the next one for the next number, and tells how many datagrams went and in what time. It looks at what the sink has
 * received, which the file SHOWN has, so that no more than WINDOW are under way.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
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

#define MESSAGES 64
#define SIZE 64
#define MOST_SEGMENTS 128 /* UDP_MAX_SEGMENTS */
#define FEWER_SEGMENTS 64 /* the same before Linux 6.9 */
#define NAP_US 200
#define DEADLINE 60 /* seconds; whatever becomes of who started it */

static char payloads[MESSAGES][MOST_SEGMENTS * SIZE];
static char controls[MESSAGES][CMSG_SPACE(sizeof(uint16_t))] __attribute__((aligned(8)));
static struct iovec vectors[MESSAGES];
static struct mmsghdr headers[MESSAGES];
static struct sockaddr_in to = {.sin_family = AF_INET};
static int segments, shown;
static uint64_t window, sent, granted;

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

static int bound_socket(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    if (fd < 0)
        fail("socket");
    if (bind(fd, (struct sockaddr *)&name, length) != 0 || getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        fail("bind");
    printf("{\"ports\":[%d]}\n", ntohs(name.sin_port));
    fflush(stdout);
    return fd;
}

static void segment(struct msghdr *header, char *control)
{
    uint16_t size = SIZE;
    header->msg_control = control;
    header->msg_controllen = CMSG_SPACE(sizeof size);
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(c), &size, sizeof size);
}

static void prepare(void)
{
    memset(payloads, 'x', sizeof payloads);
    for (int i = 0; i < MESSAGES; i++) {
        vectors[i] = (struct iovec){.iov_base = payloads[i], .iov_len = segments * SIZE};
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = &to;
        headers[i].msg_hdr.msg_namelen = sizeof to;
        if (segments > 1)
            segment(&headers[i].msg_hdr, controls[i]);
    }
}

/* Messages that the kernel took, of those in one call. */
static int send_all(int fd)
{
    int count = sendmmsg(fd, headers, MESSAGES, MSG_DONTWAIT);
    if (count >= 0)
        return count;
    if (errno == EINVAL && segments > FEWER_SEGMENTS) {
        segments = FEWER_SEGMENTS;
        prepare();
        return 0;
    }
    if (errno != EAGAIN && errno != EINTR)
        fail("sendmmsg");
    poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 100);
    return 0;
}

/* Waits until the sink has received so much that there may be more. */
static void await_room(void)
{
    while (sent >= granted) {
        uint64_t received = 0;
        if (pread(shown, &received, sizeof received, 0) < 0)
            fail("pread");
        granted = received + window;
        if (sent >= granted)
            usleep(NAP_US);
    }
}

int main(int argc, char **argv)
{
    int number;
    sigset_t asked;
    if (argc < 5)
        return 2;
    segments = atoi(argv[1]);
    shown = open(argv[2], O_RDONLY);
    if (segments < 1 || segments > MOST_SEGMENTS || shown < 0)
        return 2;
    window = atoi(argv[3]);
    to.sin_port = htons(atoi(argv[4]));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    prepare();
    sigemptyset(&asked);
    sigaddset(&asked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &asked, NULL);
    alarm(DEADLINE);
    int fd = bound_socket();
    for (int i = 5; i < argc; i++) {
        uint64_t before = sent;
        sigwait(&asked, &number);
        double start = now(), end = start + atoi(argv[i]) / 1e3, time;
        do {
            await_room();
            sent += (uint64_t)send_all(fd) * segments;
            time = now();
        } while (time < end);
        printf("{\"datagrams\":%lu,\"seconds\":%.6f}\n", sent - before, time - start);
        fflush(stdout);
    }
    pause();
}
