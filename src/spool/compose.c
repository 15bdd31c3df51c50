/* Files of the spool as smstools3's readers expect them. What a customer sent never makes a header line:
 * every value goes through spool_put_header(). */
#include "spool/compose.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "pdu/gsm7.h"
#include "pdu/pdu.h"
#include "spool/parse.h"

enum {
    PID_REPLACE = 0x40, /* + 1..7 */
    TOA_INTERNATIONAL = 0x91,
    TOA_UNKNOWN = 0x81,
    TOA_ALPHANUMERIC = 0xD0,
};

static const char *without_plus(const char *number)
{
    return number + (number[0] == '+');
}

/* ---- what the headers tell of numbers and times ---- */

/* "91 international, ISDN/telephone"; TS 23.040 9.1.2.5. */
static void put_toa(struct buf *out, unsigned toa)
{
    static const char *const types[] = {"unknown",    "international", "national",    "network specific",
                                        "subscriber", "alphanumeric",  "abbreviated", "reserved"};
    static const char *const plans[16] = {[0] = "unknown",
                                          [1] = "ISDN/telephone",
                                          [3] = "data",
                                          [4] = "telex",
                                          [5] = "service centre specific",
                                          [8] = "national",
                                          [9] = "private",
                                          [10] = "ERMES"};
    const char *plan = plans[toa & 15];
    spool_put_header(out, "From_TOA", "%02X %s, %s", toa, types[(toa >> 4) & 7], plan ? plan : "reserved");
}

static unsigned toa_of(const char *peer)
{
    switch (number_kind(peer)) {
    case NUMBER_E164:
        return TOA_INTERNATIONAL;
    case NUMBER_SHORT:
        return TOA_UNKNOWN;
    case NUMBER_ALPHA:
        break;
    }
    return TOA_ALPHANUMERIC;
}

static const char *text_of(json_t *meta, const char *key)
{
    const char *text = json_string_value(json_object_get(meta, key));
    return text ? text : "";
}

/* The service centre's own wall time: "2026-11-21T10:00:00+01:00" as "26-11-21 10:00:00". */
static void put_scts(struct buf *out, const char *scts)
{
    int y, mo, d, h, mi, s;
    if (sscanf(scts, "%4d-%2d-%2dT%2d:%2d:%2d", &y, &mo, &d, &h, &mi, &s) == 6)
        spool_put_header(out, "Sent", "%02d-%02d-%02d %02d:%02d:%02d", y % 100, mo, d, h, mi, s);
}

static void put_modem(struct buf *out, const char *name, const char *imsi, const struct compose_modem *modem)
{
    spool_put_header(out, "Modem", "%s", name);
    if (*modem->number)
        spool_put_header(out, "Number", "%s", without_plus(modem->number));
    if (*imsi)
        spool_put_header(out, "IMSI", "%s", imsi);
    if (*modem->imei)
        spool_put_header(out, "IMEI", "%s", modem->imei);
}

/* ---- received messages ---- */

/* The user data header's elements by name; TS 23.040 9.2.3.24. */
static void put_udh(struct buf *out, const char *hex)
{
    static const char *const names[256] = {
        [0x00] = "Concatenated short messages, 8-bit reference number",
        [0x01] = "Special SMS Message Indication",
        [0x04] = "Application port addressing scheme, 8 bit address",
        [0x05] = "Application port addressing scheme, 16 bit address",
        [0x06] = "SMSC Control Parameters",
        [0x07] = "UDH Source Indicator",
        [0x08] = "Concatenated short message, 16-bit reference number",
        [0x09] = "Wireless Control Message Protocol",
        [0x20] = "RFC 822 E-Mail Header",
        [0x22] = "Reply Address Element",
        [0x24] = "National Language Single Shift",
        [0x25] = "National Language Locking Shift",
    };
    uint8_t udh[PDU_UD_BYTES];
    int n = hex_decode(hex, strlen(hex), udh, sizeof(udh));
    struct buf spaced = {0}, types = {0};
    for (int i = 0; i < n; i++)
        buf_addf(&spaced, "%s%02X", i ? " " : "", udh[i]);
    for (int i = 1; i + 1 < n; i += 2 + udh[i + 1])
        buf_addf(&types, "%s%s", types.len ? "; " : "", names[udh[i]] ? names[udh[i]] : "other");
    if (n > 0)
        spool_put_header(out, "UDH-DATA", "%s", buf_str(&spaced));
    if (types.len)
        spool_put_header(out, "UDH-Type", "%s", buf_str(&types));
    buf_free(&spaced);
    buf_free(&types);
}

