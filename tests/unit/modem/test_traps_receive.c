/* Modems that announce, list and hold messages otherwise than the standard says, or than others do. Each test
 * names the trap; the modems on which it was met are in brackets. */
#include "tests/lib/dialogue_test.h"

/* ---- receiving ---- */

/* The store named in the notice is not the selected one [Huawei]: it is selected first, with all three
 * arguments, and the store that receives stays what it was. */
static void notice_of_another_store(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=3", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    say(d, "\r\n+CMTI: \"ME\",3\r\n");
    assert_int_equal(d->in_count, 1);
    assert_string_equal(d->in[0].text, PDU_HELLO);
    assert_true(dialogue_heard(d, "AT+CPMS=\"ME\",\"SM\",\"SM\"\nAT+CMGR=3\nAT+CMGD=3\n"));
}

/* The index is -1 [SIM7000]: somewhere; everything is listed. */
static void notice_without_index(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer_times(d->port, "AT+CMGL=4", "\r\n+CMGL: 0,0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n", 1);
    say(d, "\r\n+CMTI: \"SM\",-1\r\n");
    assert_int_equal(d->in_count, 1);
    assert_true(dialogue_heard(d, "AT+CMGL=4\nAT+CMGD=0\n"));
}

/* A store says that it is full by its vendor's words: it is looked through at once. */
static void full_notices(void **state)
{
    static const char *const notices[] = {"^SMMEMFULL: \"SM\"", "+SMS FULL", "+CIEV: \"SMSFULL\",1",
                                          "^SMGO: 1"};

    (void)state;
    for (size_t i = 0; i < sizeof(notices) / sizeof(notices[0]); i++) {
        struct dialogue *d = dialogue_new();
        char text[64];
        assert_true(dialogue_ready(d));
        snprintf(text, sizeof(text), "\r\n%s\r\n", notices[i]);
        say(d, text);
        say(d, text); /* such notices are repeated */
        assert_int_equal(port_script_count(d->port, "AT+CMGL=4"), 1);
        dialogue_free(d);
    }
}

/* The announced slot is empty: OK without a line, or an error [321; 500 of some]. Nothing is offered or
 * deleted, and the next message is read. */
