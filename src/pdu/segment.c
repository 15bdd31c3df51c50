/* Text and data to segments; TS 23.040 9.2.3.24.1, TS 23.038 6.2.1.
 *
 * Each coding that may carry the text is walked once to count its segments; the smallest wins, the default
 * alphabet before national tables before UCS2. A GSM 7-bit coding never needs more segments than UCS2: even
 * if every character takes two septets, 145 of them hold more than 66 UTF-16 units do.
 * Filling each segment as far as it goes gives the smallest number; breaks are then moved in front of
 * combining sequences if the number stays the same.
 */
#include "pdu/segment.h"

#include <string.h>

#include "base/utf8.h"
#include "pdu/gsm7.h"
#include "pdu/parts.h"

enum {
    CONCAT8_BYTES = 5, /* the information elements with id and length */
    CONCAT16_BYTES = 6,
    SHIFT_BYTES = 3,
    MAX_HEADER_BYTES = 1 + CONCAT16_BYTES + 2 * SHIFT_BYTES,
    SPANISH = 2, /* has no locking shift table */

    DCS_CLASS = 0x10, /* bits 1..0 are a class, TS 23.038 4 */
    DCS_ALPHABET_SHIFT = 2,
};

struct coding {
    enum pdu_alphabet alphabet;
    uint8_t locking, single;
    bool translit;
    bool wide_ref;
};

/* ---- headers ---- */

static size_t header_bytes(const struct coding *c, bool concat)
{
    size_t n = (c->single ? SHIFT_BYTES : 0u) + (c->locking ? SHIFT_BYTES : 0u);
    if (concat)
        n += c->wide_ref ? CONCAT16_BYTES : CONCAT8_BYTES;
    return n ? n + 1 : 0;
}

/* Septets, UTF-16 units or octets that one segment carries. */
static size_t capacity(const struct coding *c, bool concat)
{
    size_t header = header_bytes(c, concat);
    switch (c->alphabet) {
    case PDU_GSM7:
        return UD_MAX_SEPTETS - header_septets(header);
    case PDU_UCS2:
        return (PDU_UD_BYTES - header) / 2;
    case PDU_8BIT:
        return PDU_UD_BYTES - header;
    }
    return 0;
}

/* Which segment of how many. total 1 has no concatenation element. */
struct place {
    uint16_t ref;
    uint8_t total, seq;
};

static size_t write_header(const struct coding *c, struct place at, uint8_t out[MAX_HEADER_BYTES])
{
    struct writer w = {.out = out, .n = 1};
    if (at.total > 1) {
        put_u8(&w, c->wide_ref ? CONCAT16_IE : CONCAT8_IE);
        put_u8(&w, c->wide_ref ? 4 : 3);
        if (c->wide_ref)
            put_u8(&w, at.ref >> 8);
        put_u8(&w, at.ref & 0xFF);
        put_u8(&w, at.total);
        put_u8(&w, at.seq);
    }
    if (c->single) {
        put_u8(&w, SINGLE_SHIFT_IE);
        put_u8(&w, 1);
        put_u8(&w, c->single);
    }
    if (c->locking) {
        put_u8(&w, LOCKING_SHIFT_IE);
        put_u8(&w, 1);
        put_u8(&w, c->locking);
    }
    if (w.n == 1)
        return 0;
    out[0] = (uint8_t)(w.n - 1);
    return w.n;
}

/* ---- the text as code points, transliterated on the way ---- */

struct source {
    const char *text;
    size_t len, at;
    const char *replacement; /* what is left of it; NULL or "" when none is under way */
};

/* Septets or UTF-16 units of cp; 0 if the coding has no such character. */
static int code_units(const struct coding *c, uint32_t cp, uint16_t units[2])
{
    if (c->alphabet == PDU_GSM7) {
        uint8_t septet[2];
        int n = gsm7_from_code_point(cp, c->locking, c->single, septet);
        for (int i = 0; i < n; i++)
            units[i] = septet[i];
        return n;
    }
    if (cp < 0x10000) {
        units[0] = (uint16_t)cp;
        return 1;
    }
    units[0] = (uint16_t)(0xD800 + ((cp - 0x10000) >> 10));
    units[1] = (uint16_t)(0xDC00 + ((cp - 0x10000) & 0x3FF));
    return 2;
}