static void put_language(struct buf *out, const char *header, int language)
{
    static const char *const names[GSM7_LANGUAGES] = {
        "basic",   "Turkish",   "Spanish", "Portuguese", "Bengali", "Gujarati", "Hindi",
        "Kannada", "Malayalam", "Oriya",   "Punjabi",    "Tamil",   "Telugu",   "Urdu"};
    if (language > 0)
        spool_put_header(out, header, "%s (%d)", language < GSM7_LANGUAGES ? names[language] : "reserved",
                         language);
}

static void put_sender(struct buf *out, const struct msg_row *m, json_t *meta)
{
    json_t *toa = json_object_get(meta, "from_toa");
    spool_put_header(out, "From", "%s", without_plus(m->peer));
    if (*m->peer)
        put_toa(out, toa ? (unsigned)json_integer_value(toa) & 255 : toa_of(m->peer));
    if (*text_of(meta, "smsc"))
        spool_put_header(out, "From_SMSC", "%s", without_plus(text_of(meta, "smsc")));
    put_scts(out, text_of(meta, "scts"));
}

static void put_kind(struct buf *out, const struct msg_row *m, json_t *meta)
{
    int64_t pid = json_integer_value(json_object_get(meta, "pid"));
    spool_put_header(out, "Report", "%s", json_is_true(json_object_get(meta, "sri")) ? "yes" : "no");
    if (pid > PID_REPLACE && pid <= PID_REPLACE + 7)
        spool_put_header(out, "Replace", "%d", (int)(pid - PID_REPLACE));
    if (m->flags & MSG_F_FLASH)
        spool_put_header(out, "Flash", "yes");
    if (m->flags & MSG_F_INCOMPLETE)
        spool_put_header(out, "Incomplete", "yes");
}

/* Hex of the store to octets, behind what out has. Returns how many. */
static size_t add_octets(struct buf *out, const char *hex)
{
    size_t len = strlen(hex), before = out->len;
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint8_t octet = 0;
        hex_decode(hex + i, 2, &octet, 1);
        buf_addc(out, (char)octet);
    }
    return out->len - before;
}

/* The raw PDU, a mark under the octet that could not be read ("octet 12: …"), and the reason as the text. */
static void put_undecodable(struct buf *out, const struct msg_row *m, json_t *meta)
{
    enum { MAX_OCTET = 256 };
    const char *error = text_of(meta, "error");
    int octet = -1;
    struct buf raw = {0};
    spool_put_header(out, "Alphabet", "unknown");
    if (json_is_true(json_object_get(meta, "malformed")))
        add_octets(&raw, m->text); /* the modem's line as it came */
    else
        buf_adds(&raw, m->text);
    buf_adds(out, "PDU: ");
    for (size_t i = 0; i < raw.len; i++)
        buf_addc(out, raw.data[i] >= ' ' && raw.data[i] < 0x7F ? raw.data[i] : '?');
    buf_addc(out, '\n');
    if (sscanf(error, "octet %d:", &octet) == 1 && octet >= 0 && octet <= MAX_OCTET)
        buf_addf(out, "Pos: %*s^\n", 2 * octet, "");
    buf_addc(out, '\n');
    buf_adds(out, *error ? error : "Cannot decode PDU");
    buf_addc(out, '\n');
    buf_free(&raw);
}

static void put_body(struct buf *out, const struct msg_row *m, json_t *meta)
{
    struct buf octets = {0};
    bool binary = m->flags & MSG_F_BINARY;
    size_t n = binary ? add_octets(&octets, m->text) : utf8_count(m->text, strlen(m->text));
    spool_put_header(out, "Alphabet", "%s", binary ? "binary" : "UTF-8");
    put_udh(out, text_of(meta, "udh"));
    spool_put_header(out, "Length", "%zu", n);
    if (binary)
        spool_put_header(out, "UDH", "no"); /* it is in UDH-DATA */
    put_language(out, "Language", (int)json_integer_value(json_object_get(meta, "language")));
    put_language(out, "Language_ext", (int)json_integer_value(json_object_get(meta, "language_ext")));
    buf_addc(out, '\n');
    if (binary)
        buf_add(out, octets.data, octets.len);
    else
        buf_adds(out, m->text);
    buf_free(&octets);
}

