/* The tables, as numbered migrations: the statements that lead from version N to N + 1 of user_version. What
 * was released is never changed, only followed by another.
 *
 * Costs stay flat while the store grows: what an operation looks up is either its own row, or in an index of
 * the few rows that still wait for something, or near the end of an index that grows at its end. Hashes,
 * which would scatter over all of an index, are kept by day, and numbers by era of ids. */
#include "store/schema.h"

static const char version_1[] =
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY,"
    " direction INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " peer TEXT NOT NULL,"
    " wanted TEXT NOT NULL," /* the modem asked for */
    " modem TEXT NOT NULL,"  /* the modem that carried or received it */
    " pool TEXT NOT NULL,"
    " imsi TEXT NOT NULL,"
    " source TEXT NOT NULL,"
    " key TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " flags INTEGER NOT NULL,"
    " priority INTEGER NOT NULL,"
    " parts INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " due INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " changed INTEGER NOT NULL,"
    " scts INTEGER NOT NULL,"
    " reply_to INTEGER NOT NULL,"
    " text TEXT NOT NULL,"
    " meta TEXT"
    ") STRICT;"
    "CREATE UNIQUE INDEX message_key ON message(key) WHERE key <> '';"
    "CREATE INDEX message_state ON message(state, id);"
    /* By number within an era of ids, so that new messages meet in few pages; see query.c. */
    "CREATE INDEX message_peer ON message(id / " MSG_ERA_SQL ", peer);"
    "CREATE INDEX message_created ON message(created, id);"
    /* Messages by state, so that counting does not mean reading them. */
    "CREATE TABLE tally (state INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"

    "CREATE TABLE part ("
    " id INTEGER PRIMARY KEY," /* message * 256 + seq, seq from 1 */
    " state INTEGER NOT NULL,"
    " mr INTEGER," /* TP-MR of the last submission; NULL unknown */
    " attempts INTEGER NOT NULL,"
    " modem TEXT NOT NULL,"
    " imsi TEXT NOT NULL,"
    " submitted INTEGER NOT NULL,"
    " sent INTEGER NOT NULL,"
    " reported INTEGER NOT NULL,"
    " report_status INTEGER NOT NULL,"
    " awaits INTEGER NOT NULL," /* a status report: 0 not asked for, 1 yes, 2 it came and is final */
    " tpdu_len INTEGER NOT NULL,"
    " pdu BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX part_awaits ON part(imsi, mr, submitted) WHERE awaits = 1;"

    "CREATE TABLE history ("
    " message INTEGER NOT NULL,"
    " n INTEGER NOT NULL,"
    " part INTEGER NOT NULL," /* 0: the message */
    " at INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " reason TEXT NOT NULL,"
    " modem TEXT NOT NULL,"
    " PRIMARY KEY (message, n)"
    ") STRICT, WITHOUT ROWID;"

    /* A received PDU, raw. `bundle` while it waits for the other parts of its message. */
    "CREATE TABLE segment ("
    " id INTEGER PRIMARY KEY,"
    " message INTEGER,"
    " bundle INTEGER,"
    " seq INTEGER NOT NULL,"
    " modem TEXT NOT NULL,"
    " imsi TEXT NOT NULL,"
    " received INTEGER NOT NULL,"
    " scts INTEGER NOT NULL,"
    " day INTEGER NOT NULL," /* of received */
    " hash BLOB NOT NULL,"
    " copies INTEGER NOT NULL," /* how often it came */
    " pdu BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX segment_hash ON segment(day, hash);"
    "CREATE INDEX segment_message ON segment(message) WHERE message IS NOT NULL;"
    "CREATE INDEX segment_bundle ON segment(bundle, seq) WHERE bundle IS NOT NULL;"
    "CREATE TABLE bundle ("
    " id INTEGER PRIMARY KEY,"
    " imsi TEXT NOT NULL,"
    " sender TEXT NOT NULL,"
    " ref INTEGER NOT NULL,"
    " ref_bits INTEGER NOT NULL,"
    " total INTEGER NOT NULL,"
    " have INTEGER NOT NULL,"
    " complete INTEGER NOT NULL,"
    " modem TEXT NOT NULL,"
    " scts INTEGER NOT NULL,"
    " first INTEGER NOT NULL" /* when its first part was received */
    ") STRICT;"
    "CREATE INDEX bundle_key ON bundle(imsi, sender, ref, ref_bits, total);"
    "CREATE INDEX bundle_ready ON bundle(complete, first);"

    "CREATE TABLE report ("
    " id INTEGER PRIMARY KEY,"
    " part INTEGER," /* NULL: matches nothing yet */
    " modem TEXT NOT NULL,"
    " imsi TEXT NOT NULL,"
    " recipient TEXT NOT NULL,"
    " mr INTEGER NOT NULL,"
    " status INTEGER NOT NULL,"
    " meaning INTEGER NOT NULL," /* enum pdu_status */
    " scts INTEGER NOT NULL,"
    " discharge INTEGER NOT NULL,"
    " received INTEGER NOT NULL,"
    " day INTEGER NOT NULL,"
    " hash BLOB NOT NULL,"
    " pdu BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX report_hash ON report(day, hash);"
    "CREATE INDEX report_part ON report(part) WHERE part IS NOT NULL;"
    "CREATE INDEX report_unmatched ON report(imsi, mr, received) WHERE part IS NULL;"

    "CREATE TABLE outbox ("
    " id INTEGER PRIMARY KEY,"
    " sink TEXT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " message INTEGER NOT NULL,"
    " report INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX outbox_sink ON outbox(sink, id);"

    "CREATE TABLE consent ("
    " number TEXT PRIMARY KEY,"
    " state INTEGER NOT NULL,"
    " at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE consent_log ("
    " id INTEGER PRIMARY KEY,"
    " number TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " message INTEGER NOT NULL,"
    " words TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX consent_log_number ON consent_log(number, id);"
    "CREATE TABLE auto_reply (id INTEGER PRIMARY KEY, number TEXT NOT NULL, at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX auto_reply_number ON auto_reply(number, at);"

    /* Written while the disk is full, to find out when it no longer is. */
    "CREATE TABLE room (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"

    /* Parts sent by a SIM in a quarter of an hour, so that days may begin at any zone's midnight. */
    "CREATE TABLE usage ("
    " imsi TEXT NOT NULL,"
    " quarter INTEGER NOT NULL," /* wall time in ms / 900000 */
    " parts INTEGER NOT NULL, PRIMARY KEY (imsi, quarter)) STRICT, WITHOUT ROWID;";

const char *const schema_migrations[] = {version_1,        schema_desk,      schema_queries,
                                         schema_restraint, schema_templates, schema_numbers};
const int schema_version = (int)(sizeof schema_migrations / sizeof schema_migrations[0]);
