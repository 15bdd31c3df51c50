/* libgammu judges the codec both ways: it decodes what we encode, and we decode what it encodes.
 *
 * usage: judge_gammu [COUNT]      SEED from the environment, else 20260101
 *
 * What gammu 1.42 leaves out or gets wrong, and so is not compared with it (tshark judges all of it):
 *   - GSM_DecodePDUFrame() reads neither TP-RD nor TP-RP;
 *   - it refuses a SUBMIT without text as too short;
 *   - GSM_EncodeSMSFrame() writes a time zone of 0 whatever the message says;
 *   - '~' is its own escape character inside UCS2 texts: doubled when it decodes, lost when it encodes.
 */
/* Three of gammu's error names are ours too. */
#define ERR_BUSY    GAMMU_ERR_BUSY
#define ERR_TIMEOUT GAMMU_ERR_TIMEOUT
#define ERR_FULL    GAMMU_ERR_FULL
#include <gammu.h>
#undef ERR_BUSY
#undef ERR_TIMEOUT
#undef ERR_FULL

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pdu/segment.h"
#include "random_sms.h"

enum {
    MAX_CHARS = 300,
    MAX_PARTS = 10,
    MAX_QUARTERS = 48, /* zones that exist */
    SHOWN_FAILURES = 20,
    TEXT_BYTES = 4 * MAX_CHARS + 64,
};

static struct random_source rnd;
static unsigned passed, failed;

/* ---- one case: its name and octets for the report, and whether all of it held ---- */

static struct {
    const char *name;
    char hex[2 * PDU_FULL_BYTES + 1];
    bool ok;
} now;

static void begin(const char *name, const uint8_t *octets, size_t n)
{
    now.name = name;
    now.ok = true;
    hex_encode(octets, n, now.hex);
}

static void end(void)
{
    if (now.ok)
        passed++;
    else
        failed++;
}

__attribute__((format(printf, 1, 2))) static void differ(const char *fmt, ...)
{
    if (now.ok && failed < SHOWN_FAILURES)
        printf("%s %s\n", now.name, now.hex);
    now.ok = false;
    if (failed >= SHOWN_FAILURES)
        return;
    va_list args;
    va_start(args, fmt);
    printf("  ");
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
}

static void same_text(const char *field, const char *wrote, const char *read)
{
    if (strcmp(wrote, read) != 0)
        differ("%s: wrote \"%s\", read \"%s\"", field, wrote, read);
}

static void same_number(const char *field, long wrote, long read)
{
    if (wrote != read)
        differ("%s: wrote %ld, read %ld", field, wrote, read);
}

/* ---- gammu's types ---- */

/* gammu keeps text as UTF-16BE with a NUL at its end. */
static const char *utf8_of(const unsigned char *text)
{
    static char out[2][TEXT_BYTES];
    static unsigned turn;
    char *to = out[turn++ % 2];
    size_t len = 0;
    for (size_t i = 0; (text[i] || text[i + 1]) && len + 4 < TEXT_BYTES; i += 2) {
        uint32_t unit = (uint32_t)text[i] << 8 | text[i + 1];
        if (unit >= 0xD800 && unit < 0xDC00 && (text[i + 2] & 0xFC) == 0xDC) {
            uint32_t trail = (uint32_t)text[i + 2] << 8 | text[i + 3];
            unit = 0x10000 + ((unit - 0xD800) << 10) + (trail - 0xDC00);
            i += 2;
        }
        len += utf8_put(unit, to + len);
    }
    to[len] = '\0';
    return to;
}

static void utf16_of(const char *text, unsigned char *out)
{
    size_t len = strlen(text), n = 0;
    for (size_t at = 0; at < len;) {
        uint32_t cp = utf8_next(text, len, &at);
        if (cp > 0xFFFF) {
            uint32_t lead = 0xD800 + ((cp - 0x10000) >> 10);
            out[n++] = (unsigned char)(lead >> 8);
            out[n++] = (unsigned char)lead;
            cp = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        }
        out[n++] = (unsigned char)(cp >> 8);
        out[n++] = (unsigned char)cp;
    }
    out[n] = out[n + 1] = 0;
}