/* The next character and its units. Returns their number, 0 at the end, -1 if the coding cannot carry it. */
static int source_next(struct source *s, const struct coding *c, uint32_t *cp, uint16_t units[2])
{
    while ((s->replacement && *s->replacement) || s->at < s->len) {
        bool replaced = s->replacement && *s->replacement;
        if (replaced) {
            size_t used = 0;
            *cp = utf8_next(s->replacement, strlen(s->replacement), &used);
            s->replacement += used;
        } else {
            unsigned char byte = (unsigned char)s->text[s->at];
            *cp = byte < 0x80 ? (s->at++, byte) : utf8_next(s->text, s->len, &s->at);
        }
        int n = code_units(c, *cp, units);
        if (n > 0)
            return n;
        if (replaced || !c->translit)
            return -1;
        s->replacement = translit(*cp);
        if (!s->replacement)
            return -1;
    }
    return 0;
}

/* ---- filling ---- */

struct filler {
    size_t capacity;
    bool whole_clusters;           /* break in front of combining sequences where possible */
    uint16_t unit[UD_MAX_SEPTETS]; /* of the segment being filled */
    size_t n;
    size_t safe;                              /* the last place in it where a sequence begins; 0 = none */
    unsigned count;                           /* segments finished */
    unsigned long units;                      /* of the whole text */
    uint32_t before;                          /* the character before */
    bool odd_flag;                            /* it is the first half of a flag */
    void (*emit)(struct filler *f, size_t n); /* NULL when only counting */
};

static bool is_regional(uint32_t cp)
{
    return cp >= 0x1F1E6 && cp <= 0x1F1FF;
}

/* True if cp belongs to the character before it. */
static bool continues(struct filler *f, uint32_t cp)
{
    enum { ZERO_WIDTH_JOINER = 0x200D };
    bool flag = is_regional(cp) && f->odd_flag;
    f->odd_flag = is_regional(cp) && !flag;
    bool joined =
        flag || f->before == ZERO_WIDTH_JOINER || (f->before == '\r' && cp == '\n') || is_extender(cp);
    f->before = cp;
    return joined;
}

/* Ends the segment behind its first n units; the rest begins the next one. */
static void filler_break(struct filler *f, size_t n)
{
    if (f->emit)
        f->emit(f, n);
    f->count++;
    f->n -= n;
    memmove(f->unit, f->unit + n, f->n * sizeof(f->unit[0]));
    f->safe = 0;
}

static void filler_add(struct filler *f, uint32_t cp, const uint16_t *units, size_t n)
{
    bool joined = f->whole_clusters && continues(f, cp);
    if (!joined)
        f->safe = f->n;
    while (f->n + n > f->capacity)
        filler_break(f, f->safe > 0 ? f->safe : f->n);
    for (size_t i = 0; i < n; i++)
        f->unit[f->n++] = units[i];
    f->units += n;
}

/* Walks the text. False if the coding cannot carry it. f->count is then the number of segments. */
static bool fill(struct filler *f, const struct coding *c, const char *text, size_t len)
{
    struct source s = {.text = text, .len = len};
    uint32_t cp;
    uint16_t units[2];
    int n;
    while ((n = source_next(&s, c, &cp, units)) > 0)
        filler_add(f, cp, units, (size_t)n);
    if (n < 0)
        return false;
    if (f->n > 0 || f->count == 0)
        filler_break(f, f->n);
    return true;
}

/* ---- choosing ---- */

/* Segments and units that the text takes. False if the coding cannot carry it. */
static bool measure(const struct coding *c, const char *text, size_t len, unsigned *count,
                    unsigned long *units)
{
    struct filler f = {.capacity = capacity(c, true)};
    if (!fill(&f, c, text, len))
        return false;
    *units = f.units;
    *count = f.units <= capacity(c, false) ? 1 : f.count;
    return true;
}

