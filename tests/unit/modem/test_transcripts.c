/* What real modems said (SIMGATE_SHARED/facts/transcripts.jsonl), judged by a whole modem: each line that
 * says what it should mean is put where the modem would meet it, as an answer or unasked, and what follows is
 * looked at. Byte streams are judged by tests/unit/at/test_transcripts.c.
 *
 * Expectations that simgate does not share, and why:
 *
 *   1-44     area code, cell and technology of +CREG lines: nothing is done by them, they are not read
 *   202-204, 207, 208   how calls go on (BEGIN, END, DTMF, CLCC): recognised, and of no consequence
 *   209-215  Telit's #QSS: SIM states are read from +CPIN, which these modems have as well
 *   259      +CMGD=? as a list of messages: a listing by +CMGL tells the same and the PDUs
 */
#include "modem/modem_private.h"
#include "tests/lib/dialogue_test.h"

#include "at/internal.h"
#include "modem/ussd_text.h"
#include "tests/lib/transcripts.h"

#define CHECK TRANSCRIPT_CHECK

/* A message of 25 octets behind the service centre's. */
#define PDU_25                                                                                               \
    "07919471060740F0040C91947199999999000462111219000080064142434445"                                       \
    "46"

#define PDU_26                                                                                               \
    "07919471060740F0040C91947199999999000462111219000080074142434445"                                       \
    "4647"

