/* base/trace: the format of trace files, written and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/trace.h"
#include "base/util.h"

static const struct trace_header header = {.modem = "counter",
                                           .manufacturer = "huawei",
                                           .model = "E173",
                                           .revision = "11.126.16",
                                           .profile = "huawei-stick",
                                           .wall_ms = INT64_C(1795341600000),
                                           .masked = true};

/* A header and three lines are written exactly as the manual page shows them. */
static void written(void **state)
{
    struct buf b = {0};

    (void)state;
    trace_put_header(&b, &header);
    trace_put_line(&b, 0, TRACE_TO, "AT\r", 3);
    trace_put_line(&b, 12, TRACE_FROM, "\r\n> ", 4);
    trace_put_line(&b, 61999, TRACE_TO, "00\\\x1A\xFF\t", 6);
    trace_put_line(&b, 62000, TRACE_NOTE, "port gone", 9);
    assert_string_equal(buf_str(&b), "# simgate trace 1\n"
                                     "# modem counter; \"huawei\" \"E173\" revision=\"11.126.16\"; "
                                     "profile huawei-stick; 2026-11-22T10:00:00Z; masked\n"
                                     "0.000 > AT\\r\n"
                                     "0.012 < \\r\\n>\\x20\n"
                                     "61.999 > 00\\\\\\x1A\\xFF\\t\n"
                                     "62.000 ! port gone\n");
    buf_free(&b);
}

/* What a modem says of itself cannot break the header's line. */
static void header_is_one_line(void **state)
{
    struct trace_header bad = header;
    struct trace t;
    struct buf b = {0};

    (void)state;
    bad.model = "E\n1\"73\x80;";
    bad.profile = "";
    trace_put_header(&b, &bad);
    assert_non_null(strstr(b.data, "\"E?1?73??\" revision"));
    assert_non_null(strstr(b.data, "; profile generic; "));
    assert_int_equal(trace_read("t", b.data, b.len, &t, NULL), 0);
    assert_int_equal(t.count, 0);
    trace_fini(&t);
    buf_free(&b);
}

/* Any bytes at any times are read back as they were written. */
static void round_trip(void **state)
{
    const char *given = getenv("SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    enum { LINES = 300, LEN_MAX = 40 };
    static uint8_t bytes[LINES][LEN_MAX];
    static struct trace_line lines[LINES];
    struct buf b = {0};
    struct trace t;

    (void)state;
    print_message("SEED=%u\n", seed);
    srand(seed);
    trace_put_header(&b, &header);
    for (int i = 0; i < LINES; i++) {
        lines[i] = (struct trace_line){.at_ms = (i ? lines[i - 1].at_ms : 0) + rand() % 3000,
                                       .kind = (enum trace_kind) "><!"[rand() % 3],
                                       .len = (size_t)(rand() % LEN_MAX)};
        for (size_t k = 0; k < lines[i].len; k++)
            bytes[i][k] = (uint8_t)rand();
        trace_put_line(&b, lines[i].at_ms, lines[i].kind, bytes[i], lines[i].len);
    }
    assert_int_equal(trace_read("t", b.data, b.len, &t, NULL), 0);
    assert_int_equal(t.count, LINES);
    for (int i = 0; i < LINES; i++) {
        assert_int_equal(t.lines[i].at_ms, lines[i].at_ms);
        assert_int_equal(t.lines[i].kind, lines[i].kind);
        assert_int_equal(t.lines[i].number, i + 3);
        assert_int_equal(t.lines[i].len, lines[i].len);
        assert_memory_equal(t.lines[i].bytes, bytes[i], lines[i].len);
    }
    trace_fini(&t);
    buf_free(&b);
}

/* A file that was edited by hand or went through a mail program is read: comments, empty lines, CR LF, no end
 * of line at its end, an empty chunk. */
static void lenient(void **state)
{
    static const char text[] =
        "# simgate trace 1\r\n\r\n# from Ann\r\n0.000 > AT\\r\r\n0.000 <\n1.500 < \\x4fK";
    struct trace t;

    (void)state;
    assert_int_equal(trace_read("t", text, sizeof(text) - 1, &t, NULL), 0);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.lines[1].len, 0);
    assert_int_equal(t.lines[2].len, 2);
    assert_memory_equal(t.lines[2].bytes, "OK", 2);
    assert_int_equal(t.lines[2].number, 6);
    trace_fini(&t);
}

/* Each way to break the format is told with file, line and what was expected. */
static void told(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "a.trace:1: expected \"# simgate trace 1\""},
        {"# simgate trace 2\n", "a.trace:1: expected \"# simgate trace 1\""},
        {"0.000 > AT\n", "a.trace:1: expected \"# simgate trace 1\""},
        {"# simgate trace 1\nAT\n", "a.trace:2: expected seconds with three decimals, as in 0.012"},
        {"# simgate trace 1\n0.1 > AT\n", "a.trace:2: expected seconds with three decimals, as in 0.012"},
        {"# simgate trace 1\n9999999999.000 > AT\n",
         "a.trace:2: expected seconds with three decimals, as in 0.012"},
        {"# simgate trace 1\n2.000 > AT\n1.000 < OK\n",
         "a.trace:3: expected a time that is not before the line's above"},
        {"# simgate trace 1\n0.000 = AT\n",
         "a.trace:2: expected \" > \", \" < \" or \" ! \" behind the time"},
        {"# simgate trace 1\n0.000 >AT\n", "a.trace:2: expected a blank behind '>', '<' or '!'"},
        {"# simgate trace 1\n0.000 > A\\q\n",
         "a.trace:2: expected \\r, \\n, \\t, \\\\ or \\xHH behind a backslash"},
        {"# simgate trace 1\n0.000 > A\\x4",
         "a.trace:2: expected \\r, \\n, \\t, \\\\ or \\xHH behind a backslash"},
        {"# simgate trace 1\n0.000 > \xC3\xA4\n",
         "a.trace:2: expected bytes outside printable ASCII to be written as \\xHH"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trace t;
        struct err e;
        assert_int_equal(trace_read("a.trace", cases[i].text, strlen(cases[i].text), &t, &e), ERR_INVALID);
        assert_string_equal(e.text, cases[i].expected);
        assert_null(t.lines);
        trace_fini(&t);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(written),    cmocka_unit_test(header_is_one_line),
        cmocka_unit_test(round_trip), cmocka_unit_test(lenient),
        cmocka_unit_test(told),
    };

    return cmocka_run_group_tests_name("base/trace", tests, NULL, NULL);
}
