/* Who acts, and who is meant: names of people and departments as gateway.conf has them, numbers as people
 * write them. What can fail: a name or number that is none; the error says what was expected. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "ctl/desk.h"

static const struct staff *staff_of(const struct call *call)
{
    return desk_staff(call->ctl->world.desk);
}

static int unknown(const char *field, const char *name, const char *none, struct buf *known, struct err *e)
{
    if (known->len)
        err_set(e, ERR_INVALID, "%s: \"%.60s\" is not known; expected one of: %s", field, name,
                buf_str(known));
    else
        err_set(e, ERR_INVALID, "%s: \"%.60s\" is not known: gateway.conf has no %s", field, name, none);
    buf_free(known);
    return e->code;
}

static int person_of(const struct call *call, const char *field, char *out, size_t size, struct err *e)
{
    const char *name = call_text(call, field);
    const struct person *p;
    struct buf known = {0};

    str_copy(out, size, "");
    if (!name || !*name)
        return 0;
    p = staff_person(staff_of(call), name);
    if (p) {
        str_copy(out, size, p->name);
        return 0;
    }
    staff_names(staff_of(call), &known);
    return unknown(field, name, "people", &known, e);
}

int department_of(const struct call *call, const char *field, char *out, size_t size, struct err *e)
{
    const char *name = call_text(call, field);
    const struct department *d;
    struct buf known = {0};

    str_copy(out, size, "");
    if (!name || !*name)
        return 0;
    d = staff_department(staff_of(call), name);
    if (d) {
        str_copy(out, size, d->name);
        return 0;
    }
    staff_department_names(staff_of(call), &known);
    return unknown(field, name, "departments", &known, e);
}

int acting_of(const struct call *call, struct acting *out, struct err *e)
{
    int rc = person_of(call, "as", out->person, sizeof out->person, e);

    if (*out->person)
        snprintf(out->who, sizeof out->who, "person:%s", out->person);
    else
        snprintf(out->who, sizeof out->who, "ctl:%s", call_user(call));
    return rc;
}

static bool good(struct call *call, int rc, const struct err *e)
{
    if (rc < 0)
        call_fail(call, e->code, e->text);
    return rc == 0;
}

bool call_person(struct call *call, const char *field, char *out, size_t size)
{
    struct err e = {0};

    return good(call, person_of(call, field, out, size, &e), &e);
}

bool call_department(struct call *call, const char *field, char *out, size_t size)
{
    struct err e = {0};

    return good(call, department_of(call, field, out, size, &e), &e);
}

bool call_acting(struct call *call, struct acting *out)
{
    struct err e = {0};

    return good(call, acting_of(call, out, &e), &e);
}

/* ---- numbers ---- */

static int normalise(const struct call *call, const char *text, char out[NUMBER_BYTES], struct err *e)
{
    return gateway_number(call->ctl->world.gateway, text, out, e);
}

bool call_number_of(struct call *call, const char *field, char out[NUMBER_BYTES])
{
    struct err e = {0};

    if (normalise(call, call_text(call, field), out, &e) == 0)
        return true;
    err_wrap(&e, "%s", field);
    call_fail(call, e.code, e.text);
    return false;
}

/* A national number's beginning becomes that of an international one by the same reading: digits are put
 * behind it until it is long enough to be a number, and taken away again. */
void call_search_number(struct call *call, const char *text, char *out, size_t size)
{
    static const char filling[] = "0000000000";
    char padded[64], number[NUMBER_BYTES];
    size_t added = 0, len;

    str_copy(out, size, text);
    if (!*text || strspn(text, "+0123456789 -./()") != strlen(text))
        return;
    if (normalise(call, text, number, NULL) == 0 && number_kind(number) == NUMBER_E164) {
        str_copy(out, size, number);
        return;
    }
    for (added = 1; added < sizeof filling; added++) {
        snprintf(padded, sizeof padded, "%.48s%.*s", text, (int)added, filling);
        if (normalise(call, padded, number, NULL) == 0 && number_kind(number) == NUMBER_E164) {
            len = strlen(number);
            snprintf(out, size, "%.*s", (int)(len > added ? len - added : len), number);
            return;
        }
    }
}
