/* Inbound PDUs: each is kept raw before the modem hears that it may forget it. One that is a message alone
 * becomes a message in the same transaction; the parts of a longer one wait in a bundle until all are there,
 * or until they are delivered incomplete.
 *
 * Bundles are keyed by SIM, sender, reference, its width and the total. A second part with the same number
 * opens a further bundle: references are 8 bits and come round. A part joins the bundle that lacks it and
 * whose service centre's time is nearest.
 *
 * A modem hands over what came while nobody looked after it before it tells its SIM, and the network brings
 * that again when nobody acknowledged it: then the SIM is known. So what is of no SIM is of any SIM of the
 * same modem, both as a copy and as a part. */
#include <stdlib.h>

#include "store/private.h"

/* Two parts whose service centre's times are further apart are not of one message: the reference came
 * round. */
enum { SAME_MESSAGE_MS = MS_PER_DAY };

static const char sql_duplicate[] = "SELECT id, ifnull(message, 0) FROM segment WHERE day = ?1 AND hash = ?2 "
                                    "AND (imsi = ?3 OR (modem = ?5 AND (imsi = '' OR ?3 = ''))) "
                                    "AND received >= ?4 ORDER BY id DESC LIMIT 1";
static const char sql_copy[] = "UPDATE segment SET copies = copies + 1 WHERE id = ?1";
static const char sql_segment[] =
    "INSERT INTO segment(message, bundle, seq, modem, imsi, received, scts, day, hash, copies, pdu) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10)";
static const char sql_find_bundle[] =
    "SELECT id, have FROM bundle b WHERE imsi IN (?1, '') AND sender = ?2 AND ref = ?3 AND ref_bits = ?4 AND "
    "total = ?5 AND (imsi <> '' OR modem = ?9) AND complete = 0 AND (scts < 0 OR ?6 < 0 OR abs(scts - ?6) <= "
    "?7) AND NOT EXISTS (SELECT 1 FROM segment WHERE bundle = b.id AND seq = ?8) ORDER BY abs(scts - ?6), id "
    "LIMIT 1";
static const char sql_new_bundle[] =
    "INSERT INTO bundle(imsi, sender, ref, ref_bits, total, have, complete, modem, scts, first) "
    "VALUES(?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?7, ?8)";
static const char sql_bundle_has[] =
    "UPDATE bundle SET have = ?2, complete = ?2 >= total, imsi = ?3 WHERE id = ?1";

static int find_copy_of_day(struct store_db *db, struct store_inbound *in, int64_t day)
{
    sqlite3_stmt *st;
    int rc =
        DB_FIRST(db, &st, sql_duplicate, db_int(day), db_blob(in->hash, sizeof in->hash), db_text(in->imsi),
                 db_int(in->now_wall_ms - in->duplicate_window_ms), db_text(in->modem));

    if (rc <= 0)
        return rc;
    in->segment = db_col(st, 0);
    in->message = db_col(st, 1);
    db_end(st);
    return 1;
}

/* From today back to the window's first day; tomorrow too, for a clock that was set back. */
static int find_copy(struct store_db *db, struct store_inbound *in)
{
    int64_t today = in->now_wall_ms / MS_PER_DAY;
    int64_t first = (in->now_wall_ms - in->duplicate_window_ms) / MS_PER_DAY;
    int rc = 0;

    if (in->duplicate_window_ms <= 0)
        return 0;
    for (int64_t day = today + 1; day >= first && rc == 0; day--)
        rc = find_copy_of_day(db, in, day);
    return rc;
}

static int insert_segment(struct store_db *db, struct store_inbound *in, int64_t bundle)
{
    int rc = DB_RUN(db, sql_segment, db_int_or_null(in->message, 0), db_int_or_null(bundle, 0),
                    db_int(in->seq > 0 ? in->seq : 1), db_text(in->modem), db_text(in->imsi),
                    db_int(in->now_wall_ms), db_int(in->scts_wall_ms), db_int(in->now_wall_ms / MS_PER_DAY),
                    db_blob(in->hash, sizeof in->hash), db_blob(in->pdu, (size_t)in->len));

    in->segment = sqlite3_last_insert_rowid(db->h);
    return rc;
}