void compose_received(struct buf *out, const struct msg_row *m, const struct compose_modem *modem)
{
    json_t *meta = m->meta ? json_loads(m->meta, 0, NULL) : NULL;
    bool undecodable = m->flags & MSG_F_UNDECODABLE;
    if (undecodable)
        spool_put_header(out, "Error", "Cannot decode PDU, see text part for details.");
    put_sender(out, m, meta);
    spool_put_time(out, "Received", m->created_wall_ms);
    spool_put_header(out, "Subject", "%s", m->modem);
    put_modem(out, m->modem, m->imsi, modem);
    put_kind(out, m, meta);
    if (undecodable)
        put_undecodable(out, m, meta);
    else
        put_body(out, m, meta);
    json_decref(meta);
}

/* ---- calls ---- */

void compose_call(struct buf *out, const struct msg_row *m, const struct compose_modem *modem)
{
    spool_put_header(out, "From", "%s", without_plus(m->peer));
    if (*m->peer)
        put_toa(out, toa_of(m->peer));
    spool_put_header(out, "Subject", "%s", m->modem);
    put_modem(out, m->modem, m->imsi, modem);
    spool_put_header(out, "Call_type", "missed");
    spool_put_time(out, "Received", m->created_wall_ms);
    buf_adds(out, "\nCALL MISSED\n");
}

/* ---- delivery reports -------------------------------------------------------------------------------------
 */

/* The service centre's own wall time, as in received messages. */
static void put_network_time(struct buf *out, const char *name, const struct pdu_time *t)
{
    if (t->valid)
        spool_put_header(out, name, "%02d-%02u-%02u %02u:%02u:%02u", t->year % 100, t->month, t->day, t->hour,
                         t->minute, t->second);
    else
        spool_put_header(out, name, "00-00-00 00:00:00");
}

void compose_report(struct buf *out, const struct msg_row *m, const struct report_row *r,
                    const struct compose_modem *modem)
{
    struct buf body = {0};
    struct pdu_any any = {0};
    const struct pdu_report *p = &any.u.report;
    if (pdu_decode(r->pdu, (size_t)r->len, -1, &any, NULL) < 0 || any.kind != PDU_KIND_REPORT)
        any = (struct pdu_any){.kind = PDU_KIND_REPORT};
    buf_addf(&body, "SMS STATUS REPORT\nMessage_id: %d\n", r->mr);
    put_network_time(&body, "Discharge_timestamp", &p->discharge);
    buf_addf(&body, "Status: %d,%s", r->status, pdu_status_text((uint8_t)r->status));
    spool_put_header(out, "From", "%s", without_plus(m->peer));
    put_toa(out, toa_of(m->peer));
    if (*p->smsc.text)
        spool_put_header(out, "From_SMSC", "%s", without_plus(p->smsc.text));
    if (p->scts.valid)
        put_network_time(out, "Sent", &p->scts);
    spool_put_time(out, "Received", r->received_wall_ms);
    spool_put_header(out, "Subject", "%s", r->modem);
    put_modem(out, r->modem, r->imsi, modem);
    spool_put_header(out, "Report", "no");
    spool_put_header(out, "Alphabet", "ISO");
    spool_put_header(out, "Length", "%zu", body.len);
    spool_put_header(out, "UDH", "no");
    buf_addc(out, '\n');
    buf_add(out, body.data, body.len);
    buf_free(&body);
}

/* ---- outcomes ---- */

