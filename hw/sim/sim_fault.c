/* Faults of a simulated modem, by the words of the control socket and of scenario files (simmodem.h has the
 * list). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

/* The arguments of a fault, read by the letters of its row: m milliseconds, r a rate, n a count (1 when left
 * out), c a code or number, h a hexadecimal octet, s a store's name, o optional milliseconds (-1 when left
 * out). */
struct fault_args {
    int64_t ms;
    uint32_t ppm;
    int n;
    int code;
    enum sim_store_id store;
};

struct fault_row {
    const char *name, *letters, *usage;
    void (*set)(struct simmodem *m, const struct fault_args *a);
};

static int64_t until(const struct simmodem *m, const struct fault_args *a)
{
    return m->now_us + a->ms * SIM_MS;
}

static void set_silence(struct simmodem *m, const struct fault_args *a)
{
    m->fault.silence_until = until(m, a);
}

static void set_wedge(struct simmodem *m, const struct fault_args *a)
{
    (void)a;
    sim_wedge(m);
}

static void set_power(struct simmodem *m, const struct fault_args *a)
{
    (void)a;
    simmodem_power_cycle(m, m->now_us / SIM_MS);
}

static void set_sent_500(struct simmodem *m, const struct fault_args *a)
{
    m->fault.sent_500 = a->n;
}

static void set_index_lost(struct simmodem *m, const struct fault_args *a)
{
    m->fault.index_lost = a->n;
}

static void set_garbage(struct simmodem *m, const struct fault_args *a)
{
    m->fault.garbage_until = until(m, a);
    m->fault.garbage_ppm = a->ppm;
}

static void set_drop(struct simmodem *m, const struct fault_args *a)
{
    m->fault.drop_until = until(m, a);
    m->fault.drop_ppm = a->ppm;
}

static void set_double(struct simmodem *m, const struct fault_args *a)
{
    m->fault.double_until = until(m, a);
    m->fault.double_ppm = a->ppm;
}

static void set_late(struct simmodem *m, const struct fault_args *a)
{
    m->fault.late = a->n;
    m->fault.late_us = a->ms * SIM_MS;
}

static void set_ok_lost(struct simmodem *m, const struct fault_args *a)
{
    m->fault.ok_lost = a->n;
}

static void set_prompt_bare(struct simmodem *m, const struct fault_args *a)
{
    m->fault.prompt_bare = a->n;
}

static void set_prompt_missing(struct simmodem *m, const struct fault_args *a)
{
    m->fault.prompt_missing = a->n;
}

static void set_urc_inside(struct simmodem *m, const struct fault_args *a)
{
    m->fault.urc_inside = a->n;
}

static void set_error(struct simmodem *m, const struct fault_args *a)
{
    m->fault.error = a->n;
}

static void set_cms(struct simmodem *m, const struct fault_args *a)
{
    m->fault.cms = a->n;
    m->fault.cms_code = a->code;
}

static void set_cms_rate(struct simmodem *m, const struct fault_args *a)
{
    m->fault.cms_rate_until = until(m, a);
    m->fault.cms_ppm = a->ppm;
    m->fault.cms_rate_code = a->code;
}

static void set_cme(struct simmodem *m, const struct fault_args *a)
{
    m->fault.cme = a->n;
    m->fault.cme_code = a->code;
}

static void set_reboot(struct simmodem *m, const struct fault_args *a)
{
    if (m->power == SIM_GONE)
        return;
    if (m->p.gone_ms)
        sim_vanish(m, (a->ms < 0 ? m->p.gone_ms : a->ms) * SIM_MS);
    else
        sim_reboot(m, a->ms < 0 ? sim_boot_us(m) : a->ms * SIM_MS);
}

static void set_vanish(struct simmodem *m, const struct fault_args *a)
{
    sim_vanish(m, a->ms < 0 ? -1 : a->ms * SIM_MS);
}

static void set_return(struct simmodem *m, const struct fault_args *a)
{
    (void)a;
    sim_return(m);
}

