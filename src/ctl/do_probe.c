/* `probe`: which modems there are, what each can do, and what is wrong. */
#include "base/log.h"
#include "base/util.h"
#include "ctl/private.h"

struct probing {
    struct call *call;
    struct ctl_probe probe;
    json_t *modems;
};

static void on_found(struct ctl_probe *probe, json_t *result)
{
    struct probing *p = container_of(probe, struct probing, probe);

    json_array_append(p->modems, result);
    call_event(p->call, json_pack("{sssO}", "kind", "probed", "modem", result));
}

static void on_done(struct ctl_probe *probe)
{
    struct probing *p = container_of(probe, struct probing, probe);

    call_ok(p->call, json_pack("{sO}", "modems", p->modems));
}

static void clear(void *own)
{
    json_decref(((struct probing *)own)->modems);
}

void do_probe(struct call *call)
{
    const struct ctl_world *w = &call->ctl->world;
    const char *modem = call_text(call, "modem"), *port = modem ? modem : call_text(call, "port");
    struct probing *p;
    struct err e = {0};

    if (modem && !call_modem(call))
        return;
    p = call_keep(call, sizeof *p, clear);
    p->call = call;
    p->probe = (struct ctl_probe){.found = on_found, .done = on_done};
    p->modems = json_array();
    call->may_be_left = true;
    log_notice(WHO, "probe port=%s by=%s", port ? port : "all", call_user(call));
    int rc = w->probe(w->owner, port, &p->probe, &e);
    if (rc < 0)
        call_fail(call, rc, e.text);
}
