/* Consent: what a number wants from us, and the ledger of how that is known.
 *
 * It is kept for the business, and for a SIM where it was said to that SIM. It holds inside the transaction
 * that stores a message, for every producer, and once more when the message's turn has come (submit.c). */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "store/desk_private.h"
#include "store/remove.h"

static const char sql_get[] = "SELECT sim, state FROM consent WHERE number = ?1";
static const char sql_set[] = "INSERT OR REPLACE INTO consent(number, sim, state, at) VALUES(?1, ?2, ?3, ?4)";
static const char sql_any_erased[] = "SELECT 1 FROM consent_erased WHERE hash IS NOT NULL LIMIT 1";
static const char sql_get_erased[] =
    "SELECT 1 FROM consent_erased WHERE hash = ?1 AND (sim = '' OR ?2 IN ('', "
    "sim)) LIMIT 1";
static const char sql_forget_erased[] = "DELETE FROM consent_erased WHERE hash = ?1 AND ?2 IN ('', sim)";
static const char sql_forget_sims[] = "DELETE FROM consent WHERE number = ?1 AND sim <> ''";
static const char sql_log[] = "INSERT INTO consent_log(number, state, at, message, words, sim, who, how) "
                              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char sql_why[] = "SELECT at, words, who FROM consent_log WHERE number = ?1 AND state = ?2 AND "
                              "how <> 'override' ORDER BY id DESC LIMIT 1";

/* Of a number that was erased, its opt-out alone is known, by a hash: erase.c. */
static int get_erased(struct store_db *db, const char *number, const char *sim, enum consent_state *out)
{
    sqlite3_stmt *st;
    int64_t hash;
    int rc = db_first(db, &st, sql_any_erased, NULL, 0);

    if (rc <= 0)
        return rc;
    db_end(st);
    if ((rc = consent_hash(db, number, &hash)) ||
        (rc = DB_FIRST(db, &st, sql_get_erased, db_int(hash), db_text(sim))) <= 0)
        return rc;
    db_end(st);
    *out = CONSENT_OUT;
    return ERR_OK;
}

/* Words that count for a SIM: 2 its own, 1 that of the business, 0 none; while it is not known all do, the
 * stricter before the other. */
static int weight(const char *of, const char *sim, enum consent_state state)
{
    if (!*sim)
        return state == CONSENT_OUT ? 2 : 1;
    return strcmp(of, sim) == 0 ? 2 : !*of;
}

static int get_said(struct store_db *db, const char *number, const char *sim, enum consent_state *out)
{
    sqlite3_stmt *st = DB_BIND(db, sql_get, db_text(number));
    int rc, best = 0;

    *out = CONSENT_UNKNOWN;
    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        enum consent_state state = (enum consent_state)db_col(st, 1);
        int counts = weight((const char *)sqlite3_column_text(st, 0), sim, state);

        if (counts > best) {
            best = counts;
            *out = state;
        }
    }
    return rc < 0 || best > 0 ? rc : get_erased(db, number, sim, out);
}

int consent_get(struct store_db *db, const char *number, const char *sim, enum consent_state *out)
{
    char other[NUMBER_BYTES];
    enum consent_state there = CONSENT_UNKNOWN;
    int rc = get_said(db, number, sim, out);

    /* An opt-out holds for both; nobody opts in for another. */
    if (rc == ERR_OK && *out != CONSENT_OUT && number_other_form(number, other))
        rc = get_said(db, other, sim, &there);
    if (there == CONSENT_OUT)
        *out = there;
    return rc;
}

static int write_ledger(struct store_db *db, const struct consent_change *c)
{
    return DB_RUN(db, sql_log, db_text(c->number), db_int(c->state), db_int(c->at_wall_ms),
                  db_int(c->message), db_text(c->words), db_text(c->sim), db_text(c->who), db_text(c->how));
}

/* What is said now counts instead of what was said before the number was erased. */
static int forget_erased(struct store_db *db, const struct consent_change *c)
{
    sqlite3_stmt *st;
    int64_t hash;
    int rc = db_first(db, &st, sql_any_erased, NULL, 0);

    if (rc <= 0)
        return rc;
    db_end(st);
    if ((rc = consent_hash(db, c->number, &hash)))
        return rc;
    return DB_RUN(db, sql_forget_erased, db_int(hash), db_text(c->sim));
}

int consent_set(struct store_db *db, const struct consent_change *c)
{
    int rc = forget_erased(db, c);

    if (rc)
        return rc;
    if (!c->sim || !*c->sim)
        rc = DB_RUN(db, sql_forget_sims, db_text(c->number));
    if (rc || (rc = DB_RUN(db, sql_set, db_text(c->number), db_text(c->sim), db_int(c->state),
                           db_int(c->at_wall_ms))))
        return rc;
    return write_ledger(db, c);
}

/* ---- admission ---- */

static int tell_opt_out(struct store_db *db, struct store_new_message *m)
{
    char when[32], words[64], who[DESK_WHO_BYTES];
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_why, db_text(m->peer), db_int(CONSENT_OUT));

    m->opted_out = true;
    snprintf(m->refused, sizeof m->refused, "%.64s has opted out (STOP) and gets no messages",
             m->peer ? m->peer : "");
    if (rc <= 0)
        return rc;
    wall_to_text(db_col(st, 0), true, when);
    db_col_text(st, 1, words, sizeof words);
    db_col_text(st, 2, who, sizeof who);
    db_end(st);
    snprintf(m->refused, sizeof m->refused,
             "%.40s has opted out (STOP) and gets no messages: \"%.40s\" %s%s%.40s", m->peer, words, when,
             *who ? " by " : "", who);
    return ERR_OK;
}

static int pass_all_the_same(struct store_db *db, const struct store_new_message *m, int64_t now_wall_ms)
{
    return write_ledger(db, &(struct consent_change){.number = m->peer,
                                                     .sim = m->modem,
                                                     .who = m->who,
                                                     .how = "override",
                                                     .words = m->override_reason,
                                                     .state = CONSENT_OUT,
                                                     .at_wall_ms = now_wall_ms});
}

int consent_admit(struct store_db *db, struct store_new_message *m, int64_t now_wall_ms)
{
    enum consent_state state;
    int rc = consent_get(db, m->peer ? m->peer : "", m->modem ? m->modem : "", &state);

    if (rc || (m->flags & MSG_F_CONSENT))
        return rc;
    if (state == CONSENT_OUT)
        return m->flags & MSG_F_OVERRIDE ? pass_all_the_same(db, m, now_wall_ms) : tell_opt_out(db, m);
    if ((m->flags & MSG_F_MARKETING) && state != CONSENT_IN) {
        m->opted_out = true;
        snprintf(m->refused, sizeof m->refused,
                 "%.64s has not opted in, as marketing wants (simgate consent in NUMBER --proof …)", m->peer);
    }
    return ERR_OK;
}
