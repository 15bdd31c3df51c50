/* A port: a stream of bytes to a modem, whatever carries it.
 *
 * This header is the interface; os/ports.h opens real ones (serial devices, pseudo-terminals, TCP, unix
 * sockets), the simulation opens its own. Everything runs on the loop's thread.
 */
#ifndef SIMGATE_OS_PORT_H
#define SIMGATE_OS_PORT_H

#include <stdbool.h>
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

enum { PORT_QUEUE_BYTES = 65536, PORT_NAME_BYTES = 128, PORT_USB_BYTES = 64 };

/* A serial device that is present. Of a USB device's: its place on the bus ("1-1.4": bus and hub ports, which
 * stays the same wherever the tty's number goes), its ids, the USB interface that this tty is. */
struct port_info {
    char name[PORT_NAME_BYTES];    /* "/dev/ttyUSB2" */
    char usb_path[PORT_USB_BYTES]; /* "" when not on USB: the rest is then 0, "" and -1 */
    char serial[PORT_USB_BYTES];   /* iSerialNumber, "" none; two sticks may have the same */
    char product_name[PORT_USB_BYTES];
    char driver[16]; /* "option", "cdc_acm" … */
    uint16_t vendor, product;
    int interface; /* bInterfaceNumber, -1 */
    uint8_t interface_class, interface_subclass, interface_protocol;
};

/* A USB device, whether it has serial ports or not. */
struct port_usb_device {
    char usb_path[PORT_USB_BYTES];
    char serial[PORT_USB_BYTES];
    char product_name[PORT_USB_BYTES];
    uint16_t vendor, product;
    bool has_tty, has_disk, has_net;
    bool is_off; /* sysfs `authorized` is 0: nothing can use it */
};

/* One who uses ports of a source; embedded in a struct modem and linked into port_source.users by it
 * (modem/finder.c), so that two modems never ask one device at a time, and one tells another what it found.
 */
struct port_user {
    struct port_user *next;
    char spec[PORT_NAME_BYTES]; /* in use; "" none */
    /* A device came or went (udev's monitor): look again now. Never from inside a call. NULL: not wanted. */
    void (*changed)(struct port_user *u);
};

/* Something done beside the loop for a device: embedded in its owner, in place until `done`, which comes
 * once, never before the call returns. */
struct port_task {
    void (*done)(struct port_task *t, int status, const struct err *why);
    void *os[8]; /* of who does it; os[0]: where it keeps its pointer to this, NULL when not under way */
};

/* The owner goes: what is under way goes on, and `done` is not called. */
static inline void port_task_forget(struct port_task *t)
{
    if (t->os[0])
        *(struct port_task **)t->os[0] = NULL;
    t->os[0] = NULL;
}

/* Where ports come from. */
struct port_source {
    /* Begins to open; 0 with *out set, then exactly one of `opened` and `gone` follows. conf is borrowed for
     * the call. Or a negative code, with the reason in *e. */
    int (*open)(struct port_source *src, const struct port_conf *conf, const struct port_events *ev,
                void *owner, struct port **out, struct err *e);
    /* The serial devices on USB that are present, at most max; how many. Others keep their names, and one may
     * be somebody's console: they are used when they are configured, never tried. NULL: cannot tell. */
    int (*list)(struct port_source *src, struct port_info *out, int max);
    /* What is known of one port by its spec (symbolic links are followed); false: nothing. */
    bool (*info)(struct port_source *src, const char *spec, struct port_info *out);
    /* All USB devices, at most max; how many. NULL: cannot tell. */
    int (*usb)(struct port_source *src, struct port_usb_device *out, int max);
    /* Takes the USB device at this path off the bus and puts it back (sysfs `authorized`), as a hand would.
     * ERR_REFUSED: not permitted, ERR_NOT_FOUND. NULL: cannot. */
    int (*replug)(struct port_source *src, const char *usb_path, struct port_task *t, struct err *e);
    /* Runs a user's command (argument array, NULL-terminated; no shell), at most 60 s: status 0 when it
     * exited with 0. NULL: cannot. */
    int (*command)(struct port_source *src, const char *const *argv, struct port_task *t, struct err *e);
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