static void same_time(const char *field, const struct pdu_time *t, const GSM_DateTime *g)
{
    /* gammu reads the years 90 to 99 as 2090 to 2099 or so; ours end in 2069. */
    same_number(field, t->year, g->Year);
    same_number(field, t->month, g->Month);
    same_number(field, t->day, g->Day);
    same_number(field, t->hour, g->Hour);
    same_number(field, t->minute, g->Minute);
    same_number(field, t->second, g->Second);
    same_number("time zone", t->zone_quarters * 15 * 60, g->Timezone);
}

static long coding_of(enum pdu_alphabet alphabet)
{
    static const GSM_Coding_Type CODINGS[] = {SMS_Coding_Default_No_Compression, SMS_Coding_8bit,
                                              SMS_Coding_Unicode_No_Compression};
    return (long)CODINGS[alphabet];
}

/* ---- we encode, gammu decodes ---- */

/* Decodes a full PDU. NULL if gammu refuses it. */
static const GSM_SMSMessage *gammu_decode(const uint8_t *full, int n)
{
    static GSM_SMSMessage sms;
    size_t end_at;
    GSM_SetDefaultSMSData(&sms);
    GSM_Error error = GSM_DecodePDUFrame(GSM_GetGlobalDebug(), &sms, full, (size_t)n, &end_at, TRUE);
    if (error == ERR_NONE)
        return &sms;
    differ("gammu refuses it: %s", GSM_ErrorString(error));
    return NULL;
}

static void compare_concat(const struct pdu_ud *ud, const GSM_SMSMessage *g)
{
    if (!ud->concat.present)
        return;
    same_number("parts", ud->concat.total, g->UDH.AllParts);
    same_number("part", ud->concat.seq, g->UDH.PartNumber);
    same_number("reference", ud->concat.ref, ud->concat.bits == 8 ? g->UDH.ID8bit : g->UDH.ID16bit);
}

static void compare_ud(const struct pdu_ud *ud, const struct segment_plan *plan, const GSM_SMSMessage *g)
{
    struct pdu_dcs dcs;
    char text[PDU_TEXT_BYTES];
    pdu_dcs_decode(plan->dcs, &dcs);
    same_number("coding", coding_of(plan->alphabet), (long)g->Coding);
    same_number("class", dcs.cls, g->Class);
    compare_concat(ud, g);
    pdu_ud_text(ud, &dcs, text);
    same_text("text of the part", text, utf8_of(g->Text));
}

static const enum random_kind KINDS[] = {RANDOM_ASCII, RANDOM_GSM7, RANDOM_BMP, RANDOM_EMOJI};

/* A random text that gammu can carry. */
static size_t judged_text(enum random_kind kind, uint32_t max_chars, char *out)
{
    size_t len = random_text(&rnd, kind, 0, 0, max_chars, out);
    for (char *tilde = out; kind == RANDOM_BMP && (tilde = strchr(tilde, '~'));)
        *tilde = '-';
    return len;
}

static struct segment_plan make_text(char *to, struct pdu_ud *ud)
{
    struct segment_conf conf = {.cls = (int8_t)(random_chance(&rnd, 30) ? (int)random_below(&rnd, 4) : -1),
                                .wide_ref = random_chance(&rnd, 30)};
    struct segment_plan plan;
    size_t len = judged_text(KINDS[random_below(&rnd, ARRAY_LEN(KINDS))],
                             random_chance(&rnd, 60) ? 160 : MAX_CHARS, to);
    segment_text(to, len, &conf, (uint16_t)random_below(&rnd, 65536), &plan, ud, MAX_PARTS, NULL);
    return plan;
}

static char text[TEXT_BYTES], joined[TEXT_BYTES];