struct choice {
    struct coding coding;
    unsigned count; /* 0 = nothing found yet */
    unsigned long units;
};

static void consider(struct choice *best, const struct coding *c, const char *text, size_t len)
{
    unsigned count;
    unsigned long units;
    if (measure(c, text, len, &count, &units) && (best->count == 0 || count < best->count))
        *best = (struct choice){.coding = *c, .count = count, .units = units};
}

/* All GSM 7-bit codings that conf allows, the plainest first. */
static void consider_gsm7(struct choice *best, const struct segment_conf *conf, bool transliterate,
                          const char *text, size_t len)
{
    bool with_single = conf->single > 0 && conf->single < GSM7_LANGUAGES;
    bool with_locking = conf->locking > 0 && conf->locking < GSM7_LANGUAGES && conf->locking != SPANISH;
    for (int tables = 0; tables < 4; tables++) {
        bool single = tables & 1, locking = tables & 2;
        if ((single && !with_single) || (locking && !with_locking))
            continue;
        consider(best,
                 &(struct coding){.alphabet = PDU_GSM7,
                                  .single = single ? conf->single : 0,
                                  .locking = locking ? conf->locking : 0,
                                  .translit = transliterate,
                                  .wide_ref = conf->wide_ref},
                 text, len);
    }
}

static struct choice choose(const char *text, size_t len, const struct segment_conf *conf)
{
    struct choice best = {.count = 0};
    if (!conf->force_ucs2)
        consider_gsm7(&best, conf, false, text, len);
    if (best.count == 0 && !conf->force_ucs2 && conf->transliterate)
        consider_gsm7(&best, conf, true, text, len);
    if (best.count == 0)
        consider(&best, &(struct coding){.alphabet = PDU_UCS2, .wide_ref = conf->wide_ref}, text, len);
    return best;
}

static uint8_t dcs_octet(enum pdu_alphabet alphabet, int8_t cls)
{
    unsigned dcs = (unsigned)alphabet << DCS_ALPHABET_SHIFT;
    if (cls >= 0)
        dcs |= DCS_CLASS | ((unsigned)cls & 3);
    return (uint8_t)dcs;
}

static unsigned max_segments(const struct segment_conf *conf)
{
    return conf->max_segments ? conf->max_segments : PDU_MAX_SEGMENTS;
}

int segment_measure(const char *text, size_t len, const struct segment_conf *conf, struct segment_plan *out,
                    struct err *e)
{
    *out = (struct segment_plan){.alphabet = PDU_GSM7};
    if (!utf8_valid(text, len))
        return err_set(e, ERR_INVALID, "text is not valid UTF-8");
    if (len > 0 && memchr(text, 0, len))
        return err_set(e, ERR_INVALID, "text has a NUL character in it");
    struct choice best = choose(text, len, conf);
    *out = (struct segment_plan){.alphabet = best.coding.alphabet,
                                 .dcs = dcs_octet(best.coding.alphabet, conf->cls),
                                 .count = best.count,
                                 .units = (unsigned)best.units,
                                 .locking = best.coding.locking,
                                 .single = best.coding.single,
                                 .transliterated = best.coding.translit};
    if (best.count > max_segments(conf))
        return err_set(e, ERR_TOO_LONG, "text needs %u segments, at most %u expected", best.count,
                       max_segments(conf));
    return 0;
}

/* ---- writing ---- */

/* A filler that writes user data. */
struct ud_filler {
    struct filler filler; /* first: emit() finds its owner by it */
    const struct coding *coding;
    struct pdu_ud *ud;
    uint16_t ref;
    uint8_t total;
};