static int insert_whole(struct store_db *db, struct store_inbound *in)
{
    int rc = message_insert(db,
                            &(struct msg_insert){.direction = MSG_IN,
                                                 .state = MSG_RECEIVED,
                                                 .peer = in->sender,
                                                 .modem = in->modem,
                                                 .imsi = in->imsi,
                                                 .text = in->text,
                                                 .meta = in->meta,
                                                 .flags = in->flags,
                                                 .priority = 1,
                                                 .parts = 1,
                                                 .now_wall_ms = in->now_wall_ms,
                                                 .scts_wall_ms = in->scts_wall_ms},
                            &in->message);

    if (rc || (rc = insert_segment(db, in, 0)))
        return rc;
    return outbox_put(db, OUTBOX_RECEIVED, in->message, 0);
}

static int open_bundle(struct store_db *db, struct store_inbound *in, int64_t *bundle, int *have)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_find_bundle, db_text(in->imsi), db_text(in->sender), db_int(in->ref),
                      db_int(in->ref_bits), db_int(in->total), db_int(in->scts_wall_ms),
                      db_int(SAME_MESSAGE_MS), db_int(in->seq), db_text(in->modem));

    if (rc < 0)
        return rc;
    if (rc > 0) {
        *bundle = db_col(st, 0);
        *have = (int)db_col(st, 1);
        db_end(st);
        return ERR_OK;
    }
    *have = 0;
    rc = DB_RUN(db, sql_new_bundle, db_text(in->imsi), db_text(in->sender), db_int(in->ref),
                db_int(in->ref_bits), db_int(in->total), db_text(in->modem), db_int(in->scts_wall_ms),
                db_int(in->now_wall_ms));
    *bundle = sqlite3_last_insert_rowid(db->h);
    return rc;
}

static int insert_part_of(struct store_db *db, struct store_inbound *in)
{
    int64_t bundle;
    int have, rc;

    if ((rc = open_bundle(db, in, &bundle, &have)) || (rc = insert_segment(db, in, bundle)))
        return rc;
    have++;
    in->complete = have >= in->total;
    return DB_RUN(db, sql_bundle_has, db_int(bundle), db_int(have), db_text(in->imsi));
}

/* The newest of what came and what went. */
static const char sql_last_sim[] =
    "SELECT imsi FROM (SELECT imsi, received AS at FROM segment WHERE id > (SELECT max(id) FROM segment) - "
    "1000 AND modem = ?1 AND imsi <> '' UNION ALL SELECT imsi, submitted FROM part WHERE id > ((SELECT "
    "max(id) FROM message) - 1000) * 256 AND modem = ?1 AND imsi <> '') ORDER BY at DESC LIMIT 1";

int last_sim(struct store_db *db, const char *modem, char imsi[MSG_IMSI_BYTES])
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_last_sim, db_text(modem));

    imsi[0] = '\0';
    if (rc <= 0)
        return rc;
    db_col_text(st, 0, imsi, MSG_IMSI_BYTES);
    db_end(st);
    return ERR_OK;
}

static int insert(struct store_db *db, struct store_inbound *in)
{
    int rc = find_copy(db, in);

    if (rc < 0)
        return rc;
    if (rc > 0) {
        in->duplicate = true;
        return DB_RUN(db, sql_copy, db_int(in->segment));
    }
    return in->total > 1 ? insert_part_of(db, in) : insert_whole(db, in);
}

static int exec_inbound(struct store_db *db, struct store_op *op)
{
    struct store_inbound *in = container_of(op, struct store_inbound, op);
    const char *told = in->imsi;
    char imsi[MSG_IMSI_BYTES];
    int rc = 0;

    in->segment = in->message = 0;
    in->duplicate = in->complete = false;
    if (!*told) {
        rc = last_sim(db, in->modem, imsi);
        in->imsi = imsi;
    }
    if (rc == 0)
        rc = insert(db, in);
    in->imsi = told;
    return rc;
}

void store_inbound(struct store *s, struct store_inbound *in)
{
    store_submit_write(s, &in->op, exec_inbound, NULL);
}
