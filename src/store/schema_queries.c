/* Version 3 of the schema: figures, and what the desk's listings are found by.
 *
 * Figures are sums by day, department and person, SIM: they grow with the days, not with the messages. Lists
 * of conversations follow an index in their order, of the live ones or of those that ended, so that a page
 * costs the same in the first week and after years. Words of names and titles are found by FTS5 and
 * attributes by a table of their own; triggers keep both, so that nobody who writes a contact has to think of
 * them. */
#include "store/schema.h"

/* Names and titles: each change of the row is a change of its words. */
#define WORDS_OF(table, column)                                                                              \
    "CREATE VIRTUAL TABLE " table "_words USING fts5(" column ", content='" table "', content_rowid='id', "  \
    "tokenize='unicode61 remove_diacritics 2', prefix='1 2 3', columnsize=0);"                               \
    "CREATE TRIGGER " table "_words_new AFTER INSERT ON " table " WHEN new." column " <> '' BEGIN "          \
    "INSERT INTO " table "_words(rowid, " column ") VALUES(new.id, new." column "); END;"                    \
    "CREATE TRIGGER " table "_words_old AFTER DELETE ON " table " WHEN old." column " <> '' BEGIN "          \
    "INSERT INTO " table "_words(" table "_words, rowid, " column ") VALUES('delete', old.id, old." column   \
    "); END;"                                                                                                \
    "CREATE TRIGGER " table "_words_change_old AFTER UPDATE OF " column " ON " table " WHEN old." column     \
    " <> '' AND old." column " <> new." column " BEGIN INSERT INTO " table "_words(" table                   \
    "_words, rowid, " column ") VALUES('delete', old.id, old." column "); END;"                              \
    "CREATE TRIGGER " table "_words_change_new AFTER UPDATE OF " column " ON " table " WHEN new." column     \
    " <> '' AND old." column " <> new." column " BEGIN INSERT INTO " table "_words(rowid, " column           \
    ") VALUES(new.id, new." column "); END;"                                                                 \
    "INSERT INTO " table "_words(rowid, " column ") SELECT id, " column " FROM " table " WHERE " column      \
    " <> '';"

#define ATTRIBUTES_NEW                                                                                       \
    "INSERT OR REPLACE INTO contact_attribute(name, value, contact) SELECT j.key, j.value, new.id FROM "     \
    "json_each(new.attributes) j WHERE j.type = 'text'; "

