/* Which conversation a message belongs to, and what it does to it: a customer's opens one or wakes it, a
 * person's reply answers it.
 *
 * Of a contact and a SIM one conversation is live at most. What somebody writes whose last conversation is
 * SPAM joins that one and opens nothing. */
#include <string.h>

#include "base/utf8.h"
#include "store/desk_private.h"

enum { TITLE_CHARACTERS = 40 };

struct conv_row *desk_conv(struct desk_tx *t, int64_t id, bool **dirty, int *rc)
{
    *rc = ERR_OK;
    *dirty = &t->own_dirty;
    if (id == 0 || (t->own.id != 0 && id == t->own.id))
        return t->own.id != 0 ? &t->own : NULL;
    *dirty = &t->other_dirty;
    if (t->other.id == id)
        return &t->other;
    if (t->other_dirty && (*rc = conv_save(t->db, &t->other)))
        return NULL;
    t->other_dirty = false;
    *rc = conv_load(t->db, id, &t->other);
    if (*rc == ERR_OK && t->other.id != 0 && t->other.id == t->own.id) { /* it was folded into this one */
        t->other.id = 0;
        *dirty = &t->own_dirty;
        return &t->own;
    }
    return *rc == ERR_OK && t->other.id != 0 ? &t->other : NULL;
}

int desk_save(struct desk_tx *t)
{
    int rc = t->own_dirty ? conv_save(t->db, &t->own) : ERR_OK;

    if (rc == ERR_OK && t->other_dirty)
        rc = conv_save(t->db, &t->other);
    t->own_dirty = t->other_dirty = false;
    return rc;
}

int desk_log(struct desk_tx *t, int64_t conversation, const char *what, const char *value)
{
    if (conversation == 0)
        return ERR_OK;
    return conv_log(t->db, conversation, t->h->now_wall_ms, what, t->h->who, value, t->h->message);
}

int desk_event_put(struct desk_tx *t, enum desk_event kind, const struct conv_row *c, const char *name,
                   const char *text)
{
    return event_put(t->db,
                     &(struct event_new){.kind = kind,
                                         .depth = t->h->depth,
                                         .conversation = c->id,
                                         .message = t->h->message,
                                         .at_wall_ms = t->h->now_wall_ms,
                                         .number = c->number,
                                         .sim = c->sim,
                                         .name = name,
                                         .text = text},
                     NULL);
}

/* ---- states ---- */

static bool is_live(enum conv_state s)
{
    return s < CONV_CLOSED;
}

static int refuse_second(struct desk_tx *t, const struct conv_row *c)
{
    struct conv_row live;
    int rc = conv_find_live(t->db, c->contact, c->sim, &live);

    if (rc || live.id == 0)
        return rc;
    return err_set(t->db->err, ERR_REFUSED,
                   "conversation %lld cannot be opened: %lld of the same customer is", (long long)c->id,
                   (long long)live.id);
}

static int open_again(struct desk_tx *t, struct conv_row *c)
{
    int rc = refuse_second(t, c);

    if (rc || (rc = figure_reopened(t->db, c, t->h->now_wall_ms)))
        return rc;
    c->reopened++;
    return desk_event_put(t, DESK_OPENED, c, "reopened", c->title);
}

static int close(struct desk_tx *t, struct conv_row *c, enum conv_state to)
{
    int rc = figure_ended(t->db, c, to, t->h->who, t->h->now_wall_ms);

    if (rc)
        return rc;
    c->closed_wall_ms = t->h->now_wall_ms;
    c->waiting_wall_ms = 0;
    memset(c->due_wall_ms, 0, sizeof c->due_wall_ms);
    return to == CONV_CLOSED ? desk_event_put(t, DESK_CLOSED, c, conv_state_name(to), c->title) : ERR_OK;
}

