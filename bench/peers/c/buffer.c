/*
 * buffer PID PORT BYTES: asks for a receive buffer of BYTES on the UDP socket of process PID that is bound to PORT.
 *
 * Bun and Deno have no option for it, and the size changes what a datagram costs: with the system's default, which is
 * small, a flooded socket is charged and credited in small portions. So that all receivers are measured with one size,
 * those two get theirs from outside. Prints the size that is in force then, as SO_RCVBUF has it.
 *
 * Needs the right to trace the process (ptrace(2)); root has it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_udp_of_port(int fd, int port)
{
    struct sockaddr_in name;
    int type = 0;
    socklen_t length = sizeof name, size = sizeof type;
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0 || name.sin_family != AF_INET)
        return 0;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM)
        return 0;
    return ntohs(name.sin_port) == port;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int port = atoi(argv[2]), bytes = atoi(argv[3]);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", atoi(argv[1]));
    int process = syscall(SYS_pidfd_open, atoi(argv[1]), 0);
    DIR *directory = opendir(path);
    if (process < 0 || directory == NULL) {
        perror("buffer");
        return 1;
    }
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        /* A descriptor of our own for the same open socket: pidfd_getfd(2). */
        int fd = syscall(SYS_pidfd_getfd, process, atoi(entry->d_name), 0);
        if (fd < 0)
            continue;
        if (is_udp_of_port(fd, port)) {
            int size = 0;
            socklen_t length = sizeof size;
            if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) != 0 ||
                getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length) != 0) {
                perror("buffer");
                return 1;
            }
            printf("%d\n", size);
            return 0;
        }
        close(fd);
    }
    fprintf(stderr, "buffer: no such socket, or not allowed to reach it\n");
    return 1;
}
