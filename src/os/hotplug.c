/* udev's monitor on the loop: devices that come and go are told at once.
 *
 * A stick's ports appear one after the other, and the first need not be the right one: users are told when it
 * has been quiet for SETTLE_MS, or every SETTLE_MAX_MS while it is not. With udevd, its own events are
 * listened to, which come after the rules have given the device its group; without, the kernel's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/util.h"
#include "os/port_lists.h"
#include "os/ports.h"
#include "os/usb.h"

enum { SETTLE_MS = 200, SETTLE_MAX_MS = 2000 };

struct hotplug {
    struct ports *ports;
    struct udev *udev;
    struct udev_monitor *monitor;
    uv_poll_t poll;
    uv_timer_t settle;
    uint64_t first_ms; /* of the events that were not told yet; 0: none */
    int open;          /* handles */
};

static void tell(uv_timer_t *timer)
{
    struct hotplug *h = timer->data;

    h->first_ms = 0;
    for (struct port_user *u = h->ports->source.users, *next; u; u = next) {
        next = u->next;
        if (u->changed)
            u->changed(u);
    }
}

static void note(struct hotplug *h)
{
    uint64_t now_ms = uv_now(h->poll.loop);

    port_lists_stale(h->ports->lists);
    if (!h->first_ms)
        h->first_ms = now_ms;
    if (now_ms - h->first_ms < SETTLE_MAX_MS)
        uv_timer_start(&h->settle, tell, SETTLE_MS, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct hotplug *h = poll->data;
    struct udev_device *d;

    (void)events;
    if (status < 0) {
        log_warning("usb", "udev's monitor: %s: devices are found by rescans", uv_strerror(status));
        uv_poll_stop(poll);
        port_lists_free(h->ports->lists);
        h->ports->lists = NULL;
        return;
    }
    while ((d = udev_monitor_receive_device(h->monitor))) {
        const char *action = udev_device_get_action(d);
        log_debug("usb", "%s %s", action ? action : "?", udev_device_get_syspath(d));
        udev_device_unref(d);
        note(h);
    }
}

/* udev_monitor_new_from_netlink() itself succeeds without udevd and never tells anything. */
static int listen_to(struct hotplug *h, struct err *e)
{
    h->udev = udev_new();
    h->monitor =
        h->udev ? udev_monitor_new_from_netlink(h->udev, usb_udevd_runs() ? "udev" : "kernel") : NULL;
    if (!h->monitor)
        return err_errno(e, "udev's monitor");
    if (udev_monitor_filter_add_match_subsystem_devtype(h->monitor, "tty", NULL) < 0 ||
        udev_monitor_filter_add_match_subsystem_devtype(h->monitor, "usb", "usb_device") < 0)
        return err_set(e, ERR_NOMEM, "udev's monitor");
    int rc = udev_monitor_enable_receiving(h->monitor);
    if (rc < 0) {
        errno = -rc;
        return err_errno(e, "udev's monitor");
    }
    return 0;
}

static void release(struct hotplug *h)
{
    udev_monitor_unref(h->monitor);
    udev_unref(h->udev);
    free(h);
}

static void on_closed(uv_handle_t *handle)
{
    struct hotplug *h = handle->data;

    if (--h->open == 0)
        release(h);
}

struct hotplug *hotplug_open(struct ports *ports, struct err *e)
{
    struct hotplug *h = calloc(1, sizeof *h);

    if (!h) {
        err_set(e, ERR_NOMEM, "udev's monitor");
        return NULL;
    }
    h->ports = ports;
    int rc = listen_to(h, e);
    if (rc == 0 && (rc = uv_poll_init(ports->loop, &h->poll, udev_monitor_get_fd(h->monitor))) < 0)
        err_set(e, ERR_IO, "udev's monitor: %s", uv_strerror(rc));
    if (rc < 0) {
        release(h);
        return NULL;
    }
    uv_timer_init(ports->loop, &h->settle);
    h->poll.data = h->settle.data = h;
    h->open = 2;
    uv_poll_start(&h->poll, UV_READABLE, on_readable);
    return h;
}

void hotplug_close(struct hotplug *h)
{
    if (!h)
        return;
    uv_close((uv_handle_t *)&h->poll, on_closed);
    uv_close((uv_handle_t *)&h->settle, on_closed);
}
