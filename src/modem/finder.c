/* Which port a modem is on: the configured one, or, for a modem that is known by IMEI, SIM or USB device, the
 * port of the present ones on which it answers.
 *
 * What may be asked: serial ports on USB, but those that a profile names as diagnostics, positions, network
 * or sound. Of a stick with several ports the one for commands is asked, then its second, then those of which
 * nothing is known, and the dial-up port only when none is known to be for commands. A stick is asked by one
 * modem at a time, never on two of its ports, and not at all when it is another modem's own.
 *
 * The modems of one port source know each other by its list of users: who meets a stick that another looks
 * for tells it. A port that was asked in vain is not asked again until the set of ports changes, or all were
 * asked and ROUND_MS have passed since: most ports of an unknown stick never answer, and waiting for each
 * takes longer than any fixed time for a whole round.
 */
#include "modem/finder.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

enum {
    ROUND_MS = 30000,
    BUSY_MS = 30000,
    GARBAGE_BYTES = 24, /* so many that are no text: not a port for commands */
};

static struct modem *modem_of(struct port_user *u)
{
    return container_of(u, struct modem, user);
}

bool finder_searches(const struct modem *m)
{
    return !*m->conf->port;
}

/* ---- sticks ---- */

/* One modem per USB device, but for adapters with a serial chip: each of their ports is a modem of its own.
 */
const char *finder_stick(const struct port_info *p)
{
    static const char *const adapters[] = {"ftdi_sio", "cp210x",  "pl2303",  "ch341",
                                           "mos7840",  "mos7720", "mxuport", "ti_usb_3410_5052"};

    if (!*p->usb_path)
        return p->name;
    for (size_t i = 0; i < ARRAY_LEN(adapters); i++) {
        if (strcmp(p->driver, adapters[i]) == 0)
            return p->name;
    }
    return p->usb_path;
}

static bool same_stick(const struct port_info *a, const struct port_info *b)
{
    return *a->name && *b->name && strcmp(finder_stick(a), finder_stick(b)) == 0;
}

/* The same interface of the same kind of device at the same place, whatever its tty is called now. */
static bool same_place(const struct port_info *a, const struct port_info *b)
{
    if (!*a->name || !*a->usb_path)
        return *a->name && strcmp(a->name, b->name) == 0;
    return strcmp(a->usb_path, b->usb_path) == 0 && a->interface == b->interface && a->vendor == b->vendor &&
           a->product == b->product;
}

static bool is_place(const char *usb)
{
    return strchr(usb, '-') && !usb[strspn(usb, "0123456789.-")];
}

bool finder_usb_fits(const char *usb, const char *usb_path, const char *serial)
{
    if (is_place(usb) && strcmp(usb, usb_path) == 0)
        return true;
    return *serial && strcmp(usb, serial) == 0;
}

static bool usb_fits(const struct modem_conf *c, const struct port_info *p)
{
    return !*c->usb || finder_usb_fits(c->usb, p->usb_path, p->serial);
}

/* ---- the other modems ---- */

/* The configured port, or the place where it was. */
static bool present(struct modem *m)
{
    struct port_info ports[MODEM_PORTS_MAX];
    int n = 0;

    if (!finder_searches(m))
        return !m->ports->info || m->ports->info(m->ports, m->conf->port, &ports[0]);
    if (m->ports->list)
        n = m->ports->list(m->ports, ports, MODEM_PORTS_MAX);
    for (int i = 0; i < n; i++) {
        if (same_place(&m->last, &ports[i]))
            return true;
    }
    return false;
}

/* One that was given up for a while is opened at once when somebody has replugged it. The list is read only
 * where that matters: it is long where there are many sticks, and all modems are told. */
static void on_changed(struct port_user *u)
{
    struct modem *m = modem_of(u);
    bool waits = m->state == MODEM_BACKOFF, here = waits && present(m), back = here && m->was_away;

    m->was_away = waits && !here;
    if (m->state != MODEM_ABSENT && !waits)
        return;
    m->list_hash = 0; /* another stick may have come under an old name */
    if (!waits || back)
        modem_request(m, MOVE_OPEN, 0, "a device came or went");
}

void finder_join(struct modem *m)
{
    finder_leave(m); /* it may have been started twice */
    m->user = (struct port_user){.changed = on_changed, .next = m->ports->users};
    m->ports->users = &m->user;
}