static const char *words(const struct transcript *tr)
{
    return json_is_string(tr->expect) ? json_string_value(tr->expect) : "";
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The answer to `command` is what was recorded, with the OK that some lack. */
static void answers(struct dialogue *d, const struct transcript *tr, const char *command)
{
    char answer[1200];
    bool final = strstr(tr->rx, "OK\r\n") || strstr(tr->rx, "ERROR");

    snprintf(answer, sizeof answer, "\r\n%s%s", tr->rx, final ? "" : "\r\n\r\nOK\r\n");
    port_script_answer(d->port, command, answer);
}

static struct dialogue *ready_with(const struct transcript *tr, const char *command)
{
    struct dialogue *d = dialogue_new();

    if (command)
        answers(d, tr, command);
    if (!dialogue_ready(d))
        fail_msg("transcript %d: the modem does not become ready: %s", tr->id, d->carrier->reason);
    return d;
}

/* ---- registration ---- */

static void judge_registration(const struct transcript *tr)
{
    bool reply = transcript_is(tr, "reply");
    int64_t stat = json_is_object(tr->expect) ? json_integer_value(json_object_get(tr->expect, "stat")) : 1;
    const char *line = tr->rx + strspn(tr->rx, "\r\n");
    char text[128];

    str_copy(text, sizeof text, line);
    text[strcspn(text, "\r\n")] = '\0';
    int got = registration_stat(text, reply);
    if (got != stat)
        fail_msg("transcript %d: %s is stat %d, not %d", tr->id, text, got, (int)stat);
}

/* ---- settings ---- */

/* The stores that are offered for received messages are those that may be chosen; one that the modem does not
 * know is never named. */
static void judge_cpms_test(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();
    json_t *group, *name;
    size_t i, k;
    char offered[64] = "";

    answers(d, tr, "AT+CPMS=?");
    CHECK(tr, dialogue_ready(d) || d->carrier->state == CARRIER_READY);
    dialogue_free(d);
    d = dialogue_new();
    answers(d, tr, "AT+CPMS=?");
    modem_start(d->modem);
    dialogue_run(d, 30000);
    const char *heard = strstr(port_script_heard(d->port), "AT+CPMS=\"");
    json_array_foreach(tr->expect, i, group) json_array_foreach(group, k, name)
        snprintf(offered + strlen(offered), sizeof offered - strlen(offered), "%s ", json_string_value(name));
    CHECK(tr, heard != NULL);
    char mem[3] = {heard[9], heard[10], 0};
    CHECK(tr, !*offered || strstr(offered, mem) != NULL);
    dialogue_free(d);
}

struct asked {
    struct modem_ask ask;
    int status;
    char answer[512];
};

static void on_asked(struct modem_ask *ask, int status, const char *answer)
{
    struct asked *a = container_of(ask, struct asked, ask);

    a->status = status;
    str_copy(a->answer, sizeof a->answer, answer);
}

/* An operator's question gets the line as it is, and nothing else is made of it. */
static void judge_asked(const struct transcript *tr)
{
    struct dialogue *d = ready_with(tr, tr->command);
    struct asked a = {.ask = {.done = on_asked}, .status = 1};
    char line[256];

    CHECK(tr, modem_ask_at(d->modem, tr->command, &a.ask, NULL) == 0);
    dialogue_run(d, 5000);
    str_copy(line, sizeof line, tr->rx);
    line[strcspn(line, "\r\n")] = '\0';
    CHECK(tr, a.status == 0 && strstr(a.answer, line) != NULL);
    CHECK(tr, d->carrier->state == CARRIER_READY);
    dialogue_free(d);
}

static void judge_csca(const struct transcript *tr)
{
    static const struct {
        int id;
        const char *number;
    } numbers[] = {
        {187, "+971555515515"}, {188, "+971555515515"}, {189, "+971555515515"}, {190, "+380639010000"}};
    struct dialogue *d = ready_with(tr, "AT+CSCA?");
    struct modem_status s;

    modem_get_status(d->modem, &s);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (tr->id == numbers[i].id && strcmp(s.smsc, numbers[i].number) != 0)
            fail_msg("transcript %d: %s, not %s", tr->id, s.smsc, numbers[i].number);
    dialogue_free(d);
}

/* The number up to what is said about it in brackets. */
static void judge_cnum(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();
    size_t len = strcspn(words(tr), " ");

    d->conf.number = "";
    answers(d, tr, "AT+CNUM");
    CHECK(tr, dialogue_ready(d));
    if (strlen(d->carrier->number) != len || strncmp(d->carrier->number, words(tr), len) != 0)
        fail_msg("transcript %d: %s, not %s", tr->id, d->carrier->number, words(tr));
    dialogue_free(d);
}

static void judge_cops(const struct transcript *tr)
{
    struct dialogue *d = ready_with(tr, "AT+COPS?");

    CHECK(tr, strcmp(d->carrier->operator_name, "TELE2") == 0);
    dialogue_free(d);
}

static void judge_cpin(const struct transcript *tr)
{
    dialogue_free(ready_with(tr, "AT+CPIN?"));
}

/* SMS commands are refused to the end: the modem is not used, and the reason names the command. */
static void judge_no_sms(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();

    answers(d, tr, "AT+CMGF=0");
    bool named = false;
    modem_start(d->modem);
    for (int i = 0; i < 300; i++) {
        dialogue_run(d, 1000);
        CHECK(tr, d->carrier->state != CARRIER_READY);
        named = named || strstr(d->carrier->reason, "CMGF");
    }
    CHECK(tr, named);
    dialogue_free(d);
}

/* The attempt that it takes is found. */
static void judge_cnmi(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();

    answers(d, tr, "AT+CNMI=?");
    port_script_answer(d->port, "AT+CNMI=*", "\r\nERROR\r\n");
    port_script_answer(d->port, words(tr), "\r\nOK\r\n");
    CHECK(tr, dialogue_ready(d));
    say(d, "\r\n+CMTI: \"SM\",3\r\n");
    CHECK(tr, port_script_count(d->port, "AT+CMGR=3") == 1);
    struct modem_status s;
    modem_get_status(d->modem, &s);
    CHECK(tr, strstr(s.receive_plan, words(tr)) != NULL);
    dialogue_free(d);
}

static void judge_csms(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();

    d->conf.plan = MODEM_PLAN_DIRECT;
    answers(d, tr, "AT+CSMS=?");
    port_script_answer(d->port, "AT+CSMS=1", "\r\n+CMS ERROR: 302\r\n");
    modem_start(d->modem);
    dialogue_run(d, 30000);
    CHECK(tr, port_script_count(d->port, "AT+CSMS=128") == 1);
    dialogue_free(d);
}

/* The third pair says where messages go; three arguments leave no doubt, and every store is read. */
static void judge_cpms_set(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();

    port_script_answer(d->port, "AT+CPMS=?",
                       "\r\n+CPMS: (\"SM\",\"ME\"),(\"SM\",\"ME\"),(\"SM\",\"ME\")\r\n\r\nOK\r\n");
    answers(d, tr, "AT+CPMS=\"*");
    modem_start(d->modem);
    dialogue_run(d, 60000);
    CHECK(tr, dialogue_heard(d, "AT+CPMS=\"SM\",\"SM\",\"SM\"\n"));
    CHECK(tr, strstr(port_script_heard(d->port), "AT+CPMS=\"ME\",") != NULL);
    CHECK(tr, port_script_count(d->port, "AT+CMGL=4") >= 2);
    dialogue_free(d);
}

/* ---- errors ---- */

static void judge_busy_signal(const struct transcript *tr)
{
    struct at_result r = {.code = AT_CME_ERROR, .number = 515};

    CHECK(tr, errors_class(&r) == CARRIER_E_BUSY);
    CHECK(tr, script_busy_code(&r));
}

static void judge_busy_sim(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();
    struct modem_status s;

    port_script_answer_times(d->port, "AT+CSCA?", tr->rx, 3);
    CHECK(tr, dialogue_ready(d));
    modem_get_status(d->modem, &s);
    CHECK(tr, strcmp(s.smsc, "+491710760000") == 0);
    dialogue_free(d);
}

/* Nothing that needs the SIM is asked before the PIN. */
static void judge_pin_first(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();

    d->conf.pin = "1234";
    port_script_answer(d->port, "AT+CMGF=0", tr->rx);
    port_script_answer_times(d->port, "AT+CMGF=0", "\r\nOK\r\n", 1);
    port_script_answer_times(d->port, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n", 1);
    modem_start(d->modem);
    dialogue_run(d, 30000);
    const char *pin = strstr(port_script_heard(d->port), "AT+CPIN=\"1234\"");
    const char *cmgf = strstr(port_script_heard(d->port), "AT+CMGF=0");
    CHECK(tr, pin && cmgf && pin < cmgf && d->carrier->state == CARRIER_READY);
    dialogue_free(d);
}

static void judge_error_500(const struct transcript *tr)
{
    struct at_result r = {.code = AT_CMS_ERROR, .number = 500};

    CHECK(tr, errors_class(&r) == CARRIER_E_UNCLEAR);
    CHECK(tr, strstr(tr->rx, "+CMS ERROR: 500") || strstr(tr->rx, "Unknown error"));
}

static struct carrier_outcome last;
static unsigned ended;

static void on_sent(struct carrier_submit *s, const struct carrier_outcome *o)
{
    (void)s;
    last = *o;
    ended++;
}

static void submit(struct dialogue *d, struct carrier_submit *s, bool more)
{
    static const uint8_t pdu[] = {0x00, 0x01, 0x00, 0x05, 0x91, 0x21, 0x43, 0xF5, 0x00, 0x04, 0x01, 0x41};

    *s = (struct carrier_submit){
        .pdu = pdu, .len = sizeof pdu, .tpdu_len = sizeof pdu - 1, .more = more, .done = on_sent};
    ended = 0;
    assert_int_equal(d->carrier->ops->submit(d->carrier, s), 0);
    for (int i = 0; !ended && i < 300; i++)
        dialogue_run(d, 1000);
    assert_int_equal(ended, 1);
}

/* The words of +CMEE=2 are the number that they stand for. */
static void judge_error_words(const struct transcript *tr)
{
    struct carrier_submit s;
    struct dialogue *d = ready_with(tr, NULL);

    port_script_answer(d->port, "data", "\r\n+CMS ERROR: Unknown error\r\n");
    submit(d, &s, false);
    CHECK(tr, last.result == CARRIER_FAILED && last.code == 500);
    dialogue_free(d);
}

/* One refusal, and the link is never held again. */
static void judge_no_cmms(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();
    struct carrier_submit s;

    port_script_answer(d->port, "AT+CMMS=?", "\r\n+CMMS: (0-2)\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CMMS=1", tr->rx);
    port_script_answer(d->port, "AT+CMMS=2", tr->rx);
    CHECK(tr, dialogue_ready(d));
    for (int i = 0; i < 4; i++) {
        submit(d, &s, i < 3);
        CHECK(tr, last.result == CARRIER_SENT);
    }
    CHECK(tr, port_script_count(d->port, "AT+CMMS=1") + port_script_count(d->port, "AT+CMMS=2") == 1);
    dialogue_free(d);
}

/* ---- messages ---- */

/* What the modem does about a message that `notice` announces as the fifth of SM. */
static struct dialogue *announced(const struct transcript *tr, const char *answer)
{
    struct dialogue *d = ready_with(tr, NULL);

    port_script_answer(d->port, "AT+CMGR=5", answer);
    say(d, "\r\n+CMTI: \"SM\",5\r\n");
    dialogue_run(d, 2000);
    return d;
}

static void judge_cmgr(const struct transcript *tr)
{
    char answer[1200];
    struct dialogue *d;

    snprintf(answer, sizeof answer, "\r\n%s\r\n\r\nOK\r\n", tr->rx);
    d = announced(tr, answer);
    CHECK(tr, d->in_count == 1 && d->in[0].tpdu_len == 50);
    CHECK(tr, port_script_count(d->port, "AT+CMGD=5") == 1);
    dialogue_free(d);
}

/* The transcript's PDU is cut off: its header stands before one that is whole. */
static void judge_cmgr_one_line(const struct transcript *tr)
{
    struct dialogue *d = announced(tr, "\r\n+CMGR: 1,,25 " PDU_25 "\r\n\r\nOK\r\n");

    CHECK(tr, d->in_count == 1 && d->in[0].tpdu_len == 25 && strcmp(d->in[0].text, PDU_25) == 0);
    dialogue_free(d);
}

/* An empty place, however it is told, is asked a few times at the most, and nothing comes of it. */
static void judge_empty(const struct transcript *tr)
{
    struct dialogue *d = announced(tr, tr->rx);

    dialogue_run(d, 120000);
    CHECK(tr, d->in_count == 0 && d->carrier->state == CARRIER_READY);
    CHECK(tr, port_script_count(d->port, "AT+CMGR=5") <= 5);
    dialogue_free(d);
}

static void judge_cmgl(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();
    char answer[1200];
    bool own = json_is_object(tr->expect);

    snprintf(answer, sizeof answer, "\r\n%s\r\n%s\r\nOK\r\n", tr->rx, own ? "" : PDU_26 "\r\n");
    port_script_answer_times(d->port, "AT+CMGL=4", answer, 1);
    modem_start(d->modem);
    dialogue_run(d, 30000);
    CHECK(tr, d->in_count == (own ? 0 : 1));
    CHECK(tr, port_script_count(d->port, "AT+CMGD=1") == (own ? 0 : 1));
    CHECK(tr, port_script_count(d->port, "AT+CMGD") == (own ? 0 : 1)); /* own messages are left alone */
    dialogue_free(d);
}

static void judge_cmti(const struct transcript *tr)
{
    bool told = json_is_integer(tr->expect) && json_integer_value(tr->expect) >= 0;
    struct dialogue *d = ready_with(tr, NULL);
    char command[32], line[64];

    snprintf(command, sizeof command, "AT+CMGR=%d", told ? (int)json_integer_value(tr->expect) : -1);
    snprintf(line, sizeof line, "%s\r\n", tr->rx);
    say(d, line);
    dialogue_run(d, 10000);
    if (told && !port_script_count(d->port, command) && !port_script_count(d->port, "AT+CMGL"))
        fail_msg("transcript %d: no %s in %s", tr->id, command, port_script_heard(d->port));
    CHECK(tr, told || (!port_script_count(d->port, "AT+CMGR") && port_script_count(d->port, "AT+CMGL")));
    dialogue_free(d);
}

/* A header of +CMT or +CDS before a PDU as long as it says. */
static void judge_direct(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();
    char text[512];
    const char *hole = strstr(tr->rx, "<pdu>");

    d->conf.plan = MODEM_PLAN_DIRECT;
    CHECK(tr, dialogue_ready(d));
    if (hole)
        snprintf(text, sizeof text, "\r\n%.*s" PDU_25 "\r\n", (int)(hole - tr->rx), tr->rx);
    else
        str_copy(text, sizeof text, tr->rx);
    say(d, text);
    dialogue_run(d, 3000);
    CHECK(tr, d->in_count == 1 && !d->in[0].malformed);
    CHECK(tr, d->in[0].tpdu_len == (hole ? 25 : 24));
    CHECK(tr, port_script_count(d->port, "AT+CNMA") == 1);
    if (!hole) {
        uint8_t octets[200];
        struct pdu_any any;
        int n = hex_decode(d->in[0].text, strlen(d->in[0].text), octets, sizeof octets);
        CHECK(tr, n > 0 && pdu_decode(octets, (size_t)n, 24, &any, NULL) == 0);
        CHECK(tr, any.kind == PDU_KIND_REPORT && any.u.report.mr == 90 && any.u.report.st == 0x30);
    }
    dialogue_free(d);
}

/* The second acknowledgement is refused: nothing more is acknowledged, and nothing is offered twice. */
static void judge_cnma(const struct transcript *tr)
{
    struct dialogue *d = dialogue_new();

    d->conf.plan = MODEM_PLAN_DIRECT;
    answers(d, tr, "AT+CNMA*");
    CHECK(tr, dialogue_ready(d));
    say(d, "\r\n+CMT: ,25\r\n" PDU_25 "\r\n");
    dialogue_run(d, 60000);
    CHECK(tr, d->in_count == 1 && port_script_count(d->port, "AT+CNMA") <= 3);
    CHECK(tr, d->carrier->state == CARRIER_READY);
    dialogue_free(d);
}

/* No prompt comes; the ESC that abandons it is answered with an error: the next message is sent as usual. */
static void judge_escape(const struct transcript *tr)
{
    struct dialogue *d = ready_with(tr, NULL);
    struct carrier_submit s;

    port_script_answer_times(d->port, "AT+CMGS=*", "", 1);
    submit(d, &s, false);
    CHECK(tr, last.result == CARRIER_NOT_SUBMITTED);
    say(d, tr->rx);
    dialogue_run(d, 60000);
    submit(d, &s, false);
    CHECK(tr, last.result == CARRIER_SENT);
    dialogue_free(d);
}

static void judge_full(const struct transcript *tr)
{
    struct dialogue *d = ready_with(tr, NULL);

    say(d, tr->rx);
    dialogue_run(d, 5000);
    CHECK(tr, port_script_count(d->port, "AT+CMGL=4") >= 1);
    dialogue_free(d);
}

/* ---- what is said unasked ---- */

/* Each line is known as a code and is not taken for the answer to a command which takes any; whatever it
 * makes the modem room do, the modem is ready again soon. */
static void judge_code(const struct transcript *tr)
{
    struct dialogue *d = ready_with(tr, NULL);
    struct asked a = {.ask = {.done = on_asked}, .status = 1};
    char *copy = strdup(tr->rx), *save;

    for (char *line = strtok_r(copy, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
        static struct at_chan ch;
        at_init(&ch, &(struct at_events){0}, NULL);
        if (at_urc_kind(&ch, line) != AT_URC_KNOWN)
            fail_msg("transcript %d: \"%s\" is not known", tr->id, line);
        at_fini(&ch);
    }
    free(copy);
    port_script_answer(d->port, "ATI9", "");
    CHECK(tr, modem_ask_at(d->modem, "ATI9", &a.ask, NULL) == 0);
    say(d, tr->rx);
    say(d, "\r\nTHE ANSWER\r\n\r\nOK\r\n");
    dialogue_run(d, 60000);
    if (a.status == 0 && strcmp(a.answer, "THE ANSWER\nOK") != 0)
        fail_msg("transcript %d: answered \"%s\"", tr->id, a.answer);
    for (int i = 0; d->carrier->state != CARRIER_READY && i < 60; i++)
        dialogue_run(d, 1000);
    CHECK(tr, d->carrier->state == CARRIER_READY);
    dialogue_free(d);
}

/* A restart: from the first AT again. */
static void judge_banner(const struct transcript *tr)
{
    struct dialogue *d = ready_with(tr, NULL);

    say(d, tr->rx);
    dialogue_run(d, 60000);
    CHECK(tr, port_script_count(d->port, "AT+CPIN?") >= 1 && port_script_count(d->port, "AT+CNMI=") >= 1);
    CHECK(tr, d->carrier->state == CARRIER_READY);
    dialogue_free(d);
}

/* The SIM is asked about. */
static void judge_sim(const struct transcript *tr)
{
    struct dialogue *d = ready_with(tr, NULL);

    say(d, tr->rx);
    dialogue_run(d, 30000);
    CHECK(tr, port_script_count(d->port, "AT+CPIN?") >= 1);
    dialogue_free(d);
}

/* ---- USSD ---- */

static const struct {
    int id;
    const char *text; /* how the answer begins */
} ussd_texts[] = {
    {75, "Ihr Guthaben"}, /* septets in its middle are made unreadable */
    {76, "Ihr Guthaben für die Nr.4915783647410 beträgt 5.78 Euro"},
    {77, "Kontostand: 3.00 EUR Bitte wählen Sie: 1 Konto aufladen"},
    {78, "Maaf, permintaan Anda tidak dapat kami proses. Silakan coba beberapa saat lagi."},
    {79, "Havi keret: 0Ft. Feltöltött egyenleg: 7777Ft"},
    {80, "Для"},
    {219, "OCTATOK 0.51 p."},
    {220, "OCTATOK 0.51 p."},
    {82, "رصيدك 107.93 د.ل"}, /* and not the memory that follows */
    {81, "On DATA Pack u have 3Gb 817Mb 169kb valid until 21/05/2016"},
};

static void judge_cusd_text(const struct transcript *tr)
{
    char *copy = strdup(strchr(tr->rx, '+')), *line = strtok(copy, "\r\n");
    struct at_cur c = at_cur_after(line, "+CUSD:");
    char string[1500], out[USSD_TEXT_BYTES];
    int64_t kind, dcs = -1;

    CHECK(tr, at_cur_number(&c, &kind) && at_cur_string(&c, string, sizeof string));
    at_cur_number(&c, &dcs);
    ussd_decode(string, dcs, CODING_AUTO, out);
    for (size_t i = 0; i < ARRAY_LEN(ussd_texts); i++)
        if (tr->id == ussd_texts[i].id && !begins(out, ussd_texts[i].text))
            fail_msg("transcript %d: \"%s\"", tr->id, out);
    free(copy);
}

struct dialled {
    struct modem_ussd session;
    unsigned answers;
    int status;
    char text[USSD_TEXT_BYTES];
};

static void on_answered(struct modem_ussd *u, int status, const char *text, bool more)
{
    struct dialled *s = container_of(u, struct dialled, session);

    (void)more;
    s->answers++;
    s->status = status;
    str_copy(s->text, sizeof s->text, text);
}

/* The network ends the session without a text: its user is told that, once and at once. */
static void judge_cusd_refused(const struct transcript *tr)
{
    struct dialogue *d = ready_with(tr, NULL);
    struct dialled s = {.session = {.answered = on_answered}};
    char line[64];

    snprintf(line, sizeof line, "\r\nOK\r\n\r\n%s\r\n", strstr(tr->rx, "+CUSD"));
    port_script_answer(d->port, "AT+CUSD=1*", line);
    CHECK(tr, modem_ussd_begin(d->modem, "*100#", &s.session, NULL) == 0);
    dialogue_run(d, 5000);
    if (s.answers != 1 || s.status == 0)
        fail_msg("transcript %d: %u answers, status %d, \"%s\"", tr->id, s.answers, s.status, s.text);
    dialogue_run(d, 300000);
    CHECK(tr, s.answers == 1 && d->carrier->state == CARRIER_READY);
    dialogue_free(d);
}

/* ---- all of them ---- */

static const struct {
    int from, to;
    void (*judge)(const struct transcript *tr);
} judges[] = {
    {1, 44, judge_registration},    {48, 53, judge_cpms_test},       {54, 56, judge_asked},
    {75, 82, judge_cusd_text},      {164, 164, judge_busy_signal},   {165, 165, judge_busy_sim},
    {166, 166, judge_pin_first},    {187, 190, judge_csca},          {191, 192, judge_cmgl},
    {193, 193, judge_cmgr},         {194, 194, judge_cmgr_one_line}, {195, 195, judge_direct},
    {199, 201, judge_cnum},         {202, 208, judge_code},          {209, 215, judge_asked},
    {216, 218, judge_cmti},         {219, 220, judge_cusd_text},     {221, 221, judge_cusd_refused},
    {222, 223, judge_registration}, {224, 226, judge_cops},          {227, 230, judge_cnum},
    {234, 234, judge_error_500},    {235, 235, judge_no_cmms},       {238, 239, judge_cusd_refused},
    {240, 242, judge_cpms_set},     {243, 243, judge_cnmi},          {248, 248, judge_csms},
    {249, 249, judge_full},         {250, 250, judge_no_sms},        {251, 251, judge_error_words},
    {254, 254, judge_cmti},         {255, 255, judge_empty},         {256, 256, judge_cnma},
    {257, 257, judge_escape},       {258, 258, judge_empty},         {259, 259, judge_asked},
    {260, 260, judge_cpin},         {261, 265, judge_direct},        {266, 273, judge_code},
    {274, 274, judge_full},         {275, 277, judge_code},          {278, 278, judge_banner},
    {279, 282, judge_code},         {283, 283, judge_banner},        {284, 287, judge_code},
    {288, 288, judge_sim},          {289, 290, judge_code},          {291, 293, judge_banner},
    {294, 303, judge_code},         {304, 304, judge_banner},        {305, 308, judge_code},
};

static struct {
    unsigned judged, streams, without, unjudged;
} counts;

static unsigned judge(const struct transcript *tr)
{
    if (!tr->expect || json_is_null(tr->expect)) {
        counts.without++;
        return 0;
    }
    if (transcript_is(tr, "stream")) {
        counts.streams++;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(judges); i++) {
        if (tr->id < judges[i].from || tr->id > judges[i].to)
            continue;
        judges[i].judge(tr);
        counts.judged++;
        return 1;
    }
    printf("nothing judges transcript %d\n", tr->id);
    counts.unjudged++;
    return 0;
}

/* Every line of the collection that says what it means is judged, and none is judged wrongly. */
static void every_expectation(void **state)
{
    (void)state;
    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR - 1);
    transcripts_each(judge);
    printf("%u judged, %u streams judged by the channel's test, %u say nothing of their meaning, %u not "
           "judged\n",
           counts.judged, counts.streams, counts.without, counts.unjudged);
    assert_int_equal(counts.unjudged, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_expectation)};

    return cmocka_run_group_tests_name("modem/transcripts", tests, NULL, NULL);
}
