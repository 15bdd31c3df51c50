/* Version 2 of the schema: the customer side. Each part of it names who reads it.
 *
 * What grows for ever (contacts, conversations and their timelines, the ledger of consent) is found by its
 * key; of what waits for something (events, deliveries, clocks that run) there is an index of just that. */
#include "store/schema.h"

const char schema_desk[] =
    /* ---- messages: what they belong to. depth: see DESK_EVENT_DEPTH ---- */
    "ALTER TABLE message ADD COLUMN conversation INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;" /* millionths of the currency */
    "ALTER TABLE message ADD COLUMN who TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE message ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX message_conversation ON message(conversation, id) WHERE conversation > 0;"

    /* ---- contacts ---- */
    "CREATE TABLE contact ("
    " id INTEGER PRIMARY KEY,"
    " number TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " language TEXT NOT NULL,"
    " zone TEXT NOT NULL,"
    " attributes TEXT," /* JSON object of texts */
    " notes TEXT,"
    " created INTEGER NOT NULL,"
    " changed INTEGER NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX contact_number ON contact(number);"
    "CREATE TABLE contact_tag ("
    " contact INTEGER NOT NULL,"
    " tag TEXT NOT NULL,"
    " PRIMARY KEY (contact, tag)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX contact_tag_tag ON contact_tag(tag, contact);"

    /* ---- conversations: struct conv_row ---- */
    "CREATE TABLE conversation ("
    " id INTEGER PRIMARY KEY,"
    " contact INTEGER NOT NULL,"
    " sim TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " priority INTEGER NOT NULL,"
    " department TEXT NOT NULL,"
    " assignee TEXT NOT NULL,"
    " title TEXT NOT NULL,"
    " flagged INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " changed INTEGER NOT NULL,"
    " last_in INTEGER NOT NULL,"
    " waiting INTEGER NOT NULL,"
    " first_response INTEGER NOT NULL,"
    " person INTEGER NOT NULL,"
    " office INTEGER NOT NULL,"
    " snoozed_until INTEGER NOT NULL,"
    " closed INTEGER NOT NULL,"
    " reopened INTEGER NOT NULL,"
    " messages_in INTEGER NOT NULL,"
    " replies_by_persons INTEGER NOT NULL,"
    " replies_automatic INTEGER NOT NULL,"
    " due_first INTEGER NOT NULL,"
    " due_next INTEGER NOT NULL,"
    " due_resolution INTEGER NOT NULL,"
    " overdue_first INTEGER NOT NULL,"
    " overdue_next INTEGER NOT NULL,"
    " overdue_resolution INTEGER NOT NULL,"
    " survey INTEGER NOT NULL,"
    " survey_score INTEGER NOT NULL,"
    " survey_person TEXT NOT NULL,"
    " survey_answered INTEGER NOT NULL,"
    " survey_comment TEXT NOT NULL"
    ") STRICT;"
    /* Of a contact and SIM one is live at most (CONV_CLOSED, CONV_SPAM are not). */
    "CREATE UNIQUE INDEX conversation_live ON conversation(contact, sim) WHERE state < 5;"
    "CREATE INDEX conversation_contact ON conversation(contact, id);"
    /* What the clocks wait for. */
    "CREATE INDEX conversation_due_first ON conversation(due_first) WHERE due_first > 0 AND overdue_first = "
    "0;"
    "CREATE INDEX conversation_due_next ON conversation(due_next) WHERE due_next > 0 AND overdue_next = 0;"
    "CREATE INDEX conversation_due_resolution ON conversation(due_resolution) WHERE due_resolution > 0 AND "
    "overdue_resolution = 0;"
    "CREATE INDEX conversation_snoozed ON conversation(snoozed_until) WHERE state = 4 AND snoozed_until > 0;"
    "CREATE INDEX conversation_silent ON conversation(changed) WHERE state = 3;"
    "CREATE INDEX conversation_closed ON conversation(closed) WHERE state = 5 AND survey = 0;"

    /* The timeline, beside the messages: what an effect changed ("state", "assign" …, effect_name), "opened",
     * "reopened"; who did it, and to what. */
    "CREATE TABLE conversation_log ("
    " conversation INTEGER NOT NULL,"
    " n INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " what TEXT NOT NULL,"
    " who TEXT NOT NULL,"
    " value TEXT NOT NULL,"
    " message INTEGER NOT NULL," /* the received one that it came with; 0 none */
    " PRIMARY KEY (conversation, n)"
    ") STRICT, WITHOUT ROWID;"

    /* ---- what waits to be told. Ids are never used again: others know the thing by them ---- */
    "CREATE TABLE event ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind INTEGER NOT NULL,"
    " depth INTEGER NOT NULL,"
    " conversation INTEGER NOT NULL,"
    " message INTEGER NOT NULL,"
    " number TEXT NOT NULL,"
    " sim TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " text TEXT,"
    " at INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE delivery ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " handler TEXT NOT NULL,"
    " event TEXT NOT NULL,"
    " body TEXT NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " next INTEGER NOT NULL,"
    " conversation INTEGER NOT NULL,"
    " message INTEGER NOT NULL,"
    " reason TEXT NOT NULL" /* why the last try failed */
    ") STRICT;"
    "CREATE UNIQUE INDEX delivery_event ON delivery(handler, event);"
    "CREATE INDEX delivery_next ON delivery(next, id);"
    "CREATE TABLE schedule ("
    " name TEXT PRIMARY KEY,"
    " key TEXT NOT NULL,"
    " last INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    /* ---- restraint ---- */
    "CREATE TABLE once ("
    " number TEXT NOT NULL,"
    " rule TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY (number, rule)"
    ") STRICT, WITHOUT ROWID;"
    /* Numbers that are muted, or that answer right behind automatic replies. */
    "CREATE TABLE muted ("
    " number TEXT PRIMARY KEY,"
    " until INTEGER NOT NULL,"
    " rounds INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "ALTER TABLE auto_reply ADD COLUMN hash INTEGER NOT NULL DEFAULT 0;" /* store_text_hash() */
    "CREATE INDEX auto_reply_at ON auto_reply(at);"
    /* sim '': the business. */
    "CREATE TABLE consent_of ("
    " number TEXT NOT NULL,"
    " sim TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY (number, sim)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO consent_of(number, sim, state, at) SELECT number, '', state, at FROM consent;"
    "DROP TABLE consent;"
    "ALTER TABLE consent_of RENAME TO consent;"
    "ALTER TABLE consent_log ADD COLUMN sim TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE consent_log ADD COLUMN who TEXT NOT NULL DEFAULT '';"
    /* How it is known: 'message', 'person', 'import:NAME', 'override' (sent in spite of it). */
    "ALTER TABLE consent_log ADD COLUMN how TEXT NOT NULL DEFAULT 'message';"

    /* ---- handlers ---- */
    "CREATE TABLE value ("
    " owner TEXT NOT NULL,"
    " key TEXT NOT NULL,"
    " value TEXT NOT NULL,"
    " PRIMARY KEY (owner, key)"
    ") STRICT, WITHOUT ROWID;"

    /* ---- campaigns: campaign.c ---- */
    "CREATE TABLE campaign ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " state INTEGER NOT NULL," /* enum campaign_state */
    " text TEXT NOT NULL,"     /* as it was written: "@NAME" of a template, or a text with {{values}} */
    " audience TEXT NOT NULL," /* "tag vip", "file of 120 numbers", for people */
    " proof TEXT NOT NULL,"    /* how those are known to want it who have no entry in the ledger; '' none */
    " modem TEXT NOT NULL,"
    " pool TEXT NOT NULL,"
    " per_minute INTEGER NOT NULL,"
    " due INTEGER NOT NULL," /* not before; 0 */
    " who TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " started INTEGER NOT NULL,"
    " ended INTEGER NOT NULL,"
    " reason TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE campaign_to ("
    " campaign INTEGER NOT NULL,"
    " n INTEGER NOT NULL,"
    " number TEXT NOT NULL,"
    " state INTEGER NOT NULL," /* enum campaign_to_state */
    " message INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (campaign, n)) STRICT, WITHOUT "
    "ROWID;CREATE UNIQUE INDEX campaign_to_once ON campaign_to(campaign, number);CREATE INDEX "
    "campaign_to_state ON campaign_to(campaign, state, n);CREATE INDEX campaign_to_message ON "
    "campaign_to(message) WHERE message > 0;";
