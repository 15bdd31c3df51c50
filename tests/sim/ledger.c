#include "tests/sim/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROBLEMS_SHOWN = 20 };

void ledger_fini(struct ledger *l)
{
    free(l->outs);
    free(l->ins);
    buf_free(&l->problems);
}

void ledger_problem(struct ledger *l, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    if (++l->nproblems > MAX_PROBLEMS_SHOWN)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_addf(&l->problems, "    %s\n", text);
}

static void *grow(void *array, int n, int *cap, size_t size)
{
    if (n < *cap)
        return array;
    *cap = *cap ? *cap * 2 : 64;
    array = realloc(array, (size_t)*cap * size);
    if (!array)
        abort();
    return array;
}

int ledger_new_out(struct ledger *l)
{
    l->outs = grow(l->outs, l->nouts, &l->out_cap, sizeof *l->outs);
    l->outs[l->nouts] = (struct ledger_out){0};
    return l->nouts++;
}

int ledger_new_in(struct ledger *l)
{
    l->ins = grow(l->ins, l->nins, &l->in_cap, sizeof *l->ins);
    l->ins[l->nins] = (struct ledger_in){0};
    return l->nins++;
}

void ledger_text(char mark, int n, size_t bytes, const char *spice, struct buf *out)
{
    buf_addf(out, "%c%d. %s", mark, n, spice);
    while (out->len + 16 < bytes)
        buf_addf(out, "%c%d. ", mark, n);
}

/* The first whole "mN." of text; -1 when there is none. */
static int mark_of(const char *text, char mark)
{
    for (const char *p = strchr(text, mark); p; p = strchr(p + 1, mark)) {
        char *end;
        long n = strtol(p + 1, &end, 10);

        if (end > p + 1 && *end == '.' && p[1] >= '0' && p[1] <= '9')
            return (int)n;
    }
    return -1;
}

/* Which message this part belongs to, by its text or by its concatenation reference; -1 none. */
static int out_of(struct ledger *l, const struct simnet_event *ev, const char *text)
{
    int n = mark_of(text, 'o');
    struct pdu_submit s;
    uint8_t ref;

    if (ev->parts < 2 || pdu_decode_submit(ev->pdu, ev->pdu_len, -1, &s, NULL) < 0 || !s.ud.concat.present)
        return n;
    ref = (uint8_t)s.ud.concat.ref;
    if (n < 0 && l->refs[ref].parts == ev->parts && !strcmp(l->refs[ref].peer, ev->peer))
        n = l->refs[ref].n;
    snprintf(l->refs[ref].peer, sizeof l->refs[ref].peer, "%s", ev->peer);
    l->refs[ref].parts = ev->parts;
    l->refs[ref].n = n;
    return n;
}

static void submitted(struct ledger *l, const struct simnet_event *ev, const char *text)
{
    struct ledger_out *o;
    int n;

    l->submits++;
    if (!strncmp(text, "Re: ", 4)) {
        l->replies++;
        return;
    }
    n = out_of(l, ev, text);
    if (n < 0 && l->told)
        return;
    if (n < 0) {
        ledger_problem(l, "the network took a text that nobody wrote: %s", text);
        return;
    }
    if (n >= l->nouts || !ev->part || ev->part > LEDGER_MAX_PARTS) {
        ledger_problem(l, "the network took a part that nobody asked for: %s", text);
        return;
    }
    o = &l->outs[n];
    if (!o->first_ms)
        o->first_ms = ev->at_ms;
    if (o->submits[ev->part - 1]++ > 0 && !ev->reject_duplicates)
        o->blind[ev->part - 1]++;
}

static void removed(struct ledger *l, const struct simnet_event *ev, const char *text, bool stored)
{
    int n = ev->report ? -1 : mark_of(text, 'i');

    l->removals++;
    if (!stored && !l->lossy_line)
        ledger_problem(l, "%s of modem %s was acknowledged before it was stored: %s",
                       ev->report ? "a report" : "a message", ev->modem, text);
    if (n >= 0 && n < l->nins)
        l->ins[n].removed++;
}

