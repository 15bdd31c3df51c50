/* Recording a modem's line: what a recorder is given, masked and not. */
#include "base/trace.h"
#include "tests/lib/modem_test.h"

struct recorder {
    struct modem_trace trace;
    struct buf text;
    unsigned ended;
};

static void on_text(struct modem_trace *t, const char *text, size_t len)
{
    struct recorder *rec = container_of(t, struct recorder, trace);

    assert_true(len > 0 && text[len - 1] == '\n');
    buf_add(&rec->text, text, len);
}

static void on_ended(struct modem_trace *t)
{
    container_of(t, struct recorder, trace)->ended++;
}

/* Static: a test that fails leaves them in the modem's hands. */
static struct recorder *recorder(bool unmasked)
{
    static struct recorder recs[2];
    struct recorder *rec = &recs[unmasked];

    buf_free(&rec->text);
    *rec = (struct recorder){.trace = {.unmasked = unmasked, .text = on_text, .ended = on_ended}};
    return rec;
}

/* All bytes of one kind, joined. */
static struct buf joined(const struct recorder *rec, enum trace_kind kind)
{
    struct buf out = {0};
    struct trace t;
    struct err e = {0};

    assert_int_equal(trace_read("recording", rec->text.data, rec->text.len, &t, &e), 0);
    for (size_t i = 0; i < t.count; i++) {
        if (t.lines[i].kind == kind)
            buf_add(&out, t.lines[i].bytes, t.lines[i].len);
    }
    trace_fini(&t);
    return out;
}

static bool holds(const struct buf *b, const char *text)
{
    return b->data && memmem(b->data, b->len, text, strlen(text));
}

/* From the first AT to a message out and one in: the recording reads back; masked, it holds neither the
 * numbers nor the texts nor the PIN, and unmasked all of them but the PIN. */
static void whole_life(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "4826", .pin = "4826"});
    struct recorder *masked = recorder(false), *plain = recorder(true);
    struct simmodem_info info;

    modem_trace_start(u->modem, &masked->trace);
    modem_trace_start(u->modem, &plain->trace);
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_text(r, u, "+491709999999", "Hello shop");
    struct rig_send *send = rig_submit(u, "+491701234567", "Hello", false, NULL);
    assert_non_null(send);
    assert_true(rig_ended(r, send, 10000));
    rig_run(r, 2000);
    modem_trace_stop(u->modem, &masked->trace);
    modem_trace_stop(u->modem, &plain->trace);

    struct buf in = joined(plain, TRACE_FROM), out = joined(plain, TRACE_TO);
    struct buf masked_in = joined(masked, TRACE_FROM), masked_out = joined(masked, TRACE_TO);
    simmodem_info(u->sim, &info);
    assert_true(holds(&in, info.imei) && holds(&in, info.imsi));
    assert_false(holds(&masked_in, info.imei) || holds(&masked_in, info.imsi));
    assert_true(holds(&out, "4471103254") || holds(&out, "947110325476"));
    assert_false(holds(&masked_out, "7110325476"));
    assert_true(holds(&in, "C8329BFD0")); /* "Hello" packed */
    assert_false(holds(&masked_in, "C8329BFD0") || holds(&masked_out, "C8329BFD0"));
    assert_true(holds(&out, "AT+CPIN=\"****\"") && holds(&masked_out, "AT+CPIN=\"****\""));
    assert_false(holds(&plain->text, "4826"));
    assert_int_equal(in.len, masked_in.len);
    assert_int_equal(out.len, masked_out.len);
    assert_int_equal(masked->ended, 0);

    struct buf *const all[] = {&in, &out, &masked_in, &masked_out, &masked->text, &plain->text};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        buf_free(all[i]);
}

/* Notes tell the states and what the modem is. */
static void notes(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);
    struct recorder *rec = recorder(false);

    modem_trace_start(u->modem, &rec->trace);
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    assert_true(holds(&rec->text, "# simgate trace 1\n# modem "));
    assert_true(holds(&rec->text, " ! probing: "));
    assert_true(holds(&rec->text, "; profile generic"));
    assert_true(holds(&rec->text, " ! ready"));
    rig_fault(r, u, "vanish", "5000");
    rig_run(r, 100);
    assert_true(holds(&rec->text, " ! absent"));
    modem_trace_stop(u->modem, &rec->trace);
    buf_free(&rec->text);
}

/* What comes in pieces is shown when its line has ended, so that no number is cut in two before it is masked.
 */
static void pieces(void **state)
{
    struct rig *r = *state;
    /* 30 bytes a second: lines come byte by byte */
    struct unit *u = rig_add(r, &(struct rig_conf){.baud = 300});
    struct recorder *rec = recorder(false);
    struct simmodem_info info;
    struct trace t;

    modem_trace_start(u->modem, &rec->trace);
    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_REGISTERING, 200000));
    simmodem_info(u->sim, &info);
    struct buf in = joined(rec, TRACE_FROM);
    assert_false(holds(&in, info.imei));
    assert_int_equal(trace_read("recording", rec->text.data, rec->text.len, &t, NULL), 0);
    for (size_t i = 0; i < t.count; i++) {
        if (t.lines[i].kind == TRACE_FROM)
            assert_non_null(strchr("\r\n", t.lines[i].bytes[t.lines[i].len - 1]));
    }
    trace_fini(&t);
    modem_trace_stop(u->modem, &rec->trace);
    buf_free(&in);
    buf_free(&rec->text);
}

/* Who records a modem that is freed is told, once. */
static void freed(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);
    struct recorder *a = recorder(false), *b = recorder(true);

    modem_trace_start(u->modem, &a->trace);
    modem_trace_start(u->modem, &b->trace);
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_kill(r);
    assert_int_equal(a->ended, 1);
    assert_int_equal(b->ended, 1);
    buf_free(&a->text);
    buf_free(&b->text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RIG_TEST(whole_life), RIG_TEST(notes), RIG_TEST(pieces),
                                       RIG_TEST(freed)};

    return cmocka_run_group_tests_name("modem/trace", tests, NULL, NULL);
}
