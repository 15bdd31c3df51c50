/* CSV: what RFC 4180 says, what spreadsheets write besides, and what is refused with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

/* Records as "line:a|b|c" with a blank between them. */
static int collect(void *owner, const struct csv_record *r, struct err *e)
{
    struct buf *out = owner;

    if (r->count > 0 && !strcmp(r->fields[0], "refuse"))
        return err_set(e, ERR_REFUSED, "not this one");
    buf_addf(out, "%s%d:", out->len ? " " : "", r->line);
    for (int i = 0; i < r->count; i++)
        buf_addf(out, "%s%s", i ? "|" : "", r->fields[i]);
    return 0;
}

/* All of it in pieces of `piece` bytes; "!" and the error's text where it failed. */
static void read_all(const char *text, size_t len, size_t piece, struct buf *out)
{
    struct csv_reader c = {.record = collect, .owner = out};
    struct err e = {0};
    int rc = 0;

    for (size_t at = 0; at < len && rc == 0; at += piece)
        rc = csv_feed(&c, text + at, len - at < piece ? len - at : piece, &e);
    if (rc == 0)
        rc = csv_end(&c, &e);
    csv_free(&c);
    if (rc)
        buf_addf(out, "%s!%s", out->len ? " " : "", e.text);
}

static void expect_bytes(const char *text, size_t len, const char *expected)
{
    for (size_t piece = 1; piece <= len + 1; piece += piece < 4 ? 1 : len) {
        struct buf out = {0};

        read_all(text, len, piece, &out);
        assert_string_equal(buf_str(&out), expected);
        buf_free(&out);
    }
}

static void expect(const char *text, const char *expected)
{
    expect_bytes(text, strlen(text), expected);
}

/* Fields, quotes, line ends within quotes, empty fields; in pieces of any size the same. */
static void test_rfc(void **state)
{
    (void)state;
    expect("a,b\r\nc,d\r\n", "1:a|b 2:c|d");
    expect("a,b\nc,d", "1:a|b 2:c|d");
    expect("\"a\",\"b, \"\"c\"\"\"\r\n\"x\r\ny\",\r\nz,z\r\n", "1:a|b, \"c\" 2:x\r\ny| 4:z|z");
    expect("a,b\n\n\r\nc\n", "1:a|b 4:c");
    expect("", "");
    expect("\"\"", "1:");
    expect("a,b\r", "1:a|b");
}

/* The delimiter is what the first line uses; a byte order mark is not of the first name. */
static void test_dialects(void **state)
{
    (void)state;
    expect("a;b\nc,d;e\n", "1:a|b 2:c,d|e");
    expect("a\tb\nc;d\te\n", "1:a|b 2:c;d|e");
    expect("\"a,b\";c\n1;2\n", "1:a,b|c 2:1|2");
    expect("\xEF\xBB\xBFnumber,name\n1,2\n", "1:number|name 2:1|2");
    expect("\xEF\xBB\xBF\"number\"\n", "1:number");
}

/* Each mistake is told with its line and column. */
static void test_mistakes(void **state)
{
    (void)state;
    expect("a,b\nc,d\"e\n",
           "1:a|b !line 2, column 2: a quote within a field that does not begin with one (write "
           "it twice, in quotes)");
    expect("a,b\n\"c\"d,e\n",
           "1:a|b !line 2, column 1: the next field or the line's end expected behind the closing quote");
    expect("a,b\n1,\"c\nd\n", "1:a|b !line 2, column 2: a quote is not closed");
    expect("a,b\n1,2,3\n", "1:a|b !line 2, column 3: the first line has only 2 columns");
    expect("a,b\n1,\xFC\n", "1:a|b !line 2, column 2: UTF-8 text expected (saved in another encoding?)");
    expect("\xEF\xBBx\n", "!line 1, column 1: UTF-8 text expected (saved in another encoding?)");
    expect("\xEF", "!line 1, column 1: UTF-8 text expected");
    expect("a\rb\n", "!line 1, column 1: a line's end expected behind a carriage return");
    expect("a\nrefuse\n", "1:a !line 2: not this one");
    expect_bytes("a\0b", 3, "!line 1, column 1: a NUL character; a text file expected");
}

