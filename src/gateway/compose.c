/* From what a door asks for to what the store takes: number, text, segments, PDUs. Pure but for the counters
 * of concatenation references. Every refusal names the place in the request ("to: …", "text: …"). TS 23.040.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "gateway/private.h"
#include "pdu/gsm7.h"

enum {
    TYPE_0 = 0x40, /* TP-PID of a silent message, TS 23.040 9.2.3.9 */
    MAX_SEPTETS = 160,
    VALIDITY_MIN_MS = 60 * 1000,
};

void gateway_send_init(struct gateway_send *s)
{
    *s = (struct gateway_send){
        .report = -1, .cls = -1, .dcs = -1, .pid = -1, .priority = -1, .transliterate = -1, .mr = -1};
}

/* ---- bounds of what is given ----------------------------------------------------------------------------
 */

static int check_length(const char *name, const char *text, size_t max, struct err *e)
{
    if (text && strlen(text) >= max)
        return err_set(e, ERR_TOO_LONG, "%s: at most %zu bytes expected", name, max - 1);
    return 0;
}

static int check_bounds(const struct gateway_send *s, struct err *e)
{
    const struct {
        const char *name, *text;
        size_t max;
    } texts[] = {{"modem", s->modem, MSG_MODEM_BYTES},    {"pool", s->pool, MSG_MODEM_BYTES},
                 {"source", s->source, MSG_SOURCE_BYTES}, {"key", s->key, MSG_KEY_BYTES},
                 {"who", s->who, DESK_WHO_BYTES},         {"override", s->override_reason, MSG_REASON_BYTES}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (check_length(texts[i].name, texts[i].text, texts[i].max, e) < 0)
            return e->code;
    const struct {
        const char *name;
        int value, min, max;
    } numbers[] = {{"class", s->cls, -1, 3},
                   {"dcs", s->dcs, -1, 255},
                   {"pid", s->pid, -1, 255},
                   {"mr", s->mr, -1, 255},
                   {"priority", s->priority, -1, QUEUE_PRIORITIES - 1},
                   {"language", s->language, 0, GSM7_LANGUAGES - 1},
                   {"language_ext", s->language_ext, 0, GSM7_LANGUAGES - 1}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i].value < numbers[i].min || numbers[i].value > numbers[i].max)
            return err_set(e, ERR_INVALID, "%s: %d to %d expected, not %d", numbers[i].name, numbers[i].min,
                           numbers[i].max, numbers[i].value);
    if (s->validity_ms < 0 || s->due_wall_ms < 0)
        return err_set(e, ERR_INVALID, "validity and time must not be negative");
    return 0;
}

/* A wish for a carrier that does not exist is refused; that of an answer is only a wish. */
static int check_wishes(struct gateway *g, const struct gateway_send *s, struct err *e)
{
    char known[200];
    if (s->modem && *s->modem && !s->reply_to && !s->prefer && !gw_pipe_by_name(g, s->modem))
        return err_set(e, ERR_INVALID, "modem: \"%s\" is not known; expected one of: %s", s->modem,
                       gw_known(g, false, known, sizeof(known)));
    if (!s->pool || !*s->pool)
        return 0;
    for (int i = 0; i < g->npipes; i++)
        if (strcmp(g->pipes[i]->pool, s->pool) == 0)
            return 0;
    return err_set(e, ERR_INVALID, "pool: \"%s\" is not known; expected one of: %s", s->pool,
                   gw_known(g, true, known, sizeof(known)));
}

/* ---- user data --------------------------------------------------------------------------------------------
 */

static struct segment_conf segment_conf_of(const struct gateway *g, const struct gateway_send *s)
{
    const struct gateway_conf *conf = g->conf;
    int max = conf->max_parts > 0 && conf->max_parts < PDU_MAX_SEGMENTS ? conf->max_parts : PDU_MAX_SEGMENTS;
    bool told = s->language || s->language_ext;
    return (struct segment_conf){
        .transliterate = s->transliterate < 0 ? conf->transliterate : s->transliterate > 0,
        .locking = told ? (uint8_t)s->language : conf->locking,
        .single = told ? (uint8_t)s->language_ext : conf->single,
        .wide_ref = conf->wide_ref,
        .max_segments = (uint8_t)(s->no_split ? 1 : max),
        .force_ucs2 = s->force_ucs2,
        .cls = (int8_t)s->cls,
    };
}

