/* The table of headers: what each asks for, and its handler. A header is honoured or refused with a
 * Fail_reason, never silently dropped. Names and values are smstools3's; simgate's own additions are several
 * recipients in To and "LOW" and "NORMAL" in Priority. */
#include "spool/headers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "pdu/gsm7.h"
#include "pdu/pdu.h"

enum {
    NUMBER_TEXT_BYTES = 64,
    PID_REPLACE = 0x40, /* + 1..7: replace short message type, TS 23.040 9.2.3.9 */
    PID_TYPE_0 = 0x40,  /* silent */
    DCS_SYSTEM = 0xF4,  /* 8-bit data, class 0 */
    DAY_MS = 86400000,
};

/* smstools3's reading: 1, y, t or "on"; everything else is no. */
static bool yes(const char *value)
{
    return (*value && strchr("1yYtT", *value)) ||
           ((value[0] == 'o' || value[0] == 'O') && (value[1] == 'n' || value[1] == 'N'));
}

static int number_of(const char *value, int64_t min, int64_t max, int64_t *out, struct err *e)
{
    if (str_to_i64(value, min, max, out))
        return 0;
    return err_set(e, ERR_INVALID, "a number from %lld to %lld expected, not \"%.40s\"", (long long)min,
                   (long long)max, value);
}

/* ---- recipients -------------------------------------------------------------------------------------------
 */

static void add_recipient(struct spool_file *f, const char *text)
{
    f->to = realloc(f->to, (size_t)(f->nto + 1) * sizeof(*f->to));
    if (!f->to || !(f->to[f->nto++] = strdup(text)))
        abort();
}

/* The number in what people write: what stands in front of a '+', and a remark behind the number, are left
 * out; digits behind such a remark would make another number, and are refused. */
static int take_recipient(struct spool_file *f, const char *item, size_t len, struct err *e)
{
    char text[NUMBER_TEXT_BYTES], *at = text;
    const char *plus = memchr(item, '+', len), *p = plus ? plus : item, *end = item + len;
    bool is_short = !plus && (*p == 's' || *p == 'S');
    size_t digits = 0;
    if (is_short || plus)
        *at++ = *p++;
    for (; p < end && at < text + sizeof(text) - 1 && *p && strchr("0123456789*# \t-./()", *p); p++) {
        digits += strchr(" \t-./()", *p) == NULL;
        *at++ = *p;
    }
    bool remark = p < end && p > item && strchr(" \t(<", *p == '<' ? '<' : p[-1]);
    for (const char *r = p; r < end; r++)
        remark &= !isdigit((unsigned char)*r);
    if (!digits || (p < end && !remark))
        return err_set(
            e, ERR_INVALID,
            "a telephone number in international form expected, such as 491701234567, not \"%.*s\"",
            (int)(len > 40 ? 40 : len), item);
    *at = '\0';
    if (f->nto == SPOOL_RECIPIENTS_MAX)
        return err_set(e, ERR_TOO_LONG, "at most %d recipients expected", SPOOL_RECIPIENTS_MAX);
    add_recipient(f, text);
    return 0;
}

static int take_to(struct spool_draft *d, const char *value, struct err *e)
{
    for (const char *item = value; *item;) {
        item += strspn(item, " \t,");
        size_t len = strcspn(item, ",");
        if (len && take_recipient(d->f, item, len, e) < 0)
            return e->code;
        item += len;
    }
    return 0;
}

static int take_to_toa(struct spool_draft *d, const char *value, struct err *e)
{
    static const char *const names[] = {"unknown", "international", "national"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(value, names[i]) == 0 || (value[0] == (char)('0' + i) && !value[1])) {
            d->toa = (enum spool_toa)i;
            return 0;
        }
    return err_set(e, ERR_INVALID, "unknown, international or national expected, not \"%.40s\"", value);
}

static int take_smsc(struct spool_draft *d, const char *value, struct err *e)
{
    if (number_normalise(value, "", NUMBER_READ_INTERNATIONAL, d->f->smsc, e) < 0)
        return e->code;
    d->f->send.smsc = d->f->smsc;
    return 0;
}

static int take_queue(struct spool_draft *d, const char *value, struct err *e)
{
    if (!str_copy(d->f->pool, sizeof(d->f->pool), value))
        return err_set(e, ERR_INVALID, "the name of a pool expected, which has at most %d characters",
                       MSG_MODEM_BYTES - 1);
    d->f->send.pool = d->f->pool;
    return 0;
}

