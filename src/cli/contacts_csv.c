/* Contacts from and to CSV files (base/csv.h). The first record names the columns; simgated checks and
 * stores, some hundred contacts a request. A file is read twice: what is no CSV is found before anything is
 * stored, and the bar knows how far it is. What can fail: the file, and what simgated finds wrong in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

enum { PIECE = 500, PIECE_BYTES = 1 << 19 /* a request has 1 MiB, a record's JSON less than half of it */ };
enum { FILE_MOST_BYTES = 1 << 28, READ_BYTES = 65536, PAGE = 1000 };

static const char *const known[] = {"number", "name", "language", "zone", "notes"}; /* texts, in this order */

static bool is_known(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (!strcmp(known[i], name))
            return true;
    return false;
}

/* Of a column that is no attribute's. */
static bool is_column(const char *name)
{
    return is_known(name) || !strcmp(name, "other_numbers") || !strcmp(name, "tags") ||
           !strcmp(name, "consent");
}

/* ---- in ---- */

struct import {
    struct invocation *v;
    struct buf file;
    bool count_only;
    int total, done; /* records, the header not among them */
    json_t *columns; /* names */
    json_t *piece;   /* contacts to be asked for */
    size_t bytes;    /* of them, as JSON */
    json_t *lines;   /* of each of them, in the file */
    json_t *totals, *errors;
    int status;
    bool progress;
};

static int read_all(const char *path, struct buf *out, struct err *e)
{
    FILE *in = strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
    char bytes[READ_BYTES];
    size_t n;

    if (!in)
        return err_errno(e, "%s", path);
    while (out->len <= FILE_MOST_BYTES && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        buf_add(out, bytes, n);
    if (ferror(in))
        err_errno(e, "%s", path);
    else if (out->len > FILE_MOST_BYTES)
        err_set(e, ERR_TOO_LONG, "%s: at most 256 MiB expected", path);
    if (in != stdin)
        fclose(in);
    return e->code;
}

static int take_header(struct import *i, const struct csv_record *r, struct err *e)
{
    bool number = false;

    i->columns = json_array();
    for (int k = 0; k < r->count; k++) {
        for (int earlier = 0; earlier < k; earlier++)
            if (*r->fields[k] && !strcmp(r->fields[k], r->fields[earlier]))
                return err_set(e, ERR_INVALID, "column %d: \"%.60s\" is there twice", k + 1, r->fields[k]);
        json_array_append_new(i->columns, json_string(r->fields[k]));
        number = number || !strcmp(r->fields[k], "number");
    }
    return number ? 0
                  : err_set(e, ERR_INVALID,
                            "the first line must name the columns, and one of them must be \"number\"");
}

/* "a, b c" as a list. */
static json_t *list_of(const char *text, const char *between)
{
    json_t *list = json_array();
    char *copy = strdup(text), *save = NULL;

    if (!copy)
        abort();
    for (char *one = strtok_r(copy, between, &save); one; one = strtok_r(NULL, between, &save))
        json_array_append_new(list, json_string(one));
    free(copy);
    return list;
}

static json_t *contact_of(const struct import *i, const struct csv_record *r)
{
    json_t *c = json_object(), *attributes = json_object();

    for (int k = 0; k < r->count && k < (int)json_array_size(i->columns); k++) {
        const char *name = json_string_value(json_array_get(i->columns, (size_t)k)), *value = r->fields[k];

        if (!*value || !*name)
            continue;
        if (!strcmp(name, "tags"))
            json_object_set_new(c, name, list_of(value, ",; "));
        else if (!strcmp(name, "other_numbers"))
            json_object_set_new(c, name, list_of(value, ",;")); /* blanks are within them */
        else
            json_object_set_new(is_known(name) || !strcmp(name, "consent") ? c : attributes, name,
                                json_string(value));
    }
    if (json_object_size(attributes))
        json_object_set(c, "attributes", attributes);
    json_decref(attributes);
    return c;
}

/* simgated says which of the contacts asked for, and which field: an editor wants line and column. */
static void add_errors(struct import *i, const json_t *answer)
{
    const json_t *from;
    size_t n;

    json_array_foreach(json_object_get(answer, "errors"), n, from)
    {
        size_t index = (size_t)json_integer_value(json_object_get(from, "index"));
        const char *field = member_text(from, "field");
        json_t *e =
            json_pack("{sOss}", "line", json_array_get(i->lines, index), "text", member_text(from, "text"));

        for (size_t k = 0; e && k < json_array_size(i->columns); k++)
            if (!strcmp(json_string_value(json_array_get(i->columns, k)), field))
                json_object_set_new(e, "column", json_integer((json_int_t)k + 1));
        if (e)
            json_array_append_new(i->errors, e);
    }
}

static void add_up(struct import *i, const json_t *answer)
{
    static const char *const counts[] = {"contacts", "created", "changed", "kept_out", "not_joined"};

    for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
        json_int_t sum = json_integer_value(json_object_get(i->totals, counts[k])) +
                         json_integer_value(json_object_get(answer, counts[k]));

        json_object_set_new(i->totals, counts[k], json_integer(sum));
    }
    add_errors(i, answer);
}