static void emit_ud(struct filler *f, size_t n)
{
    const struct ud_filler *u = (const struct ud_filler *)f;
    struct pdu_ud *ud = u->ud + f->count;
    struct place at = {.ref = u->ref, .total = u->total, .seq = (uint8_t)(f->count + 1)};
    uint8_t header[MAX_HEADER_BYTES];
    size_t hlen = write_header(u->coding, at, header);
    uint8_t data[2 * UD_MAX_SEPTETS];
    size_t len = 0;
    if (u->coding->alphabet == PDU_GSM7) {
        uint8_t septets[UD_MAX_SEPTETS];
        for (size_t i = 0; i < n; i++)
            septets[i] = (uint8_t)f->unit[i];
        len = gsm7_pack(septets, n, header_fill_bits(hlen), data);
    } else {
        for (size_t i = 0; i < n; i++) {
            data[len++] = (uint8_t)(f->unit[i] >> 8);
            data[len++] = (uint8_t)f->unit[i];
        }
    }
    pdu_ud_set_octets(ud, header, hlen, data, len);
    if (u->coding->alphabet == PDU_GSM7)
        ud->udl = (uint8_t)(header_septets(hlen) + n);
}

/* True if breaking only between sequences costs no segment. */
static bool clusters_are_free(const struct coding *c, unsigned count, const char *text, size_t len)
{
    struct filler f = {.capacity = capacity(c, true), .whole_clusters = true};
    return count > 1 && fill(&f, c, text, len) && f.count == count;
}

int segment_text(const char *text, size_t len, const struct segment_conf *conf, uint16_t ref,
                 struct segment_plan *plan, struct pdu_ud *ud, unsigned max, struct err *e)
{
    int rc = segment_measure(text, len, conf, plan, e);
    if (rc < 0)
        return rc;
    if (plan->count > max)
        return err_set(e, ERR_TOO_LONG, "text needs %u segments, room for %u", plan->count, max);
    struct coding c = {.alphabet = plan->alphabet,
                       .locking = plan->locking,
                       .single = plan->single,
                       .translit = plan->transliterated,
                       .wide_ref = conf->wide_ref};
    struct ud_filler u = {.filler = {.capacity = capacity(&c, plan->count > 1),
                                     .whole_clusters = clusters_are_free(&c, plan->count, text, len),
                                     .emit = emit_ud},
                          .coding = &c,
                          .ud = ud,
                          .ref = ref,
                          .total = (uint8_t)plan->count};
    fill(&u.filler, &c, text, len);
    return 0;
}

/* ---- 8-bit data ---- */

int segment_octets(const uint8_t *data, size_t len, const uint8_t *header, size_t hlen,
                   const struct segment_conf *conf, uint16_t ref, struct segment_plan *plan,
                   struct pdu_ud *ud, unsigned max, struct err *e)
{
    const struct coding c = {.alphabet = PDU_8BIT, .wide_ref = conf->wide_ref};
    *plan = (struct segment_plan){
        .alphabet = PDU_8BIT, .dcs = dcs_octet(PDU_8BIT, conf->cls), .count = 1, .units = (unsigned)len};
    if (hlen > 0 && hlen != (size_t)header[0] + 1)
        return err_set(e, ERR_INVALID, "user data header: %u octets expected behind its length, not %zu",
                       header[0], hlen - 1);
    if (hlen > 0 && (hlen > PDU_UD_BYTES || len > PDU_UD_BYTES - hlen))
        return err_set(e, ERR_TOO_LONG, "header and data: %zu octets, at most 140 expected", hlen + len);
    size_t each = capacity(&c, len > PDU_UD_BYTES);
    size_t count = len <= each ? 1 : (len + each - 1) / each;
    if (count > max_segments(conf) || count > max)
        return err_set(e, ERR_TOO_LONG, "data needs %zu segments, at most %u expected", count,
                       max < max_segments(conf) ? max : max_segments(conf));
    plan->count = (unsigned)count;
    if (count == 1)
        return pdu_ud_set_octets(ud, header, hlen, data, len);
    for (size_t i = 0; i < count; i++) {
        uint8_t own[MAX_HEADER_BYTES];
        struct place at = {.ref = ref, .total = (uint8_t)count, .seq = (uint8_t)(i + 1)};
        size_t own_len = write_header(&c, at, own);
        size_t part = i + 1 < count ? each : len - i * each;
        pdu_ud_set_octets(ud + i, own, own_len, data + i * each, part);
    }
    return 0;
}