void ledger_event(struct ledger *l, const struct simnet_event *ev,
                  bool (*stored)(void *arg, const uint8_t *pdu, size_t len), void *arg)
{
    char text[PDU_TEXT_BYTES];
    int n;

    simnet_event_text(ev, text);
    if (l->verbose > 1)
        fprintf(stderr, "%10lld %-9s %s %s%d/%d mr=%d rd=%d code=%d %s[%d] %s\n", (long long)ev->at_ms,
                simnet_kind_name(ev->kind), ev->modem, ev->report ? "report " : "", ev->part, ev->parts,
                ev->mr, ev->reject_duplicates, ev->code, ev->store, ev->index, text);
    switch (ev->kind) {
    case SIMNET_SUBMITTED:
        submitted(l, ev, text);
        break;
    case SIMNET_INJECTED:
        n = mark_of(text, 'i');
        if (n >= 0 && n < l->nins && !ev->resend) {
            l->ins[n].injected = true;
            l->ins[n].parts = ev->parts;
        }
        break;
    case SIMNET_DELETED:
    case SIMNET_ACKED:
        removed(l, ev, text, stored(arg, ev->pdu, ev->pdu_len));
        break;
    case SIMNET_DROPPED:
        n = ev->report ? -1 : mark_of(text, 'i');
        if (n >= 0 && n < l->nins)
            l->ins[n].broken = true;
        break;
    case SIMNET_REFUSED:
    case SIMNET_STORED:
    case SIMNET_SHOWN:
    case SIMNET_UNACKED:
    case SIMNET_REPORT:
    case SIMNET_KINDS:
        break;
    }
}

/* ---- the end ---- */

static void row_out(struct ledger *l, const struct msg_row *row)
{
    int n = mark_of(row->text, 'o');
    struct ledger_out *o;
    bool sent = row->state == MSG_SENT || row->state == MSG_DELIVERED || row->state == MSG_UNDELIVERED;

    if (row->flags & MSG_F_AUTOMATIC || (n < 0 && l->told))
        return;
    if (n < 0 || n >= l->nouts) {
        ledger_problem(l, "message %lld in the store was never asked for", (long long)row->id);
        return;
    }
    o = &l->outs[n];
    if (o->parts)
        ledger_problem(l, "o%d is in the store twice", n);
    o->parts = row->parts;
    if (row->state == MSG_SUBMITTING || row->state == MSG_QUEUED)
        ledger_problem(l, "o%d is still %s at the end: %s", n, msg_state_name(row->state), row->reason);
    for (int i = 0; i < row->parts && i < LEDGER_MAX_PARTS; i++) {
        if (sent && !o->submits[i] && !l->lossy_line)
            ledger_problem(l, "o%d is %s but its part %d never reached the network", n,
                           msg_state_name(row->state), i + 1);
        if (o->blind[i])
            ledger_problem(l, "o%d part %d reached the network %d times, %d of them unmarked (%s)", n, i + 1,
                           o->submits[i], o->blind[i], msg_state_name(row->state));
        if (o->submits[i] > 1 && !(row->flags & MSG_F_POSSIBLE_DUPLICATE))
            ledger_problem(l, "o%d part %d reached the network %d times and is not marked", n, i + 1,
                           o->submits[i]);
    }
}

static void row_in(struct ledger *l, const struct msg_row *row)
{
    int n = mark_of(row->text, 'i');

    if (row->flags & MSG_F_UNDECODABLE)
        return; /* garbage on the line: kept raw, the modem still has or had the true one */
    if ((n < 0 || n >= l->nins) && l->lossy_line)
        return;
    if (n < 0 && l->told) {
        if (row->state != MSG_HANDLED)
            ledger_problem(l, "\"%s\" is still %s at the end", row->text, msg_state_name(row->state));
        return;
    }
    if (n < 0 || n >= l->nins) {
        ledger_problem(l, "message %lld was received but nobody sent it: %s", (long long)row->id, row->text);
        return;
    }
    if (row->state != MSG_HANDLED)
        ledger_problem(l, "i%d is still %s at the end", n, msg_state_name(row->state));
    if (l->ins[n].rows++ && !(row->flags & MSG_F_INCOMPLETE) && !l->lossy_line)
        ledger_problem(l, "i%d was received twice", n);
}

void ledger_row(struct ledger *l, const struct msg_row *row)
{
    if (row->direction == MSG_OUT)
        row_out(l, row);
    else
        row_in(l, row);
}
