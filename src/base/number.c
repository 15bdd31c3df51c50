/* Telephone numbers from what people, scripts and networks write. ITU-T E.164 for the canonical form; the
 * national prefixes are those of ITU-T E.123 practice and the Operational Bulletin's list of dialling
 * procedures. Pure; a text that is no number gives ERR_INVALID and says what was expected. */
#include "base/number.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

enum {
    SHORT_DIGITS = 6, /* up to here, digits are a short code */
    MIN_DIGITS = 5,   /* of an international number, calling code included */
    MAX_DIGITS = 20,  /* TS 23.040 9.1.2.5; E.164 itself allows 15 */
    SAME_DIGITS = 6,  /* fewer digits in common prove nothing */
};

/* How numbers are dialled where it is not "00" abroad and "0" inside the country. */
struct dialling {
    const char *country;
    const char *abroad;
    const char *trunk;      /* put in front of a national number, not part of it */
    size_t national_digits; /* the trunk prefix is only one if so many digits follow it; 0: any number */
};

static const struct dialling diallings[] = {
    {"1", "011", "1", 10}, /* North America: no area code begins with 1 or 0 */
    {"7", "00", "8", 10},  /* Russia, Kazakhstan: area codes beginning with 8 exist */
    {"36", "00", "06", 0}, /* Hungary */
    /* The 0 belongs to the number: Italy with San Marino and the Vatican, Ivory Coast, Burkina Faso, Benin,
     * Congo. */
    {"39", "00", "", 0},
    {"378", "00", "", 0},
    {"379", "00", "", 0},
    {"225", "00", "", 0},
    {"226", "00", "", 0},
    {"229", "00", "", 0},
    {"242", "00", "", 0},
};

static const struct dialling usual = {"", "00", "0", 0};

