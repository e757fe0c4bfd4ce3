/* A byte splice: TCP in, TCP out, nothing looked at. The floor under every relay, for scale.
 *
 * One thread, one epoll. What cannot be written waits in the link's one buffer, and its side is not
 * read meanwhile. Usage: splice PORT UPSTREAM_PORT (both on 127.0.0.1) */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 64 * 1024, EVENTS = 256 };

struct end {
    int fd;
    struct end *other;
    size_t waiting, sent; /* of `data`, which was read here and belongs to the other */
    int dead;
    struct end *next_dead;
    char *data;
};

static int poll_fd;
static char scratch[SIZE];
static struct end *dead;

static int own(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void watch(struct end *end, int how) {
    /* Read while nothing waits; be told of room while something waits for us. */
    uint32_t events = (end->waiting ? 0 : EPOLLIN) | (end->other->waiting ? EPOLLOUT : 0);
    struct epoll_event event = {.events = events, .data.ptr = end};
    epoll_ctl(poll_fd, how, end->fd, &event);
}

static void finish(struct end *end) {
    struct end *both[] = {end, end->other};
    for (int i = 0; i < 2; i++) {
        if (both[i]->dead) continue;
        both[i]->dead = 1;
        close(both[i]->fd);
        both[i]->next_dead = dead; /* freed after this batch: it may be in it once more */
        dead = both[i];
    }
}

static void carry(struct end *from) {
    ssize_t got = recv(from->fd, scratch, SIZE, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) finish(from);
        return;
    }
    ssize_t put = send(from->other->fd, scratch, got, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN) {
        finish(from);
        return;
    }
    if (put < 0) put = 0;
    if (put == got) return;
    if (!from->data && !(from->data = malloc(SIZE))) abort();
    from->sent = 0;
    from->waiting = got - put;
    memcpy(from->data, scratch + put, from->waiting);
    watch(from, EPOLL_CTL_MOD);
    watch(from->other, EPOLL_CTL_MOD);
}

static void make_up(struct end *to) {
    struct end *from = to->other;
    ssize_t put = send(to->fd, from->data + from->sent, from->waiting, MSG_NOSIGNAL);
    if (put < 0) {
        if (errno != EAGAIN) finish(to);
        return;
    }
    from->sent += put;
    from->waiting -= put;
    if (from->waiting) return;
    watch(from, EPOLL_CTL_MOD);
    watch(to, EPOLL_CTL_MOD);
}

static void take(int listener, struct sockaddr_in *upstream) {
    int caller = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (caller < 0) return;
    int model = socket(AF_INET, SOCK_STREAM, 0);
    /* Loopback answers at once: only here it blocks. */
    if (model < 0 || connect(model, (struct sockaddr *)upstream, sizeof *upstream)) {
        close(caller);
        if (model >= 0) close(model);
        return;
    }
    struct end *pair[2] = {calloc(1, sizeof(struct end)), calloc(1, sizeof(struct end))};
    if (!pair[0] || !pair[1]) abort();
    pair[0]->fd = own(caller), pair[1]->fd = own(model);
    pair[0]->other = pair[1], pair[1]->other = pair[0];
    watch(pair[0], EPOLL_CTL_ADD);
    watch(pair[1], EPOLL_CTL_ADD);
}

int main(int count, char **words) {
    if (count != 3) return 2;
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_in upstream = here;
    upstream.sin_port = htons(atoi(words[2]));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 2048)) {
        perror("splice");
        return 1;
    }
    poll_fd = epoll_create1(0);
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &listening);
    for (;;) {
        int ready = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct end *end = events[i].data.ptr;
            if (!end) {
                take(listener, &upstream);
                continue;
            }
            if (!end->dead && (events[i].events & EPOLLOUT)) make_up(end);
            if (!end->dead && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !end->waiting)
                carry(end);
        }
        while (dead) {
            struct end *gone = dead;
            dead = gone->next_dead;
            free(gone->data);
            free(gone);
        }
    }
}