/* Counted per recipient (by a hash), so that one phone sees a reference again after 256 messages at the
 * earliest. */
static uint16_t next_ref(struct gateway *g, const char *to)
{
    unsigned h = 5381;
    for (const char *p = to; *p; p++)
        h = h * 33 + (unsigned char)*p;
    uint8_t low = g->refs[h % CONCAT_COUNTERS]++;
    return (uint16_t)((g->ref_high++ << 8) | low);
}

/* True if cp can be carried by the default alphabet, itself or transliterated. */
static bool fits_gsm7(const char *bytes, size_t n, const struct segment_conf *conf)
{
    struct segment_plan plan;
    return segment_measure(bytes, n, conf, &plan, NULL) == 0 && plan.alphabet == PDU_GSM7;
}

/* The caller's wish: characters outside the alphabet become '?'. Heap. */
static char *only_gsm7(const char *text, struct segment_conf *conf)
{
    conf->transliterate = true;
    size_t len = strlen(text), n = 0;
    char *out = gw_alloc(len + 1);
    for (size_t at = 0; at < len;) {
        size_t from = at;
        uint8_t septets[2];
        uint32_t cp = utf8_next(text, len, &at);
        bool fits = gsm7_from_code_point(cp, conf->locking, conf->single, septets) > 0 ||
                    fits_gsm7(text + from, at - from, conf);
        if (!fits) {
            out[n++] = '?';
            continue;
        }
        memcpy(out + n, text + from, at - from);
        n += at - from;
    }
    return out;
}

/* A text behind a header that the caller gives: one segment. */
static int text_with_header(const struct gateway_send *s, const char *text, const struct segment_conf *conf,
                            struct segment_plan *plan, struct pdu_ud *ud, struct err *e)
{
    if (segment_measure(text, strlen(text), conf, plan, e) < 0)
        return e->code;
    size_t header_septets = (s->udh_len * 8 + 6) / 7;
    if (plan->alphabet != PDU_GSM7) {
        struct pdu_ud whole;
        struct segment_plan unused;
        if (plan->count > 1 || segment_text(text, strlen(text), conf, 0, &unused, &whole, 1, e) < 0)
            return err_set(e, ERR_TOO_LONG, "text: too long for one message with its header");
        if (pdu_ud_set_octets(ud, s->udh, s->udh_len, whole.octets, whole.octets_len) < 0)
            return err_set(e, ERR_TOO_LONG, "text: too long for one message with its header");
        return 0;
    }
    uint8_t septets[MAX_SEPTETS + 2], packed[PDU_UD_BYTES + 2];
    size_t n = 0, len = strlen(text);
    for (size_t at = 0; at < len;) {
        n += (size_t)gsm7_from_code_point(utf8_next(text, len, &at), 0, 0, septets + n);
        if (header_septets + n > MAX_SEPTETS)
            return err_set(e, ERR_TOO_LONG, "text: %zu characters expected at most with its header",
                           MAX_SEPTETS - header_septets);
    }
    size_t octets = gsm7_pack(septets, n, (unsigned)((7 - s->udh_len * 8 % 7) % 7), packed);
    if (pdu_ud_set_octets(ud, s->udh, s->udh_len, packed, octets) < 0)
        return err_set(e, ERR_TOO_LONG, "text: too long for one message with its header");
    ud->udl = (uint8_t)(header_septets + n);
    return 0;
}

static int check_header(const struct gateway_send *s, struct err *e)
{
    if (s->udh_len && (s->udh_len > PDU_UD_BYTES || s->udh_len != (size_t)s->udh[0] + 1))
        return err_set(e, ERR_INVALID, "udh: its first octet must be the number of octets behind it");
    return 0;
}

/* The alphabet that a given TP-DCS asks for. */
static int apply_dcs(const struct gateway_send *s, struct segment_conf *conf, bool *gsm7, struct err *e)
{
    if (s->dcs < 0)
        return 0;
    struct pdu_dcs dcs;
    pdu_dcs_decode((uint8_t)s->dcs, &dcs);
    if (dcs.compressed)
        return err_set(e, ERR_INVALID, "dcs: %d means compressed text, which cannot be sent", s->dcs);
    if (s->data && dcs.alphabet == PDU_GSM7)
        return err_set(e, ERR_INVALID, "dcs: one for 8-bit data or UCS2 expected with data, not %d", s->dcs);
    if (!s->data && dcs.alphabet == PDU_8BIT)
        return err_set(e, ERR_INVALID, "dcs: one for text expected, %d means 8-bit data", s->dcs);
    conf->force_ucs2 = dcs.alphabet == PDU_UCS2;
    *gsm7 = dcs.alphabet == PDU_GSM7 && !s->data;
    return 0;
}