void compose_result_from(struct compose_result *out, const struct store_show *h)
{
    *out = (struct compose_result){.found = true,
                                   .state = h->row.state,
                                   .report = h->row.flags & MSG_F_REPORT,
                                   .mr = -1,
                                   .changed_wall_ms = h->row.final_wall_ms};
    str_copy(out->to, sizeof(out->to), h->row.peer);
    str_copy(out->reason, sizeof(out->reason), h->row.reason);
    str_copy(out->modem, sizeof(out->modem), h->row.modem);
    str_copy(out->imsi, sizeof(out->imsi), h->row.imsi);
    for (int i = 0; i < h->nparts; i++) {
        const struct part_row *p = &h->parts[i];
        if (p->submitted_wall_ms &&
            (!out->submitted_wall_ms || p->submitted_wall_ms < out->submitted_wall_ms))
            out->submitted_wall_ms = p->submitted_wall_ms;
        if (p->sent_wall_ms > out->sent_wall_ms)
            out->sent_wall_ms = p->sent_wall_ms;
        out->mr = p->mr; /* the last part's, as smstools3 has it by default */
    }
}

bool compose_result_taken(const struct compose_result *r)
{
    return r->found && (r->state == MSG_SENT || r->state == MSG_DELIVERED || r->state == MSG_UNDELIVERED);
}

bool compose_result_ended(const struct compose_result *r)
{
    return !r->found || compose_result_taken(r) || msg_state_final(r->state);
}

static void put_sent_time(struct buf *out, const struct compose_result *last, int64_t first_ms)
{
    int64_t sent = last->sent_wall_ms ? last->sent_wall_ms : last->changed_wall_ms;
    spool_put_time(out, "Sent", sent);
    if (first_ms)
        spool_put_header(out, "Sending_time", "%lld",
                         (long long)((sent > first_ms ? sent - first_ms : 0) / 1000));
}

/* One recipient: "117". Several: those of all in their order, "117 118 ." as smstools3 lists ids. */
static void put_ids(struct buf *out, const struct compose_result *results, int n)
{
    struct buf ids = {0};
    for (int i = 0; i < n; i++)
        if (results[i].report && results[i].mr >= 0)
            buf_addf(&ids, n > 1 ? "%d " : "%d", results[i].mr);
    if (ids.len)
        buf_addf(out, "Message_id: %s%s\n", buf_str(&ids), n > 1 ? "." : "");
    buf_free(&ids);
}

static void put_reasons(struct buf *out, const struct compose_result *results, int n)
{
    for (int i = 0; i < n; i++) {
        const struct compose_result *r = &results[i];
        const char *why = *r->reason ? r->reason : msg_state_name(r->state);
        if (!r->found || compose_result_taken(r))
            continue;
        if (n > 1)
            spool_put_header(out, "Fail_reason", "%s: %s", r->to, why);
        else
            spool_put_header(out, "Fail_reason", "%s", why);
    }
}

bool compose_outcome(struct buf *out, const struct compose_result *results, int n,
                     const struct compose_modem *modem)
{
    const struct compose_result *last = &results[0];
    bool all = true;
    int64_t first_ms = 0, changed_ms = 0;
    for (int i = 0; i < n; i++) {
        const struct compose_result *r = &results[i];
        all &= compose_result_taken(r);
        if (r->found && (!last->found || r->sent_wall_ms >= last->sent_wall_ms))
            last = r;
        if (r->submitted_wall_ms && (!first_ms || r->submitted_wall_ms < first_ms))
            first_ms = r->submitted_wall_ms;
        if (r->changed_wall_ms > changed_ms)
            changed_ms = r->changed_wall_ms;
    }
    if (*last->modem) {
        spool_put_header(out, "Modem", "%s", last->modem);
        if (*modem->number)
            spool_put_header(out, "Number", "%s", without_plus(modem->number));
    }
    if (all) {
        put_sent_time(out, last, first_ms);
        put_ids(out, results, n);
    }
    if (*last->imsi)
        spool_put_header(out, "IMSI", "%s", last->imsi);
    if (*last->modem && *modem->imei)
        spool_put_header(out, "IMEI", "%s", modem->imei);
    if (!all) {
        put_reasons(out, results, n);
        spool_put_time(out, "Failed", changed_ms);
    }
    return all;
}

void compose_refusal(struct buf *out, const char *reason, int64_t now_wall_ms)
{
    spool_put_header(out, "Fail_reason", "%s", reason);
    spool_put_time(out, "Failed", now_wall_ms);
}
