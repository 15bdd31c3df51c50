/* What staff asks: a list of what is open, what is known of one; for whom a text without number is, and
 * whether a person wrote it. */
#include <stdlib.h>
#include <string.h>

#include "engine/relay_private.h"

enum { ENTRIES = 3, TITLE_CHARACTERS = 40 };
#define RECENT_MS  INT64_C(7200000) /* a text without number is about what was relayed within this time */
#define AT_ONCE_MS INT64_C(20000)   /* nobody reads, writes and sends faster, time and again */

const char *relay_who(const char *who)
{
    return strncmp(who, "person:", 7) == 0 ? who + 7 : who;
}

/* ---- questions ------------------------------------------------------------------------------------------
 */

void relay_tell_details(struct relay_job *j)
{
    const struct conv_row *c = &j->known.conv;
    const struct timeline_row *t;
    struct buf *out = relay_answer(j, c->id);
    int told = 0;

    verdict_reason(j->walk->verdict, "relay: %s asks about #%lld", j->person->name, (long long)c->id);
    if (!out)
        return;
    relay_title(c, out);
    buf_addf(out, "%s%s, %s, %s%s%s", *c->name ? " " : "", *c->name ? c->number : "",
             conv_state_name(c->state), *c->department ? c->department : "no department",
             *c->assignee ? ", " : "", c->assignee);
    if (c->waiting_wall_ms) {
        buf_adds(out, ", waits ");
        relay_add_since(out, j->walk->event->now_wall_ms - c->waiting_wall_ms);
    }
    for (int i = j->timeline.count - 1; i >= 0 && told < ENTRIES; i--) {
        t = &j->timeline.rows[i];
        if (t->kind != TIMELINE_IN && t->kind != TIMELINE_OUT && t->kind != TIMELINE_NOTE)
            continue;
        told++;
        buf_addf(out, "\n%s: ",
                 t->kind == TIMELINE_IN ? "customer"
                 : *t->who              ? relay_who(t->who)
                                        : "automatic");
        relay_quote(j->relay->program, t->message.text ? t->message.text : t->text ? t->text : "", out);
    }
}

/* Is it theirs to know of? */
bool relay_concerns(const struct relay_job *j, const struct conv_row *c)
{
    return j->person->lead || strcmp(c->assignee, j->person->name) == 0 ||
           staff_belongs(&j->relay->program->staff, j->person, c->department);
}

void relay_tell_open(struct relay_job *j)
{
    int count = 0;
    struct buf *out = relay_answer(j, 0);

    verdict_reason(j->walk->verdict, "relay: %s asks what is open", j->person->name);
    if (!out)
        return;
    for (int i = 0; i < j->open.count; i++)
        count += relay_concerns(j, &j->open.rows[i]);
    buf_addf(out, "%d%s open", count, j->open.more ? " or more" : "");
    for (int i = 0, listed = 0; i < j->open.count && listed < RELAY_LISTED; i++) {
        const struct conv_row *c = &j->open.rows[i];

        if (!relay_concerns(j, c))
            continue;
        listed++;
        buf_addc(out, '\n');
        relay_title(c, out);
        if (*c->assignee)
            buf_addf(out, " (%s)", c->assignee);
        buf_adds(out, ": ");
        relay_add_masked(j->relay->program, out, c->title, TITLE_CHARACTERS);
    }
    if (count > RELAY_LISTED)
        buf_addf(out, "\nand %d more", count - RELAY_LISTED);
}

/* ---- which conversation ---------------------------------------------------------------------------------
 */

/* What still waits, or never went, is not what a person answers. */
static bool has_gone(const struct msg_row *m)
{
    return m->state != MSG_QUEUED && m->state != MSG_FAILED && m->state != MSG_EXPIRED &&
           m->state != MSG_CANCELLED;
}

/* The conversations relayed to this person not long ago, the last first. */
int relay_recent(const struct relay_job *j, int64_t ids[RELAY_LISTED])
{
    int n = 0;

    for (int i = 0; i < j->sent.count && n < RELAY_LISTED; i++) {
        const char *source = j->sent.rows[i].source;
        int64_t id = strncmp(source, "relay:", 6) == 0 ? strtoll(source + 6, NULL, 10) : 0;
        const struct msg_row *m = &j->sent.rows[i];
        int64_t at = m->due_wall_ms > m->created_wall_ms ? m->due_wall_ms : m->created_wall_ms;
        bool seen = id == 0 || at < j->walk->event->now_wall_ms - RECENT_MS || !has_gone(m);

        for (int k = 0; k < n; k++)
            seen = seen || ids[k] == id;
        if (!seen)
            ids[n++] = id;
    }
    return n;
}

void relay_ask_back(struct relay_job *j, const int64_t *ids, int n)
{
    struct buf words = {0};

    if (n == 0) {
        relay_say(
            j, "Nothing was sent: nobody's message came to you within two hours. #? lists what is open, #12 "
               "TEXT answers number 12");
        return;
    }
    buf_adds(&words, "Nothing was sent: for whom is it? Write ");
    for (int i = 0; i < n; i++)
        buf_addf(&words, "%s#%lld", i == 0 ? "" : i == n - 1 ? " or " : ", ", (long long)ids[i]);
    buf_adds(&words, " before your text");
    relay_say(j, buf_str(&words));
    buf_free(&words);
}

/* ---- telephones that answer by themselves ---------------------------------------------------------------
 */

static bool without_number(const struct msg_row *m)
{
    struct relay_command c;

    relay_read(m->text, &c);
    return c.kind == RELAY_TEXT && c.conversation == 0;
}

/* Did row i come right behind what the network last took for this telephone? */
static bool came_at_once(const struct store_list *l, int i)
{
    const struct msg_row *m = &l->rows[i];

    for (int k = i + 1; k < l->count; k++)
        if (l->rows[k].direction == MSG_OUT && has_gone(&l->rows[k]))
            return m->created_wall_ms - l->rows[k].final_wall_ms <= AT_ONCE_MS;
    return false;
}

/* Two machines would write to each other through us for ever. A person may repeat a text and be quick, so it
 * is the guard's numbers that say when it is no person's. It is told once. */
bool relay_stop_machine(struct relay_job *j)
{
    const struct guard_conf *g = &j->relay->program->guard.conf;
    const struct handler_event *ev = j->walk->event;
    int same = 0, rounds = 0;
    bool in_row = true, repeats, at_once;

    for (int i = 0; i < j->sent.count; i++) {
        const struct msg_row *m = &j->sent.rows[i];

        if (m->direction != MSG_IN || m->id > ev->id)
            continue;
        in_row = in_row && without_number(m) && came_at_once(&j->sent, i);
        if (m->id == ev->id)
            continue;
        rounds += in_row;
        same += strcmp(m->text, ev->text.at) == 0 && m->created_wall_ms > ev->now_wall_ms - g->same_text_ms &&
                m->created_wall_ms <= ev->now_wall_ms + CLOCK_SLACK_MS;
    }
    repeats = g->same_text > 0 && same >= g->same_text;
    at_once = g->rounds > 0 && rounds >= g->rounds;
    if (!repeats && !at_once)
        return false;
    if ((!repeats || same == g->same_text) && (!at_once || rounds == g->rounds))
        relay_say(j, "Nothing was sent: it looks like a telephone that answers by itself. #12 TEXT answers "
                     "number 12");
    else
        verdict_reason(j->walk->verdict, "relay: %s: a telephone that answers by itself", j->person->name);
    return true;
}
