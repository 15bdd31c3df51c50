/* pdugen SEED COUNT: makes random messages, encodes them and prints one JSON object a TPDU: its octets and
 * every field that went into it, for a judge that decodes the octets by other means. Parts of one message
 * follow each other and have the same "message".
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "pdu/segment.h"
#include "random_sms.h"

enum { MAX_CHARS = 400, MAX_PARTS = 16, MAX_QUARTERS = 56 };

static struct random_source rnd;

static json_t *hex_json(const uint8_t *octets, size_t n)
{
    char hex[2 * PDU_FULL_BYTES + 1];
    hex_encode(octets, n, hex);
    return json_string(hex);
}

static json_t *time_json(const struct pdu_time *t)
{
    return json_pack("[i,i,i,i,i,i,i]", t->year, t->month, t->day, t->hour, t->minute, t->second,
                     t->zone_quarters);
}

static json_t *party_json(const struct pdu_addr *a)
{
    return json_pack("{s:s,s:i,s:i}", "text", a->text, "ton", pdu_addr_ton(a), "length", a->len);
}

static json_t *ud_json(const struct pdu_ud *ud)
{
    json_t *o = json_pack("{s:b,s:i,s:i,s:i}", "udhi", ud->udhi, "udl", ud->udl, "locking", ud->locking,
                          "single", ud->single);
    if (ud->concat.present)
        json_object_set_new(
            o, "concat",
            json_pack("[i,i,i,i]", ud->concat.bits, ud->concat.ref, ud->concat.total, ud->concat.seq));
    if (ud->ports.present)
        json_object_set_new(o, "ports", json_pack("[i,i,i]", ud->ports.bits, ud->ports.dst, ud->ports.src));
    return o;
}

static void print_pdu(json_t *fields, const uint8_t *full, int n, int tpdu_len, int message)
{
    if (n < 0) {
        fprintf(stderr, "pdugen: cannot encode: %d\n", n);
        exit(1);
    }
    json_object_set_new(fields, "tpdu", hex_json(full + n - tpdu_len, (size_t)tpdu_len));
    json_object_set_new(fields, "message", json_integer(message));
    json_dumpf(fields, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(fields);
}

/* The text of one part as a judge sees it that knows the default alphabet only. */
static json_t *default_text(const struct pdu_ud *ud, uint8_t dcs_octet)
{
    struct pdu_ud plain = *ud;
    struct pdu_dcs dcs;
    char text[PDU_TEXT_BYTES];
    plain.locking = plain.single = 0;
    pdu_dcs_decode(dcs_octet, &dcs);
    pdu_ud_text(&plain, &dcs, text);
    return json_string(text);
}

/* What all parts of a message carry. */
struct content {
    char text[4 * MAX_CHARS + 1]; /* "" for data */
    bool is_text;
    uint8_t data[PDU_UD_BYTES];
    size_t data_len;
    struct segment_plan plan;
    struct pdu_ud ud[MAX_PARTS];
};

static void make_data(struct content *c, const struct segment_conf *conf)
{
    static const uint8_t PORTS16[] = {6, 5, 4, 0x3E, 0x81, 0x3E, 0x82}, PORTS8[] = {4, 4, 2, 0xF5, 0xF1};
    const uint8_t *header = random_chance(&rnd, 50) ? PORTS16 : PORTS8;
    size_t hlen = (size_t)header[0] + 1;
    c->is_text = false;
    c->data_len = random_below(&rnd, (uint32_t)(PDU_UD_BYTES - hlen)) + 1;
    for (size_t i = 0; i < c->data_len; i++)
        c->data[i] = (uint8_t)random_below(&rnd, 256);
    segment_octets(c->data, c->data_len, header, hlen, conf, 0, &c->plan, c->ud, MAX_PARTS, NULL);
}

static void make_content(struct content *c)
{
    enum random_kind kind = (enum random_kind)random_below(&rnd, RANDOM_KINDS);
    struct segment_conf conf = {.cls = (int8_t)(random_chance(&rnd, 30) ? (int)random_below(&rnd, 4) : -1),
                                .wide_ref = random_chance(&rnd, 30)};
    if (kind == RANDOM_NATIONAL) {
        conf.locking = (uint8_t)random_below(&rnd, GSM7_LANGUAGES);
        conf.single = (uint8_t)random_below(&rnd, GSM7_LANGUAGES);
    }
    if (random_chance(&rnd, 10)) {
        make_data(c, &conf);
        return;
    }
    c->is_text = true;
    size_t len = random_text(&rnd, kind, conf.locking, conf.single, random_chance(&rnd, 60) ? 160 : MAX_CHARS,
                             c->text);
    struct err e;
    if (segment_text(c->text, len, &conf, (uint16_t)random_below(&rnd, 65536), &c->plan, c->ud, MAX_PARTS,
                     &e)) {
        fprintf(stderr, "pdugen: %s\n", e.text);
        exit(1);
    }
}

static void add_content(json_t *fields, const struct content *c, const struct pdu_ud *ud)
{
    json_object_set_new(fields, "dcs", json_integer(c->plan.dcs));
    json_object_set_new(fields, "ud", ud_json(ud));
    if (ud->locking || ud->single)
        json_object_set_new(fields, "default_text", default_text(ud, c->plan.dcs));
    if (c->is_text)
        json_object_set_new(fields, "text", json_string(c->text));
    else
        json_object_set_new(fields, "data", hex_json(c->data, c->data_len));
}

