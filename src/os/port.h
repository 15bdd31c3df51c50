/* A port: a stream of bytes to a modem, whatever carries it.
 *
 * This header is the interface; os/ports.h opens real ones (serial devices, pseudo-terminals, TCP, unix
 * sockets), the simulation opens its own. Everything runs on the loop's thread.
 */
#ifndef SIMGATE_OS_PORT_H
#define SIMGATE_OS_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct port;

/* Called by the port, never from inside a function of this header. */
struct port_events {
    void (*opened)(void *owner);
    void (*data)(void *owner, const uint8_t *bytes, size_t len);
    /* The port cannot be used any more (or could not be opened): why->code ERR_GONE (unplugged, hung up,
     * refused), ERR_BUSY (held by another process, named in the text), ERR_NOT_FOUND, ERR_REFUSED, ERR_IO.
     * Called at most once; the owner still has to call port_close(). */
    void (*gone)(void *owner, const struct err *why);
};

struct port_conf {
    const char *spec; /* "/dev/…" (serial or pseudo-terminal), "tcp://host:port", "unix:/path" */
    int baud;         /* serial only */
    int flow_rtscts;  /* serial only: 0 none, 1 RTS/CTS */
};

struct port_ops {
    /* Queues bytes (copied) for writing. 0, or ERR_FULL when over PORT_QUEUE_BYTES are unsent. A failing
     * device is told by `gone`, not here. */
    int (*write)(struct port *p, const void *bytes, size_t len);
    /* No event comes after this call. The port frees itself when it can. */
    void (*close)(struct port *p);
};

struct port {
    const struct port_ops *ops;
};

enum { PORT_QUEUE_BYTES = 65536, PORT_NAME_BYTES = 128 };

/* One who uses ports of a source, and what it uses or looks for; linked into port_source.users by its owner
 * (modem/finder.c), so that two modems never ask one device at a time, and one tells another what it found.
 */
struct port_user {
    struct port_user *next;
    char spec[PORT_NAME_BYTES];                           /* in use; "" none */
    const char *wanted_imei;                              /* looked for on any port; NULL when not looking */
    void (*found)(struct port_user *u, const char *spec); /* its IMEI was seen on this port */
};

/* Where ports come from. */
struct port_source {
    /* Begins to open; 0 with *out set, then exactly one of `opened` and `gone` follows. conf is borrowed for
     * the call. Or a negative code, with the reason in *e. */
    int (*open)(struct port_source *src, const struct port_conf *conf, const struct port_events *ev,
                void *owner, struct port **out, struct err *e);
    /* The serial devices that are present, by name, at most max; how many. NULL: cannot tell. */
    int (*list)(struct port_source *src, char (*names)[PORT_NAME_BYTES], int max);
    struct port_user *users; /* NULL at first */
};

static inline int port_write(struct port *p, const void *bytes, size_t len)
{
    return p->ops->write(p, bytes, len);
}

static inline void port_close(struct port *p)
{
    p->ops->close(p);
}

#endif