const char schema_queries[] =
    /* ---- figures ---- */
    "CREATE TABLE figure_desk ("
    " id INTEGER PRIMARY KEY,"
    " department TEXT NOT NULL,"
    " person TEXT NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX figure_desk_names ON figure_desk(department, person);"
    /* Whose message it is in the figures: figure_desk.id; 0 nobody's of no department. */
    "ALTER TABLE message ADD COLUMN desk INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE figure ("
    " day INTEGER NOT NULL," /* since 1970-01-01, in the zone of the business */
    " desk INTEGER NOT NULL,"
    " sim TEXT NOT NULL,"
    " sums BLOB NOT NULL," /* figure_pack() */
    " PRIMARY KEY (day, desk, sim)"
    ") STRICT, WITHOUT ROWID;"
    /* The same by month: its first day. */
    "CREATE TABLE figure_month ("
    " day INTEGER NOT NULL,"
    " desk INTEGER NOT NULL,"
    " sim TEXT NOT NULL,"
    " sums BLOB NOT NULL," /* figure_pack() */
    " PRIMARY KEY (day, desk, sim)"
    ") STRICT, WITHOUT ROWID;"
    /* Times that people took, packed, some hundred to a row: figure_times.c. */
    "CREATE TABLE figure_sim (id INTEGER PRIMARY KEY, sim TEXT NOT NULL UNIQUE) "
    "STRICT;"
    "CREATE TABLE figure_time ("
    " id INTEGER PRIMARY KEY,"
    " kind INTEGER NOT NULL," /* enum figure_time */
    " day INTEGER NOT NULL,"  /* on which they ended */
    " n INTEGER NOT NULL,"
    " samples BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX figure_time_day ON figure_time(kind, day, id);"
    /* Of which the time in opening hours is not known yet. */
    "CREATE TABLE figure_pending ("
    " id INTEGER PRIMARY KEY,"
    " time INTEGER NOT NULL," /* figure_time.id */
    " slot INTEGER NOT NULL,"
    " conversation INTEGER NOT NULL,"
    " began INTEGER NOT NULL,"
    " ended INTEGER NOT NULL,"
    " department TEXT NOT NULL"
    ") STRICT;"

    /* ---- lists of conversations ---- */
    "CREATE INDEX conversation_changed ON conversation(changed, id) WHERE state < 5;"
    "CREATE INDEX conversation_waiting ON conversation(waiting, id) WHERE state < 5 "
    "AND waiting "
    "> 0;"
    "CREATE INDEX conversation_ended ON conversation(changed, id) WHERE state >= 5;"
    "CREATE INDEX conversation_ended_department ON conversation(department, changed, "
    "id) WHERE "
    "state >= 5;"
    "CREATE INDEX conversation_ended_contact ON conversation(contact, changed, id) "
    "WHERE state >= 5;"
    "CREATE INDEX conversation_ended_assignee ON conversation(assignee, changed, id) "
    "WHERE state "
    ">= 5;"

    /* ---- words and attributes ---- */
    WORDS_OF("contact", "name") WORDS_OF(
        "conversation",
        "title") "CREATE TABLE contact_attribute ("
                 " name TEXT NOT NULL,"
                 " value TEXT NOT NULL,"
                 " contact INTEGER NOT NULL,"
                 " PRIMARY KEY (name, value, contact)"
                 ") STRICT, WITHOUT ROWID;"
                 "CREATE INDEX contact_attribute_name ON contact_attribute(name, contact);"
                 "CREATE TRIGGER contact_attribute_new AFTER INSERT ON contact WHEN "
                 "json_valid(new.attributes) "
                 "BEGIN " ATTRIBUTES_NEW "END;"
                 "CREATE TRIGGER contact_attribute_old AFTER DELETE ON contact WHEN "
                 "json_valid(old.attributes) BEGIN "
                 "DELETE FROM contact_attribute WHERE (name, value, contact) IN (SELECT j.key, j.value, "
                 "old.id FROM "
                 "json_each(old.attributes) j WHERE j.type = 'text'); END;"
                 "CREATE TRIGGER contact_attribute_change_old AFTER UPDATE OF attributes ON contact WHEN "
                 "json_valid(old.attributes) AND old.attributes IS NOT new.attributes BEGIN "
                 "DELETE FROM contact_attribute WHERE (name, value, contact) IN (SELECT j.key, j.value, "
                 "old.id FROM "
                 "json_each(old.attributes) j WHERE j.type = 'text'); END;"
                 "CREATE TRIGGER contact_attribute_change_new AFTER UPDATE OF attributes ON contact WHEN "
                 "json_valid(new.attributes) AND old.attributes IS NOT new.attributes BEGIN " ATTRIBUTES_NEW
                 "END;"
                 "INSERT OR REPLACE INTO contact_attribute(name, value, contact) SELECT j.key, j.value, c.id "
                 "FROM contact c, "
                 "json_each(c.attributes) j WHERE json_valid(c.attributes) AND j.type = 'text';"

                 /* ---- consent ---- */
                 "CREATE INDEX consent_state ON consent(state, number, sim);"
                 /* Opt-outs of erased numbers, by a keyed hash: erase.c. */
                 "CREATE TABLE consent_erased ("
                 " hash INTEGER NOT NULL,"
                 " sim TEXT NOT NULL,"
                 " at INTEGER NOT NULL,"
                 " PRIMARY KEY (hash, sim)"
                 ") STRICT, WITHOUT ROWID;"
                 "CREATE TABLE secret (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;"
                 "INSERT INTO secret(name, bytes) VALUES('consent', randomblob(16));"

                 /* ---- erasing ---- */
                 /* One that is under way has its number; one that is done only says that there was one. */
                 "CREATE TABLE erasure ("
                 " id INTEGER PRIMARY KEY,"
                 " number TEXT,"
                 " who TEXT NOT NULL,"
                 " at INTEGER NOT NULL,"
                 " ended INTEGER NOT NULL," /* 0 under way */
                 " rows INTEGER NOT NULL,"
                 " phase INTEGER NOT NULL" /* of erase.c */
                 ") STRICT;"
                 "CREATE INDEX erasure_open ON erasure(id) WHERE ended = 0;"
                 "CREATE INDEX campaign_to_number ON campaign_to(number);"
                 "CREATE INDEX value_key ON value(key);"
                 /* What the relay told our people of a message: it has its text (32768: MSG_F_STAFF). */
                 "CREATE INDEX message_relayed ON message(reply_to) WHERE flags & 32768;"
                 /* How far the raw PDUs were taken away, by message id. */
                 "CREATE TABLE retained (kind INTEGER PRIMARY KEY, message INTEGER NOT NULL) STRICT;";
