/* What a received PDU says besides its text, as JSON for the doors, and the small readings that inbox and
 * join share. Keys: from_toa, smsc, scts, dcs, pid, alphabet, sri, reply_path, class, mwi, ports, udh,
 * language, language_ext; undecodable ones: error, malformed. Pure. TS 23.040, TS 23.038. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "gateway/private.h"

enum { TYPE_0 = 0x40, TON_INTERNATIONAL = 1, TON_NATIONAL = 2, CONCAT8_IE = 0x00, CONCAT16_IE = 0x08 };

bool gw_is_text(const struct pdu_dcs *dcs)
{
    return dcs->alphabet != PDU_8BIT && !dcs->compressed;
}

char *gw_payload_hex(const struct pdu_ud *ud, const struct pdu_dcs *dcs, char *to)
{
    uint8_t payload[160];
    int n = pdu_ud_payload(ud, dcs, payload);
    hex_encode(payload, (size_t)n, to);
    return to + 2 * n;
}

void gw_sender(const struct gateway *g, const struct pdu_addr *from, char out[64])
{
    char canonical[NUMBER_BYTES];
    unsigned ton = pdu_addr_ton(from);
    bool national = ton == TON_NATIONAL || (ton == 0 && from->text[0] == '0');
    str_copy(out, 64, from->text);
    /* Other digits of an unknown type are left as they are: a guess would answer a stranger. */
    if (national && *g->conf->country &&
        number_normalise(from->text, g->conf->country, NUMBER_READ_NATIONAL, canonical, NULL) == 0)
        str_copy(out, 64, canonical);
}

/* "2026-11-21T10:00:00+01:00"; invalid ones as their digits. */
static json_t *time_json(const struct pdu_time *t)
{
    char text[40];
    if (!t->valid) {
        hex_encode(t->raw, sizeof(t->raw), text);
        return json_string(text);
    }
    int minutes = t->zone_quarters * 15;
    snprintf(text, sizeof(text), "%04d-%02u-%02uT%02u:%02u:%02u%c%02d:%02d", t->year, t->month, t->day,
             t->hour, t->minute, t->second, minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
    return json_string(text);
}

/* The header without its concatenation, which the message no longer has. */
static void put_header(json_t *o, const struct pdu_ud *ud)
{
    uint8_t rest[PDU_UD_BYTES];
    size_t n = 1;
    for (int i = 0; i < ud->ies_len; i++) {
        const struct pdu_ie *ie = &ud->ies[i];
        if (ie->id == CONCAT8_IE || ie->id == CONCAT16_IE || n + 2u + ie->len > sizeof(rest))
            continue;
        rest[n++] = ie->id;
        rest[n++] = ie->len;
        memcpy(rest + n, ud->octets + ie->at, ie->len);
        n += ie->len;
    }
    if (n == 1)
        return;
    rest[0] = (uint8_t)(n - 1);
    char hex[2 * PDU_UD_BYTES + 1];
    hex_encode(rest, n, hex);
    json_object_set_new(o, "udh", json_string(hex));
}

static void put_user_data(json_t *o, const struct pdu_ud *ud)
{
    put_header(o, ud);
    if (ud->ports.present)
        json_object_set_new(o, "ports", json_pack("{s:i,s:i}", "dst", ud->ports.dst, "src", ud->ports.src));
    if (ud->locking)
        json_object_set_new(o, "language", json_integer(ud->locking));
    if (ud->single)
        json_object_set_new(o, "language_ext", json_integer(ud->single));
    if (ud->shortened)
        json_object_set_new(o, "shortened", json_true());
}

static char *dump(json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

static const char *const alphabets[] = {[PDU_GSM7] = "GSM", [PDU_8BIT] = "binary", [PDU_UCS2] = "UCS2"};
static const char *const mwi_names[] = {[PDU_MWI_NONE] = "none",
                                        [PDU_MWI_VOICEMAIL] = "voicemail",
                                        [PDU_MWI_FAX] = "fax",
                                        [PDU_MWI_EMAIL] = "email",
                                        [PDU_MWI_OTHER] = "other"};

char *gw_meta(const struct pdu_deliver *d, uint32_t *flags)
{
    json_t *o = json_pack("{s:i,s:i,s:i,s:s}", "from_toa", d->from.toa, "dcs", d->dcs.raw, "pid", d->pid,
                          "alphabet", d->dcs.compressed ? "unknown" : alphabets[d->dcs.alphabet]);
    json_object_set_new(o, "scts", time_json(&d->scts));
    if (*d->smsc.text)
        json_object_set_new(o, "smsc", json_string(d->smsc.text));
    if (d->sri)
        json_object_set_new(o, "sri", json_true());
    if (d->reply_path)
        json_object_set_new(o, "reply_path", json_true());
    if (d->dcs.cls >= 0)
        json_object_set_new(o, "class", json_integer(d->dcs.cls));
    if (d->dcs.mwi != PDU_MWI_NONE)
        json_object_set_new(
            o, "mwi", json_pack("{s:s,s:b}", "kind", mwi_names[d->dcs.mwi], "active", d->dcs.mwi_active));
    put_user_data(o, &d->ud);
    *flags |= (d->dcs.cls == 0 ? MSG_F_FLASH : 0u) | (d->pid == TYPE_0 ? MSG_F_SILENT : 0u);
    return dump(o);
}

char *gw_meta_undecodable(const struct err *e, bool malformed)
{
    json_t *o = json_pack("{s:s}", "error", malformed ? "the modem's line is not hexadecimal" : e->text);
    if (!o)
        o = json_object();
    if (malformed)
        json_object_set_new(o, "malformed", json_true());
    return dump(o);
}