/* ---- kinds of messages ------------------------------------------------------------------------------------
 */

static int take_flash(struct spool_draft *d, const char *value, struct err *e)
{
    (void)e;
    if (yes(value))
        d->f->send.cls = 0;
    return 0;
}

static int take_class(struct spool_draft *d, const char *value, struct err *e)
{
    int64_t n = 0;
    int rc = number_of(value, 0, 3, &n, e);
    d->f->send.cls = (int)n;
    return rc;
}

static int take_dcs(struct spool_draft *d, const char *value, struct err *e)
{
    uint8_t octet;
    if (strlen(value) != 2 || hex_decode(value, 2, &octet, 1) != 1)
        return err_set(e, ERR_INVALID, "two hexadecimal digits expected, not \"%.40s\"", value);
    d->f->send.dcs = octet;
    return 0;
}

static int take_priority(struct spool_draft *d, const char *value, struct err *e)
{
    static const struct {
        const char *name;
        int priority;
    } names[] = {{"HIGH", 2}, {"NORMAL", 1}, {"LOW", 0}, {"no", 1}, {"false", 1}, {"0", 1}, {"off", 1}};
    if (yes(value)) {
        d->f->send.priority = 2;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(value, names[i].name) == 0) {
            d->f->send.priority = names[i].priority;
            return 0;
        }
    return err_set(e, ERR_INVALID, "HIGH, NORMAL or LOW expected, not \"%.40s\"", value);
}

static int take_report(struct spool_draft *d, const char *value, struct err *e)
{
    (void)e;
    d->f->send.report = yes(value);
    return 0;
}

static int take_autosplit(struct spool_draft *d, const char *value, struct err *e)
{
    int64_t n = 0;
    int rc = number_of(value, 0, 3, &n, e);
    d->autosplit = (int)n;
    return rc;
}

static int take_replace(struct spool_draft *d, const char *value, struct err *e)
{
    int64_t n = 0;
    int rc = number_of(value, 1, 7, &n, e);
    d->f->send.pid = PID_REPLACE + (int)n;
    return rc;
}

static int take_reply_path(struct spool_draft *d, const char *value, struct err *e)
{
    (void)e;
    d->f->send.reply_path = yes(value);
    return 0;
}

static int take_reject_duplicates(struct spool_draft *d, const char *value, struct err *e)
{
    (void)e;
    d->f->send.reject_duplicates = yes(value);
    return 0;
}

static int take_message_reference(struct spool_draft *d, const char *value, struct err *e)
{
    int64_t n = 0;
    int rc = number_of(value, 0, 255, &n, e);
    d->f->send.mr = (int)n;
    return rc;
}

static int take_ping(struct spool_draft *d, const char *value, struct err *e)
{
    (void)e;
    d->ping = yes(value);
    if (d->ping) {
        d->f->send.pid = PID_TYPE_0;
        d->f->send.report = 1;
    }
    return 0;
}

static int take_system_message(struct spool_draft *d, const char *value, struct err *e)
{
    if (strcmp(value, "2") == 0 || strcasecmp(value, "ToSIM") == 0)
        return err_set(e, ERR_INVALID, "messages to the SIM are not supported, only \"yes\" is");
    d->system_message = yes(value);
    if (d->system_message) {
        d->f->send.pid = PID_TYPE_0;
        d->f->send.dcs = DCS_SYSTEM;
    }
    return 0;
}

/* ---- validity -------------------------------------------------------------------------------------------
 */

static int64_t unit_ms(const char *unit, int64_t n)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"min", 60000},
                 {"hour", 3600000},
                 {"day", DAY_MS},
                 {"week", 7 * (int64_t)DAY_MS},
                 {"month", 30 * (int64_t)DAY_MS},
                 {"year", 365 * (int64_t)DAY_MS}};
    if (strncasecmp(unit, "month", 5) == 0 && n == 12)
        return units[5].ms / 12;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strncasecmp(unit, units[i].name, strlen(units[i].name)) == 0)
            return units[i].ms;
    return 0;
}

