/*
 * A busy neighbour: uses all the CPU that it gets and touches no memory.
 *
 * With UDP_GRO one core cannot send as fast as another receives, and a receiver that is not saturated wakes up for a
 * message or two and spends its spare time on that. Neighbours on its CPU leave it a share that it can saturate.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
    /* Never longer than who started it, and stopped or not: SIGKILL reaches a stopped process too. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    printf("\"ready\"\n");
    fflush(stdout);
    alarm(900);
    for (;;)
        __asm__ volatile("pause");
}
