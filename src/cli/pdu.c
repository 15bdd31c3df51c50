/* `pdu decode` and `pdu encode`: TS 23.040 on the command line, without simgated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/number.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "pdu/pdu.h"
#include "pdu/segment.h"

static const char *const alphabets[] = {[PDU_GSM7] = "GSM 7-bit", [PDU_8BIT] = "8-bit", [PDU_UCS2] = "UCS2"};

static void put_text(json_t *to, const char *name, const char *text)
{
    if (*text)
        json_object_set_new(to, name, json_string(text));
}

static void put_number(json_t *to, const char *name, int64_t n)
{
    json_object_set_new(to, name, json_integer(n));
}

static void put_time(json_t *to, const char *name, const struct pdu_time *t)
{
    char text[48], hex[15];
    int quarters = abs(t->zone_quarters);

    if (!t->valid) {
        hex_encode(t->raw, sizeof t->raw, hex);
        snprintf(text, sizeof text, "invalid (%s)", hex);
    } else {
        snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", t->year, t->month, t->day,
                 t->hour, t->minute, t->second, t->zone_quarters < 0 ? '-' : '+', quarters / 4,
                 quarters % 4 * 15);
    }
    put_text(to, name, text);
}

/* ---- decode ---- */

static void put_coding(json_t *to, const struct pdu_dcs *dcs)
{
    char raw[8];

    snprintf(raw, sizeof raw, "0x%02X", dcs->raw);
    put_text(to, "coding", raw);
    put_text(to, "alphabet", dcs->compressed ? "compressed" : alphabets[dcs->alphabet]);
    if (dcs->cls >= 0)
        put_number(to, "class", dcs->cls);
    if (dcs->mwi != PDU_MWI_NONE)
        json_object_set_new(to, "message_waiting", json_boolean(dcs->mwi_active));
}

static void put_header(json_t *to, const struct pdu_ud *ud)
{
    char hex[2 * PDU_UD_BYTES + 1];

    if (!ud->udhi)
        return;
    hex_encode(ud->octets, ud->header_len, hex);
    put_text(to, "header", hex);
    if (ud->concat.present)
        json_object_set_new(to, "concatenation",
                            json_pack("{sisisi}", "reference", ud->concat.ref, "part", ud->concat.seq, "of",
                                      ud->concat.total));
    if (ud->ports.present)
        json_object_set_new(to, "ports", json_pack("{sisi}", "to", ud->ports.dst, "from", ud->ports.src));
}

static void put_user_data(json_t *to, const struct pdu_ud *ud, const struct pdu_dcs *dcs)
{
    char text[PDU_TEXT_BYTES], hex[2 * PDU_UD_BYTES + 1];

    put_coding(to, dcs);
    put_header(to, ud);
    put_number(to, "length", ud->udl);
    if (ud->shortened)
        json_object_set_new(to, "shortened", json_true());
    if (dcs->alphabet == PDU_8BIT || dcs->compressed) {
        hex_encode(ud->octets + ud->header_len, (size_t)(ud->octets_len - ud->header_len), hex);
        put_text(to, "data", hex);
        return;
    }
    pdu_ud_text(ud, dcs, text);
    json_object_set_new(to, "text", json_string(text));
}

static void put_deliver(json_t *to, const struct pdu_deliver *d)
{
    put_text(to, "type", "SMS-DELIVER");
    put_text(to, "smsc", d->smsc.text);
    put_text(to, "from", d->from.text);
    put_time(to, "service_centre_time", &d->scts);
    put_number(to, "protocol", d->pid);
    json_object_set_new(to, "more_messages", json_boolean(d->more));
    json_object_set_new(to, "reply_path", json_boolean(d->reply_path));
    put_user_data(to, &d->ud, &d->dcs);
}

static void put_validity(json_t *to, const struct pdu_vp *vp)
{
    char text[32];

    if (vp->form == PDU_VP_ABSOLUTE) {
        put_time(to, "validity", &vp->absolute);
    } else if (vp->form != PDU_VP_NONE && vp->relative_ms >= 0) {
        snprintf(text, sizeof text, "%lld s", (long long)(vp->relative_ms / 1000));
        put_text(to, "validity", text);
    }
}

