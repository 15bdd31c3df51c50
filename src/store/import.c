/* Contacts made or changed by the hundred. */
#include <stdio.h>
#include <string.h>

#include "store/desk_private.h"
#include "store/query_desk.h"

static const char sql_fields[] =
    "UPDATE contact SET name = ifnull(?2, name), language = ifnull(?3, language), zone = ifnull(?4, zone), "
    "notes = ifnull(?5, notes), changed = ?6 WHERE id = ?1 AND (name <> ifnull(?2, name) OR language <> "
    "ifnull(?3, language) OR zone <> ifnull(?4, zone) OR ifnull(notes, '') <> coalesce(?5, notes, ''))";
/* Empty texts become nulls, which a patch takes away. */
#define PATCHED                                                                                              \
    "nullif(json_patch(ifnull(attributes, '{}'), (SELECT json_group_object(key, nullif(value, '')) FROM "    \
    "json_each(?2))), '{}')"
static const char sql_attributes[] =
    "UPDATE contact SET attributes = " PATCHED ", changed = ?3 WHERE id = ?1 AND attributes IS NOT " PATCHED;
static const char sql_tag[] = "INSERT OR IGNORE INTO contact_tag(contact, tag) VALUES(?1, ?2)";
static const char sql_touch[] = "UPDATE contact SET changed = ?2 WHERE id = ?1";

static int note_change(struct store_db *db, int rc, bool *changed)
{
    if (rc == ERR_OK && sqlite3_changes64(db->h) > 0)
        *changed = true;
    return rc;
}

static int add_tags(struct store_db *db, int64_t contact, const char *tags, int64_t now_wall_ms,
                    bool *changed)
{
    bool any = false;
    int rc = ERR_OK;

    while (tags && *tags && rc == ERR_OK) {
        size_t len = strcspn(tags, ",");
        char tag[DESK_WORD_BYTES];

        if (len > 0 && len < sizeof tag) {
            memcpy(tag, tags, len);
            tag[len] = '\0';
            rc = note_change(db, DB_RUN(db, sql_tag, db_int(contact), db_text(tag)), &any);
        }
        tags += len + (tags[len] == ',');
    }
    if (rc == ERR_OK && any)
        rc = note_change(db, DB_RUN(db, sql_touch, db_int(contact), db_int(now_wall_ms)), changed);
    return rc;
}

static int import_consent(struct store_db *db, const struct store_import *i, struct contact_import *c)
{
    enum consent_state now;
    char how[DESK_WORD_BYTES];
    int rc = consent_get(db, c->number, "", &now);

    if (rc || c->consent == CONSENT_UNKNOWN || c->consent == now)
        return rc;
    c->kept_out = now == CONSENT_OUT;
    if (c->kept_out)
        return ERR_OK;
    c->changed = true;
    snprintf(how, sizeof how, "%s%s",
             i->proof && !strncmp(i->proof, "import", 6) ? "" : "import:", i->proof ? i->proof : "");
    if ((rc = figure_consent(db, c->consent, "", NULL, i->now_wall_ms)))
        return rc;
    return consent_set(db, &(struct consent_change){.number = c->number,
                                                    .sim = "",
                                                    .who = i->who,
                                                    .how = how,
                                                    .words = i->proof,
                                                    .state = c->consent,
                                                    .at_wall_ms = i->now_wall_ms});
}

/* Another's contact is left alone: a file may be wrong, and merging cannot be undone. */
static int import_other(struct store_db *db, const struct store_import *i, struct contact_import *c,
                        const char *number, struct numbers *all)
{
    int64_t owner;
    int rc = contact_find(db, number, &owner);

    if (rc < 0)
        return rc;
    if (owner == all->contact)
        return ERR_OK;
    if (owner != 0 || all->n == DESK_NUMBERS_MAX) {
        c->not_joined++;
        return ERR_OK;
    }
    c->changed = true;
    str_copy(all->of[all->n++], sizeof all->of[0], number);
    return contact_also(db, number, all->contact, i->now_wall_ms);
}

static int import_others(struct store_db *db, const struct store_import *i, struct contact_import *c)
{
    struct numbers all;
    int rc = contact_numbers(db, c->number, &all), had = all.n;

    for (const char *at = c->others; *at && rc == ERR_OK;) {
        size_t len = strcspn(at, ",");
        char number[64];

        snprintf(number, sizeof number, "%.*s", (int)len, at);
        rc = import_other(db, i, c, number, &all);
        at += len + (at[len] == ',');
    }
    return rc || all.n == had ? rc : contact_share_opt_outs(db, &all, i->who, i->now_wall_ms);
}

static int import_one(struct store_db *db, const struct store_import *i, struct contact_import *c)
{
    int64_t id;
    int rc = contact_find(db, c->number, &id);

    if (rc < 0)
        return rc;
    c->existed = rc > 0;
    c->changed = c->kept_out = false;
    c->not_joined = 0;
    if ((rc = contact_make(db, c->number, i->now_wall_ms, &id)) ||
        (rc = note_change(db,
                          DB_RUN(db, sql_fields, db_int(id), db_text_or_null(c->name),
                                 db_text_or_null(c->language), db_text_or_null(c->zone),
                                 db_text_or_null(c->notes), db_int(i->now_wall_ms)),
                          &c->changed)))
        return rc;
    if (c->attributes &&
        (rc = note_change(
             db, DB_RUN(db, sql_attributes, db_int(id), db_text(c->attributes), db_int(i->now_wall_ms)),
             &c->changed)))
        return rc;
    if ((rc = add_tags(db, id, c->tags, i->now_wall_ms, &c->changed)) || (rc = import_consent(db, i, c)))
        return rc;
    return c->others ? import_others(db, i, c) : ERR_OK;
}

static int exec_import(struct store_db *db, struct store_op *op)
{
    struct store_import *i = container_of(op, struct store_import, op);
    int rc = ERR_OK;

    for (int n = 0; n < i->count && rc == ERR_OK; n++)
        rc = import_one(db, i, &i->contacts[n]);
    return rc;
}

void store_import(struct store *s, struct store_import *i)
{
    store_submit_write(s, &i->op, exec_import, NULL);
}
