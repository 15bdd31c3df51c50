/* Message stores: which there are, and which one is read, written and received into. TS 27.005 3.2.2 (+CPMS).
 *
 * AT+CPMS=<mem1>,<mem2>,<mem3>: mem1 is read and deleted from, mem2 is written to, mem3 receives. All three
 * are always given: with two, many modems leave mem3 as it was, and messages go where nobody looks (E1752).
 * Modems that refuse three get two, then one. A modem that has no store at all (Nokia N79) can still send.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

/* In order of preference for mem3, unless the profile has another. SM is where it can be received into on
 * all; MT is SM and ME seen as one. */
enum { FULL_LOOK_MS = 60000 };

static const char *const known[] = {"SM", "ME", "MT"};

void stores_forget(struct modem *m)
{
    m->stores_len = 0;
    m->mem3_len = 0;
    m->cpms_args = 0;
    m->mem1[0] = m->mem2[0] = m->mem3[0] = '\0';
    m->reports_stored = false;
}

struct modem_store *stores_find(struct modem *m, const char *name)
{
    for (size_t i = 0; i < m->stores_len; i++) {
        if (strcmp(m->stores[i].name, name) == 0)
            return &m->stores[i];
    }
    return NULL;
}

/* MT shows SM and ME together. A message that is known by two names would be deleted under the second one
 * when its place holds another one already: MT is read where SM and ME are not, and the other way. */
static bool is_seen_by_another(struct modem *m, const char *name)
{
    if (strcmp(name, "MT") == 0)
        return stores_find(m, "SM") || stores_find(m, "ME");
    return strcmp(name, "SR") != 0 && stores_find(m, "MT");
}

bool stores_other_view(struct modem *m, const char *name)
{
    return !stores_find(m, name) && is_seen_by_another(m, name);
}

static void add_store(struct modem *m, const char *name)
{
    if (m->stores_len == MODEM_STORES || stores_find(m, name) || is_seen_by_another(m, name))
        return;
    struct modem_store *s = &m->stores[m->stores_len++];
    *s = (struct modem_store){0};
    str_copy(s->name, sizeof(s->name), name);
}

/* The profile's order of preference, of what the modem lists. */
static void prefer(struct modem *m)
{
    size_t to = 0;

    for (const char *const *p = m->profile->stores; p && *p; p++) {
        for (size_t i = to; i < m->mem3_len; i++) {
            char moved[MODEM_STORE_BYTES];
            if (strcmp(m->mem3_allowed[i], *p) != 0)
                continue;
            memcpy(moved, m->mem3_allowed[i], sizeof(moved));
            memmove(m->mem3_allowed[to + 1], m->mem3_allowed[to], (i - to) * sizeof(moved));
            memcpy(m->mem3_allowed[to++], moved, sizeof(moved));
        }
    }
}

/* ---- +CPMS=? ---- */

/* The names between `from` and `to`: quoted or with a quote lost, other names skipped. Bits of known[], bit 7
 * for SR. */
static unsigned names_in(const char *from, const char *to)
{
    unsigned found = 0;

    for (const char *p = from; p < to;) {
        size_t len = 0;
        while (p + len < to && (isalnum((unsigned char)p[len]) || p[len] == '_'))
            len++;
        for (size_t i = 0; len == 2 && i < ARRAY_LEN(known); i++) {
            if (strncmp(p, known[i], 2) == 0)
                found |= 1u << i;
        }
        if (len == 2 && strncmp(p, "SR", 2) == 0)
            found |= 0x80;
        p += len ? len : 1;
    }
    return found;
}

/* The three groups: "(…),(…),(…)", bare "SM","ME" (each name a group: MU609), "((…),(…))" (Wavecom). */
static size_t groups_of(const char *p, unsigned out[3])
{
    size_t n = 0;

    if (p[0] == '(' && p[1] == '(')
        p++;
    while (*p && n < 3) {
        const char *end = *p == '(' ? strchr(p, ')') : p + strcspn(p, ",");
        if (!end)
            end = p + strlen(p);
        out[n++] = names_in(p, end);
        p = end + strcspn(end, ",");
        p += *p == ',';
        while (*p == ' ')
            p++;
    }
    return n;
}

