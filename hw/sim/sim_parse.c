/* Command lines of a simulated modem: V.250 5.2 (line, basic, S-parameter and extended commands, ';'),
 * and how replies are framed (5.7). Bad input ends as ERROR and never further.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "base/util.h"
#include "hw/sim/sim_int.h"

/* ---- replies ---- */

void sim_info_line(struct simmodem *m, const char *fmt, ...)
{
    char text[2 * PDU_FULL_BYTES + 512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (m->reply.len && m->reply_cuts_len < ARRAY_LEN(m->reply_cuts))
        m->reply_cuts[m->reply_cuts_len++] = m->reply.len;
    buf_addf(&m->reply, m->set.verbose ? "\r\n%s\r\n" : "%s\r\n", text);
}

static const struct {
    int code;
    const char *text;
} error_texts[] = {
    {SIM_CME + 3, "operation not allowed"},
    {SIM_CME + 4, "operation not supported"},
    {SIM_CME + 10, "SIM not inserted"},
    {SIM_CME + 11, "SIM PIN required"},
    {SIM_CME + 12, "SIM PUK required"},
    {SIM_CME + 16, "incorrect password"},
    {SIM_CME + 30, "no network service"},
    {SIM_CME + 50, "incorrect parameters"},
    {SIM_CME + 100, "unknown"},
    {SIM_CMS + 302, "operation not allowed"},
    {SIM_CMS + 303, "operation not supported"},
    {SIM_CMS + 304, "invalid PDU mode parameter"},
    {SIM_CMS + 310, "SIM not inserted"},
    {SIM_CMS + 311, "SIM PIN required"},
    {SIM_CMS + 316, "SIM PUK required"},
    {SIM_CMS + 321, "invalid memory index"},
    {SIM_CMS + 322, "memory full"},
    {SIM_CMS + 331, "no network service"},
    {SIM_CMS + 340, "no +CNMA acknowledgement expected"},
};

static void error_line(const struct simmodem *m, int result, char *out, size_t size)
{
    bool cms = result >= SIM_CMS;
    int code = result - (cms ? SIM_CMS : SIM_CME);
    const char *name = cms ? "+CMS ERROR" : "+CME ERROR";
    if (m->set.cmee == 2) {
        for (size_t i = 0; i < ARRAY_LEN(error_texts); i++) {
            if (error_texts[i].code == result) {
                snprintf(out, size, "%s: %s", name, error_texts[i].text);
                return;
            }
        }
    }
    /* AT+CMEE rules +CME alone; TS 27.005 3.2.5 has +CMS ERROR always. */
    if (m->set.cmee == 0 && !cms)
        str_copy(out, size, "ERROR");
    else
        snprintf(out, size, "%s: %d", name, code);
}

static void final_line(struct simmodem *m, int result, struct buf *out)
{
    static const struct {
        const char *verbose, *terse;
    } plain[] = {
        [SIM_R_OK] = {"OK", "0"}, [SIM_R_ERROR] = {"ERROR", "4"}, [SIM_R_NO_CARRIER] = {"NO CARRIER", "3"}};
    char text[64];
    if (m->set.quiet)
        return;
    if (result == SIM_R_NO_FINAL)
        return;
    if (result == SIM_R_UNKNOWN && m->set.verbose) {
        buf_addf(out, "\r\n%s\r\n", m->p.unknown);
        return;
    }
    if (result == SIM_R_UNKNOWN)
        result = SIM_R_ERROR;
    if (result >= SIM_CME) {
        error_line(m, result, text, sizeof(text));
        if (strcmp(text, "ERROR") != 0) {
            buf_addf(out, "\r\n%s\r\n", text);
            return;
        }
        result = SIM_R_ERROR;
    }
    if (m->set.verbose)
        buf_addf(out, "\r\n%s\r\n", plain[result].verbose);
    else
        buf_addf(out, "%s\r", plain[result].terse);
}

/* A notice in the middle of a reply: a real one if the network has something, else a vendor's. */
static void notice_inside(struct simmodem *m, bool always, struct buf *out)
{
    struct buf caught = {0};
    m->urc_capture = &caught;
    sim_mt_step(m);
    if (caught.len == 0 && always)
        sim_urc(m, "^RSSI:%d", m->signal);
    m->urc_capture = NULL;
    buf_add(out, caught.data, caught.len);
    buf_free(&caught);
}

static void compose(struct simmodem *m, int result, struct buf *out)
{
    size_t cut = m->reply.len;
    bool inside = sim_count_down(&m->fault.urc_inside);
    if (inside && m->reply_cuts_len)
        cut = m->reply_cuts[sim_rng_below(&m->rng, (uint32_t)m->reply_cuts_len)];
    buf_add(out, buf_str(&m->reply), cut);
    if (inside)
        notice_inside(m, true, out);
    buf_add(out, buf_str(&m->reply) + cut, m->reply.len - cut);
    final_line(m, result, out);
    buf_clear(&m->reply);
    m->reply_cuts_len = 0;
}

void sim_finish(struct simmodem *m, int result)
{
    struct buf out = {0};
    compose(m, result, &out);
    if (sim_count_down(&m->fault.late)) {
        m->busy.submit = false;
        buf_add(&m->busy.held, out.data, out.len);
        sim_busy_for(m, m->fault.late_us);
    } else {
        sim_emit(m, buf_str(&out), out.len);
    }
    buf_free(&out);
    sim_urcs_flush(m);
}

void sim_prompt(struct simmodem *m, enum sim_entry entry, int tpdu_len)
{
    bool always = sim_count_down(&m->fault.urc_inside);
    if (always || (m->p.quirks & PQ_REPORT_BEFORE_PROMPT)) {
        struct buf out = {0};
        notice_inside(m, always, &out);
        sim_emit(m, buf_str(&out), out.len);
        buf_free(&out);
    }
    m->entry = entry;
    m->entry_tpdu_len = tpdu_len;
    m->hex_len = 0;
    m->hex_overlong = false;
    if (sim_count_down(&m->fault.prompt_missing))
        return;
    const char *prompt = sim_count_down(&m->fault.prompt_bare) ? "\r\n>" : m->p.prompt;
    sim_emit(m, prompt, strlen(prompt));
    if (entry == SIM_ENTRY_CMGS && sim_ok_before_pdu(m))
        sim_emit(m, "\r\nOK\r\n", 6);
}

/* ---- arguments ---- */

bool sim_arg_int(const struct sim_cmd *c, int i, int min, int max, int *out)
{
    if (i >= c->argc || !c->arg[i].present)
        return true;
    int64_t v;
    if (c->arg[i].quoted || !str_to_i64(c->arg[i].text, min, max, &v))
        return false;
    *out = (int)v;
    return true;
}

/* Reads one argument up to ',' ';' or the end. NULL when malformed. */
static const char *read_arg(const char *p, struct sim_arg *a)
{
    size_t n = 0;
    *a = (struct sim_arg){0};
    while (*p == ' ')
        p++;
    if (*p == '"') {
        a->quoted = a->present = true;
        for (p++; *p && *p != '"'; p++) {
            if (n + 1 >= sizeof(a->text))
                return NULL;
            a->text[n++] = *p;
        }
        if (*p++ != '"')
            return NULL;
        while (*p == ' ')
            p++;
        return *p == ',' || *p == ';' || *p == '\0' ? p : NULL;
    }
    for (; *p && *p != ',' && *p != ';'; p++) {
        if (n + 1 >= sizeof(a->text) || *p == '"')
            return NULL;
        a->text[n++] = *p;
    }
    while (n && a->text[n - 1] == ' ')
        n--;
    a->text[n] = '\0';
    a->present = n > 0;
    return p;
}

static const char *read_args(const char *p, struct sim_cmd *c)
{
    for (;;) {
        if (c->argc == SIM_ARGS)
            return NULL;
        p = read_arg(p, &c->arg[c->argc]);
        if (!p)
            return NULL;
        c->argc++;
        if (*p != ',')
            return p;
        p++;
    }
}

/* ---- text in the alphabet of AT+CSCS ---- */

void sim_quote(const struct simmodem *m, const char *utf8, char *out, size_t size)
{
    if (strcmp(m->set.cscs, "UCS2") != 0) {
        str_copy(out, size, utf8);
        return;
    }
    size_t len = strlen(utf8), at = 0, n = 0;
    while (at < len && n + 5 < size) {
        uint32_t cp = utf8_next(utf8, len, &at);
        n += (size_t)snprintf(out + n, size - n, "%04X", cp > 0xFFFF ? 0xFFFDu : cp);
    }
    out[n] = '\0';
}

bool sim_unquote(const struct simmodem *m, const char *text, char *out, size_t size)
{
    if (strcmp(m->set.cscs, "UCS2") != 0)
        return str_copy(out, size, text);
    uint8_t bytes[SIM_ARG_BYTES / 2];
    int n = hex_decode(text, strlen(text), bytes, sizeof(bytes));
    size_t used = 0;
    if (n < 0 || n % 2)
        return false;
    for (int i = 0; i < n; i += 2) {
        if (used + 5 > size)
            return false;
        used += utf8_put((uint32_t)(bytes[i] << 8 | bytes[i + 1]), out + used);
    }
    out[used] = '\0';
    return true;
}

/* ---- extended commands ---- */

static const struct sim_command *find(const struct sim_command *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

static int sim_missing(const struct simmodem *m, unsigned flags)
{
    int base = flags & SIM_F_SMS ? SIM_CMS + 300 : SIM_CME;
    if (m->sim_out)
        return base + 10;
    return m->pin == SIM_PIN_PUK ? base + (flags & SIM_F_SMS ? 16 : 12) : base + 11;
}

/* `text` is the command as it was written, without "AT". */
static int run_extended(struct simmodem *m, struct sim_cmd *c, const char *text, size_t len)
{
    int answer;
    const struct sim_command *cmd = find(sim_commands_sms, c->name);
    if (!cmd)
        cmd = find(sim_commands_general, c->name);
    if (sim_family_answer(m, text, len, &answer))
        return answer;
    if (!cmd || sim_family_lacks(m, c->name))
        return SIM_R_UNKNOWN;
    if (sim_count_down(&m->fault.cme))
        return SIM_CME + m->fault.cme_code;
    if ((cmd->flags & SIM_F_SMS) && sim_ready(m) && sim_not_ready(m))
        return sim_not_ready(m);
    if (c->form == SIM_TEST && (cmd->flags & SIM_F_TEST_OK))
        return SIM_R_OK;
    if (c->form != SIM_TEST && (cmd->flags & (SIM_F_SMS | SIM_F_SIM)) && !sim_ready(m))
        return sim_missing(m, cmd->flags);
    if (cmd->max)
        c->setting = cmd;
    return cmd->run(m, c);
}

static const char *parse_extended(const char *p, struct sim_cmd *c, char name[SIM_NAME_BYTES])
{
    size_t n = 0;
    name[n++] = *p++;
    while (*p && !strchr("=?; ", *p)) {
        if (n + 1 >= SIM_NAME_BYTES)
            return NULL;
        name[n++] = (char)toupper((unsigned char)*p++);
    }
    name[n] = '\0';
    c->name = name;
    while (*p == ' ')
        p++;
    if (p[0] == '=' && p[1] == '?') {
        c->form = SIM_TEST;
        p += 2;
    } else if (*p == '?') {
        c->form = SIM_READ;
        p++;
    } else if (*p == '=') {
        c->form = SIM_SET;
        return read_args(p + 1, c);
    } else {
        c->form = SIM_EXEC;
    }
    while (*p == ' ')
        p++;
    return *p == ';' || *p == '\0' ? p : NULL;
}

/* ---- basic commands ---- */

static int s_parameter(struct simmodem *m, const char **p)
{
    char *end;
    long n = strtol(*p, &end, 10);
    if (end == *p || n < 0 || n >= SIM_SREGS)
        return SIM_R_ERROR;
    *p = end + 1;
    if (*end == '?') {
        sim_info_line(m, "%03d", m->set.sregs[n]);
        return SIM_R_OK;
    }
    if (*end != '=')
        return SIM_R_ERROR;
    long v = strtol(*p, &end, 10);
    if (end == *p || v < 0 || v > 255)
        return SIM_R_ERROR;
    *p = end;
    m->set.sregs[n] = (int)v;
    return SIM_R_OK;
}

static int identify(struct simmodem *m)
{
    if (m->p.ident) {
        sim_tell(m, m->p.ident);
        return SIM_R_OK;
    }
    sim_info_line(m, "Manufacturer: %s", m->p.manufacturer);
    sim_info_line(m, "Model: %s", m->p.model);
    if (m->p.revision)
        sim_info_line(m, "Revision: %s", m->p.revision);
    sim_info_line(m, "IMEI: %s", m->imei);
    return SIM_R_OK;
}

static int reset_settings(struct simmodem *m)
{
    sim_settings_reset(&m->set);
    return SIM_R_OK;
}

/* `letter` in capitals; '&' and '\' before it make it another command. V.250 6. */
static int run_basic(struct simmodem *m, char prefix, char letter, int n)
{
    const struct {
        char letter;
        int max;
        int *setting;
    } flags[] = {{'E', 1, &m->set.echo}, {'Q', 1, &m->set.quiet}, {'V', 1, &m->set.verbose}};
    for (size_t i = 0; !prefix && i < ARRAY_LEN(flags); i++) {
        if (letter == flags[i].letter) {
            if (n > flags[i].max)
                return SIM_R_ERROR;
            *flags[i].setting = n;
            return SIM_R_OK;
        }
    }
    if (prefix == '&')
        return letter == 'F' ? reset_settings(m) : strchr("CDKSW", letter) ? SIM_R_OK : SIM_R_ERROR;
    if (prefix == '\\')
        return letter == 'Q' ? SIM_R_OK : SIM_R_ERROR;
    switch (letter) {
    case 'Z':
        return reset_settings(m);
    case 'I':
        return identify(m);
    case 'H':
        return sim_hang_up(m);
    case 'A':
        return sim_answer(m);
    case 'X':
    case 'L':
    case 'M':
        return SIM_R_OK;
    default:
        return SIM_R_ERROR;
    }
}

static const char *basic(struct simmodem *m, const char *p, int *result)
{
    char prefix = *p == '&' || *p == '\\' ? *p++ : '\0';
    char letter = (char)toupper((unsigned char)*p);
    if (*p)
        p++;
    if (!prefix && letter == 'S') {
        *result = s_parameter(m, &p);
        return p;
    }
    if (!prefix && letter == 'D') { /* data and voice calls are not carried */
        *result = SIM_R_NO_CARRIER;
        return p + strlen(p);
    }
    int n = 0;
    for (; isdigit((unsigned char)*p) && n < 1000; p++)
        n = 10 * n + *p - '0';
    *result = run_basic(m, prefix, letter, n);
    return p;
}

/* ---- the line ---- */

static int run_commands(struct simmodem *m, const char *p)
{
    int result = SIM_R_OK;
    while (result == SIM_R_OK) {
        while (*p == ' ' || *p == ';')
            p++;
        if (*p == '\0')
            break;
        if (!strchr("+^*#$%_!", *p)) {
            p = basic(m, p, &result);
            continue;
        }
        char name[SIM_NAME_BYTES];
        struct sim_cmd c;
        c.argc = 0;
        c.setting = NULL;
        const char *text = p;
        p = parse_extended(p, &c, name);
        if (!p)
            return SIM_R_ERROR;
        result = run_extended(m, &c, text, (size_t)(p - text));
    }
    return result;
}

void sim_run_line(struct simmodem *m, const char *line)
{
    const char *p = line;
    while (*p && strncasecmp(p, "AT", 2) != 0)
        p++;
    if (!*p)
        return; /* no command line: V.250 5.2.1 */
    if (sim_count_down(&m->fault.error)) {
        sim_finish(m, SIM_R_ERROR);
        return;
    }
    int result = run_commands(m, p + 2);
    if (result != SIM_R_LATER)
        sim_finish(m, result);
}
