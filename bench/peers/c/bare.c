/*
 * bare [--gro] [--latency] [--sink]: the loop that everything else is compared with. poll(2), then recvmmsg(2) for up to
 * 64 messages without waiting, then the size and the sender's port of each datagram. Nothing is copied or kept.
 *
 * --sink makes it the sink of those that are measured sending. Instead of poll(2) it sleeps for a fraction of a
 * millisecond, which the receive buffer bridges, so that no sender pays for waking it. It has the kernel tell the length
 * of a message without copying it (MSG_TRUNC), so as to keep up. In a file, whose path it prints, it shows how many
 * datagrams it has received: senders look there and do not send more than the buffer holds.
 *
 * As every receiver here it prints the port that it is bound to, and on SIGUSR2 what it has received so far.
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
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define MESSAGES 64
#define SLOT 65536 /* what every slot of recvmmsg's default batch holds, and the longest coalesced message */
#define CONTROL 64
#define SAMPLES (1 << 20)
#define NAP_US 200
#define DEADLINE 60 /* seconds; whatever becomes of who started it */

static char slots[MESSAGES][SLOT];
static char controls[MESSAGES][CONTROL] __attribute__((aligned(8)));
static struct sockaddr_in names[MESSAGES];
static struct iovec vectors[MESSAGES];
static struct mmsghdr headers[MESSAGES];

static uint64_t datagrams, messages, sizes, ports, calls;
static int64_t samples[SAMPLES];
static size_t taken;
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

/* A number that other processes can read, and the descriptor of its file. */
static volatile uint64_t *shown_number(int *file)
{
    *file = memfd_create("received", 0);
    if (*file < 0 || ftruncate(*file, sizeof(uint64_t)) != 0)
        fail("memfd_create");
    void *number = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
    if (number == MAP_FAILED)
        fail("mmap");
    return number;
}

static int bound_socket(int gro, int file)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1, bytes = 4 << 20;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    if (fd < 0)
        fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (gro && setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof one) != 0)
        fail("UDP_GRO");
    if (bind(fd, (struct sockaddr *)&name, length) != 0 || getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        fail("bind");
    printf("{\"ports\":[%d],\"shown\":\"/proc/%d/fd/%d\"}\n", ntohs(name.sin_port), getpid(), file);
    fflush(stdout);
    return fd;
}

static void prepare(size_t length)
{
    for (int i = 0; i < MESSAGES; i++) {
        vectors[i] = (struct iovec){.iov_base = slots[i], .iov_len = length};
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = &names[i];
        headers[i].msg_hdr.msg_control = controls[i];
    }
}

/* The size of the datagrams that a message was coalesced of; 0 where it is a single one. */
static int segment_of(struct msghdr *header)
{
    int segment = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
    return segment;
}

static void take_message(int i, int gro)
{
    int left = headers[i].msg_len, segment = gro ? segment_of(&headers[i].msg_hdr) : 0;
    if (segment <= 0 || segment > left)
        segment = left;
    do {
        int size = left < segment ? left : segment;
        datagrams++;
        sizes += size;
        ports += ntohs(names[i].sin_port);
        left -= size;
    } while (left > 0);
}

static void take_sample(int i)
{
    struct timespec now;
    int64_t sent;
    if (headers[i].msg_len < sizeof sent || taken == SAMPLES)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    memcpy(&sent, slots[i], sizeof sent);
    samples[taken++] = now.tv_sec * INT64_C(1000000000) + now.tv_nsec - sent;
}

static int receive(int fd, int gro, int flags)
{
    for (int i = 0; i < MESSAGES; i++) {
        /* The kernel writes to all three: set before each call. */
        headers[i].msg_hdr.msg_namelen = sizeof names[i];
        headers[i].msg_hdr.msg_controllen = gro ? CONTROL : 0;
        headers[i].msg_hdr.msg_flags = 0;
    }
    return recvmmsg(fd, headers, MESSAGES, MSG_DONTWAIT | flags, NULL);
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report(void)
{
    printf("{\"datagrams\":%lu,\"messages\":%lu,\"sizes\":%lu,\"ports\":%lu,\"calls\":%lu", datagrams, messages,
           sizes, ports, calls);
    if (taken > 0) {
        qsort(samples, taken, sizeof samples[0], ascending);
        printf(",\"samples\":%zu,\"p50\":%ld,\"p99\":%ld", taken, samples[taken / 2], samples[taken * 99 / 100]);
        taken = 0;
    }
    printf("}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int gro = 0, latency = 0, sink = 0, count = 0, file = -1;
    volatile uint64_t *shown = NULL;
    for (int i = 1; i < argc; i++) {
        gro |= strcmp(argv[i], "--gro") == 0;
        latency |= strcmp(argv[i], "--latency") == 0;
        sink |= strcmp(argv[i], "--sink") == 0;
    }
    signal(SIGUSR2, on_ask);
    alarm(DEADLINE);
    prepare(sink ? 1 : SLOT);
    if (sink)
        shown = shown_number(&file);
    int fd = bound_socket(gro, file);
    for (;;) {
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        /* The wait is bounded because the signal may come between looking at `asked` and waiting. */
        int ready = sink ? 1 : poll(&entry, 1, 100);
        if (sink && count < MESSAGES)
            usleep(NAP_US);
        if (asked) {
            asked = 0;
            report();
        }
        if (ready <= 0)
            continue;
        count = receive(fd, gro, sink ? MSG_TRUNC : 0);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            fail("recvmmsg");
        calls += count > 0;
        messages += count > 0 ? count : 0;
        for (int i = 0; i < count; i++) {
            take_message(i, gro);
            if (latency)
                take_sample(i);
        }
        if (sink)
            *shown = datagrams;
    }
}
