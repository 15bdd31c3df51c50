/* What all real ports have in common: a file descriptor that is watched by the loop, read in bounded
 * portions, and written to through a bounded queue. Private to os/. Everything runs on the loop's thread.
 *
 *     opening (held by an asynchronous step) -> port_fd_watch() -> port_fd_opened() -> port_fd_fail()
 *
 * A port is freed when its owner has closed it and nothing asynchronous holds it any more.
 */
#ifndef SIMGATE_OS_PORT_FD_H
#define SIMGATE_OS_PORT_FD_H

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "os/port.h"

struct port_fd_watch;

enum port_fd_kind { PORT_FD_SOCKET, PORT_FD_PTY, PORT_FD_SERIAL };

struct port_fd {
    struct port port;
    uv_loop_t *loop;
    struct port_events events;
    void *owner;
    struct port_fd_watch *watch; /* NULL: no descriptor yet, or none any more */
    struct buf unsent;
    unsigned holds;
    enum port_fd_kind kind;
    bool is_open;                      /* `opened` was told */
    bool is_gone;                      /* `gone` was told */
    bool is_closed;                    /* by the owner: no event may follow */
    void (*forget)(struct port_fd *p); /* frees what the opening step keeps around the port, and the port */
};

typedef void (*port_fd_ready)(struct port_fd *p);

/* Prepares p, which is zeroed, has its kind, and is embedded in what `forget` frees. */
void port_fd_init(struct port_fd *p, uv_loop_t *loop, const struct port_events *ev, void *owner,
                  void (*forget)(struct port_fd *p));

/* An asynchronous step begins and ends; p may be freed by the end. */
void port_fd_hold(struct port_fd *p);
void port_fd_release(struct port_fd *p);

/* Takes fd, which becomes non-blocking, and calls `ready` once it can be written to or has failed; or never
 * if port_fd_opened() follows at once. A negative code: the descriptor cannot be watched, and is closed. */
int port_fd_watch(struct port_fd *p, int fd, port_fd_ready ready, struct err *e);

/* The watched descriptor, or -1. */
int port_fd_number(const struct port_fd *p);

/* Lets go of the descriptor. */
void port_fd_unwatch(struct port_fd *p);

/* Closes a descriptor of p's kind that was never watched. */
void port_fd_discard(struct port_fd *p, int fd);

/* Tells `opened` and begins to read and write. */
void port_fd_opened(struct port_fd *p);

/* Closes the descriptor at once (a ttyUSB number that is still open is not given to anybody) and tells
 * `gone`, unless the owner has closed the port. The caller must hold p. */
void port_fd_fail(struct port_fd *p, const struct err *why);

#endif
