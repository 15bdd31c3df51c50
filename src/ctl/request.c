/* The table's fields and the parser of a request's line. Pure. What can fail: everything about the line. */
#include "ctl/request.h"

#include <string.h>

#include "base/buf.h"
#include "base/util.h"

static int expected(struct err *e, const char *request, const char *field, const char *what)
{
    return err_set(e, ERR_INVALID, "%s: %s: %s expected", request, field, what);
}

static int check_text(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    if (!json_is_string(v))
        return expected(e, r->name, f->name, "a text");
    if (f->max && json_string_length(v) > (size_t)f->max)
        return err_set(e, ERR_TOO_LONG, "%s: %s: at most %lld bytes expected", r->name, f->name,
                       (long long)f->max);
    return 0;
}

static int check_texts(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    if (json_is_string(v))
        return 0;
    if (!json_is_array(v) || json_array_size(v) == 0)
        return expected(e, r->name, f->name, "a text, or a list of texts,");
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!json_is_string(json_array_get(v, i)))
            return expected(e, r->name, f->name, "a list of texts");
    if (f->max && json_array_size(v) > (size_t)f->max)
        return err_set(e, ERR_TOO_LONG, "%s: %s: at most %lld expected", r->name, f->name, (long long)f->max);
    return 0;
}

static int check_number(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    if (!json_is_integer(v) || json_integer_value(v) < f->min || json_integer_value(v) > f->max)
        return err_set(e, ERR_INVALID, "%s: %s: a whole number from %lld to %lld expected", r->name, f->name,
                       (long long)f->min, (long long)f->max);
    return 0;
}

static int check_bool(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    return json_is_boolean(v) ? 0 : expected(e, r->name, f->name, "true or false");
}

static int check_duration(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    int64_t ms;

    if (!json_is_string(v) || !str_to_duration_ms(json_string_value(v), &ms))
        return expected(e, r->name, f->name, "a duration such as \"90s\", \"2h\" or \"3d\"");
    return 0;
}

static int check_time(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    int64_t ms;

    if (!json_is_string(v) || !wall_from_text(json_string_value(v), 0, &ms))
        return expected(
            e, r->name, f->name,
            "a time such as \"2026-11-21T09:30:00Z\", \"2026-11-21 09:30\", \"09:30\" or \"+2h\"");
    return 0;
}

static int check_day(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    int year, month, day;

    if (json_is_string(v) && day_from_text(json_string_value(v), &year, &month, &day))
        return 0;
    return check_time(r, f, v, e);
}

static int check_choice(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    struct buf known = {0};

    for (const char *const *c = f->choices; *c; c++) {
        if (json_is_string(v) && !strcmp(json_string_value(v), *c)) {
            buf_free(&known);
            return 0;
        }
        buf_addf(&known, "%s%s", c == f->choices ? "one of " : ", ", *c);
    }
    expected(e, r->name, f->name, buf_str(&known));
    buf_free(&known);
    return ERR_INVALID;
}

static int check_settings(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    const char *name;
    json_t *value;

    if (!json_is_object(v) || json_object_size(v) == 0)
        return expected(e, r->name, f->name, "an object of texts");
    json_object_foreach((json_t *)v, name, value)
    {
        if (!*name || !json_is_string(value))
            return expected(e, r->name, f->name, "an object of texts");
    }
    return 0;
}

static int check_rows(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    if (!json_is_array(v) || json_array_size(v) == 0)
        return expected(e, r->name, f->name, "a list of objects");
    if (json_array_size(v) > (size_t)f->max)
        return err_set(e, ERR_TOO_LONG, "%s: %s: at most %lld expected", r->name, f->name, (long long)f->max);
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!json_is_object(json_array_get(v, i)))
            return expected(e, r->name, f->name, "a list of objects");
    return 0;
}

static int check_field(const struct request *r, const struct field *f, const json_t *v, struct err *e)
{
    static int (*const checks[])(const struct request *, const struct field *, const json_t *,
                                 struct err *) = {
        [FIELD_TEXT] = check_text, [FIELD_TEXTS] = check_texts,       [FIELD_NUMBER] = check_number,
        [FIELD_BOOL] = check_bool, [FIELD_DURATION] = check_duration, [FIELD_TIME] = check_time,
        [FIELD_DAY] = check_day,   [FIELD_CHOICE] = check_choice,     [FIELD_SETTINGS] = check_settings,
        [FIELD_ROWS] = check_rows};

    return checks[f->type](r, f, v, e);
}

static const struct field *find_field(const struct request *r, const char *name)
{
    for (const struct field *f = r->fields; f->name; f++)
        if (!strcmp(f->name, name))
            return f;
    return NULL;
}

static int unknown_field(const struct request *r, const char *name, struct err *e)
{
    struct buf known = {0};

    for (const struct field *f = r->fields; f->name; f++)
        buf_addf(&known, "%s%s", f == r->fields ? "" : ", ", f->name);
    err_set(e, ERR_INVALID, "%s: there is no field \"%.60s\"; known are: %s", r->name, name,
            known.len ? buf_str(&known) : "(none)");
    buf_free(&known);
    return ERR_INVALID;
}

static int check_args(const struct request *r, json_t *args, struct err *e)
{
    const char *name;
    json_t *value;

    json_object_foreach(args, name, value)
    {
        const struct field *f = find_field(r, name);

        if (!f)
            return unknown_field(r, name, e);
        if (check_field(r, f, value, e) < 0)
            return e ? e->code : ERR_INVALID;
    }
    for (const struct field *f = r->fields; f->name; f++)
        if (f->required && !json_object_get(args, f->name))
            return err_set(e, ERR_INVALID, "%s: the field \"%s\" is missing", r->name, f->name);
    return 0;
}

/* Takes a member out of the object. A new reference or NULL. */
static json_t *take(json_t *object, const char *name)
{
    json_t *v = json_incref(json_object_get(object, name));

    json_object_del(object, name);
    return v;
}

int request_parse(const char *line, size_t len, struct parsed *out, struct err *e)
{
    json_error_t why;
    json_t *name;
    int rc;

    *out = (struct parsed){0};
    out->args = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    if (!out->args)
        return err_set(e, ERR_INVALID, "not JSON: %s (column %d)", why.text, why.column);
    if (!json_is_object(out->args))
        return err_set(e, ERR_INVALID, "a JSON object expected, {\"id\": 1, \"do\": \"status\"}");
    out->id = take(out->args, "id");
    if (out->id && !json_is_integer(out->id) && !json_is_string(out->id)) {
        json_decref(out->id);
        out->id = NULL; /* not something to answer with */
        return err_set(e, ERR_INVALID, "id: a whole number or a text expected");
    }
    name = take(out->args, "do");
    if (!json_is_string(name)) {
        rc = err_set(e, ERR_INVALID, "do: the request's name is missing");
    } else {
        out->kind = request_find(json_string_value(name));
        rc = out->kind ? check_args(out->kind, out->args, e)
                       : err_set(e, ERR_INVALID, "do: \"%.60s\" is not known", json_string_value(name));
    }
    json_decref(name);
    return rc;
}

void parsed_clear(struct parsed *p)
{
    json_decref(p->id);
    json_decref(p->args);
    *p = (struct parsed){0};
}
