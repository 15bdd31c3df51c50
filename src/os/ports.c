/* The source of real ports: which opener a spec belongs to. */
#include "os/ports.h"

#include <string.h>

#include "base/util.h"
#include "os/port_open.h"

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

void ports_init(struct ports *p, struct uv_loop_s *loop)
{
    *p = (struct ports){.source = {.open = ports_open, .list = port_list}, .loop = loop};
}
