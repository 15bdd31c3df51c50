/* PDUs collected from the tests of other projects and from real modems, with what each field should read as.
 * The file is not part of this repository: without it the test is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/util.h"
#include "pdu/pdu.h"

/* One decoded vector, flattened to what the fields of all kinds need. */
struct seen {
    enum pdu_kind kind;
    struct pdu_any any;
    const struct pdu_addr *smsc, *party;
    const struct pdu_dcs *dcs;
    struct pdu_ud ud; /* a copy: some vectors give the shift tables from outside */
    const struct pdu_time *scts, *dt;
    const struct pdu_vp *vp;
    uint8_t pid;
    int pdu_octets;
};

/* Where the vector is not followed, and why. Everything else must be equal. */
static const struct exception {
    const char *source, *field, *why;
} EXCEPTIONS[] = {
    {"test_pdu_insufficient_data", "text", "ten of eleven septets arrived; the eleventh is not '@'"},
    {"test_pdu_wrong_user_data_elements_size", "expect_error", "a stored SUBMIT with UDHI and no data"},
    {"test_pdu_wrong_udh", "expect_error", "TP-SCTS absent in the source's reading, a SUBMIT in ours"},
    {"at-sms/32.dump", "dcs", "TP-PI FF is padding, not three fields"},
    {"at-sms/32.dump", "udl", "as above"},
    {"at-sms/32.dump", "ud_data", "as above"},
    {"at-sms/32.dump", "pid", "as above"},
    {"at-sms/32.dump", "ud_short", "as above"},
    {"synthetic:dcs-84", "alphabet", "written as \"reserved->gsm7\""},
};

static bool excepted(const char *source, const char *field)
{
    for (size_t i = 0; i < ARRAY_LEN(EXCEPTIONS); i++)
        if (strstr(source, EXCEPTIONS[i].source) && strcmp(field, EXCEPTIONS[i].field) == 0)
            return true;
    return false;
}

static json_t *address_json(const struct pdu_addr *a)
{
    return a->text[0] == '\0' && a->len == 0 ? json_null() : json_string(a->text);
}

static json_t *time_json(const struct pdu_time *t)
{
    char text[64];
    int minutes = t->zone_quarters * 15;
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", t->year, t->month, t->day,
             t->hour, t->minute, t->second, minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
    return json_string(text);
}

static json_t *hex_json(const uint8_t *octets, size_t n)
{
    char hex[2 * 200 + 1];
    hex_encode(octets, n, hex);
    return json_string(hex);
}

/* ---- one function per group of fields: the value that we read, as JSON ---- */

static json_t *field_header(const struct seen *s, const char *f)
{
    const struct pdu_any *a = &s->any;
    bool deliver = s->kind == PDU_KIND_DELIVER, report = s->kind == PDU_KIND_REPORT;
    if (strcmp(f, "mms") == 0)
        return json_boolean(report ? a->u.report.more : a->u.deliver.more);
    if (strcmp(f, "lp") == 0)
        return json_boolean(report ? a->u.report.loop : a->u.deliver.loop);
    if (strcmp(f, "sri") == 0)
        return json_boolean(a->u.deliver.sri);
    if (strcmp(f, "srq") == 0)
        return json_boolean(a->u.report.from_command);
    if (strcmp(f, "rp") == 0)
        return json_boolean(deliver ? a->u.deliver.reply_path : a->u.submit.reply_path);
    if (strcmp(f, "rd") == 0)
        return json_boolean(a->u.submit.reject_duplicates);
    if (strcmp(f, "srr") == 0)
        return json_boolean(a->u.submit.status_report);
    if (strcmp(f, "mr") == 0)
        return json_integer(report ? a->u.report.mr : a->u.submit.mr);
    if (strcmp(f, "st") == 0)
        return json_integer(a->u.report.st);
    if (strcmp(f, "pi") == 0)
        return json_integer(a->u.report.pi);
    if (strcmp(f, "pid") == 0)
        return json_integer(s->pid);
    return NULL;
}

