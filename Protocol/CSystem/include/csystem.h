/* What the Glibc module does not offer to Swift: _GNU_SOURCE names, variadic calls, macros. */
#pragma once
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

/* Fills p with n random bytes from the kernel; 0 on success. */
int csystem_random(void *p, size_t n);
/* First "\r\n\r\n" in p, or NULL. */
const unsigned char *csystem_head_end(const unsigned char *p, size_t n);
int csystem_epoll_add(int epoll, int fd, uint32_t events, uint64_t tag);
int csystem_epoll_modify(int epoll, int fd, uint32_t events, uint64_t tag);
/* accept4 with non-blocking and close-on-exec; TCP_NODELAY set. The peer's address is written to `address`. */
int csystem_accept(int listener, struct sockaddr_storage *address);
int csystem_set_thread_name(const char *name);
/* Whether the kernel's clock is kept by a time service. */
int csystem_clock_is_synchronized(void);
