/* Personal data as such: `contacts import`, `contacts merge`, `contact export`, `contact erase`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/desk.h"
#include "desk/erase.h"

/* ---- import ---- */

enum { PIECE_MAX = 1000 };

struct importing {
    struct call *call;
    struct acting acting;
    struct store_import import;
    struct contact_import *rows;
    char (*numbers)[NUMBER_BYTES];
    char **kept; /* tags, attributes and other numbers of each */
    int nkept;
    json_t *errors;
    char proof[DESK_WHO_BYTES + 32];
};

static void importing_clear(void *own)
{
    struct importing *i = own;

    for (int k = 0; k < i->nkept; k++)
        free(i->kept[k]);
    free(i->kept);
    free(i->rows);
    free(i->numbers);
    json_decref(i->errors);
}

static const char *keep(struct importing *i, char *text)
{
    if (!text)
        abort();
    return i->kept[i->nkept++] = text;
}

static const char *member(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

static int take_tags(struct importing *i, const json_t *tags, struct contact_import *out, struct err *e)
{
    struct buf list = {0};
    const json_t *tag;
    size_t k;

    json_array_foreach(tags, k, tag)
    {
        if (contact_check_tag(json_is_string(tag) ? json_string_value(tag) : "", e) < 0) {
            buf_free(&list);
            return e->code;
        }
        buf_addf(&list, "%s%s,", k ? "" : ",", json_string_value(tag));
    }
    if (list.len)
        out->tags = keep(i, strdup(buf_str(&list)));
    buf_free(&list);
    return 0;
}

static int take_others(struct importing *i, const json_t *others, struct contact_import *out, struct err *e)
{
    struct buf list = {0};
    const json_t *other;
    size_t k;

    if (json_array_size(others) >= DESK_NUMBERS_MAX)
        return err_set(e, ERR_TOO_LONG, "other_numbers: at most %d expected", (int)DESK_NUMBERS_MAX - 1);
    json_array_foreach(others, k, other)
    {
        const char *given = json_string_value(other);
        char number[NUMBER_BYTES];

        if (gateway_number(i->call->ctl->world.gateway, given ? given : "", number, e) < 0) {
            buf_free(&list);
            return e->code;
        }
        buf_addf(&list, "%s%s", k ? "," : "", number);
    }
    if (list.len)
        out->others = keep(i, strdup(buf_str(&list)));
    buf_free(&list);
    return 0;
}

static int take_attributes(struct importing *i, json_t *attributes, struct contact_import *out,
                           const char **field, struct err *e)
{
    const char *name;
    json_t *value;

    json_object_foreach(attributes, name, value)
    {
        *field = name;
        if (contact_is_field(name) || !json_is_string(value))
            return err_set(e, ERR_INVALID, "%.60s: an attribute with a text expected", name);
        if (contact_check(name, json_string_value(value), e) < 0)
            return e->code;
    }
    if (json_object_size(attributes))
        out->attributes = keep(i, json_dumps(attributes, JSON_COMPACT));
    return 0;
}

static int take_consent(const struct importing *i, const json_t *row, struct contact_import *out,
                        struct err *e)
{
    const char *consent = member(row, "consent");

    if (!consent)
        return 0;
    if (strcmp(consent, "in") != 0 && strcmp(consent, "out") != 0)
        return err_set(e, ERR_INVALID, "consent: \"in\" or \"out\" expected, not \"%.40s\"", consent);
    if (!strcmp(consent, "in") && !call_text(i->call, "proof"))
        return err_set(e, ERR_INVALID, "consent: \"proof\" is missing: where can it be seen?");
    out->consent = *consent == 'i' ? CONSENT_IN : CONSENT_OUT;
    return 0;
}

/* The row's contact. `field`: what is wrong. */
static int take_row(struct importing *i, const json_t *row, char number[NUMBER_BYTES],
                    struct contact_import *out, const char **field, struct err *e)
{
    const struct {
        const char *name, **to;
    } texts[] = {
        {"name", &out->name}, {"language", &out->language}, {"zone", &out->zone}, {"notes", &out->notes}};
    const char *given = member(row, "number");

    *field = "number";
    if (!given)
        return err_set(e, ERR_INVALID, "number: a telephone number expected");
    if (gateway_number(i->call->ctl->world.gateway, given, number, e) < 0)
        return e->code;
    out->number = number;
    for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
        *field = texts[k].name;
        *texts[k].to = member(row, texts[k].name);
        if (*texts[k].to && contact_check(texts[k].name, *texts[k].to, e) < 0)
            return e->code;
    }
    *field = "other_numbers";
    if (take_others(i, json_object_get(row, "other_numbers"), out, e) < 0)
        return e->code;
    *field = "tags";
    if (take_tags(i, json_object_get(row, "tags"), out, e) < 0)
        return e->code;
    *field = "consent";
    if (take_consent(i, row, out, e) < 0)
        return e->code;
    return take_attributes(i, json_object_get(row, "attributes"), out, field, e);
}