/* "135" is TP-VP itself (TS 23.040 9.2.3.12.1); "2 days" is rounded down to what TP-VP can say. */
static int take_validity(struct spool_draft *d, const char *value, struct err *e)
{
    enum { N_MAX = 1000000 };
    char *unit;
    int64_t n = strtoll(value, &unit, 10), ms;
    if (unit == value)
        n = 1;
    if (unit != value && !*unit && n >= 0 && n <= 255) {
        d->f->send.validity_ms = pdu_vp_relative_to_ms((uint8_t)n);
        return 0;
    }
    unit += strspn(unit, " \t");
    ms = unit_ms(unit, n);
    if (!ms || n < 1 || n > N_MAX)
        return err_set(e, ERR_INVALID,
                       "0 to 255, or a time such as 90 min, 4 hours, 2 days, 1 week expected, not \"%.40s\"",
                       value);
    uint8_t vp = pdu_vp_relative_from_ms(n * ms);
    if (vp && pdu_vp_relative_to_ms(vp) > n * ms)
        vp--;
    d->f->send.validity_ms = pdu_vp_relative_to_ms(vp);
    return 0;
}

/* ---- body -----------------------------------------------------------------------------------------------
 */

static int take_alphabet(struct spool_draft *d, const char *value, struct err *e)
{
    static const struct {
        const char *begin;
        enum spool_alphabet alphabet;
    } names[] = {{"gsm", SPOOL_ALPHABET_GSM},  {"iso", SPOOL_ALPHABET_ISO},    {"lat", SPOOL_ALPHABET_ISO},
                 {"ans", SPOOL_ALPHABET_ISO},  {"bin", SPOOL_ALPHABET_BINARY}, {"chi", SPOOL_ALPHABET_UCS2},
                 {"ucs", SPOOL_ALPHABET_UCS2}, {"uni", SPOOL_ALPHABET_UCS2},   {"utf", SPOOL_ALPHABET_UTF8}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strncasecmp(value, names[i].begin, 3) == 0) {
            d->alphabet = names[i].alphabet;
            return 0;
        }
    return err_set(e, ERR_INVALID, "GSM, ISO, UTF-8, UCS2 or binary expected, not \"%.40s\"", value);
}

static int take_binary(struct spool_draft *d, const char *value, struct err *e)
{
    (void)e;
    if (yes(value))
        d->alphabet = SPOOL_ALPHABET_BINARY;
    return 0;
}

static int take_hex(struct spool_draft *d, const char *value, struct err *e)
{
    (void)e;
    d->hex = yes(value);
    return 0;
}

static int take_udh(struct spool_draft *d, const char *value, struct err *e)
{
    (void)e;
    d->no_udh = !yes(value);
    return 0;
}

static int take_udh_data(struct spool_draft *d, const char *value, struct err *e)
{
    struct buf octets = {0};
    int rc = strspn(value, "0123456789abcdefABCDEF \t") == strlen(value) ? 0 : ERR_INVALID;
    if (rc < 0 || spool_decode_hex(value, strlen(value), &octets, e) < 0 || octets.len < 2 ||
        octets.len > sizeof(d->f->udh) || (size_t)(uint8_t)octets.data[0] + 1 != octets.len)
        rc = err_set(e, ERR_INVALID,
                     "hexadecimal octets expected, the first of which counts the others: 05 00 03 01 02 01");
    else
        memcpy(d->f->udh, octets.data, octets.len);
    if (rc == 0) {
        d->f->send.udh = d->f->udh;
        d->f->send.udh_len = octets.len;
        d->has_udh = true;
    }
    buf_free(&octets);
    return rc;
}

static int take_macro(struct spool_draft *d, const char *value, struct err *e)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return err_set(e, ERR_INVALID, "name=value expected, not \"%.40s\"", value);
    buf_add(&d->macros, value, (size_t)(equals - value));
    buf_addc(&d->macros, '\0');
    buf_add(&d->macros, equals + 1, strlen(equals)); /* with its NUL */
    return 0;
}

static int language_of(const char *value, int *out, struct err *e)
{
    static const char *const names[GSM7_LANGUAGES] = {
        "basic",   "turkish",   "spanish", "portuguese", "bengali", "gujarati", "hindi",
        "kannada", "malayalam", "oriya",   "punjabi",    "tamil",   "telugu",   "urdu"};
    int64_t n;
    if (str_to_i64(value, 0, GSM7_LANGUAGES - 1, &n)) {
        *out = (int)n;
        return 0;
    }
    bool assamese = strncasecmp(value, "as", 2) == 0;
    for (int i = 0; !isdigit((unsigned char)*value) && i < GSM7_LANGUAGES; i++)
        if (strncasecmp(value, names[i], strlen(value)) == 0 || strncasecmp(value, names[i], 7) == 0 ||
            (assamese && i == 4)) {
            *out = i;
            return 0;
        }
    return err_set(e, ERR_INVALID, "0 to %d or a name such as Turkish expected, not \"%.40s\"",
                   GSM7_LANGUAGES - 1, value);
}

