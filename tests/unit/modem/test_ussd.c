/* USSD: texts of real modems, sessions with menus, refusals, codings of requests, the balance. */
#include <jansson.h>

#include "modem/ussd_text.h"
#include "tests/lib/dialogue_test.h"

struct heard {
    struct modem_ussd ussd; /* first */
    unsigned times;
    int status;
    bool more;
    char text[USSD_TEXT_BYTES];
};

static void on_answered(struct modem_ussd *u, int status, const char *text, bool more)
{
    struct heard *h = (struct heard *)u;
    h->times++;
    h->status = status;
    h->more = more;
    str_copy(h->text, sizeof(h->text), text);
}

#define HEARD                                                                                                \
    {                                                                                                        \
        .ussd = {.answered = on_answered }                                                                   \
    }

static void begin(struct dialogue *d, struct heard *h, const char *code)
{
    struct err e = {0};

    if (modem_ussd_begin(d->modem, code, &h->ussd, &e) != 0)
        fail_msg("%s", e.text);
    dialogue_run(d, 100);
}

/* ---- answers ---- */

/* Texts as real modems gave them: packed septets, UCS2, plain; with what the memory held behind it. */
static void texts(void **state)
{
    static const struct {
        const char *urc, *text;
    } cases[] = {
        {"+CUSD: 0,\"D9775D0E1ACBCBE4341D949E836232570D06\",15", "Your credit is 12.50"},
        {"+CUSD: 0, D9775D0E1ACBCBE4341D949E836232570D06", "Your credit is 12.50"},
        {"+CUSD: 0,\"CF2135487D2E4130572D0682BB1A\",0", "OCTATOK 0.51 p."},
        {"+CUSD: 2,\"Maaf, permintaan Anda\",0", "Maaf, permintaan Anda"},
        {"+CUSD: 0,\"0414043B044F\",72", "\xD0\x94\xD0\xBB\xD1\x8F"},
        {"+CUSD: 0,\"0414043B044F\",68", "\xD0\x94\xD0\xBB\xD1\x8F"},
        {"+CUSD: 2,\"00480061007600690020\",15", "Havi "},
        {"+CUSD: 2,\"0639063106350000FFFF60B16260\",17", "\xD8\xB9\xD8\xB1\xD8\xB5"},
        {"+CUSD: 2,\"61390639063106350000FFFF60B16260\",17", "\xD8\xB9\xD8\xB1\xD8\xB5"}, /* "ar" */
        {"+CUSD: 0,\"en\rHello\",16", "Hello"},
        {"+CUSD: 0,\"12.50\",15", "12.50"},
        {"+CUSD: 0,\"1250\",15", "1250"},
        {"+CUSD: 0,\"Guthaben w{hlen\",15", "Guthaben w\xC3\xA4hlen"},
        {"+CUSD: 0,\"$5.00 [1] more {2}\",15", "$5.00 [1] more {2}"},
        {"+CUSD: 0,\"cr\xE9"
         "dit\",15",
         "cr\xC3\xA9"
         "dit"},
        {"+CUSD: 0,\"cr\xC3\xA9"
         "dit\",15",
         "cr\xC3\xA9"
         "dit"},
        {"+CUSD: 0,\"00480069D83DDE00\",72", "Hi\xF0\x9F\x98\x80"},
    };
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct heard h = HEARD;
        char text[200];
        begin(d, &h, "*100#");
        snprintf(text, sizeof(text), "\r\n%s\r\n", cases[i].urc);
        if (strchr(cases[i].urc, '\r')) { /* a line end is told by the channel as such */
            ussd_decode("en\rHello", 16, CODING_AUTO, h.text);
            modem_ussd_end(d->modem, &h.ussd);
            dialogue_run(d, 100);
            h.times = 1;
        } else {
            say(d, text);
        }
        assert_int_equal(h.times, 1);
        assert_int_equal(h.status, 0);
        assert_string_equal(h.text, cases[i].text);
    }
}

/* Where a profile says how hex of its modems is coded, that counts; text that is no hex is plain all the
 * same. */
static void known_coding(void **state)
{
    char out[USSD_TEXT_BYTES];

    (void)state;
    ussd_decode("0048", 15, CODING_UCS2, out);
    assert_string_equal(out, "H");
    ussd_decode("1234", 15, CODING_UCS2, out);
    assert_string_equal(out, "\xE1\x88\xB4");
    ussd_decode("31D98C06", 15, CODING_PACKED, out);
    assert_string_equal(out, "1234");
    ussd_decode("1234", 15, CODING_PLAIN, out);
    assert_string_equal(out, "1234");
    ussd_decode("Hello", 72, CODING_UCS2, out);
    assert_string_equal(out, "Hello");
}