int desk_set_state(struct desk_tx *t, struct conv_row *c, enum conv_state to, int64_t until_wall_ms)
{
    int rc = ERR_OK;

    if (!conv_state_allowed(c->state, to))
        return err_set(t->db->err, ERR_REFUSED, "conversation %lld is %s: it cannot become %s",
                       (long long)c->id, conv_state_name(c->state), conv_state_name(to));
    if (c->state == to && (to != CONV_SNOOZED || c->snoozed_until_wall_ms == until_wall_ms))
        return ERR_OK;
    if (!is_live(c->state) && is_live(to))
        rc = open_again(t, c);
    else if (is_live(c->state) && !is_live(to))
        rc = close(t, c, to);
    if (rc)
        return rc;
    if (to == CONV_WAITING) /* for the customer: who waits for us no longer does */
        c->waiting_wall_ms = 0;
    c->state = to;
    c->snoozed_until_wall_ms = to == CONV_SNOOZED ? until_wall_ms : 0;
    return desk_log(t, c->id, "state", conv_state_name(to));
}

/* ---- a customer's message ---- */

static bool is_call(const struct desk_tx *t)
{
    return t->h->message != 0 && (t->received.flags & MSG_F_CALL);
}

static bool in_number(char c)
{
    return (c >= '0' && c <= '9') || c == ' ' || c == '-' || c == '.' || c == '/';
}

static bool starts_in_number(const char *text)
{
    text += strspn(text, " -./");
    return *text >= '0' && *text <= '9';
}

/* The first 40 characters, in one line; a number that they would cut in two is left out, since who masks a
 * card's number would not know its half. */
static void title_of(const char *text, char title[DESK_TITLE_BYTES])
{
    size_t len = text ? strlen(text) : 0, at = 0, n = 0;

    title[0] = '\0';
    for (int i = 0; i < TITLE_CHARACTERS && at < len; i++) {
        size_t from = at;
        uint32_t cp = utf8_next(text, len, &at);

        if (n + (at - from) >= DESK_TITLE_BYTES)
            break;
        if (cp < ' ') {
            title[n++] = ' ';
            continue;
        }
        memcpy(title + n, text + from, at - from);
        n += at - from;
    }
    title[n] = '\0';
    if (at < len && starts_in_number(text + at))
        while (n > 0 && in_number(title[n - 1]))
            title[--n] = '\0';
}

/* The number that the conversation is with. Who only rang from another of their numbers, a landline perhaps,
 * is answered at the main one. */
static int number_of(struct desk_tx *t, int64_t contact, char out[64])
{
    static const char sql[] = "SELECT number FROM contact WHERE id = ?1";
    sqlite3_stmt *st;
    int rc;

    str_copy(out, 64, t->number);
    if (!is_call(t) || (rc = DB_FIRST(t->db, &st, sql, db_int(contact))) == 0)
        return ERR_OK;
    if (rc < 0)
        return rc;
    db_col_text(st, 0, out, 64);
    db_end(st);
    return ERR_OK;
}

static int begin(struct desk_tx *t, int64_t contact)
{
    bool ours = t->h->message == 0;
    int rc;

    t->own = (struct conv_row){.id = t->h->conversation,
                               .contact = contact,
                               .state = ours ? CONV_OPEN : CONV_NEW,
                               .priority = PRIORITY_NORMAL,
                               .created_wall_ms = t->received_wall_ms,
                               .changed_wall_ms = t->h->now_wall_ms,
                               .survey_score = -1};
    str_copy(t->own.sim, sizeof t->own.sim, t->sim);
    title_of(t->text ? t->text : t->h->nreplies > 0 ? t->h->replies[0].text : NULL, t->own.title);
    if ((rc = number_of(t, contact, t->own.number)) || (rc = conv_insert(t->db, &t->own)) ||
        (rc = desk_log(t, t->own.id, "opened", t->own.title)))
        return rc;
    t->h->opened = OPENED_NEW;
    return desk_event_put(t, DESK_OPENED, &t->own, "new", t->own.title);
}

/* The live one, or one that was closed not long ago, or a new one. */
static int open_one(struct desk_tx *t, int64_t contact)
{
    struct conv_row last;
    int rc = conv_find_last(t->db, contact, t->sim, &last);

    if (rc)
        return rc;
    if (last.id != 0 && last.state == CONV_SPAM) {
        t->own = last;
        return ERR_OK;
    }
    if (last.id == 0 || t->h->reopen_ms <= 0 || last.closed_wall_ms < t->h->now_wall_ms - t->h->reopen_ms)
        return begin(t, contact);
    t->own = last;
    t->h->opened = OPENED_AGAIN;
    return desk_set_state(t, &t->own, CONV_OPEN, 0);
}

