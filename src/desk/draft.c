/* A verdict under construction: effects are the caller's, messages are kept here until gateway_apply has
 * copied them. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "desk/private.h"

static struct gateway_send *next(struct draft *d, struct buf **text)
{
    int n = d->verdict.nreplies;

    if (n == DRAFT_SENDS)
        return NULL;
    d->verdict.nreplies++;
    gateway_send_init(&d->sends[n]);
    d->sends[n].reading = NUMBER_READ_INTERNATIONAL;
    *text = &d->texts[n];
    return &d->sends[n];
}

struct gateway_send *draft_to_customer(struct draft *d, const struct conv_row *c, struct buf **text)
{
    struct gateway_send *s = next(d, text);

    if (!s)
        return NULL;
    s->to = c->number;
    s->modem = *c->sim ? c->sim : NULL;
    s->prefer = true;
    s->conversation = c->id;
    s->department = *c->department ? c->department : NULL;
    return s;
}

struct buf *draft_to_staff(struct draft *d, const struct conv_row *c, const struct person *to,
                           const char *key)
{
    int n = d->verdict.nreplies;
    struct buf *text;
    struct gateway_send *s = next(d, &text);

    if (!s)
        return NULL;
    snprintf(d->sources[n], sizeof d->sources[n], "relay:%lld", (long long)c->id);
    if (key) {
        snprintf(d->keys[n], sizeof d->keys[n], "%.100s:%.50s", key, to->number);
        s->key = d->keys[n];
    }
    s->to = to->number;
    s->modem = *c->sim ? c->sim : NULL;
    s->prefer = true;
    s->staff = true;
    s->automatic = true; /* one that cannot be sent does not hold up the rest */
    s->conversation = -1;
    s->source = d->sources[n];
    return text;
}

const struct gateway_verdict *draft_verdict(struct draft *d)
{
    for (int i = 0; i < d->verdict.nreplies; i++)
        d->sends[i].text = buf_str(&d->texts[i]);
    d->verdict.replies = d->sends;
    return &d->verdict;
}

void draft_fini(struct draft *d)
{
    for (int i = 0; i < DRAFT_SENDS; i++)
        buf_free(&d->texts[i]);
    *d = (struct draft){0};
}
