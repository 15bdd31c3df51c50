/* Version 6 of the schema: further numbers of a contact, which a merge leaves behind (merge.c); the
 * department that a survey is counted for; whose raw PDUs outlived their neighbours' (retain.c).
 *
 * Only further numbers are here: a contact's main number is its own row's, so that nothing is moved and
 * whoever has one number is found as before. */
#include "store/schema.h"

const char schema_numbers[] =
    "CREATE TABLE contact_also ("
    " number TEXT PRIMARY KEY,"
    " contact INTEGER NOT NULL,"
    " since INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX contact_also_contact ON contact_also(contact, number);"
    /* The conversation that a message to others tells of (of an event of it, say); 0 none. */
    "ALTER TABLE message ADD COLUMN about INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX message_about ON message(about, id) WHERE about > 0;"
    /* Numbers that lead to another conversation: of those that were folded into it, and that were reserved
     * for one that a customer's message did not begin after all. */
    "CREATE TABLE conversation_was (id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL) STRICT;"
    "CREATE INDEX conversation_was_in ON conversation_was(conversation);"
    /* The number that the customer wrote from last; '' the contact's main one. */
    "ALTER TABLE conversation ADD COLUMN peer TEXT NOT NULL DEFAULT '';"
    /* The department when the survey was asked, as survey_person. */
    "ALTER TABLE conversation ADD COLUMN survey_department TEXT NOT NULL DEFAULT '';"
    "UPDATE conversation SET survey_department = department WHERE survey > 0;"
    /* Messages that retained's kind 2 has passed, and when they are looked at again. */
    "CREATE TABLE raw_later (message INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX raw_later_at ON raw_later(at);";