static int find(struct desk_tx *t)
{
    bool opens = t->h->thread == THREAD_OPEN;
    int64_t contact = 0;
    int rc = opens ? contact_make(t->db, t->number, t->h->now_wall_ms, &contact)
                   : contact_find(t->db, t->number, &contact);

    if (rc < 0 || contact == 0 || (rc = conv_find_live(t->db, contact, t->sim, &t->own)) || t->own.id != 0)
        return rc;
    return opens ? open_one(t, contact) : conv_find_last(t->db, contact, t->sim, &t->own);
}

/* A customer wrote: whoever waits for that waits no longer. */
static int wake(struct desk_tx *t)
{
    struct conv_row *c = &t->own;

    if (!is_live(c->state))
        return ERR_OK;
    if (c->waiting_wall_ms == 0)
        c->waiting_wall_ms = t->received_wall_ms;
    return c->state == CONV_WAITING || c->state == CONV_SNOOZED ? desk_set_state(t, c, CONV_OPEN, 0) : ERR_OK;
}

static const char sql_belongs[] = "UPDATE message SET conversation = ?2 WHERE id = ?1";

/* While it was decided, another one was opened, or came with a merge: what the verdict calls by the number
 * that was reserved (a notice to staff) is that one. */
static int note_reserved(struct desk_tx *t)
{
    const struct store_handle *h = t->h;

    if (h->thread != THREAD_OPEN || h->message == 0 || h->opened != OPENED_NOT || h->conversation == 0 ||
        h->conversation == t->own.id || !is_live(t->own.state))
        return ERR_OK;
    return conv_was(t->db, h->conversation, t->own.id);
}

int desk_thread(struct desk_tx *t)
{
    struct store_handle *h = t->h;
    int rc;

    if (h->thread == THREAD_NONE || !*t->number)
        return ERR_OK;
    if ((rc = find(t)) || t->own.id == 0 || (rc = note_reserved(t)))
        return rc;
    t->own_dirty = true;
    t->own.changed_wall_ms = h->now_wall_ms;
    if (h->message == 0)
        return ERR_OK;
    t->own.messages_in++;
    t->own.last_in_wall_ms = t->received_wall_ms;
    if (!is_call(t)) /* from this number they can be answered */
        str_copy(t->own.number, sizeof t->own.number, t->number);
    if (h->thread == THREAD_OPEN && (rc = wake(t)))
        return rc;
    return DB_RUN(t->db, sql_belongs, db_int(h->message), db_int(t->own.id));
}

/* ---- ours ---- */

/* A person answered: the customer's turn. */
static int answered(struct desk_tx *t, struct conv_row *c, const char *who)
{
    int rc = figure_answered(t->db, c, who, t->h->now_wall_ms);

    if (rc)
        return rc;
    c->replies_by_persons++;
    c->person_wall_ms = t->h->now_wall_ms;
    if (c->first_response_wall_ms == 0)
        c->first_response_wall_ms = t->h->now_wall_ms;
    c->waiting_wall_ms = 0;
    c->due_wall_ms[CLOCK_FIRST] = c->due_wall_ms[CLOCK_NEXT] = 0;
    return is_live(c->state) ? desk_set_state(t, c, CONV_WAITING, 0) : ERR_OK;
}

int desk_sent(struct desk_tx *t, struct store_new_message *m)
{
    struct conv_row *c;
    bool *dirty;
    int rc;

    if (m->id == 0 || m->existed || m->conversation <= 0 || (m->flags & MSG_F_STAFF))
        return ERR_OK;
    c = desk_conv(t, m->conversation, &dirty, &rc);
    if (!c)
        return rc;
    *dirty = true;
    c->changed_wall_ms = t->h->now_wall_ms;
    if (m->flags & MSG_F_PERSON)
        return answered(t, c, m->who);
    if (m->flags & MSG_F_AUTOMATIC)
        c->replies_automatic++;
    return ERR_OK;
}