void finder_leave(struct modem *m)
{
    for (struct port_user **u = &m->ports->users; *u; u = &(*u)->next) {
        if (*u == &m->user) {
            *u = m->user.next;
            return;
        }
    }
}

bool finder_taken(const struct modem *m, const char *spec)
{
    for (const struct port_user *u = m->ports->users; u; u = u->next) {
        if (u != &m->user && strcmp(u->spec, spec) == 0)
            return true;
    }
    return false;
}

/* Another modem has a port of this stick open. */
static bool stick_taken(const struct modem *m, const struct port_info *p)
{
    for (struct port_user *u = m->ports->users; u; u = u->next) {
        if (u != &m->user && *u->spec && (strcmp(u->spec, p->name) == 0 || same_stick(&modem_of(u)->info, p)))
            return true;
    }
    return false;
}

/* Another modem is configured to be on this stick, whether it can use it just now or not. A serial number
 * that several sticks have claims none of them. */
static bool claims(struct modem *other, const struct port_info *p, const struct port_info *ports, int n)
{
    struct port_info own;

    if (*other->conf->port && *other->user.spec)
        return same_stick(&other->info, p);
    if (*other->conf->port)
        return other->ports->info && other->ports->info(other->ports, other->conf->port, &own) &&
               same_stick(&own, p);
    if (!*other->conf->usb || !usb_fits(other->conf, p))
        return false;
    for (int i = 0; i < n; i++) {
        if (usb_fits(other->conf, &ports[i]) && !same_stick(&ports[i], p))
            return false;
    }
    return true;
}

static bool reserved(const struct modem *m, const struct port_info *p, const struct port_info *ports, int n)
{
    if (*m->conf->usb) /* it fits, and more than one may be said to be there: identity decides */
        return false;
    for (struct port_user *u = m->ports->users; u; u = u->next) {
        if (u != &m->user && claims(modem_of(u), p, ports, n))
            return true;
    }
    return false;
}

void finder_tell(struct modem *m)
{
    for (struct port_user *u = m->ports->users; u; u = u->next) {
        struct modem *other = modem_of(u);
        if (other == m || !finder_searches(other) || other->recognised || !usb_fits(other->conf, &m->info) ||
            !identity_wanted(other, m))
            continue;
        other->found = m->info;
        str_copy(other->found.name, sizeof(other->found.name), m->user.spec);
        if (other->state == MODEM_ABSENT || other->state == MODEM_BACKOFF)
            modem_request(other, MOVE_OPEN, 0, "found on %s", m->user.spec);
    }
}

/* Our port is closed: who had to wait for the stick may ask it. */
static void tell_released(struct modem *m)
{
    for (struct port_user *u = m->ports->users; u; u = u->next) {
        struct modem *other = modem_of(u);
        if (other != m && other->state == MODEM_ABSENT && other->waits_for_stick)
            modem_request(other, MOVE_OPEN, 0, "%s is free", m->user.spec);
    }
}

/* ---- what was asked ---- */

/* FNV-1a */
static uint64_t hash(const char *text, uint64_t seed)
{
    uint64_t h = seed ^ 0xCBF29CE484222325u;

    for (const char *p = text; *p; p++)
        h = (h ^ (uint8_t)*p) * 0x100000001B3u;
    return h;
}

static uint64_t hash_port(const struct port_info *p)
{
    return hash(p->name, hash(p->usb_path, (uint64_t)p->vendor << 16 | p->product));
}

static bool tried(const struct modem *m, uint64_t what)
{
    for (size_t i = 0; i < m->tried_len; i++) {
        if (m->tried[i] == what)
            return true;
    }
    return false;
}

static void note_tried(struct modem *m, uint64_t what)
{
    if (!tried(m, what) && m->tried_len < ARRAY_LEN(m->tried))
        m->tried[m->tried_len++] = what;
}

static void new_round(struct modem *m)
{
    m->round_ms = 0;
    m->tried_len = 0;
}

static void new_round_if_due(struct modem *m, const struct port_info *ports, int n)
{
    uint64_t all = 1;

    for (int i = 0; i < n; i++)
        all += hash_port(&ports[i]); /* order does not matter */
    bool due = m->round_ms && modem_now(m) - m->round_ms >= ROUND_MS;

    if (all == m->list_hash && !due)
        return;
    if (all != m->list_hash)
        m->miss[0] = '\0';
    m->list_hash = all;
    new_round(m);
}