/* Adds a part's text as gammu reads it; at the end of the message all of it must be there. */
static void add_part(unsigned part, const struct segment_plan *plan, const GSM_SMSMessage *g)
{
    if (part == 0)
        joined[0] = '\0';
    str_copy(joined + strlen(joined), sizeof(joined) - strlen(joined), utf8_of(g->Text));
    if (part + 1 == plan->count)
        same_text("text", text, joined);
}

static void deliver_to_gammu(void)
{
    struct pdu_ud ud[MAX_PARTS];
    struct segment_plan plan = make_text(text, ud);
    struct pdu_deliver d = {.more = random_chance(&rnd, 50), .reply_path = random_chance(&rnd, 10)};
    d.dcs.raw = plan.dcs;
    if (random_chance(&rnd, 20))
        random_name(&rnd, &d.from);
    else
        random_number(&rnd, false, &d.from);
    random_number(&rnd, false, &d.smsc);
    random_time(&rnd, MAX_QUARTERS, &d.scts);
    for (unsigned i = 0; i < plan.count; i++) {
        uint8_t full[PDU_FULL_BYTES];
        int tpdu_len;
        d.ud = ud[i];
        int n = pdu_encode_deliver(&d, full, &tpdu_len, NULL);
        begin("our DELIVER", full, (size_t)n);
        const GSM_SMSMessage *g = gammu_decode(full, n);
        if (g) {
            same_number("type", SMS_Deliver, (long)g->PDU);
            same_text("TP-OA", d.from.text, utf8_of(g->Number));
            same_text("SMSC", d.smsc.text, utf8_of(g->SMSC.Number));
            same_time("TP-SCTS", &d.scts, &g->DateTime);
            compare_ud(&d.ud, &plan, g);
            add_part(i, &plan, g);
        }
        end();
    }
}

static void submit_to_gammu(void)
{
    struct pdu_ud ud[MAX_PARTS];
    struct segment_plan plan = make_text(text, ud);
    if (plan.units == 0)
        return;
    struct pdu_submit s = {.reject_duplicates = random_chance(&rnd, 20),
                           .reply_path = random_chance(&rnd, 10),
                           .mr = (uint8_t)random_below(&rnd, 256)};
    s.dcs.raw = plan.dcs;
    s.vp.form = random_chance(&rnd, 70) ? PDU_VP_RELATIVE : PDU_VP_NONE;
    s.vp.raw[0] = (uint8_t)random_below(&rnd, 256);
    random_number(&rnd, false, &s.to);
    for (unsigned i = 0; i < plan.count; i++) {
        uint8_t full[PDU_FULL_BYTES];
        int tpdu_len;
        s.ud = ud[i];
        int n = pdu_encode_submit(&s, full, &tpdu_len, NULL);
        begin("our SUBMIT", full, (size_t)n);
        const GSM_SMSMessage *g = gammu_decode(full, n);
        if (g) {
            same_number("type", SMS_Submit, (long)g->PDU);
            same_text("TP-DA", s.to.text, utf8_of(g->Number));
            same_number("TP-MR", s.mr, g->MessageReference);
            compare_ud(&s.ud, &plan, g);
            add_part(i, &plan, g);
        }
        end();
    }
}

static void report_to_gammu(void)
{
    struct pdu_report r = {.mr = (uint8_t)random_below(&rnd, 256), .st = (uint8_t)random_below(&rnd, 128)};
    uint8_t full[PDU_FULL_BYTES];
    int tpdu_len;
    random_number(&rnd, false, &r.to);
    random_number(&rnd, false, &r.smsc);
    random_time(&rnd, MAX_QUARTERS, &r.scts);
    random_time(&rnd, MAX_QUARTERS, &r.discharge);
    int n = pdu_encode_report(&r, full, &tpdu_len, NULL);
    begin("our STATUS-REPORT", full, (size_t)n);
    const GSM_SMSMessage *g = gammu_decode(full, n);
    if (g) {
        same_number("type", SMS_Status_Report, (long)g->PDU);
        same_text("TP-RA", r.to.text, utf8_of(g->Number));
        same_text("SMSC", r.smsc.text, utf8_of(g->SMSC.Number));
        same_number("TP-MR", r.mr, g->MessageReference);
        same_number("TP-ST", r.st, g->DeliveryStatus);
        same_time("TP-SCTS", &r.scts, &g->DateTime);
        same_time("TP-DT", &r.discharge, &g->SMSCTime);
    }
    end();
}

