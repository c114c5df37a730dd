// Calls of recvmmsg(2) and sendmmsg(2) that are known beforehand. With a word it does as that says:
//   rounds N    N rounds in the only thread
//   threads N   rounds in N threads at a time, and in a child that ends at once
//   flood N     N calls that fail, as fast as it goes
//   wait        a call that waits; for a line, then it sends what that call waits for, and calls once more
//   follow N    for a line, then as with threads

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 8 };

struct messages {
  char data[MOST][64];
  struct iovec room[MOST];
  struct mmsghdr headers[MOST];
};

static struct messages *prepare(struct messages *all) {
  memset(all, 0, sizeof *all);
  for (int index = 0; index < MOST; index++) {
    all->room[index] = (struct iovec){all->data[index], sizeof all->data[index]};
    all->headers[index].msg_hdr.msg_iov = &all->room[index];
    all->headers[index].msg_hdr.msg_iovlen = 1;
  }
  return all;
}

// A socket that sends to itself.
static int loop(void) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&name, length) || getsockname(fd, (struct sockaddr *)&name, &length) ||
      connect(fd, (struct sockaddr *)&name, length)) {
    perror("socket");
    exit(1);
  }
  return fd;
}

// Two calls of sendmmsg with 8 messages, five of recvmmsg: 5, 2, 1, EAGAIN, EBADF.
static void *rounds(void *count) {
  struct messages all;
  struct timespec zero = {0, 0};
  int fd = loop();
  for (long left = (long)count; left > 0; left--) {
    sendmmsg(fd, prepare(&all)->headers, 5, 0);
    recvmmsg(fd, prepare(&all)->headers, 8, MSG_DONTWAIT, NULL);
    sendmmsg(fd, prepare(&all)->headers, 3, MSG_NOSIGNAL);
    recvmmsg(fd, prepare(&all)->headers, 2, MSG_WAITFORONE | MSG_TRUNC, NULL);
    recvmmsg(fd, prepare(&all)->headers, 8, MSG_WAITFORONE | MSG_DONTWAIT, &zero);
    recvmmsg(fd, prepare(&all)->headers, 8, MSG_DONTWAIT, NULL);
    recvmmsg(-1, prepare(&all)->headers, 1, 0, NULL);
  }
  close(fd);
  return NULL;
}

static void threads(long count) {
  pthread_t started[64];
  for (long index = 0; index < count; index++) pthread_create(&started[index], NULL, rounds, (void *)10);
  pid_t child = fork();
  if (child == 0) {
    rounds((void *)1);
    _exit(0);
  }
  for (long index = 0; index < count; index++) pthread_join(started[index], NULL);
  waitpid(child, NULL, 0);
  printf("%d %d\n", getpid(), child);
}

static void *wait_once(void *fd) {
  struct messages all;
  recvmmsg(*(int *)fd, prepare(&all)->headers, 1, 0, NULL);
  return NULL;
}

static void wait_for_line(void) {
  printf("%d\n", getpid());
  fflush(stdout);
  getchar();
}

static void wait_in_call(void) {
  pthread_t thread;
  int fd = loop();
  pthread_create(&thread, NULL, wait_once, &fd);
  wait_for_line();
  send(fd, "", 0, 0);
  pthread_join(thread, NULL);
  struct messages all;
  recvmmsg(fd, prepare(&all)->headers, 1, MSG_DONTWAIT, NULL);
}

int main(int argc, char **argv) {
  long count = argc > 2 ? atol(argv[2]) : 1;
  if (argc < 2) return 2;
  if (!strcmp(argv[1], "rounds")) rounds((void *)count);
  if (!strcmp(argv[1], "threads")) threads(count);
  if (!strcmp(argv[1], "flood")) {
    while (count-- > 0) recvmmsg(-1, NULL, 1, 0, NULL);
  }
  if (!strcmp(argv[1], "wait")) wait_in_call();
  if (!strcmp(argv[1], "follow")) {
    wait_for_line();
    threads(count);
  }
  return 0;
}