static int make_user_data(struct gateway *g, const struct gateway_send *s, struct composed *c, struct err *e)
{
    struct segment_conf conf = segment_conf_of(g, s);
    bool gsm7 = s->force_gsm7;
    if (check_header(s, e) < 0 || apply_dcs(s, &conf, &gsm7, e) < 0)
        return e->code;
    if (s->data) {
        size_t hex = 2 * s->data_len + 1;
        c->text = gw_alloc(hex);
        hex_encode(s->data, s->data_len, c->text);
        int rc = segment_octets(s->data, s->data_len, s->udh, s->udh_len, &conf, next_ref(g, c->to), &c->plan,
                                g->scratch, PDU_MAX_SEGMENTS, e);
        return rc < 0 ? err_wrap(e, "data") : 0;
    }
    if (!s->text || (!*s->text && s->pid != TYPE_0))
        return err_set(e, ERR_INVALID, "text: there is none, text or data expected");
    if (!utf8_valid(s->text, strlen(s->text)))
        return err_set(e, ERR_INVALID, "text: valid UTF-8 expected");
    if (gsm7 && !s->force_ucs2)
        c->text = only_gsm7(s->text, &conf);
    const char *text = c->text ? c->text : s->text;
    if (s->udh_len)
        return text_with_header(s, text, &conf, &c->plan, g->scratch, e);
    int rc = segment_text(text, strlen(text), &conf, next_ref(g, c->to), &c->plan, g->scratch,
                          PDU_MAX_SEGMENTS, e);
    return rc < 0 ? err_wrap(e, "text") : 0;
}

/* ---- PDUs ---- */

static bool wants_report(const struct gateway *g, const struct gateway_send *s)
{
    if (s->report >= 0)
        return s->report > 0;
    const struct pipe *wanted = s->modem && *s->modem ? gw_pipe_by_name(g, s->modem) : NULL;
    if (g->conf->report || wanted)
        return g->conf->report || wanted->report_default;
    for (int i = 0; i < g->npipes; i++)
        if (g->pipes[i]->report_default && gw_pool_fits(g, s->pool ? s->pool : "", g->pipes[i]))
            return true;
    return false;
}

static int make_pdus(struct gateway *g, const struct gateway_send *s, int64_t validity_ms, bool report,
                     struct composed *c, struct err *e)
{
    struct pdu_submit t = {.reject_duplicates = s->reject_duplicates,
                           .status_report = report,
                           .reply_path = s->reply_path,
                           .mr = s->mr < 0 ? 0 : (uint8_t)s->mr,
                           .pid = s->pid < 0 ? 0 : (uint8_t)s->pid};
    if (pdu_addr_from_text(c->to, &t.to, e) < 0)
        return err_wrap(e, "to");
    const char *smsc = s->smsc ? s->smsc : g->conf->smsc;
    if (smsc && *smsc && pdu_addr_from_text(smsc, &t.smsc, e) < 0)
        return err_wrap(e, "smsc");
    pdu_dcs_decode(s->dcs >= 0 ? (uint8_t)s->dcs : c->plan.dcs, &t.dcs);
    if (validity_ms > 0) {
        t.vp.form = PDU_VP_RELATIVE;
        t.vp.raw[0] = pdu_vp_relative_from_ms(validity_ms);
    }
    c->parts = gw_alloc(c->plan.count * sizeof(*c->parts));
    c->pdus = gw_alloc((size_t)c->plan.count * PDU_FULL_BYTES);
    for (unsigned i = 0; i < c->plan.count; i++) {
        int tpdu_len = 0;
        t.ud = g->scratch[i];
        int len = pdu_encode_submit(&t, c->pdus + (size_t)i * PDU_FULL_BYTES, &tpdu_len, e);
        if (len < 0)
            return len;
        c->parts[i] = (struct store_new_part){
            .pdu = c->pdus + (size_t)i * PDU_FULL_BYTES, .len = (uint8_t)len, .tpdu_len = (uint8_t)tpdu_len};
    }
    return 0;
}

/* Marketing that is no answer to a customer. */
static bool keeps_quiet(const struct gateway_send *s)
{
    return s->marketing && !s->reply_to;
}