void finder_not_ours(struct modem *m)
{
    note_tried(m, hash(finder_stick(&m->info), 0));
    if (same_place(&m->last, &m->info))
        m->last.name[0] = '\0';
}

void finder_miss(struct modem *m, const char *why)
{
    str_copy(m->miss, sizeof(m->miss), why);
}

/* ---- the choice ---- */

/* Smaller is asked first; < 0: never. */
static int rank_of(const struct profile_set *set, const struct port_info *p)
{
    static const int ranks[] = {
        [ROLE_AT] = 0,   [ROLE_AT2] = 1,  [ROLE_UNKNOWN] = 2, [ROLE_DATA] = 3,    [ROLE_DIAG] = -1,
        [ROLE_GPS] = -1, [ROLE_NET] = -1, [ROLE_AUDIO] = -1,  [ROLE_IGNORE] = -1,
    };
    return ranks[profile_role_of(set, p)];
}

/* A dial-up port tells nothing unasked: not where the stick has one for commands. */
static bool has_better(const struct modem *m, const struct port_info *ports, int n, const struct port_info *p)
{
    for (int i = 0; i < n; i++) {
        enum profile_role r = profile_role_of(m->conf->profiles, &ports[i]);
        if ((r == ROLE_AT || r == ROLE_AT2) && same_stick(&ports[i], p))
            return true;
    }
    return false;
}

static int64_t key_of(const struct modem *m, const struct port_info *ports, int n, int i)
{
    enum { PER_STICK = 256, PER_RANK = 1 << 20 };
    const struct port_info *p = &ports[i];
    int first = 0, rank = rank_of(m->conf->profiles, p);

    if (rank < 0 || (rank == 3 && has_better(m, ports, n, p)))
        return -1;
    while (first < i && !same_stick(&ports[first], p))
        first++;
    int64_t key = (int64_t)rank * PER_RANK + (int64_t)first * PER_STICK + (p->interface & 0xFF);
    return same_place(&m->last, p) ? key : key + 8 * PER_RANK; /* where it was comes first */
}

/* Index of the port to be asked next; -1: none now. */
static int choose(struct modem *m, const struct port_info *ports, int n)
{
    int64_t best_key = -1;
    int best = -1;

    m->waits_for_stick = false;
    for (int i = 0; i < n; i++) {
        const struct port_info *p = &ports[i];
        if (!usb_fits(m->conf, p) || tried(m, hash_port(p)) || tried(m, hash(finder_stick(p), 0)))
            continue;
        int64_t key = key_of(m, ports, n, i);
        if (key < 0 || reserved(m, p, ports, n) || (best >= 0 && key >= best_key))
            continue;
        if (stick_taken(m, p)) {
            m->waits_for_stick = true;
            continue;
        }
        best_key = key;
        best = i;
    }
    return best;
}

static bool search(struct modem *m, char spec[PORT_NAME_BYTES])
{
    struct port_info ports[MODEM_PORTS_MAX];
    int n = m->ports->list ? m->ports->list(m->ports, ports, MODEM_PORTS_MAX) : 0;

    new_round_if_due(m, ports, n);
    int i = finder_ambiguous(m, ports, n) ? -1 : choose(m, ports, n);
    if (i >= 0) {
        note_tried(m, hash_port(&ports[i]));
        return str_copy(spec, PORT_NAME_BYTES, ports[i].name);
    }
    if (!m->round_ms)
        m->round_ms = modem_now(m);
    return false;
}

/* A configured port that is known to be for something else would only ever be silent. */
static int check_role(struct modem *m, struct err *e)
{
    struct port_info own, ports[MODEM_PORTS_MAX];
    const char *at = NULL;

    if (!m->ports->info || !m->ports->info(m->ports, m->conf->port, &own) ||
        rank_of(m->conf->profiles, &own) >= 0)
        return 0;
    int n = m->ports->list ? m->ports->list(m->ports, ports, MODEM_PORTS_MAX) : 0;
    for (int i = 0; i < n && !at; i++) {
        if (same_stick(&ports[i], &own) && profile_role_of(m->conf->profiles, &ports[i]) == ROLE_AT)
            at = ports[i].name;
    }
    return err_set(e, ERR_INVALID, "%s is the stick's %s port%s%s", m->conf->port,
                   profile_role_name(profile_role_of(m->conf->profiles, &own)), at ? "; its AT port is " : "",
                   at ? at : "");
}