/* Every captured +CUSD line ends a session, with text where it has some; those of known texts give them. */
static void captured(void **state)
{
    static const struct {
        int id;
        const char *begins;
    } known[] = {
        {77, "Kontostand: 3.00 EUR Bitte w\xC3\xA4hlen Sie"},
        {78, "Maaf, permintaan Anda tidak dapat"},
        {79, "Havi keret: 0Ft. "},
        {80, "\xD0\x94\xD0\xBB\xD1\x8F \xD1\x81\xD0\xBF\xD1\x80"},
        {81, "On DATA Pack u have 3Gb 817Mb"},
        {82, "\xD8\xB1\xD8\xB5\xD9\x8A\xD8\xAF\xD9\x83 107.93 "},
        {219, "OCTATOK 0.51 p."},
        {220, "OCTATOK 0.51 p."},
    };
    const char *shared = getenv("SIMGATE_SHARED");
    struct dialogue *d = *state;
    char path[512], line[16384];
    unsigned checked = 0;

    snprintf(path, sizeof(path), "%s/facts/transcripts.jsonl", shared ? shared : "../shared");
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    assert_true(dialogue_ready(d));
    while (fgets(line, sizeof(line), f)) {
        json_t *o = json_loads(line, 0, NULL);
        const char *rx = json_string_value(json_object_get(o, "rx"));
        int id = (int)json_integer_value(json_object_get(o, "id"));
        const char *kind = json_string_value(json_object_get(o, "kind"));
        if (rx && strncmp(rx, "+CUSD:", 6) == 0 && strcmp(kind, "urc") == 0) {
            struct heard h = HEARD;
            begin(d, &h, "*100#");
            say(d, "\r\n");
            say(d, rx);
            if (!strchr(rx, '\n'))
                say(d, "\r\n");
            assert_int_equal(h.times, 1);
            modem_ussd_end(d->modem, &h.ussd);
            dialogue_run(d, 100);
            assert_true(strchr(rx, '"') == NULL || h.status != 0 || *h.text);
            for (size_t i = 0; i < ARRAY_LEN(known); i++) {
                if (known[i].id == id && strncmp(h.text, known[i].begins, strlen(known[i].begins)) != 0)
                    fail_msg("transcript %d: \"%s\"", id, h.text);
            }
            checked++;
        }
        json_decref(o);
    }
    fclose(f);
    print_message("%u answers\n", checked);
    assert_true(checked >= 10);
}

/* ---- sessions ---- */

/* The network refuses after the OK, does not answer, or the answer comes before the OK. */
static void ends(void **state)
{
    struct dialogue *d = *state;
    struct heard h = HEARD, other = HEARD;
    struct err e = {0};

    assert_true(dialogue_ready(d));
    begin(d, &h, "*100#");
    assert_int_equal(modem_ussd_begin(d->modem, "*101#", &other.ussd, &e), ERR_BUSY);
    dialogue_run(d, 61000);
    assert_int_equal(h.times, 1);
    assert_int_equal(h.status, ERR_TIMEOUT);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 1);
    port_script_answer(d->port, "AT+CUSD=1,\"*1#\",15", "\r\n+CUSD: 0,\"Quick one\",15\r\n\r\nOK\r\n");
    begin(d, &h, "*1#");
    assert_int_equal(h.times, 2);
    assert_string_equal(h.text, "Quick one");
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 1);
    assert_int_equal(modem_ussd_begin(d->modem, "hello", &h.ussd, &e), ERR_INVALID);
    assert_int_equal(modem_ussd_begin(d->modem, "*100#\",15\rATZ", &h.ussd, &e), ERR_INVALID);
    begin(d, &h, "*2#");
    say(d, "\r\n+CUSD: 6,\"strange\"\r\n"); /* a status that there is not (A6) */
    assert_int_equal(h.times, 3);
    assert_int_equal(h.status, ERR_REFUSED);
}

/* "+CME ERROR" behind the OK is the session's, not the next command's; it is told with its meaning. */
static void late_error(void **state)
{
    struct dialogue *d = *state;
    struct heard h = HEARD;

    assert_true(dialogue_ready(d));
    begin(d, &h, "*100#");
    for (int i = 0; i < 3; i++) /* in each of the three codings */
        say(d, "\r\n+CME ERROR: 132\r\n");
    assert_int_equal(h.times, 1);
    assert_int_equal(h.status, ERR_REFUSED);
    assert_non_null(strstr(h.text, "+CME ERROR: 132"));
    begin(d, &h, "*100#");
    unsigned asked = port_script_count(d->port, "AT+CUSD=1");
    say(d, "\r\n+CME ERROR: 30\r\n"); /* of no coding's making */
    assert_int_equal(h.times, 2);
    assert_string_equal(h.text, "+CME ERROR: 30 (no network service)");
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1"), asked);
    assert_int_equal(d->carrier->state, CARRIER_READY);
}