static void make_deliver(int message)
{
    static struct content c;
    struct pdu_deliver d = {.more = random_chance(&rnd, 50),
                            .loop = random_chance(&rnd, 10),
                            .sri = random_chance(&rnd, 20),
                            .reply_path = random_chance(&rnd, 10),
                            .pid = (uint8_t)(random_chance(&rnd, 20) ? 0x41 + random_below(&rnd, 7) : 0)};
    make_content(&c);
    if (random_chance(&rnd, 20))
        random_name(&rnd, &d.from);
    else
        random_number(&rnd, true, &d.from);
    random_number(&rnd, false, &d.smsc);
    random_time(&rnd, MAX_QUARTERS, &d.scts);
    d.dcs.raw = c.plan.dcs;
    for (unsigned i = 0; i < c.plan.count; i++) {
        uint8_t full[PDU_FULL_BYTES];
        int tpdu_len;
        d.ud = c.ud[i];
        int n = pdu_encode_deliver(&d, full, &tpdu_len, NULL);
        json_t *o = json_pack("{s:s,s:o,s:b,s:b,s:b,s:b,s:i,s:o}", "kind", "deliver", "party",
                              party_json(&d.from), "mms", d.more, "lp", d.loop, "sri", d.sri, "rp",
                              d.reply_path, "pid", d.pid, "scts", time_json(&d.scts));
        add_content(o, &c, &d.ud);
        print_pdu(o, full, n, tpdu_len, message);
    }
}

static void random_vp(struct pdu_vp *vp)
{
    static const enum pdu_vp_form FORMS[] = {PDU_VP_NONE, PDU_VP_RELATIVE, PDU_VP_RELATIVE, PDU_VP_ABSOLUTE};
    vp->form = FORMS[random_below(&rnd, ARRAY_LEN(FORMS))];
    vp->raw[0] = (uint8_t)random_below(&rnd, 256);
    random_time(&rnd, MAX_QUARTERS, &vp->absolute);
}

static void make_submit(int message)
{
    static struct content c;
    struct pdu_submit s = {.reject_duplicates = random_chance(&rnd, 20),
                           .status_report = random_chance(&rnd, 50),
                           .reply_path = random_chance(&rnd, 10),
                           .mr = (uint8_t)random_below(&rnd, 256)};
    make_content(&c);
    random_number(&rnd, true, &s.to);
    random_vp(&s.vp);
    s.dcs.raw = c.plan.dcs;
    for (unsigned i = 0; i < c.plan.count; i++) {
        uint8_t full[PDU_FULL_BYTES];
        int tpdu_len;
        s.ud = c.ud[i];
        int n = pdu_encode_submit(&s, full, &tpdu_len, NULL);
        json_t *o = json_pack("{s:s,s:o,s:b,s:b,s:b,s:i,s:i,s:i}", "kind", "submit", "party",
                              party_json(&s.to), "rd", s.reject_duplicates, "srr", s.status_report, "rp",
                              s.reply_path, "mr", s.mr, "pid", s.pid, "vpf", s.vp.form);
        if (s.vp.form == PDU_VP_RELATIVE)
            json_object_set_new(o, "vp", json_integer(s.vp.raw[0]));
        if (s.vp.form == PDU_VP_ABSOLUTE)
            json_object_set_new(o, "vp_time", time_json(&s.vp.absolute));
        add_content(o, &c, &s.ud);
        print_pdu(o, full, n, tpdu_len, message);
    }
}

static void make_report(int message)
{
    struct pdu_report r = {.more = random_chance(&rnd, 50),
                           .loop = random_chance(&rnd, 10),
                           .from_command = random_chance(&rnd, 10),
                           .mr = (uint8_t)random_below(&rnd, 256),
                           .st = (uint8_t)random_below(&rnd, 128)};
    uint8_t full[PDU_FULL_BYTES];
    int tpdu_len;
    random_number(&rnd, true, &r.to);
    random_time(&rnd, MAX_QUARTERS, &r.scts);
    random_time(&rnd, MAX_QUARTERS, &r.discharge);
    int n = pdu_encode_report(&r, full, &tpdu_len, NULL);
    print_pdu(json_pack("{s:s,s:o,s:b,s:b,s:b,s:i,s:i,s:o,s:o}", "kind", "report", "party", party_json(&r.to),
                        "mms", r.more, "lp", r.loop, "srq", r.from_command, "mr", r.mr, "st", r.st, "scts",
                        time_json(&r.scts), "dt", time_json(&r.discharge)),
              full, n, tpdu_len, message);
}

int main(int argc, char **argv)
{
    static void (*const MAKERS[])(int message) = {make_deliver, make_submit, make_deliver, make_submit,
                                                  make_report};
    if (argc != 3) {
        fprintf(stderr, "usage: pdugen SEED COUNT\n");
        return 2;
    }
    rnd.state = strtoull(argv[1], NULL, 10);
    int count = atoi(argv[2]);
    for (int i = 0; i < count; i++)
        MAKERS[random_below(&rnd, ARRAY_LEN(MAKERS))](i);
    return 0;
}