/* ---- gammu encodes, we decode ---- */

/* Puts the fields of gammu's layout one behind the other, as its drivers do. Returns the octets. */
static int serialise(GSM_SMSMessage *sms, bool submit, uint8_t out[PDU_FULL_BYTES])
{
    GSM_SMSMessageLayout layout = submit ? PHONE_SMSSubmit : PHONE_SMSDeliver;
    unsigned char fields[512] = {0};
    int length = 0;
    if (GSM_EncodeSMSFrame(GSM_GetGlobalDebug(), sms, fields, layout, &length, TRUE) != ERR_NONE)
        return -1;
    size_t n = 0, ud_len = (size_t)length - layout.Text;
    memcpy(out + n, fields + layout.SMSCNumber, fields[layout.SMSCNumber] + 1u);
    n += fields[layout.SMSCNumber] + 1u;
    out[n++] = fields[layout.firstbyte];
    if (submit)
        out[n++] = fields[layout.TPMR];
    size_t number = (fields[layout.Number] + 1u) / 2 + 2;
    memcpy(out + n, fields + layout.Number, number);
    n += number;
    out[n++] = fields[layout.TPPID];
    out[n++] = fields[layout.TPDCS];
    if (submit) {
        out[n++] = fields[layout.TPVP];
    } else {
        memcpy(out + n, fields + layout.DateTime, 7);
        n += 7;
    }
    out[n++] = fields[layout.TPUDL];
    memcpy(out + n, fields + layout.Text, ud_len);
    return (int)(n + ud_len);
}

static void random_gammu_header(GSM_SMSMessage *sms, struct pdu_addr *party, struct pdu_time *scts)
{
    struct pdu_addr smsc;
    random_number(&rnd, false, party);
    random_number(&rnd, false, &smsc);
    random_time(&rnd, MAX_QUARTERS, scts);
    utf16_of(party->text, sms->Number);
    utf16_of(smsc.text, sms->SMSC.Number);
    sms->ReplyViaSameSMSC = random_chance(&rnd, 10);
    sms->Class = random_chance(&rnd, 70) ? -1 : (signed char)random_below(&rnd, 4);
    sms->DateTime = (GSM_DateTime){.Year = scts->year,
                                   .Month = scts->month,
                                   .Day = scts->day,
                                   .Hour = scts->hour,
                                   .Minute = scts->minute,
                                   .Second = scts->second,
                                   .Timezone = scts->zone_quarters * 15 * 60};
}

static void compare_from_gammu(const GSM_SMSMessage *sms, const struct pdu_addr *smsc,
                               const struct pdu_dcs *dcs, const struct pdu_ud *ud)
{
    char ours[PDU_TEXT_BYTES];
    same_text("SMSC", utf8_of(sms->SMSC.Number), smsc->text);
    same_number("class", sms->Class, dcs->cls);
    same_number("coding", (long)sms->Coding, coding_of(dcs->alphabet));
    pdu_ud_text(ud, dcs, ours);
    same_text("text of the part", utf8_of(sms->Text), ours);
    if (sms->UDH.Type != UDH_NoUDH) {
        same_number("parts", sms->UDH.AllParts, ud->concat.total);
        same_number("part", sms->UDH.PartNumber, ud->concat.seq);
        same_number("reference",
                    sms->UDH.Type == UDH_ConcatenatedMessages ? sms->UDH.ID8bit : sms->UDH.ID16bit,
                    ud->concat.ref);
    }
}