static void empty_slots(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=2", "\r\n+CMS ERROR: 321\r\n");
    port_script_answer(d->port, "AT+CMGR=4", "\r\n+CMS ERROR: 500\r\n");
    say(d, "\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n\r\n+CMTI: \"SM\",4\r\n");
    dialogue_run(d, 20000);
    assert_int_equal(d->in_count, 0);
    assert_int_equal(port_script_count(d->port, "AT+CMGD"), 0);
    port_script_answer(d->port, "AT+CMGR=3", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    say(d, "\r\n+CMTI: \"SM\",3\r\n");
    assert_int_equal(d->in_count, 1);
}

/* What is stored is not hex, or shorter than its header says. It may have been garbled on the line, so it is
 * read again; then it is offered as it is, and deleted. */
static void malformed_entries(void **state)
{
    static const char *const entries[] = {"\r\n+CMGR: 0,,24\r\n07919471060740F0040C91\r\n\r\nOK\r\n",
                                          "\r\n+CMGR: 0,,24\r\nGARBAGE!\r\n\r\nOK\r\n",
                                          "\r\n+CMGR: 0,,24\r\n\r\nOK\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        struct dialogue *d = dialogue_new();
        assert_true(dialogue_ready(d));
        port_script_answer(d->port, "AT+CMGR=1", entries[i]);
        say(d, "\r\n+CMTI: \"SM\",1\r\n");
        dialogue_run(d, 10000);
        assert_int_equal(d->in_count, 1);
        assert_true(d->in[0].malformed);
        assert_int_equal(port_script_count(d->port, "AT+CMGR=1"), 3);
        assert_int_equal(port_script_count(d->port, "AT+CMGD=1"), 1);
        dialogue_free(d);
    }
}

/* Garbled once, intact when read again: offered whole. */
static void garbled_once(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer_times(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n07919471\r\n\r\nOK\r\n", 1);
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    dialogue_run(d, 10000);
    assert_int_equal(d->in_count, 1);
    assert_false(d->in[0].malformed);
}

/* A header garbled into anything at all is read again as well, and holds nothing up. */
static void garbled_headers(void **state)
{
    static const char *const headers[] = {"+CMGR: ),,24", "+CMGR: (((", "+CMGR: ,,,,,",
                                          "+CMGR:", "+CMGR: 0,,99999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct dialogue *d = dialogue_new();
        char text[200];
        assert_true(dialogue_ready(d));
        port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
        snprintf(text, sizeof(text), "\r\n%s\r\n%s\r\n\r\nOK\r\n", headers[i], PDU_HELLO);
        port_script_answer_times(d->port, "AT+CMGR=1", text, 1);
        say(d, "\r\n+CMTI: \"SM\",1\r\n");
        dialogue_run(d, 10000);
        assert_int_equal(d->in_count, 1);
        assert_string_equal(d->in[0].text, PDU_HELLO);
        dialogue_free(d);
    }
}

/* Own messages in the store (stat 2, 3) are neither offered nor deleted; the listing lacks the alpha field
 * [Pantech]. */
static void own_messages_stay(void **state)
{
    struct dialogue *d = *state;

    port_script_answer_times(d->port, "AT+CMGL=4",
                             "\r\n+CMGL: 1,2,,24\r\n" PDU_HELLO "\r\n+CMGL: 2,3,,24\r\n" PDU_HELLO
                             "\r\n+CMGL: 3,1,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n",
                             1);
    modem_start(d->modem);
    dialogue_run(d, 10000);
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CMGD"), 1);
    assert_int_equal(port_script_count(d->port, "AT+CMGD=3"), 1);
}

/* The modem has lost PDU mode without a word: its answer is in text mode. It is set up again, and the message
 * read then. */
static void fallen_back_to_text_mode(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer_times(
        d->port, "AT+CMGR=1",
        "\r\n+CMGR: \"REC UNREAD\",\"+49\",,\"26/11/21,09:10:00+04\"\r\nHello\r\n\r\nOK\r\n", 1);
    port_script_answer_times(d->port, "AT+CMGL=4", "\r\n+CMGL: 1,0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n", 1);
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    dialogue_run(d, 10000);
    assert_int_equal(port_script_count(d->port, "AT+CMGF=0"), 1);
    assert_int_equal(d->in_count, 1);
    assert_false(d->in[0].malformed);
}

/* The slot is announced again while the gateway commits its first message: it is not deleted but read again,
 * since it may hold another message. */
static void slot_used_again(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    d->hold = true;
    port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    assert_int_equal(d->in_count, 1);
    d->carrier->ops->settle(d->carrier, d->in[0].token, true);
    dialogue_run(d, 100);
    assert_int_equal(d->in_count, 2);
    assert_int_equal(port_script_count(d->port, "AT+CMGD"), 0);
    d->carrier->ops->settle(d->carrier, d->in[1].token, true);
    dialogue_run(d, 100);
    assert_int_equal(port_script_count(d->port, "AT+CMGD"), 1);
}

/* Many at once: one listing instead of many readings. */
static void many_notices(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=*", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    for (int i = 1; i <= 8; i++) {
        char text[40];
        snprintf(text, sizeof(text), "\r\n+CMTI: \"SM\",%d\r\n", i);
        port_script_say(d->port, text);
    }
    dialogue_run(d, 1000);
    assert_int_equal(port_script_count(d->port, "AT+CMGL=4"), 1);
    assert_true(port_script_count(d->port, "AT+CMGR") <= 2);
}

/* A delete that fails is tried again. */
static void delete_fails_once(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer_times(d->port, "AT+CMGD=1", "\r\n+CMS ERROR: 314\r\n", 2);
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    dialogue_run(d, 10000);
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CMGD=1"), 3);
}

/* ---- the direct plan ---- */

static void direct(struct dialogue *d)
{
    const struct carrier_events *up = d->carrier->up;

    d->conf.plan = MODEM_PLAN_DIRECT;
    modem_free(d->modem);
    d->modem = modem_new(d->rt, port_script_source(d->port), &d->conf);
    d->carrier = modem_carrier(d->modem);
    d->carrier->up = up;
    d->carrier->up_owner = d;
    port_script_answer(d->port, "AT+CNMI?", "\r\n+CNMI: 2,2,0,1,0\r\n\r\nOK\r\n");
}

/* What comes on the line is acknowledged after it was settled, and not before. */
static void acknowledged_when_settled(void **state)
{
    struct dialogue *d = *state;

    direct(d);
    assert_true(dialogue_ready(d));
    d->hold = true;
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CNMA"), 0);
    d->carrier->ops->settle(d->carrier, d->in[0].token, true);
    dialogue_run(d, 100);
    assert_int_equal(port_script_count(d->port, "AT+CNMA"), 1);
}

/* AT+CNMA alone is refused [Huawei, ZTE]: AT+CNMA=0 is used, from then on at once. */
static void cnma_with_zero(void **state)
{
    struct dialogue *d = *state;

    direct(d);
    port_script_answer(d->port, "AT+CNMA", "\r\nERROR\r\n");
    assert_true(dialogue_ready(d));
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_true(dialogue_heard(d, "AT+CNMA\nAT+CNMA=0\n"));
    port_script_forget(d->port);
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_string_equal(port_script_heard(d->port), "AT+CNMA=0\n");
}

/* The acknowledgement came too late (340), and the modem has switched delivery off: it is switched on again.
 */
static void missed_acknowledgement(void **state)
{
    struct dialogue *d = *state;

    direct(d);
    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CNMA", "\r\n+CMS ERROR: 340\r\n");
    port_script_answer(d->port, "AT+CNMI?", "\r\n+CNMI: 2,0,0,0,0\r\n\r\nOK\r\n");
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_true(dialogue_heard(d, "AT+CNMA\nAT+CNMI?\nAT+CNMI=2,2,0,1,0\n"));
}

/* What cannot be stored is refused, so that the network keeps it. */
static void refused_when_not_stored(void **state)
{
    struct dialogue *d = *state;

    direct(d);
    assert_true(dialogue_ready(d));
    d->hold = true;
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    d->carrier->ops->settle(d->carrier, d->in[0].token, false);
    dialogue_run(d, 100);
    assert_int_equal(port_script_count(d->port, "AT+CNMA=2"), 1);
}

/* +CSMS=1 is not known, 128 is [Quectel M26]; where neither is, the store plan is used. */
static void csms_forms(void **state)
{
    struct dialogue *d = *state;
    struct modem_status s;

    direct(d);
    port_script_answer(d->port, "AT+CSMS=1", "\r\nERROR\r\n");
    assert_true(dialogue_ready(d));
    modem_get_status(d->modem, &s);
    assert_string_equal(s.receive_plan, "direct, AT+CNMI=2,2,0,1,0");
    direct(d);
    port_script_answer(d->port, "AT+CSMS=128", "\r\nERROR\r\n");
    port_script_answer(d->port, "AT+CNMI?", "\r\n+CNMI: 2,1,0,1,0\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    modem_get_status(d->modem, &s);
    assert_string_equal(s.receive_plan, "store, AT+CNMI=2,1,0,1,0");
}

/* Headers of +CMT and +CDS in all their forms, in the store plan too. */
static void header_forms(void **state)
{
    static const char *const headers[] = {"+CMT: ,24", "+CMT: \"\",24", "+CMT: \"name\",24", "+CMT: 24",
                                          "+CMT:,24"};
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        char text[200];
        snprintf(text, sizeof(text), "\r\n%s\r\n%s\r\n", headers[i], PDU_HELLO);
        say(d, text);
        assert_int_equal(d->in_count, i + 1);
        assert_string_equal(d->in[i].text, PDU_HELLO);
        assert_int_equal(d->in[i].tpdu_len, 24);
    }
    assert_int_equal(port_script_count(d->port, "AT+CNMA"), 0);
}

/* A delete without an answer may have been done, and another message may have come to its place without a
 * notice: the place is read before anything is deleted from it again. */
static void delete_unanswered(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer_times(d->port, "AT+CMGR=3", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n", 1);
    port_script_answer_times(d->port, "AT+CMGD=3", "", 1);
    say(d, "\r\n+CMTI: \"SM\",3\r\n");
    dialogue_run(d, 1000);
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CMGD=3"), 1);
    port_script_forget(d->port);
    dialogue_run(d, 60000);
    const char *read = strstr(port_script_heard(d->port), "AT+CMGR=3");
    const char *gone = strstr(port_script_heard(d->port), "AT+CMGD=3");
    assert_non_null(read);
    assert_true(!gone || read < gone);
}

/* MT is SM and ME seen as one: a message is never known by two names, since the second one would delete what
 * has come to its place [TC35: SM and MT; Cinterion: ME and MT, received into SM or MT]. */
static void one_name_for_a_place(void **state)
{
    static const struct {
        const char *stores, *read, *unread;
    } cases[] = {
        {"(\"SM\",\"MT\",\"SR\"),(\"SM\",\"MT\",\"SR\"),(\"SM\",\"MT\")", "SM", "MT"},
        {"(\"ME\",\"MT\"),(\"ME\",\"SM\",\"MT\"),(\"SM\",\"MT\")", "MT", "ME"},
        {"(\"SM\",\"ME\",\"MT\"),(\"SM\"),(\"SM\",\"ME\",\"MT\")", "ME", "MT"},
        {"(\"MT\"),(\"MT\"),(\"MT\")", "MT", "SM"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dialogue *d = dialogue_new();
        char text[160];
        snprintf(text, sizeof(text), "\r\n+CPMS: %s\r\n\r\nOK\r\n", cases[i].stores);
        port_script_answer(d->port, "AT+CPMS=?", text);
        port_script_answer(d->port, "AT+CPMS=\"SM\",\"SM\",\"SM\"",
                           strstr(cases[i].stores, "(\"SM\"") == cases[i].stores ? "\r\nOK\r\n"
                                                                                 : "\r\nERROR\r\n");
        modem_start(d->modem);
        dialogue_run(d, 30000);
        assert_int_equal(d->carrier->state, CARRIER_READY);
        snprintf(text, sizeof(text), "\r\n+CMTI: \"%s\",3\r\n", cases[i].unread);
        say(d, text);
        dialogue_run(d, 400000);
        snprintf(text, sizeof(text), "AT+CPMS=\"%s\"", cases[i].read);
        assert_true(port_script_count(d->port, text) >= 1);
        assert_true(port_script_count(d->port, "AT+CMGL=4") >= 2);
        assert_int_equal(port_script_count(d->port, "AT+CMGR=3"), 0);
        dialogue_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAP(delete_unanswered),
        TRAP(one_name_for_a_place),
        TRAP(notice_of_another_store),
        TRAP(notice_without_index),
        TRAP(full_notices),
        TRAP(empty_slots),
        TRAP(malformed_entries),
        TRAP(garbled_once),
        TRAP(garbled_headers),
        TRAP(own_messages_stay),
        TRAP(fallen_back_to_text_mode),
        TRAP(slot_used_again),
        TRAP(many_notices),
        TRAP(delete_fails_once),
        TRAP(acknowledged_when_settled),
        TRAP(cnma_with_zero),
        TRAP(missed_acknowledgement),
        TRAP(refused_when_not_stored),
        TRAP(csms_forms),
        TRAP(header_forms),
    };
    return cmocka_run_group_tests_name("traps: receiving", tests, NULL, NULL);
}