/* ---- the whole ---- */

static uint32_t flags_of(const struct gateway_send *s, const struct way *way, bool report)
{
    return (report ? MSG_F_REPORT : 0u) | (s->cls == 0 ? MSG_F_FLASH : 0u) | (s->data ? MSG_F_BINARY : 0u) |
           (s->automatic ? MSG_F_AUTOMATIC : 0u) | (s->consent ? MSG_F_CONSENT : 0u) |
           (way->wish ? MSG_F_PREFER : 0u) | (way->cheapest ? MSG_F_CHEAPEST : 0u) |
           (keeps_quiet(s) ? MSG_F_QUIET : 0u) | (s->person ? MSG_F_PERSON : 0u) |
           (s->marketing ? MSG_F_MARKETING : 0u) | (s->staff ? MSG_F_STAFF : 0u) |
           (s->override_reason ? MSG_F_OVERRIDE : 0u);
}

/* Not before: its own time, and what the recipient's clock says to marketing that is no answer. */
static int64_t start_of(struct gateway *g, const struct gateway_send *s, int64_t now_wall_ms,
                        struct composed *c)
{
    int64_t start = s->due_wall_ms > now_wall_ms ? s->due_wall_ms : now_wall_ms;
    if (start > now_wall_ms) {
        char when[32];
        wall_to_text(start, false, when);
        snprintf(c->reason, sizeof(c->reason), "scheduled for %s", when);
    }
    return keeps_quiet(s) ? gw_quiet_due(g, c->to, start, c->reason) : start;
}

int gw_compose(struct gateway *g, const struct gateway_send *given, int64_t now_wall_ms,
               struct store_new_message *m, struct composed *c, struct err *e)
{
    struct gateway_send routed = *given, *s = &routed;
    if (check_bounds(s, e) < 0 || check_wishes(g, s, e) < 0)
        return e->code;
    if (!s->to || number_normalise(s->to, g->conf->country, s->reading, c->to, e) < 0)
        return s->to ? err_wrap(e, "to") : err_set(e, ERR_INVALID, "to: a telephone number is expected");
    if (s->refused) {
        *e = *s->refused;
        return e->code;
    }
    if (make_user_data(g, s, c, e) < 0)
        return e->code;
    if (gw_way_find(g, s, c->to, (int)c->plan.count, &c->way, c->why, e) < 0)
        return e->code;
    s->modem = c->way.modem;
    s->pool = c->way.pool;
    int64_t start = start_of(g, s, now_wall_ms, c);
    int64_t validity = s->validity_ms ? s->validity_ms : g->conf->validity_ms;
    if (validity && validity < VALIDITY_MIN_MS)
        validity = VALIDITY_MIN_MS;
    bool report = wants_report(g, s);
    if (make_pdus(g, s, validity, report, c, e) < 0)
        return e->code;
    *m = (struct store_new_message){.peer = c->to,
                                    .text = c->text ? c->text : s->text,
                                    .modem = s->modem,
                                    .pool = s->pool,
                                    .source = s->source,
                                    .key = s->key,
                                    .meta = s->meta,
                                    .reason = *c->reason ? c->reason : NULL,
                                    .flags = flags_of(s, &c->way, report),
                                    .priority = s->priority < 0 ? 1 : s->priority,
                                    .due_wall_ms = start,
                                    .expires_wall_ms = validity ? start + validity : 0,
                                    .reply_to = s->reply_to,
                                    .conversation = s->conversation,
                                    .cost_micros = c->way.cost_micros,
                                    .route = gw_route_counted(g, c->way.route),
                                    .who = s->who,
                                    .override_reason = s->override_reason,
                                    .parts = c->parts,
                                    .nparts = (int)c->plan.count};
    gw_reserve(g, c);
    return 0;
}

void gw_composed_free(struct composed *c)
{
    gw_release(c);
    free(c->parts);
    free(c->pdus);
    free(c->text);
}

int gateway_preview(struct gateway *g, const struct gateway_send *s, struct segment_plan *plan,
                    char to[NUMBER_BYTES], struct err *e)
{
    struct err local;
    if (!e)
        e = &local;
    *e = (struct err){0};
    struct store_new_message m;
    struct composed c = {0};
    int rc = gw_compose(g, s, rt_wall_ms(g->rt), &m, &c, e);
    *plan = c.plan;
    memcpy(to, c.to, sizeof(c.to));
    gw_composed_free(&c);
    return rc;
}
