/* An operator's own AT command: passed on unless it would break what the gateway has set up. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "modem/modem_private.h"

/* What it may not be. `query`: its forms "?" and "=?" are harmless. */
static const struct {
    const char *name; /* behind "AT" */
    bool query;
    const char *instead;
} refused[] = {
    {"+CMGS", false, "send with `simgate send`"},
    {"+CMGW", false, "send with `simgate send`"},
    {"+CMSS", false, "send with `simgate send`"},
    {"+CMGC", false, "send with `simgate send`"},
    {"+CMGD", true, "the gateway deletes what it has stored"},
    {"+CMGR", true, "the gateway reads the stores itself"},
    {"+CMGL", true, "the gateway reads the stores itself"},
    {"+CNMA", true, "the gateway acknowledges itself"},
    {"+CNMI", true, "the gateway sets it"},
    {"+CPMS", true, "the gateway sets it"},
    {"+CSMS", true, "the gateway sets it"},
    {"+CMGF", true, "the gateway sets it"},
    {"+CSCS", true, "the gateway sets it"},
    {"+CMEE", true, "the gateway sets it"},
    {"+CREG", true, "the gateway sets it"},
    {"+CEREG", true, "the gateway sets it"},
    {"+CGREG", true, "the gateway sets it"},
    {"+CSCA", true, "set modems[].smsc"},
    {"+CPIN", true, "set modems[].pin"},
    {"+CPWD", true, "it changes PINs"},
    {"+CLCK", true, "it locks the SIM"},
    {"+CUSD", true, "use `simgate ussd`"},
    {"+CFUN", true, "it takes the modem off the network"},
    {"+COPS", true, "it takes the modem off the network"},
    {"+IPR", true, "it changes the line's speed"},
    {"+ICF", true, "it changes the line's format"},
    {"+IFC", true, "it changes the line's flow control"},
    {"+CMUX", true, "it changes the line's protocol"},
    {"+CPOF", false, "it switches the modem off"},
    {"+CPWROFF", false, "it switches the modem off"},
    {"+QPOWD", false, "it switches the modem off"},
    {"^SMSO", false, "it switches the modem off"},
    {"^RESET", false, "it restarts the modem"},
    {"+CRESET", false, "it restarts the modem"},
    {"#REBOOT", false, "it restarts the modem"},
    {"!RESET", false, "it restarts the modem"},
    {"D", false, "it dials"},
    {"A", false, "it answers a call"},
    {"O", false, "it enters data mode"},
    {"E", false, "the gateway sets it"},
    {"Q", false, "the gateway sets it"},
    {"V", false, "the gateway sets it"},
    {"Z", false, "it resets the settings"},
    {"&F", false, "it resets the settings"},
    {"&W", false, "it saves settings in the modem"},
};

/* "+CPIN" of "+CPIN=1234": letters, digits and the mark in front; of basic commands (V.250 5.3.1), which may
 * be strung together, the first. */
static size_t name_len(const char *p)
{
    if (strchr("+^#*!$%_", *p) && *p) {
        size_t len = 1;
        while (isalnum((unsigned char)p[len]))
            len++;
        return len;
    }
    return *p == '&' ? 2 : 1;
}

/* What may be tried on a modem that nobody uses. */
static bool examined(const char *name)
{
    return strcmp(name, "+CSMS") == 0 || strcmp(name, "+CPMS") == 0;
}

static int guard(const struct modem *m, const char *command, struct err *e)
{
    enum { COMMAND_MAX = 120 };
    size_t len = strlen(command);

    if (len < 2 || len > COMMAND_MAX || strncasecmp(command, "AT", 2) != 0)
        return err_set(e, ERR_INVALID, "expected a command that begins with AT, at most %d characters",
                       COMMAND_MAX);
    for (const char *p = command; *p; p++) {
        if (!isprint((unsigned char)*p))
            return err_set(e, ERR_INVALID, "expected printable ASCII characters");
    }
    if (strchr(command, ';'))
        return err_set(e, ERR_REFUSED, "one command at a time");
    const char *name = command + 2;
    const char *rest = name + (*name ? name_len(name) : 0);
    bool basic = isalpha((unsigned char)*name) || *name == '&';
    if (basic && *name != 'I' && *name != 'i' && strspn(rest, "0123456789?=") != strlen(rest))
        return err_set(e, ERR_REFUSED, "one command at a time");
    bool query = strcmp(rest, "?") == 0 || strcmp(rest, "=?") == 0;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (strlen(refused[i].name) == (size_t)(rest - name) &&
            strncasecmp(name, refused[i].name, (size_t)(rest - name)) == 0 && !(query && refused[i].query) &&
            !(m->conf->look_only && examined(refused[i].name)))
            return err_set(e, ERR_REFUSED, "AT%s is not passed on: %s", refused[i].name, refused[i].instead);
    }
    return 0;
}

static void on_line(struct at_cmd *c, const char *line)
{
    enum { ANSWER_MAX = 16384 };
    struct modem *m = c->owner;

    if (m->ask_answer.len > ANSWER_MAX)
        return;
    buf_adds(&m->ask_answer, line);
    buf_addc(&m->ask_answer, '\n');
}

void ask_end(struct modem *m, int status)
{
    struct modem_ask *a = m->ask;
    struct buf answer = m->ask_answer;

    m->ask = NULL;
    m->ask_answer = (struct buf){0};
    if (a)
        a->done(a, status, buf_str(&answer));
    buf_free(&answer);
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    char text[CARRIER_TEXT_BYTES];

    m->ask_busy = false;
    line_result(m, r);
    if (r->code == AT_CLOSED) {
        ask_end(m, ERR_GONE);
        return;
    }
    errors_text(r, text, sizeof(text));
    buf_adds(&m->ask_answer, text);
    ask_end(m, r->code == AT_TIMEOUT ? ERR_TIMEOUT : r->code == AT_OK ? 0 : ERR_REFUSED);
}

/* Lines of the command's own name are its answer even where they look like unsolicited codes ("+CSQ: "); any
 * other line is if it is no such code. */
int modem_ask_at(struct modem *m, const char *command, struct modem_ask *a, struct err *e)
{
    if (!m->port || m->state == MODEM_OPENING || m->state == MODEM_PROBING || m->state == MODEM_INITIALISING)
        return err_set(e, ERR_GONE, "the modem is %s", modem_state_name(m->state));
    int status = guard(m, command, e);
    if (status)
        return status;
    if (m->ask || m->ask_busy)
        return err_set(e, ERR_BUSY, "another command is under way");
    m->ask_cmd = (struct at_cmd){.prefix = "", .cls = AT_OPERATOR, .line = on_line, .done = on_done};
    str_copy(m->ask_cmd.text, sizeof(m->ask_cmd.text), command);
    if (line_send(m, &m->ask_cmd, false) != 0)
        return err_set(e, ERR_BUSY, "the modem has too much to do");
    m->ask_busy = true;
    m->ask = a;
    return 0;
}
