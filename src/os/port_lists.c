/* A port takes some twenty files of sysfs, there may be hundreds, and many modems may look for theirs at a
 * time, on the loop. So lists are kept while udev's monitor tells when they change; KEEP_MS bounds what a
 * message that it lost can do.
 */
#include "os/port_lists.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/util.h"
#include "os/usb.h"

enum { KEEP_MS = 2000, PORTS_MAX = 320, DEVICES_MAX = 128, NS_PER_MS = 1000000 };

struct port_lists {
    struct port_info ports[PORTS_MAX];
    struct port_usb_device devices[DEVICES_MAX];
    int nports, ndevices;
    uint64_t ports_until_ms, devices_until_ms; /* 0: to be read */
};

static uint64_t now_ms(void)
{
    return uv_hrtime() / NS_PER_MS;
}

struct port_lists *port_lists_new(void)
{
    struct port_lists *l = calloc(1, sizeof *l);

    if (!l)
        abort();
    return l;
}

void port_lists_free(struct port_lists *l)
{
    free(l);
}

void port_lists_stale(struct port_lists *l)
{
    if (l)
        l->ports_until_ms = l->devices_until_ms = 0;
}

int port_lists_ports(struct port_lists *l, struct port_info *out, int max)
{
    if (now_ms() >= l->ports_until_ms) {
        l->nports = usb_port_list(l->ports, PORTS_MAX);
        l->ports_until_ms = now_ms() + KEEP_MS;
    }
    int n = l->nports < max ? l->nports : max;
    memcpy(out, l->ports, (size_t)n * sizeof *out);
    return n;
}

int port_lists_devices(struct port_lists *l, struct port_usb_device *out, int max)
{
    if (now_ms() >= l->devices_until_ms) {
        l->ndevices = usb_device_list(l->devices, DEVICES_MAX);
        l->devices_until_ms = now_ms() + KEEP_MS;
    }
    int n = l->ndevices < max ? l->ndevices : max;
    memcpy(out, l->devices, (size_t)n * sizeof *out);
    return n;
}
