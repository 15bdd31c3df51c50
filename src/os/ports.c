/* The source of real ports: which opener a spec belongs to, and what udev knows of them. */
#include "os/ports.h"

#include <string.h>

#include "base/util.h"
#include "os/port_lists.h"
#include "os/port_open.h"
#include "os/usb.h"

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int ports_open(struct port_source *source, const struct port_conf *conf, const struct port_events *ev,
                      void *owner, struct port **out, struct err *e)
{
    struct ports *p = container_of(source, struct ports, source);
    struct err unread = {0};

    if (!e)
        e = &unread;
    if (begins_with(conf->spec, "tcp://") || begins_with(conf->spec, "unix:"))
        return port_socket_open(p->loop, conf, ev, owner, out, e);
    if (conf->spec[0] == '\0' || strstr(conf->spec, "://"))
        return err_set(e, ERR_INVALID, "port \"%s\": expected a device's path, tcp://HOST:PORT or unix:PATH",
                       conf->spec);
    return port_device_open(p->loop, conf, ev, owner, out, e);
}

static int ports_list(struct port_source *source, struct port_info *out, int max)
{
    struct ports *p = container_of(source, struct ports, source);

    return p->lists ? port_lists_ports(p->lists, out, max) : usb_port_list(out, max);
}

static int ports_usb(struct port_source *source, struct port_usb_device *out, int max)
{
    struct ports *p = container_of(source, struct ports, source);

    return p->lists ? port_lists_devices(p->lists, out, max) : usb_device_list(out, max);
}

static int ports_replug(struct port_source *source, const char *usb_path, struct port_task *t, struct err *e)
{
    return usb_replug(container_of(source, struct ports, source)->loop, usb_path, t, e);
}

static int ports_command(struct port_source *source, const char *const *argv, struct port_task *t,
                         struct err *e)
{
    return command_run(container_of(source, struct ports, source)->loop, argv, t, e);
}

void ports_init(struct ports *p, struct uv_loop_s *loop)
{
    *p = (struct ports){.source = {.open = ports_open,
                                   .list = ports_list,
                                   .info = usb_port_info,
                                   .usb = ports_usb,
                                   .replug = ports_replug,
                                   .command = ports_command},
                        .loop = loop};
}

int ports_watch(struct ports *p, struct err *e)
{
    struct err unread = {0};

    p->hotplug = hotplug_open(p, e ? e : (e = &unread));
    if (!p->hotplug)
        return e->code;
    p->lists = port_lists_new();
    return 0;
}

void ports_unwatch(struct ports *p)
{
    hotplug_close(p->hotplug);
    port_lists_free(p->lists);
    p->hotplug = NULL;
    p->lists = NULL;
}