static const struct dialling *dialling_of(const char *country)
{
    for (size_t i = 0; i < ARRAY_LEN(diallings); i++)
        if (strcmp(diallings[i].country, country) == 0)
            return &diallings[i];
    return &usual;
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool only(const char *text, const char *allowed)
{
    return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

static bool only_digits(const char *text)
{
    return only(text, "0123456789");
}

enum number_kind number_kind(const char *canonical)
{
    if (canonical[0] == '+' && only_digits(canonical + 1))
        return NUMBER_E164;
    return only(canonical, "0123456789*#") ? NUMBER_SHORT : NUMBER_ALPHA;
}

static int refuse(const char *text, const char *why, struct err *e)
{
    return err_set(e, ERR_INVALID, "\"%.40s\" is not a telephone number: %s", text, why);
}

/* "+39 (0)6 …" is dialled with its 0. */
static bool keeps_zero(const char *international)
{
    return !*dialling_of(international + strspn(international, "+0"))->trunk;
}

/* Drops what people put between digits, and the "(0)" of "+49 (0)170 …". False: a character that is in no
 * number, or more of them than any number has. */
static bool strip(const char *text, char out[NUMBER_BYTES])
{
    bool abroad = begins_with(text, "+") || begins_with(text, "00");
    size_t len = 0;

    while (*text != '\0') {
        out[len] = '\0';
        if (abroad && len > 0 && begins_with(text, "(0)") && !keeps_zero(out)) {
            text += 3;
            continue;
        }
        if (strchr(" \t-./()", *text)) {
            text++;
            continue;
        }
        if (!strchr("0123456789*#+", *text) || (*text == '+' && len > 0) || len == NUMBER_BYTES - 1)
            return false;
        out[len++] = *text++;
    }
    out[len] = '\0';
    return true;
}

/* '+', the calling code and the rest of the number. */
static int compose(const char *text, const char *country, const char *rest, char out[NUMBER_BYTES],
                   struct err *e)
{
    size_t digits = strlen(country) + strlen(rest);

    if (!only_digits(rest))
        return refuse(text, "expected digits only, such as +491701234567", e);
    if (digits < MIN_DIGITS || digits > MAX_DIGITS)
        return refuse(text, "expected 5 to 20 digits, such as +491701234567", e);
    if (country[0] == '\0' && rest[0] == '0')
        return refuse(text, "no country's calling code begins with 0", e);
    out[0] = '+';
    str_copy(out + 1, NUMBER_BYTES - 1, country);
    str_copy(out + 1 + strlen(country), NUMBER_BYTES - 1 - strlen(country), rest);
    return ERR_OK;
}

/* digits: as dialled inside `country`, which is configured. */
static const char *without_trunk(const char *digits, const struct dialling *d)
{
    size_t skip = strlen(d->trunk);

    if (!begins_with(digits, d->trunk))
        return digits;
    if (d->national_digits > 0 && strlen(digits) != skip + d->national_digits)
        return digits;
    return digits + skip;
}

static int normalise_national(const char *text, const char *country, const char *digits,
                              char out[NUMBER_BYTES], struct err *e)
{
    if (country[0] == '\0')
        return refuse(text, "a national one, and no country is configured: write it as +491701234567", e);
    return compose(text, country, without_trunk(digits, dialling_of(country)), out, e);
}

/* A whole number as it is dialled: "s" makes no short code of it, of which no opt-out would be known. */
static bool is_dialled(const char *digits, const char *country)
{
    return strlen(digits) > SHORT_DIGITS && only_digits(digits) && digits[0] == '0' &&
           (digits[1] == '0' || country[0] != '\0');
}

static int normalise_forced_short(const char *text, const char *digits, char out[NUMBER_BYTES], struct err *e)
{
    if (!only(digits, "0123456789*#"))
        return refuse(text, "expected the digits of a short code behind the s", e);
    str_copy(out, NUMBER_BYTES, digits);
    return ERR_OK;
}

int number_normalise(const char *text, const char *country, enum number_reading reading,
                     char out[NUMBER_BYTES], struct err *e)
{
    const struct dialling *d = dialling_of(country);
    const char *start = text + strspn(text, " \t");
    bool forced_short = *start == 's' || *start == 'S';
    char digits[NUMBER_BYTES];

    if (!strip(start + forced_short, digits) || digits[0] == '\0')
        return refuse(text, "expected digits, such as +491701234567", e);
    if (forced_short && !is_dialled(digits, country))
        return normalise_forced_short(text, digits, out, e);
    if (digits[0] == '+')
        return compose(text, "", digits + 1, out, e);
    if (strlen(digits) <= SHORT_DIGITS || !only_digits(digits)) {
        str_copy(out, NUMBER_BYTES, digits);
        return ERR_OK;
    }
    if (begins_with(digits, "00"))
        return compose(text, "", digits + 2, out, e);
    if (begins_with(digits, d->abroad))
        return compose(text, "", digits + strlen(d->abroad), out, e);
    if (digits[0] == '0' || (reading == NUMBER_READ_NATIONAL && country[0] != '\0'))
        return normalise_national(text, country, digits, out, e);
    return compose(text, "", digits, out, e);
}

int number_normalise_prefix(const char *text, const char *country, char out[NUMBER_BYTES], struct err *e)
{
    const struct dialling *d = dialling_of(country);
    char digits[NUMBER_BYTES] = "";
    const char *rest = digits, *plus = "+", *code = "";
    bool good = strip(text, digits) && digits[0] != '\0';

    if (digits[0] == '+') {
        rest = digits + 1;
    } else if (begins_with(digits, "00")) {
        rest = digits + 2;
    } else if (begins_with(digits, d->abroad)) {
        rest = digits + strlen(d->abroad);
    } else if (digits[0] == '0' && country[0] != '\0') {
        code = country;
        rest = without_trunk(digits, d);
    } else {
        plus = "";
    }
    if (!good || (*rest && !only_digits(rest)) || strlen(plus) + strlen(code) + strlen(rest) >= NUMBER_BYTES)
        return err_set(e, ERR_INVALID, "\"%.40s\": expected how numbers begin, such as \"+4917\"", text);
    snprintf(out, NUMBER_BYTES, "%s%s%s", plus, code, rest);
    return ERR_OK;
}

bool number_other_form(const char *number, char out[NUMBER_BYTES])
{
    bool plus = *number == '+';
    size_t digits = strspn(number + plus, "0123456789");

    if (number[plus + digits] || digits <= SHORT_DIGITS || digits > NUMBER_BYTES - 2)
        return false;
    snprintf(out, NUMBER_BYTES, "%s%s", plus ? "" : "+", number + plus);
    return true;
}

bool number_same(const char *a, const char *b)
{
    size_t len_a, len_b;

    if (strcmp(a, b) == 0)
        return true;
    /* Two whole international numbers differ if they differ. */
    if (a[0] == '+' && b[0] == '+')
        return false;
    a += a[0] == '+' ? 1 : strspn(a, "0");
    b += b[0] == '+' ? 1 : strspn(b, "0");
    if (!only_digits(a) || !only_digits(b))
        return false;
    len_a = strlen(a);
    len_b = strlen(b);
    if (len_a < SAME_DIGITS || len_b < SAME_DIGITS)
        return false;
    return len_a < len_b ? strcmp(a, b + len_b - len_a) == 0 : strcmp(b, a + len_a - len_b) == 0;
}

static bool reads_as(const char *number, const char *sender, const char *country, enum number_reading reading)
{
    char whole[NUMBER_BYTES];
    struct err e = {0};

    return number_normalise(sender, country, reading, whole, &e) == 0 && strcmp(number, whole) == 0;
}

bool number_is(const char *number, const char *sender, const char *country)
{
    if (*number == '\0' || strcmp(number, sender) == 0)
        return *number != '\0';
    if (*sender == '+' || !number_same(number, sender))
        return false;
    if (*country == '\0' && *sender == '0')
        return true;
    return reads_as(number, sender, country, NUMBER_READ_NATIONAL) ||
           reads_as(number, sender, country, NUMBER_READ_INTERNATIONAL);
}