static void set_no_network(struct simmodem *m, const struct fault_args *a)
{
    m->fault.no_network_until = until(m, a);
}

static void set_registration(struct simmodem *m, const struct fault_args *a)
{
    m->home_stat = a->code;
}

static void set_signal(struct simmodem *m, const struct fault_args *a)
{
    m->signal = a->code;
}

static void set_memory_full(struct simmodem *m, const struct fault_args *a)
{
    m->fault.full_until = until(m, a);
}

static void set_capacity(struct simmodem *m, const struct fault_args *a)
{
    sim_store_resize(m, a->store, (unsigned)a->code);
}

static void set_sim_out(struct simmodem *m, const struct fault_args *a)
{
    (void)a;
    m->sim_out = true;
    sim_urc(m, "+CPIN: NOT INSERTED");
}

static void set_sim_in(struct simmodem *m, const struct fault_args *a)
{
    (void)a;
    m->sim_out = false;
    if (m->pin == SIM_PIN_READY && m->pin_code[0])
        m->pin = SIM_PIN_ASKED;
    if (m->pin == SIM_PIN_READY)
        sim_get_ready(m);
    sim_urc(m, m->pin == SIM_PIN_READY ? "+CPIN: READY" : "+CPIN: SIM PIN");
}

static void set_mr(struct simmodem *m, const struct fault_args *a)
{
    m->mr = (uint8_t)a->code;
}

static void set_report_lost(struct simmodem *m, const struct fault_args *a)
{
    m->fault.report_lost = a->n;
}

static void set_report_late(struct simmodem *m, const struct fault_args *a)
{
    m->fault.report_late = a->n;
    m->fault.report_late_us = a->ms * SIM_MS;
}

static void set_report_double(struct simmodem *m, const struct fault_args *a)
{
    m->fault.report_double = a->n;
}

static void set_report_status(struct simmodem *m, const struct fault_args *a)
{
    m->fault.report_status = a->n;
    m->fault.report_st = (uint8_t)a->code;
}

static void set_report_shuffle(struct simmodem *m, const struct fault_args *a)
{
    sim_net_release_reports(m);
    m->fault.report_shuffle = a->n < PDU_MAX_SEGMENTS ? a->n : PDU_MAX_SEGMENTS;
}

static void set_duplicate(struct simmodem *m, const struct fault_args *a)
{
    m->fault.duplicate = a->n;
    m->fault.duplicate_copies = a->code;
}

static void set_parts_shuffled(struct simmodem *m, const struct fault_args *a)
{
    m->fault.parts_shuffled = a->n;
}

static void set_clear(struct simmodem *m, const struct fault_args *a)
{
    (void)a;
    m->fault = (struct sim_faults){0};
    m->wedged = false;
    m->home_stat = 1;
    m->memory_full = false;
    sim_net_release_reports(m);
}

