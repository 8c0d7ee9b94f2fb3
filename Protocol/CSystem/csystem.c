// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "csystem.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timex.h>

int csystem_random(void *p, size_t n) {
    unsigned char *at = p;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0) return -1;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

const unsigned char *csystem_head_end(const unsigned char *p, size_t n) { return memmem(p, n, "\r\n\r\n", 4); }

int csystem_epoll_add(int epoll, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int csystem_epoll_modify(int epoll, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

int csystem_accept(int listener, struct sockaddr_storage *address) {
    socklen_t size = sizeof *address;
    int one = 1;
    int fd = accept4(listener, (struct sockaddr *)address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int csystem_set_thread_name(const char *name) { return pthread_setname_np(pthread_self(), name); }

int csystem_clock_is_synchronized(void) {
    struct timex facts = {0};
    return adjtimex(&facts) != -1 && !(facts.status & STA_UNSYNC);
}
