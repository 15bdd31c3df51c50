/* Taking things out of the store for good. See remove.h. */
#include "store/remove.h"

#include <stdlib.h>
#include <string.h>

/* ---- ids -------------------------------------------------------------------------------------------------
 */

/* Kinds 10 and 11 of `retained`: messages (desk_rows.c reads them at start), conversations. */
static const char sql_newest[] = "SELECT ifnull(max(id), 0) FROM message";
static const char sql_keep[] =
    "INSERT INTO retained(kind, message) VALUES(10, ?1), (11, ?2) ON CONFLICT(kind) "
    "DO UPDATE SET message = max(message, excluded.message)";

int ids_keep(struct store_db *db)
{
    sqlite3_stmt *st;
    int rc = db_first(db, &st, sql_newest, NULL, 0);

    if (rc <= 0)
        return rc;
    if (db_col(st, 0) > db->message_floor)
        db->message_floor = db_col(st, 0);
    db_end(st);
    return DB_RUN(db, sql_keep, db_int(db->message_floor), db_int(db->next_conversation - 1));
}

/* ---- messages --------------------------------------------------------------------------------------------
 */

static const char sql_reports[] = "DELETE FROM report WHERE part BETWEEN ?1 * 256 AND ?1 * 256 + 255";
static const char sql_parts[] = "DELETE FROM part WHERE id BETWEEN ?1 * 256 AND ?1 * 256 + 255";
static const char sql_history[] = "DELETE FROM history WHERE message = ?1";
static const char sql_segments[] = "DELETE FROM segment WHERE message = ?1";
static const char sql_raw_later[] = "DELETE FROM raw_later WHERE message = ?1";
static const char sql_message[] = "DELETE FROM message WHERE id = ?1";

int message_remove(struct store_db *db, int64_t id, int state)
{
    static const char *const steps[] = {sql_reports,  sql_parts,     sql_history,
                                        sql_segments, sql_raw_later, sql_message};
    int rc = ERR_OK;

    for (size_t i = 0; i < ARRAY_LEN(steps) && rc == ERR_OK; i++)
        rc = DB_RUN(db, steps[i], db_int(id));
    if (rc == ERR_OK && sqlite3_changes64(db->h) > 0 && state > 0 && state < MSG_STATES)
        db->delta[state]--;
    return rc;
}

/* What waits is little, and no index of it is worth its cost: once for many messages. */
#define GONE(table)                                                                                          \
    "DELETE FROM " table " WHERE message > 0 AND NOT EXISTS(SELECT 1 FROM message m WHERE m.id = " table     \
    ".message)"
static const char sql_gone_outbox[] = GONE("outbox");
static const char sql_gone_deliveries[] = GONE("delivery");
static const char sql_gone_events[] = GONE("event");

int messages_sweep(struct store_db *db)
{
    int rc = db_run(db, sql_gone_outbox, NULL, 0);

    if (rc == ERR_OK)
        rc = db_run(db, sql_gone_deliveries, NULL, 0);
    return rc ? rc : db_run(db, sql_gone_events, NULL, 0);
}

/* ---- words -----------------------------------------------------------------------------------------------
 */

/* FTS5's "merge" with a negative number first makes one level of all segments, and a positive one goes on
 * with it; it has nothing more to do when it changes less than two rows. */
static const char sql_scrub_contacts[] = "INSERT INTO contact_words(contact_words, rank) VALUES('merge', ?1)";
static const char sql_scrub_titles[] =
    "INSERT INTO conversation_words(conversation_words, rank) VALUES('merge', ?1)";

static int scrub(struct store_db *db, const char *sql, int pages, bool *more)
{
    int64_t before = sqlite3_total_changes64(db->h);
    int rc = DB_RUN(db, sql, db_int(-pages));

    *more = *more || sqlite3_total_changes64(db->h) - before >= 2;
    return rc;
}

int words_scrub(struct store_db *db, int pages, bool *more)
{
    int rc = scrub(db, sql_scrub_contacts, pages, more);

    return rc ? rc : scrub(db, sql_scrub_titles, pages, more);
}

/* ---- the hash of an opt-out ------------------------------------------------------------------------------
 */

static uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

static uint64_t little_endian(const uint8_t *bytes, size_t n)
{
    uint64_t word = 0;

    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

/* SipHash-2-4 (Aumasson, Bernstein 2012). */
static uint64_t siphash(const uint8_t key[16], const char *text)
{
    size_t len = strlen(text), at = 0;
    uint64_t k0 = little_endian(key, 8), k1 = little_endian(key + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU, k0 ^ 0x6c7967656e657261U,
                     k1 ^ 0x7465646279746573U};

    for (; len - at >= 8; at += 8)
        sip_word(v, little_endian((const uint8_t *)text + at, 8));
    sip_word(v, little_endian((const uint8_t *)text + at, len - at) | (uint64_t)len << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static const char sql_secret[] = "SELECT bytes FROM secret WHERE name = 'consent'";

int consent_hash(struct store_db *db, const char *number, int64_t *out)
{
    uint8_t key[16] = {0};
    sqlite3_stmt *st;
    int rc = db_first(db, &st, sql_secret, NULL, 0);

    if (rc <= 0)
        return rc;
    db_col_blob(st, 0, key, sizeof key);
    db_end(st);
    *out = (int64_t)siphash(key, number);
    return ERR_OK;
}