static const struct fault_row rows[] = {
    {"silence", "m", "silence MS", set_silence},
    {"wedge", "", "wedge", set_wedge},
    {"power", "", "power", set_power},
    {"garbage", "rm", "garbage RATE MS", set_garbage},
    {"drop", "rm", "drop RATE MS", set_drop},
    {"double", "rm", "double RATE MS", set_double},
    {"late", "mn", "late MS [N]", set_late},
    {"ok_lost", "n", "ok_lost [N]", set_ok_lost},
    {"sent_500", "n", "sent_500 [N]", set_sent_500},
    {"index_lost", "n", "index_lost [N]", set_index_lost},
    {"prompt_bare", "n", "prompt_bare [N]", set_prompt_bare},
    {"prompt_missing", "n", "prompt_missing [N]", set_prompt_missing},
    {"urc_inside", "n", "urc_inside [N]", set_urc_inside},
    {"error", "n", "error [N]", set_error},
    {"cms", "cn", "cms CODE [N]", set_cms},
    {"cms_rate", "crm", "cms_rate CODE RATE MS", set_cms_rate},
    {"cme", "cn", "cme CODE [N]", set_cme},
    {"reboot", "o", "reboot [MS]", set_reboot},
    {"vanish", "o", "vanish [MS]", set_vanish},
    {"return", "", "return", set_return},
    {"no_network", "m", "no_network MS", set_no_network},
    {"registration", "c", "registration STAT", set_registration},
    {"signal", "c", "signal N", set_signal},
    {"memory_full", "m", "memory_full MS", set_memory_full},
    {"capacity", "sc", "capacity STORE N", set_capacity},
    {"sim_out", "", "sim_out", set_sim_out},
    {"sim_in", "", "sim_in", set_sim_in},
    {"mr", "c", "mr N", set_mr},
    {"report_lost", "n", "report_lost [N]", set_report_lost},
    {"report_late", "mn", "report_late MS [N]", set_report_late},
    {"report_double", "n", "report_double [N]", set_report_double},
    {"report_status", "hn", "report_status ST [N]", set_report_status},
    {"report_shuffle", "n", "report_shuffle [N]", set_report_shuffle},
    {"duplicate", "cn", "duplicate COPIES [N]", set_duplicate},
    {"parts_shuffled", "n", "parts_shuffled [N]", set_parts_shuffled},
    {"clear", "", "clear", set_clear},
};

const char *simmodem_fault_usage(size_t i)
{
    return i < ARRAY_LEN(rows) ? rows[i].usage : NULL;
}

/* ---- reading the arguments ---- */

static bool read_rate(const char *word, uint32_t *ppm)
{
    char *end;
    double v = strtod(word, &end);
    if (end == word)
        return false;
    if (*end == '%') {
        v /= 100;
        end++;
    }
    if (*end || !(v >= 0 && v <= 1))
        return false;
    *ppm = (uint32_t)(v * 1e6);
    return true;
}

static bool read_hex_octet(const char *word, int *out)
{
    char *end;
    unsigned long v = strtoul(word, &end, 16);
    *out = (int)(v & 0xFF);
    return end != word && !*end && v <= 0xFF;
}

static bool read_int(const char *word, int64_t max, int *out)
{
    int64_t v;
    if (!str_to_i64(word, 0, max, &v))
        return false;
    *out = (int)v;
    return true;
}

static bool read_word(char letter, const char *word, struct fault_args *a)
{
    enum { MAX_COUNT = 1000000000, MAX_CODE = 65535 };
    const int64_t max_ms = INT64_C(1000) * 86400 * 366;
    switch (letter) {
    case 'm':
    case 'o':
        return str_to_i64(word, 0, max_ms, &a->ms);
    case 'r':
        return read_rate(word, &a->ppm);
    case 'n':
        return read_int(word, MAX_COUNT, &a->n);
    case 'c':
        return read_int(word, MAX_CODE, &a->code);
    case 'h':
        return read_hex_octet(word, &a->code);
    default:
        return sim_store_by_name(word, &a->store);
    }
}

static bool read_words(const char *letters, const char *args, struct fault_args *a)
{
    char words[128];
    char *rest = NULL;
    *a = (struct fault_args){.ms = -1, .n = 1};
    if (!str_copy(words, sizeof(words), args ? args : ""))
        return false;
    char *word = strtok_r(words, " ", &rest);
    for (; *letters; letters++) {
        if (!word && (*letters == 'n' || *letters == 'o'))
            continue;
        if (!word || !read_word(*letters, word, a))
            return false;
        word = strtok_r(NULL, " ", &rest);
    }
    return !word;
}

int simmodem_fault(struct simmodem *m, const char *name, const char *args, int64_t now_ms, struct err *e)
{
    struct fault_args a;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        if (!read_words(rows[i].letters, args, &a))
            return err_set(e, ERR_INVALID, "expected: %s", rows[i].usage);
        simmodem_tick(m, now_ms);
        rows[i].set(m, &a);
        simmodem_tick(m, now_ms);
        sim_wake(m);
        return 0;
    }
    return err_set(e, ERR_NOT_FOUND, "there is no fault \"%s\"", name);
}