static int take_language(struct spool_draft *d, const char *value, struct err *e)
{
    int rc = language_of(value, &d->f->send.language, e);
    if (!d->has_ext)
        d->f->send.language_ext = d->f->send.language;
    return rc;
}

static int take_language_ext(struct spool_draft *d, const char *value, struct err *e)
{
    d->has_ext = true;
    return language_of(value, &d->f->send.language_ext, e);
}

/* ---- what only smstools3's daemon does ---- */

static int refuse_include(struct spool_draft *d, const char *value, struct err *e)
{
    (void)d, (void)value;
    return err_set(e, ERR_REFUSED, "other files are not read: the whole text is expected in this file");
}

static int refuse_retries(struct spool_draft *d, const char *value, struct err *e)
{
    (void)d, (void)value;
    return err_set(e, ERR_REFUSED,
                   "not supported: simgate tries again by the kind of error until Validity ends");
}

static int refuse_voicecall(struct spool_draft *d, const char *value, struct err *e)
{
    (void)d;
    return yes(value) ? err_set(e, ERR_REFUSED, "voice calls are not supported") : 0;
}

static int refuse_text_is_pdu(struct spool_draft *d, const char *value, struct err *e)
{
    (void)d;
    return yes(value)
               ? err_set(e, ERR_REFUSED,
                         "ready-made PDUs are not supported: use Alphabet: binary with UDH-DATA and DCS_hex")
               : 0;
}

/* ---- the table ---- */

static const struct header {
    const char *name;
    int (*take)(struct spool_draft *d, const char *value, struct err *e);
    const char *fail_reason; /* smstools3's words for a bad value, NULL none */
    bool repeats;
} headers[] = {
    {"To", take_to, "No destination", true},
    {"To_TOA", take_to_toa, "Invalid number type", false},
    {"SMSC", take_smsc, NULL, false},
    {"Flash", take_flash, NULL, false},
    {"Class", take_class, NULL, false},
    {"DCS_hex", take_dcs, NULL, false},
    {"Provider", take_queue, "Wrong provider queue", false},
    {"Queue", take_queue, "Wrong provider queue", false},
    {"Priority", take_priority, NULL, false},
    {"Report", take_report, NULL, false},
    {"Autosplit", take_autosplit, NULL, false},
    {"Validity", take_validity, NULL, false},
    {"Voicecall", refuse_voicecall, NULL, false},
    {"Hex", take_hex, NULL, false},
    {"Replace", take_replace, NULL, false},
    {"Alphabet", take_alphabet, "Invalid alphabet", false},
    {"UDH-DATA", take_udh_data, NULL, false},
    {"UDH-DUMP", take_udh_data, NULL, false},
    {"UDH", take_udh, NULL, false},
    {"Include", refuse_include, NULL, false},
    {"Macro", take_macro, NULL, true},
    {"Binary", take_binary, NULL, false},
    {"System_message", take_system_message, NULL, false},
    {"Reply_path", take_reply_path, NULL, false},
    {"Reject_duplicates", take_reject_duplicates, NULL, false},
    {"Message_reference", take_message_reference, NULL, false},
    {"Retries", refuse_retries, NULL, false},
    {"Text_is_pdu", refuse_text_is_pdu, NULL, false},
    {"Ping", take_ping, NULL, false},
    {"Language", take_language, NULL, false},
    {"Language_ext", take_language_ext, NULL, false},
};
_Static_assert(ARRAY_LEN(headers) <= SPOOL_HEADERS, "a bit for each header");

int spool_take_header(struct spool_draft *d, int line, const char *name, const char *value, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        const struct header *h = &headers[i];
        if (strcmp(h->name, name) != 0)
            continue;
        if (h->take == take_to)
            d->to_line = line;
        if (!*value)
            return 0; /* as if it were not there; what must be there is missed later */
        if (d->seen & UINT64_C(1) << i && !h->repeats)
            return err_set(e, ERR_INVALID, "line %d: %s: expected once only", line, name);
        d->seen |= UINT64_C(1) << i;
        if (h->take(d, value, e) == 0)
            return 0;
        err_wrap(e, "line %d: %s", line, name);
        return h->fail_reason ? err_wrap(e, "%s", h->fail_reason) : e->code;
    }
    return 0;
}