/* A menu: an answer that waits, a reply, an answer that ends it. */
static void menu(void **state)
{
    struct dialogue *d = *state;
    struct heard h = HEARD;
    struct err e = {0};

    assert_true(dialogue_ready(d));
    begin(d, &h, "*100#");
    say(d, "\r\n+CUSD: 1,\"1 Balance\r\n2 Top up\",15\r\n");
    assert_int_equal(h.times, 1);
    assert_true(h.more);
    assert_string_equal(h.text, "1 Balance\n2 Top up");
    assert_int_equal(modem_ussd_reply(d->modem, &h.ussd, "caf\xC3\xA9", &e), ERR_INVALID); /* not plain */
    assert_int_equal(modem_ussd_reply(d->modem, &h.ussd, "1", &e), 0);
    dialogue_run(d, 100);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1,\"1\",15"), 1);
    say(d, "\r\n+CUSD: 2,\"5.00 EUR\",15\r\n");
    assert_int_equal(h.times, 2);
    assert_false(h.more);
    assert_string_equal(h.text, "5.00 EUR");
    assert_int_equal(modem_ussd_reply(d->modem, &h.ussd, "1", &e), ERR_GONE);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 0);
}

/* A menu is cancelled by its user, by time, or by the network. */
static void menu_ends(void **state)
{
    struct dialogue *d = *state;
    struct heard h = HEARD;
    struct err e = {0};

    assert_true(dialogue_ready(d));
    begin(d, &h, "*100#");
    say(d, "\r\n+CUSD: 1,\"1 Balance\",15\r\n");
    modem_ussd_end(d->modem, &h.ussd);
    dialogue_run(d, 100);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 1);
    assert_int_equal(h.times, 1);
    begin(d, &h, "*100#");
    say(d, "\r\n+CUSD: 1,\"1 Balance\",15\r\n");
    dialogue_run(d, 121000);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 2);
    assert_int_equal(h.times, 3);
    assert_int_equal(h.status, ERR_TIMEOUT);
    begin(d, &h, "*100#");
    say(d, "\r\n+CUSD: 1,\"1 Balance\",15\r\n");
    say(d, "\r\n+CUSD: 5\r\n");
    assert_int_equal(h.times, 5);
    assert_int_equal(h.status, ERR_TIMEOUT);
    assert_int_equal(modem_ussd_reply(d->modem, &h.ussd, "1", &e), ERR_GONE);
    /* left while the command's own OK is awaited: cancelled behind it */
    port_script_answer(d->port, "AT+CUSD=1*", "");
    assert_int_equal(modem_ussd_begin(d->modem, "*100#", &h.ussd, &e), 0);
    dialogue_run(d, 100);
    modem_ussd_end(d->modem, &h.ussd);
    say(d, "\r\nOK\r\n");
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 3);
    assert_int_equal(h.times, 5);
}

/* The next session may begin right behind a cancelled one, whose end may be told in between. */
static void right_behind_cancel(void **state)
{
    struct dialogue *d = *state;
    struct heard h = HEARD;
    struct err e = {0};

    assert_true(dialogue_ready(d));
    begin(d, &h, "*100#");
    say(d, "\r\n+CUSD: 1,\"1 Balance\",15\r\n");
    modem_ussd_end(d->modem, &h.ussd);
    assert_int_equal(modem_ussd_begin(d->modem, "*101#", &h.ussd, &e), 0);
    dialogue_run(d, 100);
    assert_true(dialogue_heard(d, "AT+CUSD=2\nAT+CUSD=1,\"*101#\",15\n"));
    say(d, "\r\n+CUSD: 2\r\n");
    assert_int_equal(h.times, 1);
    say(d, "\r\n+CUSD: 0,\"5.00\",15\r\n");
    assert_int_equal(h.times, 2);
    assert_string_equal(h.text, "5.00");
}

/* A stick that is pulled ends the session. */
static void pulled(void **state)
{
    struct dialogue *d = *state;
    struct heard h = HEARD;

    assert_true(dialogue_ready(d));
    begin(d, &h, "*100#");
    port_script_unplug(d->port);
    dialogue_run(d, 100);
    assert_int_equal(h.times, 1);
    assert_int_equal(h.status, ERR_GONE);
}

/* What the network writes unasked is told, and a dialogue that it opens so is closed. */
static void by_the_network(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    say(d, "\r\n+CUSD: 0,\"Your bundle ends tomorrow\",15\r\n");
    assert_int_equal(d->ussd_count, 1);
    assert_string_equal(d->ussd, "Your bundle ends tomorrow");
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 0);
    say(d, "\r\n+CUSD: 1,\"Buy more?\",15\r\n");
    assert_int_equal(d->ussd_count, 2);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 1);
    say(d, "\r\n+CUSD: 2\r\n");
    say(d, "\r\n+CME ERROR: 100\r\n");
    assert_int_equal(d->ussd_count, 2);
}

