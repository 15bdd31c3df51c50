/* Which port a modem is on: the configured one, or, for a modem that is known by its IMEI, any present serial
 * port on which that IMEI answers.
 *
 * The modems of one port source know each other by its list of users: a port that one has open is not asked
 * by another, and who meets an IMEI that another looks for tells it. A port that was asked in vain is not
 * asked again until the set of ports changes, or all were asked and ROUND_MS have passed since: most ports of
 * a stick never answer, and waiting for each takes longer than any fixed time for a whole round.
 */
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum { ROUND_MS = 30000 };

static void on_found(struct port_user *u, const char *spec)
{
    struct modem *m = container_of(u, struct modem, user);

    str_copy(m->found, sizeof(m->found), spec);
    if (m->state == MODEM_ABSENT || m->state == MODEM_BACKOFF)
        modem_request(m, MOVE_OPEN, 0, "found on %s", spec);
}

void finder_join(struct modem *m)
{
    m->user = (struct port_user){.found = on_found, .next = m->ports->users};
    if (!*m->conf->port)
        m->user.wanted_imei = m->conf->imei;
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

void finder_tell(struct modem *m, const char *imei)
{
    enum { IMEI_DIGITS = 14 };

    for (struct port_user *u = m->ports->users; u; u = u->next) {
        if (u != &m->user && u->wanted_imei && !*u->spec && strncmp(u->wanted_imei, imei, IMEI_DIGITS) == 0)
            u->found(u, m->user.spec);
    }
}

/* FNV-1a */
static uint64_t hash(const char *text, uint64_t seed)
{
    uint64_t h = seed ^ 0xCBF29CE484222325u;

    for (const char *p = text; *p; p++)
        h = (h ^ (uint8_t)*p) * 0x100000001B3u;
    return h;
}

static bool tried(struct modem *m, uint64_t name)
{
    for (size_t i = 0; i < m->tried_len; i++) {
        if (m->tried[i] == name)
            return true;
    }
    return false;
}

static void new_round_if_due(struct modem *m, const struct port_info *ports, int n)
{
    uint64_t all = 0;

    for (int i = 0; i < n; i++)
        all += hash(ports[i].name, 0); /* order does not matter */
    bool due = m->round_ms && modem_now(m) - m->round_ms >= ROUND_MS;

    if (all == m->list_hash && !due)
        return;
    m->list_hash = all;
    m->round_ms = 0;
    m->tried_len = 0;
}

/* Where it was is asked first: after a hang, or when it was pulled and put back. */
void finder_lost(struct modem *m)
{
    str_copy(m->last, sizeof(m->last), m->user.spec);
    m->tried_len = 0;
    m->round_ms = 0;
}

static bool try_port(struct modem *m, const char *name, char spec[PORT_NAME_BYTES])
{
    uint64_t h = hash(name, 0);

    if (tried(m, h) || finder_taken(m, name) || m->tried_len == ARRAY_LEN(m->tried))
        return false;
    m->tried[m->tried_len++] = h;
    return str_copy(spec, PORT_NAME_BYTES, name);
}

static bool search(struct modem *m, char spec[PORT_NAME_BYTES])
{
    struct port_info ports[MODEM_PORTS_MAX];
    int n = m->ports->list ? m->ports->list(m->ports, ports, MODEM_PORTS_MAX) : 0;

    new_round_if_due(m, ports, n);
    for (int i = 0; i < n; i++) {
        if (strcmp(ports[i].name, m->last) == 0 && try_port(m, ports[i].name, spec))
            return true;
    }
    for (int i = 0; i < n; i++) {
        if (try_port(m, ports[i].name, spec))
            return true;
    }
    if (!m->round_ms)
        m->round_ms = modem_now(m);
    return false;
}

bool finder_pick(struct modem *m, char spec[PORT_NAME_BYTES])
{
    if (*m->conf->port)
        return str_copy(spec, PORT_NAME_BYTES, m->conf->port);
    if (*m->found) {
        str_copy(spec, PORT_NAME_BYTES, m->found);
        m->found[0] = '\0';
        return true;
    }
    return search(m, spec);
}