static json_t *field_address(const struct seen *s, const char *f)
{
    if (strcmp(f, "smsc") == 0)
        return address_json(s->smsc);
    if (strcmp(f, "smsc_toa") == 0)
        return json_integer(s->smsc->toa);
    if (strcmp(f + 1, "a") != 0 && strncmp(f + 1, "a_", 2) != 0)
        return NULL; /* oa, da, ra and what goes with them */
    if (strcmp(f + 2, "_toa") == 0)
        return json_integer(s->party->toa);
    if (strcmp(f + 2, "_len") == 0)
        return json_integer(s->party->len);
    return f[2] == '\0' ? json_string(s->party->text) : NULL;
}

static json_t *field_time(const struct seen *s, const char *f)
{
    static const char *const FORMS[] = {"none", "enhanced", "relative", "absolute"};
    if (strcmp(f, "scts") == 0)
        return time_json(s->scts);
    if (strcmp(f, "scts_tz_quarters") == 0)
        return json_integer(s->scts->zone_quarters);
    if (strcmp(f, "dt") == 0)
        return time_json(s->dt);
    if (strcmp(f, "dt_tz_quarters") == 0)
        return json_integer(s->dt->zone_quarters);
    if (strcmp(f, "vpf") == 0)
        return json_string(FORMS[s->vp->form]);
    if (strcmp(f, "vp") == 0)
        return s->vp->form == PDU_VP_ABSOLUTE ? time_json(&s->vp->absolute) : json_integer(s->vp->raw[0]);
    if (strcmp(f, "vp_minutes") == 0)
        return json_integer(s->vp->relative_ms / 60000);
    return NULL;
}

static json_t *field_dcs(const struct seen *s, const char *f)
{
    static const char *const ALPHABETS[] = {"gsm7", "8bit", "ucs2"};
    static const char *const KINDS[] = {"none", "voicemail", "fax", "email", "other"};
    if (strcmp(f, "dcs") == 0)
        return json_integer(s->dcs->raw);
    if (strcmp(f, "alphabet") == 0)
        return json_string(ALPHABETS[s->dcs->alphabet]);
    if (strcmp(f, "class") == 0)
        return s->dcs->cls < 0 ? json_null() : json_integer(s->dcs->cls);
    if (strcmp(f, "autodelete") == 0)
        return json_boolean(s->dcs->auto_delete);
    if (strcmp(f, "compressed") == 0)
        return json_boolean(s->dcs->compressed);
    if (strcmp(f, "mwi") == 0)
        return json_pack("{s:b,s:b,s:s}", "store", s->dcs->mwi_store, "active", s->dcs->mwi_active, "type",
                         KINDS[s->dcs->mwi]);
    return NULL;
}

static json_t *ies_json(const struct pdu_ud *ud)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ud->ies_len; i++) {
        const struct pdu_ie *ie = &ud->ies[i];
        json_array_append_new(
            list, json_pack("{s:i,s:o}", "iei", ie->id, "data", hex_json(ud->octets + ie->at, ie->len)));
    }
    return list;
}

static json_t *field_header_elements(const struct seen *s, const char *f)
{
    const struct pdu_ud *ud = &s->ud;
    if (strcmp(f, "ies") == 0)
        return ies_json(ud);
    if (strcmp(f, "concat") == 0)
        return json_pack("{s:i,s:i,s:i,s:i}", "ref", ud->concat.ref, "total", ud->concat.total, "seq",
                         ud->concat.seq, "bits", ud->concat.bits);
    if (strcmp(f, "ports") == 0)
        return json_pack("{s:i,s:i,s:i}", "dst", ud->ports.dst, "src", ud->ports.src, "bits", ud->ports.bits);
    if (strcmp(f, "single_shift") == 0)
        return json_integer(ud->single);
    if (strcmp(f, "locking_shift") == 0)
        return json_integer(ud->locking);
    return NULL;
}

