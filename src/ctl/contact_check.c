/* What a contact may be made of, for everything that people type and files bring. What can fail: each of it;
 * the error names what was expected. */
#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "base/zone.h"
#include "ctl/desk.h"

enum { NOTES_BYTES = 16384, VALUE_BYTES = 4096 };

static int too_long(const char *field, size_t most, struct err *e)
{
    return err_set(e, ERR_TOO_LONG, "%.60s: at most %zu bytes expected", field, most);
}

/* A line of text: control characters are nobody's name. */
static int check_line(const char *field, const char *value, size_t most, struct err *e)
{
    if (strlen(value) > most)
        return too_long(field, most, e);
    for (const char *p = value; *p; p++)
        if (iscntrl((unsigned char)*p))
            return err_set(e, ERR_INVALID, "%.60s: one line of text expected", field);
    return 0;
}

/* BCP 47, as far as it matters here: letters, digits and hyphens. */
static int check_language(const char *value, struct err *e)
{
    size_t len = strcspn(value, "-"); /* of the language itself */

    if (!*value ||
        (strlen(value) < DESK_LANGUAGE_BYTES && (len == 2 || len == 3) &&
         strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(value)))
        return 0;
    return err_set(e, ERR_INVALID, "language: a language such as de or pt-BR expected, not \"%.40s\"", value);
}

static int check_zone(const char *value, struct err *e)
{
    struct zone *zone;

    if (!*value)
        return 0;
    if (strlen(value) >= sizeof((struct contact_row *)0)->zone || zone_new(value, &zone, NULL) < 0)
        return err_set(e, ERR_INVALID, "zone: a time zone such as Europe/Berlin expected, not \"%.40s\"",
                       value);
    zone_free(zone);
    return 0;
}

bool contact_is_field(const char *name)
{
    static const char *const fields[] = {"name", "language", "zone", "notes"};

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (!strcmp(fields[i], name))
            return true;
    return false;
}

/* As templates name it: {{contact.attribute.NAME}}. */
static int check_attribute_name(const char *name, struct err *e)
{
    /* What a file of contacts means something else by. */
    static const char *const columns[] = {"number", "other_numbers", "tags", "consent"};
    size_t len = strlen(name);
    bool good = len > 0 && len < DESK_WORD_BYTES && utf8_valid(name, len);

    for (const char *p = name; *p && good; p++)
        good = isalnum((unsigned char)*p) || *p == '_' || *p == '-' || (unsigned char)*p >= 0x80;
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        good = good && strcmp(name, columns[i]) != 0;
    if (good)
        return 0;
    return err_set(
        e, ERR_INVALID,
        "\"%.60s\": name, language, zone, notes or the name of an attribute expected (letters, digits, "
        "- and _)",
        name);
}

int contact_check(const char *name, const char *value, struct err *e)
{
    if (!strcmp(name, "language"))
        return check_language(value, e);
    if (!strcmp(name, "zone"))
        return check_zone(value, e);
    if (!strcmp(name, "name"))
        return check_line(name, value, DESK_NAME_BYTES - 1, e);
    if (!strcmp(name, "notes"))
        return strlen(value) <= NOTES_BYTES ? 0 : too_long(name, NOTES_BYTES, e);
    if (check_attribute_name(name, e) < 0)
        return e->code;
    /* Of any lines: what rules and handlers put there must come back from a file that was exported. */
    return strlen(value) <= VALUE_BYTES ? 0 : too_long(name, VALUE_BYTES, e);
}

int contact_check_tag(const char *tag, struct err *e)
{
    return tag_is_good(tag) ? 0
                            : err_set(e, ERR_INVALID, "a tag expected, " TAG_EXPECTED ", not \"%.60s\"", tag);
}