static void on_imported(struct store_op *op, int status)
{
    struct importing *i = container_of(op, struct importing, import.op);
    int created = 0, changed = 0, kept_out = 0, not_joined = 0;

    if (status < 0) {
        call_fail(i->call, status, op->err.text);
        return;
    }
    for (int k = 0; k < i->import.count; k++) {
        created += !i->rows[k].existed;
        changed += i->rows[k].existed && i->rows[k].changed;
        kept_out += i->rows[k].kept_out;
        not_joined += i->rows[k].not_joined;
    }
    call_ok(i->call, json_pack("{sisisisisisO}", "contacts", i->import.count, "created", created, "changed",
                               changed, "kept_out", kept_out, "not_joined", not_joined, "errors", i->errors));
}

static void take_rows(struct importing *i)
{
    const json_t *row;
    size_t k;

    json_array_foreach(json_object_get(i->call->args, "contacts"), k, row)
    {
        int n = i->import.count;
        const char *field = "";
        struct err e = {0};

        i->rows[n] = (struct contact_import){0};
        if (take_row(i, row, i->numbers[n], &i->rows[n], &field, &e) < 0)
            json_array_append_new(i->errors, json_pack("{sIsoso}", "index", (json_int_t)k, "field",
                                                       json_text(field), "text", json_text(e.text)));
        else
            i->import.count++;
    }
}

static void *array(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (!p)
        abort();
    return p;
}

void do_contacts_import(struct call *call)
{
    struct importing *i = call_keep(call, sizeof *i, importing_clear);
    size_t count = json_array_size(json_object_get(call->args, "contacts"));
    const char *proof = call_text(call, "proof");

    i->call = call;
    if (!call_acting(call, &i->acting))
        return;
    snprintf(i->proof, sizeof i->proof, "import: %.100s", proof ? proof : "");
    i->rows = array(count, sizeof *i->rows);
    i->numbers = array(count, sizeof *i->numbers);
    i->kept = array(3 * count, sizeof *i->kept);
    i->errors = json_array();
    i->import = (struct store_import){.op.done = on_imported,
                                      .contacts = i->rows,
                                      .who = i->acting.who,
                                      .proof = i->proof,
                                      .now_wall_ms = rt_wall_ms(call->ctl->world.rt)};
    take_rows(i);
    if (i->import.count == 0 || call_bool(call, "check", 0))
        call_ok(call, json_pack("{sisO}", "contacts", i->import.count, "errors", i->errors));
    else
        store_import(call->ctl->world.store, &i->import);
}

/* ---- merge ---- */

struct merging {
    struct call *call;
    struct acting acting;
    struct store_merge merge;
    char from[NUMBER_BYTES], into[NUMBER_BYTES];
};