/* One request. ERR_CANCELLED: it failed, which was told. */
static int give(struct import *i)
{
    json_t *args = json_copy(i->v->args), *answer;
    struct err e = {0};

    if (json_array_size(i->piece) == 0) {
        json_decref(args);
        return 0;
    }
    json_object_del(args, "file");
    json_object_set(args, "contacts", i->piece);
    i->status = ask(i->v, "contacts import", args, &answer, &e);
    if (i->status == CLI_DONE)
        add_up(i, answer);
    i->done += (int)json_array_size(i->piece);
    if (i->progress)
        progress("contacts", i->done, i->status == CLI_DONE ? i->total : i->done);
    if (i->status != CLI_DONE)
        tell_failure(i->v, i->status, &e, answer);
    json_decref(answer);
    json_decref(args);
    json_array_clear(i->piece);
    json_array_clear(i->lines);
    i->bytes = 0;
    return i->status == CLI_DONE ? 0 : ERR_CANCELLED;
}

static int on_record(void *owner, const struct csv_record *r, struct err *e)
{
    struct import *i = owner;
    json_t *contact;
    size_t bytes;

    if (!i->columns)
        return take_header(i, r, e);
    if (i->count_only) {
        i->total++;
        return 0;
    }
    contact = contact_of(i, r);
    bytes = json_dumpb(contact, NULL, 0, JSON_COMPACT) + 1;
    if (i->bytes + bytes > PIECE_BYTES && give(i) < 0) {
        json_decref(contact);
        return ERR_CANCELLED;
    }
    i->bytes += bytes;
    json_array_append_new(i->piece, contact);
    json_array_append_new(i->lines, json_integer(r->line));
    return json_array_size(i->piece) == PIECE ? give(i) : 0;
}

static int read_records(struct import *i, bool count_only, struct err *e)
{
    struct csv_reader csv = {.record = on_record, .owner = i};
    int rc;

    i->count_only = count_only;
    json_decref(i->columns);
    i->columns = NULL;
    rc = csv_feed(&csv, buf_str(&i->file), i->file.len, e);
    if (rc == 0)
        rc = csv_end(&csv, e);
    csv_free(&csv);
    if (rc == 0 && !i->columns)
        rc = err_set(e, ERR_INVALID, "the file is empty");
    return rc;
}

static void import_file(struct import *i)
{
    const char *path = member_text(i->v->args, "file");
    struct err e = {0};

    i->status = CLI_DONE;
    if (read_all(path, &i->file, &e) < 0) {
        i->status = tell_failure(i->v, CLI_FAILED, &e, NULL);
    } else if (read_records(i, true, &e) < 0) {
        err_wrap(&e, "%s", path);
        i->status = tell_failure(i->v, CLI_REFUSED, &e, NULL);
    } else if (read_records(i, false, &e) == 0) {
        give(i);
    }
}

static void say_imported(const struct import *i)
{
    json_int_t kept = json_integer_value(json_object_get(i->totals, "kept_out"));
    json_int_t not_joined = json_integer_value(json_object_get(i->totals, "not_joined"));
    bool check = json_is_true(json_object_get(i->v->args, "check"));
    const json_t *e;
    size_t n;

    json_array_foreach(i->errors, n, e)
    {
        const char *column = member_text(e, "column");

        say(RED, "line %s%s%s: %s", member_text(e, "line"), *column ? ", column " : "", column,
            member_text(e, "text"));
    }
    if (check) /* which of them are new is seen when they are stored */
        say(PLAIN, "%s contacts would be stored; lines with mistakes: %zu",
            member_text(i->totals, "contacts"), json_array_size(i->errors));
    else
        say(PLAIN, "%s contacts: %s new, %s changed; lines with mistakes: %zu",
            member_text(i->totals, "contacts"), member_text(i->totals, "created"),
            member_text(i->totals, "changed"), json_array_size(i->errors));
    if (kept)
        say(YELLOW, "%lld have opted out: that stays, whatever the file says", (long long)kept);
    if (not_joined)
        say(YELLOW,
            "%lld other numbers are of contacts of their own and stay so: simgate contacts merge joins them",
            (long long)not_joined);
}

int run_contacts_import(struct invocation *v)
{
    struct import i = {.v = v,
                       .progress = !v->json && isatty(STDERR_FILENO),
                       .piece = json_array(),
                       .lines = json_array(),
                       .totals = json_pack("{sisisisisi}", "contacts", 0, "created", 0, "changed", 0,
                                           "kept_out", 0, "not_joined", 0),
                       .errors = json_array()};

    import_file(&i);
    if (i.status == CLI_DONE) {
        json_object_set(i.totals, "errors", i.errors);
        if (v->json)
            print_json(i.totals);
        else
            say_imported(&i);
        i.status = json_array_size(i.errors) ? CLI_FAILED : CLI_DONE;
    }
    buf_free(&i.file);
    json_decref(i.columns);
    json_decref(i.piece);
    json_decref(i.lines);
    json_decref(i.totals);
    json_decref(i.errors);
    return i.status;
}