/* While the answer is awaited nothing else is written, so that an error can be told apart; then what waited.
 */
static void quiet_while_waiting(void **state)
{
    struct dialogue *d = *state;
    struct heard h = HEARD;

    assert_true(dialogue_ready(d));
    begin(d, &h, "*100#");
    say(d, "\r\n+CMTI: \"SM\",3\r\n");
    dialogue_run(d, 1000);
    assert_int_equal(port_script_count(d->port, "AT+CMGR=3"), 0);
    say(d, "\r\n+CUSD: 0,\"5.00\",15\r\n");
    dialogue_run(d, 1000);
    assert_int_equal(port_script_count(d->port, "AT+CMGR=3"), 1);
    begin(d, &h, "*100#");
    say(d, "\r\n+CMTI: \"SM\",4\r\n");
    dialogue_run(d, 20000); /* not for as long as the network may take */
    assert_int_equal(port_script_count(d->port, "AT+CMGR=4"), 1);
}

/* ---- codings of requests ---- */

/* A modem that does not understand one coding is asked in the next; the one that worked is used from then on.
 */
static void codings(void **state)
{
    struct dialogue *d = *state;
    struct heard h = HEARD;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CUSD=1,\"*100#\",15", "\r\nERROR\r\n");
    begin(d, &h, "*100#");
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1,\"AA180C3602\",15"), 1);
    say(d, "\r\n+CUSD: 4\r\n");
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1,\"002A0031003000300023\",15"), 1);
    assert_int_equal(h.times, 0);
    say(d, "\r\n+CUSD: 0,\"00480069\",72\r\n");
    assert_int_equal(h.times, 1);
    assert_string_equal(h.text, "Hi");
    begin(d, &h, "*101#");
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1,\"002A0031003000310023\",15"), 1);
    say(d, "\r\n+CUSD: 4\r\n"); /* it means it now */
    assert_int_equal(h.times, 2);
    assert_int_equal(h.status, ERR_REFUSED);
    assert_string_equal(h.text, "not supported by the network");
}

/* What a coding cannot write is refused; seven spare bits are filled. TS 23.038 6.1.2.3.1 */
static void encoded(void **state)
{
    char out[USSD_STRING_BYTES];

    (void)state;
    assert_true(ussd_encode("*100#", CODING_PACKED, out));
    assert_string_equal(out, "AA180C3602");
    assert_true(ussd_encode("*1234#5", CODING_PACKED, out));
    assert_int_equal(strlen(out), 14);
    assert_string_equal(out + 12, "1A"); /* CR in the last septet */
    assert_false(ussd_encode("\xD0\x94", CODING_PACKED, out));
    assert_true(ussd_encode("\xD0\x94", CODING_UCS2, out));
    assert_string_equal(out, "0414");
    assert_false(ussd_encode("a\"b", CODING_PLAIN, out));
    assert_false(ussd_encode("a@b", CODING_PLAIN, out)); /* other octets in the GSM alphabet */
    assert_false(ussd_encode("123456789012345678901234567890", CODING_UCS2, out));
    assert_false(ussd_encode("1", CODING_AUTO, out));
}

/* What is shown of the line for diagnosis has neither the network's text nor a caller's number. */
static void dump_is_masked(void **state)
{
    struct dialogue *d = *state;
    struct buf dump = {0};

    assert_true(dialogue_ready(d));
    port_script_say(d->port,
                    "\r\n+CUSD: 0,\"Ihr Guthaben\",15\r\n\r\nRING\r\n\r\n+CLIP: \"+491701234567\",145\r\n");
    dialogue_run(d, 5000);
    modem_dump(d->modem, &dump);
    assert_non_null(strstr(buf_str(&dump), "< +CUSD: 0,\"xxx xxxxxxxx\",15"));
    assert_non_null(strstr(buf_str(&dump), "> AT+C"));
    assert_null(strstr(buf_str(&dump), "1234567"));
    buf_free(&dump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAP(texts),
        cmocka_unit_test(known_coding),
        TRAP(captured),
        TRAP(ends),
        TRAP(late_error),
        TRAP(menu),
        TRAP(menu_ends),
        TRAP(pulled),
        TRAP(right_behind_cancel),
        TRAP(by_the_network),
        TRAP(quiet_while_waiting),
        TRAP(codings),
        TRAP(dump_is_masked),
        cmocka_unit_test(encoded),
    };
    return cmocka_run_group_tests_name("ussd", tests, NULL, NULL);
}