static void put_submit(json_t *to, const struct pdu_submit *s)
{
    put_text(to, "type", "SMS-SUBMIT");
    put_text(to, "smsc", s->smsc.text);
    put_text(to, "to", s->to.text);
    put_number(to, "reference", s->mr);
    put_number(to, "protocol", s->pid);
    json_object_set_new(to, "report_requested", json_boolean(s->status_report));
    json_object_set_new(to, "reject_duplicates", json_boolean(s->reject_duplicates));
    put_validity(to, &s->vp);
    put_user_data(to, &s->ud, &s->dcs);
}

static void put_report(json_t *to, const struct pdu_report *r)
{
    put_text(to, "type", "SMS-STATUS-REPORT");
    put_text(to, "smsc", r->smsc.text);
    put_text(to, "to", r->to.text);
    put_number(to, "reference", r->mr);
    put_time(to, "service_centre_time", &r->scts);
    put_time(to, "discharged", &r->discharge);
    put_number(to, "status", r->st);
    put_text(to, "status_text", pdu_status_text(r->st));
    if (r->has_ud)
        put_user_data(to, &r->ud, &r->dcs);
}

static void put_any(json_t *to, const struct pdu_any *any)
{
    switch (any->kind) {
    case PDU_KIND_DELIVER:
        put_deliver(to, &any->u.deliver);
        break;
    case PDU_KIND_REPORT:
        put_report(to, &any->u.report);
        break;
    case PDU_KIND_SUBMIT:
        put_submit(to, &any->u.submit);
        break;
    }
}

/* Which direction a PDU went tells the first octet: 01 is SUBMIT from a mobile, and nothing that a modem
 * gives out (TS 23.040 9.2.3.1). */
static json_t *decode_one(const char *hex, int length, struct err *e)
{
    uint8_t bytes[512];
    int len = hex_decode(hex, strlen(hex), bytes, sizeof bytes);
    struct pdu_any any;
    struct err second = {0};
    json_t *o;

    if (len <= 0) {
        err_set(e, ERR_INVALID, "hex digits expected, two for an octet, at most 512 octets");
        return NULL;
    }
    if (pdu_decode(bytes, (size_t)len, length, &any, e) < 0) {
        any.kind = PDU_KIND_SUBMIT;
        if (pdu_decode_submit(bytes, (size_t)len, length, &any.u.submit, &second) < 0)
            return NULL;
        *e = (struct err){0};
    }
    o = json_object();
    put_any(o, &any);
    return o;
}

int run_pdu_decode(struct invocation *v)
{
    const json_t *length = json_object_get(v->args, "length"), *hex;
    json_t *list = json_array(), *doc = json_pack("{so}", "pdus", list);
    struct err e = {0};
    size_t i;
    int rc = CLI_DONE;

    json_array_foreach(json_object_get(v->args, "pdus"), i, hex)
    {
        json_t *o = decode_one(json_string_value(hex), length ? (int)json_integer_value(length) : -1, &e);

        if (!o) {
            rc = CLI_FAILED;
            o = json_pack("{ssss}", "type", "undecodable", "error", e.text);
        }
        json_array_append_new(list, o);
    }
    if (v->json)
        print_json(doc);
    else
        v->command->view(doc);
    json_decref(doc);
    return rc;
}

void view_pdu_decode(const json_t *answer)
{
    const json_t *p, *value;
    const char *name;
    size_t i;

    json_array_foreach(json_object_get(answer, "pdus"), i, p)
    {
        if (i > 0)
            putchar('\n');
        json_object_foreach((json_t *)p, name, value)
        {
            char *text =
                json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);

            say_field(name, text);
            free(text);
        }
    }
}

/* ---- encode ---- */

struct encoding {
    struct pdu_submit submit;
    struct segment_conf conf;
    struct segment_plan plan;
    struct pdu_ud *ud;
};