static json_t *field_ud(const struct seen *s, const char *f)
{
    const struct pdu_ud *ud = &s->ud;
    if (strcmp(f, "udhi") == 0)
        return json_boolean(ud->udhi);
    if (strcmp(f, "udl") == 0)
        return json_integer(ud->udl);
    if (strcmp(f, "udhl") == 0)
        return json_integer(ud->header_len - 1);
    if (strcmp(f, "fill_bits") == 0)
        return json_integer((7 - ud->header_len * 8 % 7) % 7);
    if (strcmp(f, "ud_data") == 0)
        return hex_json(ud->octets + ud->header_len, (size_t)(ud->octets_len - ud->header_len));
    if (strcmp(f, "ud_short") == 0)
        return json_boolean(ud->shortened); /* the vectors count octets; any count is "short" */
    if (strcmp(f, "text") == 0) {
        char text[PDU_TEXT_BYTES];
        pdu_ud_text(ud, s->dcs, text);
        return json_string(text);
    }
    return NULL;
}

static json_t *our_value(const struct seen *s, const char *f)
{
    static json_t *(*const GROUPS[])(const struct seen *, const char *) = {
        field_header, field_address, field_time, field_dcs, field_header_elements, field_ud};
    for (size_t i = 0; i < ARRAY_LEN(GROUPS); i++) {
        json_t *v = GROUPS[i](s, f);
        if (v)
            return v;
    }
    return NULL;
}

/* ---- reading and comparing ---- */

static void flatten(struct seen *s)
{
    struct pdu_any *a = &s->any;
    s->kind = a->kind;
    switch (a->kind) {
    case PDU_KIND_DELIVER:
        s->smsc = &a->u.deliver.smsc, s->party = &a->u.deliver.from, s->dcs = &a->u.deliver.dcs;
        s->scts = &a->u.deliver.scts, s->pid = a->u.deliver.pid, s->ud = a->u.deliver.ud;
        break;
    case PDU_KIND_REPORT:
        s->smsc = &a->u.report.smsc, s->party = &a->u.report.to, s->dcs = &a->u.report.dcs;
        s->scts = &a->u.report.scts, s->dt = &a->u.report.discharge, s->pid = a->u.report.pid;
        s->ud = a->u.report.ud;
        break;
    case PDU_KIND_SUBMIT:
        s->smsc = &a->u.submit.smsc, s->party = &a->u.submit.to, s->dcs = &a->u.submit.dcs;
        s->vp = &a->u.submit.vp, s->pid = a->u.submit.pid, s->ud = a->u.submit.ud;
        break;
    }
}

static int decode(const json_t *v, struct seen *s, struct err *e)
{
    const char *hex = json_string_value(json_object_get(v, "pdu"));
    uint8_t octets[512];
    int n = hex_decode(hex, strlen(hex), octets, sizeof(octets));
    if (n < 0)
        return err_set(e, n, "not hex");
    json_t *len = json_object_get(v, "tpdu_len");
    int tpdu_len = len ? (int)json_integer_value(len) : -1;
    *s = (struct seen){.pdu_octets = n};
    int rc;
    if (strcmp(json_string_value(json_object_get(v, "direction")), "mo") == 0) {
        s->any.kind = PDU_KIND_SUBMIT;
        rc = pdu_decode_submit(octets, (size_t)n, tpdu_len, &s->any.u.submit, e);
    } else {
        rc = pdu_decode(octets, (size_t)n, tpdu_len, &s->any, e);
    }
    flatten(s);
    json_t *shift = json_object_get(v, "assume_locking_shift");
    if (shift) {
        s->ud.locking = (uint8_t)json_integer_value(shift);
        s->ud.single = (uint8_t)json_integer_value(json_object_get(v, "assume_single_shift"));
    }
    return rc;
}