/* A record without an end is refused before it fills the memory. */
static void test_bounds(void **state)
{
    char *big = malloc(CSV_RECORD_BYTES + 10);
    struct buf out = {0};

    (void)state;
    memset(big, 'x', CSV_RECORD_BYTES + 10);
    big[0] = '"';
    read_all(big, CSV_RECORD_BYTES + 10, 1000, &out);
    assert_non_null(strstr(buf_str(&out), "at most 65536 bytes"));
    buf_clear(&out);
    memset(big, ',', 300);
    read_all(big, 300, 7, &out);
    assert_non_null(strstr(buf_str(&out), "at most 256 columns"));
    buf_free(&out);
    free(big);
}

static void put_one(const char *text, const char *expected)
{
    struct buf out = {0};

    csv_put(&out, true, text);
    assert_string_equal(buf_str(&out), expected);
    buf_free(&out);
}

/* What a spreadsheet would compute is written as text; numbers stay as they are. */
static void test_formulas(void **state)
{
    (void)state;
    put_one("=1+1", "\"'=1+1\"");
    put_one("@SUM(A1)", "\"'@SUM(A1)\"");
    put_one("+cmd|x", "\"'+cmd|x\"");
    put_one("-2+3", "\"'-2+3\"");
    put_one("+491711234567", "+491711234567");
    put_one("-5.5", "-5.5");
    put_one("\n=1+1", "\"'\n=1+1\"");
    put_one("\t=1+1", "\"'\t=1+1\"");
    put_one("O'Neil", "O'Neil");
    put_one("'=x", "\"''=x\"");
    put_one("a\"b", "\"a\"\"b\"");
    put_one("", "");
}

static uint64_t seed, rng;

static unsigned roll(unsigned below)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(rng >> 33) % below;
}

/* Whatever texts are written come back the same. */
static void test_round_trip(void **state)
{
    static const char *const bits[] = {"a", "\"", ",", ";", "\t", "\n", "\r", "'", "=",
                                       "+", "-",  "@", " ", "ü",  "€",  "0",  "#"};

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct buf csv = {0}, want = {0}, got = {0};
        int columns = 1 + (int)roll(4), records = 1 + (int)roll(4), line = 1;

        for (int r = 0; r < records; r++) {
            struct buf line_text = {0};

            for (int i = 0; i < columns; i++) {
                struct buf text = {0};

                for (unsigned n = roll(6) + (i == 0); n > 0; n--)
                    buf_adds(&text, bits[roll(sizeof bits / sizeof bits[0])]);
                csv_put(&csv, i == 0, buf_str(&text));
                buf_addf(&line_text, "%s%s", i ? "|" : "", buf_str(&text));
                buf_free(&text);
            }
            /* One column: the delimiter is not decided by it, so that it must not be taken for one. */
            csv_end_record(&csv);
            buf_addf(&want, "%s%d:%s", r ? " " : "", line, buf_str(&line_text));
            line++;
            for (const char *p = buf_str(&line_text); *p; p++)
                line += *p == '\n';
            buf_free(&line_text);
        }
        read_all(csv.data, csv.len, 1 + roll(9), &got);
        if (strcmp(buf_str(&got), buf_str(&want)) != 0)
            fail_msg("SEED=%llu round %d:\n%s\nis read as\n%s\nnot\n%s", (unsigned long long)seed, round,
                     buf_str(&csv), buf_str(&got), buf_str(&want));
        buf_free(&csv);
        buf_free(&want);
        buf_free(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc),    cmocka_unit_test(test_dialects), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_bounds), cmocka_unit_test(test_formulas), cmocka_unit_test(test_round_trip),
    };
    const char *s = getenv("SEED");

    rng = seed = s ? strtoull(s, NULL, 10) : 20261121;
    printf("SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