static int read_number(const char *text, struct pdu_addr *out, struct err *e)
{
    char number[NUMBER_BYTES];

    if (number_normalise(text, "", NUMBER_READ_INTERNATIONAL, number, e) < 0)
        return e->code;
    return pdu_addr_from_text(number, out, e);
}

static int prepare(const json_t *args, struct encoding *x, struct err *e)
{
    const char *to = json_string_value(json_object_get(args, "to"));
    const char *smsc = json_string_value(json_object_get(args, "smsc"));
    const char *validity = json_string_value(json_object_get(args, "validity"));
    int64_t ms;

    if (read_number(to, &x->submit.to, e) < 0)
        return err_wrap(e, "--to");
    if (smsc && read_number(smsc, &x->submit.smsc, e) < 0)
        return err_wrap(e, "--smsc");
    if (validity && str_to_duration_ms(validity, &ms)) {
        x->submit.vp.form = PDU_VP_RELATIVE;
        x->submit.vp.raw[0] = pdu_vp_relative_from_ms(ms);
        x->submit.vp.relative_ms = pdu_vp_relative_to_ms(x->submit.vp.raw[0]);
    }
    x->submit.status_report = json_is_true(json_object_get(args, "report"));
    x->conf.cls = json_is_true(json_object_get(args, "flash")) ? 0 : -1;
    x->conf.transliterate = json_is_true(json_object_get(args, "transliterate"));
    return 0;
}

static int encode_parts(struct encoding *x, json_t *list, struct err *e)
{
    uint8_t pdu[PDU_FULL_BYTES];
    char hex[2 * PDU_FULL_BYTES + 1];

    pdu_dcs_decode(x->plan.dcs, &x->submit.dcs);
    for (unsigned i = 0; i < x->plan.count; i++) {
        int tpdu_len, len;

        x->submit.ud = x->ud[i];
        len = pdu_encode_submit(&x->submit, pdu, &tpdu_len, e);
        if (len < 0)
            return len;
        hex_encode(pdu, (size_t)len, hex);
        json_array_append_new(list, json_pack("{sssi}", "pdu", hex, "length", tpdu_len));
    }
    return 0;
}

static json_t *encode(const json_t *args, struct err *e)
{
    struct encoding x = {0};
    const char *text = json_string_value(json_object_get(args, "text"));
    json_t *list = json_array(), *doc = json_pack("{so}", "parts", list);
    uint16_t reference = (uint16_t)time(NULL);

    x.ud = calloc(PDU_MAX_SEGMENTS, sizeof *x.ud);
    if (!x.ud)
        abort();
    if (prepare(args, &x, e) < 0 ||
        segment_text(text, strlen(text), &x.conf, reference, &x.plan, x.ud, PDU_MAX_SEGMENTS, e) < 0 ||
        encode_parts(&x, list, e) < 0) {
        json_decref(doc);
        doc = NULL;
    } else {
        put_text(doc, "alphabet", alphabets[x.plan.alphabet]);
        put_number(doc, "units", x.plan.units);
    }
    free(x.ud);
    return doc;
}

int run_pdu_encode(struct invocation *v)
{
    struct err e = {0};
    json_t *doc = encode(v->args, &e);

    if (!doc)
        return tell_failure(v, CLI_USAGE, &e, NULL);
    if (v->json)
        print_json(doc);
    else
        v->command->view(doc);
    json_decref(doc);
    return CLI_DONE;
}

void view_pdu_encode(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "parts"), *p;
    size_t i;

    say(DIM, "%zu part%s, %s, %s %s", json_array_size(list), json_array_size(list) == 1 ? "" : "s",
        member_text(answer, "alphabet"), member_text(answer, "units"),
        strcmp(member_text(answer, "alphabet"), "UCS2") ? "septets" : "characters of 16 bits");
    json_array_foreach(list, i, p)
        say(PLAIN, "AT+CMGS=%s\n%s", member_text(p, "length"), member_text(p, "pdu"));
}