static void on_merged(struct store_op *op, int status)
{
    struct merging *m = container_of(op, struct merging, merge.op);

    if (status < 0)
        call_fail(m->call, status, op->err.text);
    else
        call_ok(m->call, json_pack("{sssssi}", "number", strcmp(m->from, m->merge.number) ? m->from : m->into,
                                   "into", m->merge.number, "conversations", m->merge.conversations));
}

void do_contacts_merge(struct call *call)
{
    struct merging *m = call_keep(call, sizeof *m, NULL);

    m->call = call;
    if (!call_acting(call, &m->acting) || !call_number_of(call, "number", m->from) ||
        !call_number_of(call, "into", m->into))
        return;
    log_notice(WHO, "contacts merge number=%s into=%s by=%s", log_number(m->from), log_number(m->into),
               m->acting.who);
    m->merge = (struct store_merge){.op.done = on_merged,
                                    .from = m->from,
                                    .into = m->into,
                                    .who = m->acting.who,
                                    .now_wall_ms = rt_wall_ms(call->ctl->world.rt)};
    store_merge(call->ctl->world.store, &m->merge);
}

/* ---- everything about one number ---- */

struct exporting {
    struct call *call;
    struct store_export export;
    char number[NUMBER_BYTES];
};

static void exporting_clear(void *own)
{
    free(((struct exporting *)own)->export.json);
}

static void on_exported(struct store_op *op, int status)
{
    struct exporting *x = container_of(op, struct exporting, export.op);
    json_t *rows, *result;

    if (status < 0) {
        call_fail(x->call, status, op->err.text);
        return;
    }
    rows = json_loads(x->export.json ? x->export.json : "[]", JSON_ALLOW_NUL, NULL);
    result = json_pack("{sssssO}", "number", x->number, "section", export_section_name(x->export.was), "rows",
                       rows ? rows : json_null());
    json_decref(rows);
    if (!x->export.ended)
        json_object_set_new(result, "next",
                            json_pack("{sssI}", "section", export_section_name(x->export.section), "after",
                                      (json_int_t)x->export.after));
    call_ok(x->call, result);
}

static enum export_section section_of(const struct call *call)
{
    const char *name = call_text(call, "section");

    for (int s = 0; name && s < EXPORT_SECTIONS; s++)
        if (!strcmp(name, export_section_name((enum export_section)s)))
            return (enum export_section)s;
    return EXPORT_CONTACT;
}

void do_contact_export(struct call *call)
{
    struct exporting *x = call_keep(call, sizeof *x, exporting_clear);

    x->call = call;
    if (!call_number_of(call, "number", x->number))
        return;
    if (!call_text(call, "section")) /* the first piece */
        log_notice(WHO, "contact export number=%s by=%s", log_number(x->number), call_user(call));
    x->export = (struct store_export){.op.done = on_exported,
                                      .number = x->number,
                                      .section = section_of(call),
                                      .after = call_number(call, "after", 0)};
    store_export(call->ctl->world.store, &x->export);
}

/* ---- erase ---- */

struct erasing {
    struct call *call;
    struct acting acting;
    struct desk_erase erase;
    char number[NUMBER_BYTES];
};

static void on_erased(struct desk_erase *r, int status)
{
    struct erasing *e = container_of(r, struct erasing, erase);

    if (status < 0)
        call_fail(e->call, status, r->err.text);
    else
        call_ok(e->call, json_pack("{sssisisisb}", "number", e->number, "numbers", r->numbers, "rows",
                                   r->rows, "cancelled", r->cancelled, "opt_out", r->opt_out));
}

void do_contact_erase(struct call *call)
{
    struct erasing *e = call_keep(call, sizeof *e, NULL);

    e->call = call;
    if (!call_acting(call, &e->acting) || !call_number_of(call, "number", e->number))
        return;
    log_notice(WHO, "contact erase number=%s by=%s", log_number(e->number), e->acting.who);
    call->may_be_left = true; /* it goes on after the next start */
    e->erase = (struct desk_erase){.number = e->number, .who = e->acting.who, .done = on_erased};
    desk_erase(call->ctl->world.desk, &e->erase);
}
