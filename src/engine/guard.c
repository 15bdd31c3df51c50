/* Whom no machine answers: short codes, names, ourselves, nobody; and nobody too often. Two machines that
 * answer each other stop here.
 */
#include "engine/program.h"

#include "base/number.h"
#include "base/util.h"

enum { MS_PER_S = 1000 };

static bool unknown_sender(const struct handler_event *ev)
{
    return *ev->from == '\0';
}

static bool own_sender(const struct handler_event *ev)
{
    return ev->own_number;
}

static bool alphanumeric_sender(const struct handler_event *ev)
{
    return number_kind(ev->from) == NUMBER_ALPHA;
}

static bool short_sender(const struct handler_event *ev)
{
    return number_kind(ev->from) == NUMBER_SHORT;
}

static const struct {
    bool (*is)(const struct handler_event *ev);
    const char *reason;
} never[] = {
    {unknown_sender, "guard: the sender is unknown"},
    {own_sender, "guard: the sender is one of our own numbers"},
    {alphanumeric_sender, "guard: the sender is a name, not a number"},
    {short_sender, "guard: the sender is a short code"},
};

static enum handler_answer guard_decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                        struct walk *walk)
{
    const struct guard *g = container_of(h, struct guard, handler);
    int left = g->most_replies - ev->known->automatic_replies;

    (void)walk;
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        if (never[i].is(ev)) {
            verdict_reason(v, "%s", never[i].reason);
            return HANDLER_STOP;
        }
    }
    if (left <= 0) {
        verdict_reason(v, "guard: %d automatic replies to this number within %lld s",
                       ev->known->automatic_replies, (long long)(g->window_ms / MS_PER_S));
        return HANDLER_STOP;
    }
    if (left < v->room)
        v->room = left;
    verdict_why(v, "guard: passed, %d of %d automatic replies used", ev->known->automatic_replies,
                g->most_replies);
    return HANDLER_NEXT;
}

void guard_compile(struct guard *g, const struct engine_conf *conf, struct problems *p)
{
    char file[PLACE_BYTES];

    *g = (struct guard){.handler = {.name = "guard", .decide = guard_decide},
                        .most_replies = conf->guard.replies,
                        .window_ms = conf->guard.window_ms};
    if (conf->guard.replies < 0)
        problem(p, "%sguard.replies: expected 0 or more", conf_prefix(conf, file));
    if (conf->guard.window_ms <= 0)
        problem(p, "%sguard.window: expected a time", conf_prefix(conf, file));
}