void stores_list_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CPMS:");
    unsigned groups[3] = {0};

    if (!c.p)
        return;
    size_t n = groups_of(c.p, groups);
    bool bare = *c.p == '"';
    unsigned mem1 = bare ? groups[0] | groups[1] | groups[2] : groups[0];
    unsigned mem3 = bare ? mem1 : n == 3 ? groups[2] : groups[n ? n - 1 : 0];
    /* What is received into a store that can be read by itself needs no MT. */
    if (mem1 & mem3 & 3) {
        mem1 &= ~4u;
        mem3 &= ~4u;
    } else if (mem1 & 4) {
        mem1 &= ~3u;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (mem1 & (1u << i))
            add_store(m, known[i]);
        if (mem3 & (1u << i) && m->mem3_len < MODEM_STORES)
            str_copy(m->mem3_allowed[m->mem3_len++], MODEM_STORE_BYTES, known[i]);
    }
    if (groups[0] & 0x80)
        add_store(m, "SR");
    prefer(m);
}

/* ---- selection ---- */

static void write_cpms(int args, const char *mem1, const char *mem2, const char *mem3, char *text,
                       size_t size)
{
    switch (args) {
    case 3:
        snprintf(text, size, "AT+CPMS=\"%s\",\"%s\",\"%s\"", mem1, mem2, mem3);
        break;
    case 2:
        snprintf(text, size, "AT+CPMS=\"%s\",\"%s\"", mem1, mem2);
        break;
    default:
        snprintf(text, size, "AT+CPMS=\"%s\"", mem1);
        break;
    }
}

void stores_select_text(const struct modem *m, const char *store, char *text, size_t size)
{
    write_cpms(m->cpms_args, store, m->mem2, m->mem3, text, size);
}

/* +CPMS: <used1>,<total1>,… : of the store that is read from now on */
void stores_count_line(struct modem *m, const char *store, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CPMS:");
    struct modem_store *s = stores_find(m, store);
    int64_t used, size;

    if (!s || !at_cur_number(&c, &used) || !at_cur_number(&c, &size) || used < 0 || used > size ||
        size > INT_MAX)
        return;
    s->used = (int)used;
    s->size = (int)size;
}

void stores_deleted(struct modem *m, const char *store)
{
    struct modem_store *s = stores_find(m, store);

    if (s && s->used > 0)
        s->used--;
}

/* Attempts: each store that may be mem3, first with three arguments, then two, then one. Without an answer to
 * +CPMS=?, SM and ME are tried. */
static bool attempt(const struct modem *m, unsigned n, int *args, const char **store)
{
    static const char *const guess[] = {"SM", "ME"};
    size_t count = m->mem3_len ? m->mem3_len : ARRAY_LEN(guess);

    if (n >= 3 * count)
        return false;
    *args = 3 - (int)(n / count);
    *store = m->mem3_len ? m->mem3_allowed[n % count] : guess[n % count];
    return true;
}

bool stores_make_select(struct modem *m, char *text, size_t size)
{
    const char *store;
    int args;

    if (!attempt(m, m->run.attempt, &args, &store))
        return false;
    write_cpms(args, store, store, store, text, size);
    return true;
}

void stores_selected_line(struct modem *m, const char *line)
{
    const char *store;
    int args;

    if (attempt(m, m->run.attempt, &args, &store))
        stores_count_line(m, store, line);
}

enum script_verdict stores_selected(struct modem *m, const struct at_result *r)
{
    const char *store;
    int args;

    if (!attempt(m, m->run.attempt, &args, &store))
        return STEP_NEXT;
    if (r->code != AT_OK)
        return attempt(m, m->run.attempt + 1, &args, &store) ? STEP_REPEAT : STEP_FAIL;
    m->cpms_args = args;
    str_copy(m->mem1, sizeof(m->mem1), store);
    str_copy(m->mem2, sizeof(m->mem2), store);
    str_copy(m->mem3, sizeof(m->mem3), store);
    add_store(m, store);
    return STEP_NEXT;
}

void stores_sweep(struct modem *m)
{
    for (size_t i = 0; i < m->stores_len; i++) {
        if (strcmp(m->stores[i].name, "SR") != 0 || m->reports_stored)
            m->stores[i].sweep = m->stores[i].fails < MODEM_STORE_FAILS;
    }
    rx_next(m);
}

/* ---- Foxconn T77W968: receives only after mem3 has been through all of them ---- */