/* ---- out ---- */

struct export
{
    struct invocation *v;
    FILE *out;
    bool names_only;
    json_int_t rows;
    json_t *attributes; /* an object whose names are those of all attributes */
    json_t *contacts;   /* all of them, where --json wants them on standard output; NULL: rows are written */
};

/* A list of words in one field. */
static void put_list(struct buf *row, const json_t *list)
{
    struct buf words = {0};
    const json_t *word;
    size_t i;

    json_array_foreach(list, i, word) buf_addf(&words, "%s%s", i ? "," : "", json_string_value(word));
    csv_put(row, false, buf_str(&words));
    buf_free(&words);
}

static void put_row(struct export *x, const json_t *c)
{
    const json_t *attributes = json_object_get(c, "attributes");
    struct buf row = {0};
    const char *name;
    json_t *value;

    for (size_t k = 0; k < ARRAY_LEN(known); k++)
        csv_put(&row, k == 0, member_text(c, known[k]));
    put_list(&row, json_object_get(c, "other_numbers"));
    put_list(&row, json_object_get(c, "tags"));
    json_object_foreach(x->attributes, name, value) csv_put(&row, false, member_text(attributes, name));
    csv_end_record(&row);
    fwrite(row.data, 1, row.len, x->out);
    buf_free(&row);
}

static void take_page(struct export *x, const json_t *answer)
{
    const json_t *c;
    const char *name;
    json_t *value;
    size_t i;

    if (x->contacts) {
        json_array_extend(x->contacts, json_object_get(answer, "contacts"));
        return;
    }
    json_array_foreach(json_object_get(answer, "contacts"), i, c)
    {
        if (!x->names_only) {
            put_row(x, c);
            x->rows++;
            continue;
        }
        /* A rule or handler may name one as a column is named: read again it would be something else. */
        json_object_foreach(json_object_get(c, "attributes"), name, value)
        {
            if (!is_column(name))
                json_object_set_new(x->attributes, name, json_null());
        }
    }
}

/* All pages. */
static int each_page(struct export *x, bool names_only)
{
    x->names_only = names_only;
    json_object_del(x->v->args, "after");
    json_object_set_new(x->v->args, "limit", json_integer(PAGE));
    for (;;) {
        json_t *answer, *after;
        struct err e = {0};
        int status = ask(x->v, "contacts", x->v->args, &answer, &e);

        if (status != CLI_DONE) {
            tell_failure(x->v, status, &e, answer);
            json_decref(answer);
            return status;
        }
        take_page(x, answer);
        after = json_incref(json_object_get(answer, "after"));
        json_decref(answer);
        if (!after || ferror(x->out)) {
            json_decref(after);
            return CLI_DONE;
        }
        json_object_set_new(x->v->args, "after", after);
    }
}

static void put_header(struct export *x)
{
    struct buf row = {0};
    const char *name;
    json_t *value;

    for (size_t k = 0; k < ARRAY_LEN(known); k++)
        csv_put(&row, k == 0, known[k]);
    csv_put(&row, false, "other_numbers");
    csv_put(&row, false, "tags");
    json_object_foreach(x->attributes, name, value) csv_put(&row, false, name);
    csv_end_record(&row);
    fwrite(row.data, 1, row.len, x->out);
    buf_free(&row);
}

static int export_to(struct export *x, const char *path)
{
    bool to_file = *path && strcmp(path, "-") != 0;
    struct err e = {0};
    int status;

    x->out = to_file ? fopen(path, "wxe") : stdout;
    if (!x->out) {
        err_errno(&e, "%s", path);
        return tell_failure(x->v, CLI_FAILED, &e, NULL);
    }
    put_header(x);
    status = each_page(x, false);
    if ((to_file ? fclose(x->out) : fflush(x->out)) != 0 && status == CLI_DONE) {
        err_errno(&e, "%s", to_file ? path : "standard output");
        status = tell_failure(x->v, CLI_FAILED, &e, NULL);
    }
    if (status == CLI_DONE && to_file && x->v->json) {
        json_t *done = json_pack("{sssI}", "file", path, "contacts", x->rows);

        print_json(done);
        json_decref(done);
    }
    return status;
}

/* One document with all contacts, as `contacts --json` has them a page at a time. */
static int export_json(struct export *x)
{
    json_t *all = json_object();
    int status;

    json_object_set_new(all, "contacts", x->contacts = json_array());
    status = each_page(x, false);
    if (status == CLI_DONE)
        print_json(all);
    json_decref(all);
    return status;
}

int run_contacts_export(struct invocation *v)
{
    struct export x = {.v = v, .attributes = json_object(), .out = stdout};
    char *path = strdup(member_text(v->args, "file"));
    int status;

    if (!path)
        abort();
    json_object_del(v->args, "file");
    if (v->json && (!*path || !strcmp(path, "-")))
        status = export_json(&x);
    else if ((status = each_page(&x, true)) == CLI_DONE)
        status = export_to(&x, path);
    json_decref(x.attributes);
    free(path);
    return status;
}