int finder_pick(struct modem *m, char spec[PORT_NAME_BYTES], struct err *e)
{
    if (!finder_searches(m)) {
        str_copy(spec, PORT_NAME_BYTES, m->conf->port);
        return check_role(m, e);
    }
    if (*m->found.name) {
        str_copy(spec, PORT_NAME_BYTES, m->found.name);
        m->found.name[0] = '\0';
        return 0;
    }
    if (search(m, spec))
        return 0;
    char why[CARRIER_TEXT_BYTES];
    finder_put_back(m);
    finder_why(m, why, sizeof(why));
    return err_set(e, ERR_NOT_FOUND, "%s", why);
}

/* ---- opened, closed ---- */

void finder_opened(struct modem *m, const char *spec)
{
    str_copy(m->user.spec, sizeof(m->user.spec), spec);
    m->garbage = 0;
    if (m->ports->info && m->ports->info(m->ports, spec, &m->info))
        return;
    m->info = (struct port_info){.interface = -1};
    str_copy(m->info.name, sizeof(m->info.name), spec);
}

void finder_closed(struct modem *m)
{
    if (m->recognised) { /* asked first when it comes back, or is to be recovered */
        m->last = m->info;
        new_round(m);
    }
    m->recognised = false;
    if (*m->user.spec)
        tell_released(m);
    m->user.spec[0] = '\0';
}

void finder_none(struct modem *m, const struct err *why)
{
    char text[CARRIER_TEXT_BYTES];

    if (why->code != ERR_GONE && why->code != ERR_NOT_FOUND) {
        if (m->state == MODEM_ABSENT || m->state == MODEM_DISABLED)
            modem_set_state(m, MODEM_OPENING, NULL);
        modem_back_off(m, why->code == ERR_BUSY || why->code == ERR_INVALID ? BUSY_MS : RT_NEVER, why->text);
        return;
    }
    finder_with_hint(m, why->text, text, sizeof(text));
    modem_absent(m, text);
}

void finder_failed(struct modem *m, const struct err *why)
{
    if (!finder_searches(m) || m->state != MODEM_OPENING) {
        finder_none(m, why);
        return;
    }
    finder_miss(m, why->text); /* only tried: the next one */
    modem_request(m, MOVE_OPEN, 0, "%s", why->text);
}

/* ---- strangers ---- */

/* Not known to be ours: neither recognised, nor where we were, nor the one port that can be meant. */
bool finder_stranger(const struct modem *m)
{
    if (!finder_searches(m) || m->recognised || same_place(&m->last, &m->info))
        return false;
    bool certain = *m->conf->usb && profile_role_of(m->conf->profiles, &m->info) == ROLE_AT;
    return !certain;
}

/* Nothing has answered on the port yet. */
static bool unanswered(const struct modem *m)
{
    return m->state == MODEM_PROBING && (!m->run.script || m->run.step == 0);
}

void finder_wrong_port(struct modem *m, const char *why)
{
    finder_miss(m, why);
    m->recognised = false;
    if (same_place(&m->last, &m->info))
        m->last.name[0] = '\0';
}

static void leave(struct modem *m)
{
    char why[CARRIER_TEXT_BYTES];

    snprintf(why, sizeof(why), "%.90s is not an AT port: it speaks no text", m->user.spec);
    finder_wrong_port(m, why);
    modem_request(m, MOVE_OPEN, 0, "%s", why);
}

void finder_heard(struct modem *m, const uint8_t *bytes, size_t len)
{
    if (!finder_stranger(m) || !unanswered(m) || m->garbage >= GARBAGE_BYTES)
        return;
    for (size_t i = 0; i < len; i++) {
        bool text = (bytes[i] >= ' ' && bytes[i] < 0x7F) || bytes[i] == '\r' || bytes[i] == '\n';
        m->garbage += !text;
    }
    if (m->garbage >= GARBAGE_BYTES)
        leave(m);
}