/* Encodes one part by gammu and decodes it by us. False if it does not decode. */
static bool from_gammu(GSM_SMSMessage *sms, bool submit, struct pdu_any *any)
{
    struct pdu_addr party;
    struct pdu_time scts;
    uint8_t full[512];
    random_gammu_header(sms, &party, &scts);
    sms->PDU = submit ? SMS_Submit : SMS_Deliver;
    int n = serialise(sms, submit, full);
    begin(submit ? "gammu's SUBMIT" : "gammu's DELIVER", full, n > 0 ? (size_t)n : 0);
    struct err e = {.code = 0};
    if (n < 0 || pdu_decode(full, (size_t)n, n - 1 - full[0], any, &e) < 0) {
        differ("not decoded: %s", n < 0 ? "gammu cannot encode it" : e.text);
        end();
        return false;
    }
    if (submit) {
        same_text("TP-DA", party.text, any->u.submit.to.text);
        same_number("TP-RP", sms->ReplyViaSameSMSC, any->u.submit.reply_path);
        compare_from_gammu(sms, &any->u.submit.smsc, &any->u.submit.dcs, &any->u.submit.ud);
    } else {
        same_text("TP-OA", party.text, any->u.deliver.from.text);
        same_number("TP-RP", sms->ReplyViaSameSMSC, any->u.deliver.reply_path);
        sms->DateTime.Timezone = 0;
        same_time("TP-SCTS", &any->u.deliver.scts, &sms->DateTime);
        compare_from_gammu(sms, &any->u.deliver.smsc, &any->u.deliver.dcs, &any->u.deliver.ud);
    }
    end();
    return true;
}

/* A text that gammu itself cuts into parts; we decode and join them. */
static void multipart_from_gammu(void)
{
    static GSM_MultiPartSMSInfo info;
    static GSM_MultiSMSMessage multi;
    static struct pdu_any parts[GSM_MAX_MULTI_SMS];
    unsigned char buffer[4 * MAX_CHARS + 4];
    enum random_kind kind = KINDS[random_below(&rnd, ARRAY_LEN(KINDS))];
    bool submit = random_chance(&rnd, 50), decoded = true;

    judged_text(kind, MAX_CHARS, text);
    utf16_of(text, buffer);
    GSM_ClearMultiPartSMSInfo(&info);
    info.EntriesNum = 1;
    info.Class = -1;
    info.UnicodeCoding = kind == RANDOM_BMP || kind == RANDOM_EMOJI;
    info.Entries[0].ID = random_chance(&rnd, 50) ? SMS_ConcatenatedTextLong : SMS_ConcatenatedTextLong16bit;
    info.Entries[0].Buffer = buffer;
    if (GSM_EncodeMultiPartSMS(GSM_GetGlobalDebug(), &info, &multi) != ERR_NONE)
        return;
    const struct pdu_ud *ud[GSM_MAX_MULTI_SMS];
    const struct pdu_dcs *dcs[GSM_MAX_MULTI_SMS];
    for (int i = 0; i < multi.Number; i++) {
        decoded = from_gammu(&multi.SMS[i], submit, &parts[i]) && decoded;
        ud[i] = submit ? &parts[i].u.submit.ud : &parts[i].u.deliver.ud;
        dcs[i] = submit ? &parts[i].u.submit.dcs : &parts[i].u.deliver.dcs;
    }
    if (!decoded)
        return;
    begin("gammu's whole text", NULL, 0);
    pdu_join_text(ud, dcs, (size_t)multi.Number, joined, sizeof(joined));
    same_text("text", text, joined);
    end();
}

int main(int argc, char **argv)
{
    static void (*const CASES[])(void) = {deliver_to_gammu, submit_to_gammu, report_to_gammu,
                                          multipart_from_gammu};
    const char *seed = getenv("SEED");
    int count = argc > 1 ? atoi(argv[1]) : 4000;
    rnd.state = seed ? strtoull(seed, NULL, 10) : 20260101;
    printf("SEED=%llu\n", (unsigned long long)rnd.state);
    GSM_InitLocales(NULL);
    for (int i = 0; i < count; i++)
        CASES[(size_t)i % ARRAY_LEN(CASES)]();
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