/* Fields that say something about the vector, not about the PDU, or that our API does not show as such. */
static bool is_remark(const char *field)
{
    static const char *const REMARKS[] = {"source",
                                          "pdu",
                                          "has_smsc",
                                          "direction",
                                          "kind",
                                          "origin",
                                          "fo",
                                          "tpdu_len",
                                          "note",
                                          "expect_error",
                                          "robustness",
                                          "ambiguous",
                                          "text_per_spec",
                                          "rest",
                                          "joined_text_ok",
                                          "gsmmodem_agrees",
                                          "agrees_with_source",
                                          "source_expect_checked",
                                          "gammu_tool_agrees",
                                          "gammu_tool_disagrees",
                                          "reference_decoder_error",
                                          "assume_locking_shift",
                                          "assume_single_shift"};
    for (size_t i = 0; i < ARRAY_LEN(REMARKS); i++)
        if (strcmp(field, REMARKS[i]) == 0)
            return true;
    return false;
}

static void report(const char *source, const char *field, const json_t *ours, const json_t *expected)
{
    char *a = ours ? json_dumps(ours, JSON_ENCODE_ANY) : NULL;
    char *b = json_dumps(expected, JSON_ENCODE_ANY);
    print_message("%s: %s: read %s, expected %s\n", source, field, a ? a : "nothing", b);
    free(a);
    free(b);
}

/* Compares all fields. Returns the number of those that differ; adds the compared ones to *compared. An
 * exception that is not needed is a fault too. */
static int compare(json_t *v, const struct seen *s, int *compared)
{
    const char *source = json_string_value(json_object_get(v, "source")), *field;
    json_t *expected;
    int wrong = 0;
    json_object_foreach(v, field, expected)
    {
        if (is_remark(field))
            continue;
        json_t *ours = our_value(s, field);
        json_t *theirs = strcmp(field, "ud_short") == 0 ? json_true() : json_incref(expected);
        bool same = ours && json_equal(ours, theirs);
        if (same == excepted(source, field)) {
            report(source, field, ours, theirs);
            wrong++;
        }
        json_decref(ours);
        json_decref(theirs);
        (*compared)++;
    }
    return wrong;
}

static bool is_true(const json_t *v, const char *field)
{
    return json_is_true(json_object_get(v, field));
}

/* Returns the number of faults with one vector. */
static int check(json_t *v, int *compared)
{
    const char *source = json_string_value(json_object_get(v, "source"));
    const char *kind = json_string_value(json_object_get(v, "kind"));
    struct seen s;
    struct err e = {.code = 0};
    int rc = decode(v, &s, &e);
    if (is_true(v, "expect_error") && !excepted(source, "expect_error")) {
        if (rc < 0 || s.ud.shortened)
            return rc < 0 || strcmp(kind, "invalid") == 0 ? 0 : compare(v, &s, compared);
        print_message("%s: decodes, an error is expected\n", source);
        return 1;
    }
    if (is_true(v, "robustness") || strstr(kind, "-report") == kind + strcspn(kind, "-"))
        return strcmp(kind, "status-report") == 0 ? compare(v, &s, compared) : 0;
    if (strcmp(kind, "command") == 0)
        return 0;
    if (rc < 0) {
        print_message("%s: %s\n", source, e.text);
        return 1;
    }
    return compare(v, &s, compared);
}

/* Every field of every collected vector reads as expected, but for the listed exceptions; broken PDUs are
 * refused or marked and never do harm. */
static void vectors_read_as_expected(void **state)
{
    (void)state;
    const char *shared = getenv("SIMGATE_SHARED");
    char path[512];
    snprintf(path, sizeof(path), "%s/facts/vectors.jsonl", shared ? shared : "../shared");
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    int vectors = 0, wrong = 0, compared = 0;
    json_error_t error;
    json_t *v;
    while ((v = json_loadf(f, JSON_DISABLE_EOF_CHECK, &error))) {
        wrong += check(v, &compared);
        vectors++;
        json_decref(v);
    }
    fclose(f);
    print_message("%d vectors, %d fields compared, %d wrong\n", vectors, compared, wrong);
    assert_true(vectors > 0);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors_read_as_expected)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