bool stores_make_cycle(struct modem *m, char *text, size_t size)
{
    static const char *const cycle[] = {"ME", "MT", "SM", "ME"};

    if (!(m->profile->quirks & QUIRK_CPMS_CYCLE) || m->cpms_args != 3 || m->run.attempt > ARRAY_LEN(cycle))
        return false;
    write_cpms(3, m->mem1, m->mem2, m->run.attempt < ARRAY_LEN(cycle) ? cycle[m->run.attempt] : m->mem3, text,
               size);
    return true;
}

/* ---- full ----
 *
 * The network holds messages back while there is no room. What is there is read and deleted; where that does
 * not help (what fills the store is not ours to delete, or cannot be stored here), messages are received into
 * another store of the modem, and if there is none, somebody is told. */

void stores_full(struct modem *m, const char *notice)
{
    enum { AGAIN_MS = 10000 }; /* such notices come in floods */

    if (m->full_ms && modem_now(m) - m->full_ms < AGAIN_MS)
        return;
    m->full_ms = modem_now(m);
    modem_log(warning, m, "memory full notice=\"%s\"", notice);
    m->room.wanted = true;
    m->room.due_ms = 0;
    m->room.total = -1;
    stores_sweep(m);
}

bool stores_room_due(const struct modem *m)
{
    if (!m->room.wanted || modem_now(m) < m->room.due_ms)
        return false;
    for (size_t i = 0; i < m->rx.len; i++) {
        if (m->rx.entries[i].state == RX_OFFERED) /* will be deleted soon */
            return false;
    }
    return true;
}

/* +CPMS: "SM",3,50,"SM",3,50,"SM",3,50: the last group is mem3's */
static void room_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CPMS:");
    int64_t used, total;

    while (at_cur_skip(&c) && at_cur_number(&c, &used) && at_cur_number(&c, &total)) {
        m->room.used = (int)used;
        m->room.total = (int)total;
    }
}

static bool full(const struct modem *m)
{
    return m->room.total > 0 && m->room.used >= m->room.total;
}

/* Not the one that is full, and one that is read, perhaps under another name. */
static bool is_other(struct modem *m, const char *name)
{
    return strcmp(name, m->mem3) != 0 && (stores_find(m, name) || is_seen_by_another(m, name));
}

/* Attempts: the other stores that may receive. */
static bool make_other(struct modem *m, char *text, size_t size)
{
    while (m->run.attempt < m->mem3_len && !is_other(m, m->mem3_allowed[m->run.attempt]))
        m->run.attempt++;
    if (!full(m) || m->cpms_args != 3 || m->run.attempt >= m->mem3_len)
        return false;
    m->room.total = -1;
    write_cpms(3, m->mem1, m->mem2, m->mem3_allowed[m->run.attempt], text, size);
    return true;
}

/* +CPMS: 3,50,3,50,0,23: the answer to a setting has no names */
static void other_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CPMS:");
    int64_t used, total;

    while (at_cur_number(&c, &used) && at_cur_number(&c, &total)) {
        m->room.used = (int)used;
        m->room.total = (int)total;
    }
}

static enum script_verdict other_done(struct modem *m, const struct at_result *r)
{
    const char *store = m->mem3_allowed[m->run.attempt];

    if (r->code == AT_OK && !full(m)) {
        modem_log(notice, m, "store %s is full and stays full: messages are received into %s", m->mem3,
                  store);
        str_copy(m->mem3, sizeof(m->mem3), store);
        return STEP_NEXT;
    }
    if (r->code == AT_OK)
        str_copy(m->mem3, sizeof(m->mem3), store);
    else
        m->room.total = m->room.used; /* still the full one */
    return STEP_REPEAT;
}

static void room_known(struct modem *m)
{
    m->room.wanted = full(m);
    m->room.due_ms = modem_now(m) + FULL_LOOK_MS;
    if (full(m))
        modem_alarm(
            m, CARRIER_ALARM_MEMORY,
            "store %s is full (%d of %d) with what simgate must not delete (drafts, sent ones) or cannot "
            "store: empty it in a telephone; nothing is received meanwhile",
            m->mem3, m->room.used, m->room.total);
    else
        modem_alarm_over(m, CARRIER_ALARM_MEMORY);
}

static const struct script_step room_steps[] = {
    {.text = "AT+CPMS?", .prefix = "+CPMS:", .cls = AT_SIM, .line = room_line},
    {.make = make_other, .prefix = "+CPMS:", .cls = AT_SIM, .line = other_line, .done = other_done},
};
const struct script script_room = {
    .name = "room in the stores", .steps = room_steps, .count = ARRAY_LEN(room_steps), .end = room_known};
