/* What staff reads: customers' messages on the telephones of who is on duty, and the parts of all other texts
 * of the relay.
 */
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/relay_private.h"

enum {
    RELAYED_CHARACTERS = 800, /* of a customer's text; the rest is in `simgate conversation` */
    QUOTED_CHARACTERS = 100,  /* of a text that an answer is about */
};

/* ---- texts ----------------------------------------------------------------------------------------------
 */

/* At most so many characters, in one line. */
void relay_add_line(struct buf *out, const char *text, size_t len, int characters)
{
    size_t at = 0;

    while (at < len && characters-- > 0) {
        size_t from = at;
        uint32_t c = utf8_next(text, len, &at);

        if (c < ' ')
            buf_addc(out, ' ');
        else
            buf_add(out, text + from, at - from);
    }
    if (at < len)
        buf_adds(out, "…");
}

/* The same with sensitive data masked: staff's telephones are not ours. */
void relay_add_masked(const struct program *p, struct buf *out, const char *text, int characters)
{
    struct buf masked = {0};
    const char *shown = mask_text(p->sensitive.mask, text, strlen(text), &masked) ? buf_str(&masked) : text;

    relay_add_line(out, shown, strlen(shown), characters);
    buf_free(&masked);
}

void relay_quote(const struct program *p, const char *text, struct buf *out)
{
    buf_addc(out, '"');
    relay_add_masked(p, out, text, QUOTED_CHARACTERS);
    buf_addc(out, '"');
}

void relay_title(const struct conv_row *c, struct buf *out)
{
    const char *name = *c->name ? c->name : c->number;

    buf_addf(out, "#%lld ", (long long)c->id);
    relay_add_line(out, name, strlen(name), 40);
}

void relay_add_since(struct buf *out, int64_t ms)
{
    int64_t minutes = ms / 60000;

    if (minutes < 120)
        buf_addf(out, "%lld min", (long long)minutes);
    else if (minutes < 48 * 60)
        buf_addf(out, "%lld h", (long long)(minutes / 60));
    else
        buf_addf(out, "%lld days", (long long)(minutes / 1440));
}

/* ---- messages to staff ----------------------------------------------------------------------------------
 */

/* A message to a person of ours; NULL where there is no room. `conversation` is what it is about. */
struct buf *relay_message(struct verdict *v, const struct person *to, int64_t conversation, const char *modem)
{
    const char *source = conversation ? verdict_keepf(v, "relay:%lld", (long long)conversation) : "relay";
    struct verdict_reply *r = verdict_send(v, source, to->number);

    if (!r) {
        verdict_why(v, "relay: %s is not told, there is no room for more messages", to->name);
        return NULL;
    }
    r->staff = true;
    r->conversation = -1;
    r->modem = modem && *modem ? verdict_keep(v, modem) : NULL;
    return &r->text;
}

/* "#12 Maria: text", and what else is to be known of it. */
static void add_message(const struct handler_event *ev, struct buf *text)
{
    struct conv_row title = {.id = ev->conversation};

    str_copy(title.number, sizeof title.number, ev->from);
    str_copy(title.name, sizeof title.name, ev->known->contact.name);
    relay_title(&title, text);
    if (ev->on == ENGINE_ON_CALL)
        buf_adds(text, " called");
    else if (!ev->shown.at)
        buf_adds(text, " sent something that is no text");
    else
        buf_adds(text, ": ");
    if (ev->shown.at)
        relay_add_line(text, ev->shown.at, ev->shown.len, RELAYED_CHARACTERS);
    if (ev->incomplete)
        buf_adds(text, " (parts are missing)");
}

void relay_tell(const struct program *p, const struct handler_event *ev, const char *department,
                const char *assignee, struct verdict *v)
{
    const struct person *people[VERDICT_REPLIES];
    int64_t at_wall_ms = 0;
    int n;

    if (!p->relay.on)
        return;
    n = staff_phones(&p->staff, department, assignee, ev->now_wall_ms, people, VERDICT_REPLIES);
    if (n == 0)
        n = staff_next_phones(&p->staff, department, ev->now_wall_ms, &at_wall_ms, people, VERDICT_REPLIES);
    if (n == 0)
        verdict_why(v, "relay: nobody of %s has a telephone", *department ? department : "us");
    for (int i = 0; i < n; i++) {
        struct buf *text = relay_message(v, people[i], ev->conversation, ev->modem);

        if (!text)
            return;
        v->replies[v->nreplies - 1].due_wall_ms = at_wall_ms;
        add_message(ev, text);
        verdict_why(v, "relay: %s is told%s: %s", people[i]->name, at_wall_ms ? " when on duty" : "",
                    buf_str(text));
    }
}

void relay_told(const struct program *p, const struct conv_row *c, const struct operation_plan *plan,
                const char *by, const char *value, struct buf *out)
{
    relay_title(c, out);
    if (plan->reply) {
        buf_addf(out, ": %s answered: ", by);
        relay_quote(p, value, out);
    } else {
        buf_addf(out, ": %s (%s). ", plan->words, by);
        relay_quote(p, c->title, out);
    }
}
