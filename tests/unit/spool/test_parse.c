/* The file format: every header honoured or refused with its line, bodies in all alphabets, rewriting, names.
 */
/* cmocka.h wants these before it */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "spool/names.h"
#include "spool/parse.h"

static struct spool_file f;
static struct err e;

static int parse_n(const char *bytes, size_t len)
{
    spool_file_clear(&f);
    e = (struct err){0};
    return spool_parse(bytes, len, &f, &e);
}

static int parse(const char *bytes)
{
    return parse_n(bytes, strlen(bytes));
}

static void accepts(const char *bytes)
{
    if (parse(bytes) != 0)
        fail_msg("refused: %s\n%s", e.text, bytes);
}

static void refuses(const char *bytes, const char *reason)
{
    if (parse(bytes) == 0)
        fail_msg("accepted:\n%s", bytes);
    if (!strstr(e.text, reason))
        fail_msg("\"%s\" expected in: %s", reason, e.text);
}

static int done(void **state)
{
    (void)state;
    spool_file_clear(&f);
    return 0;
}

/* The smallest file: a number and a text; what is not said stays not said. */
static void test_plain(void **state)
{
    (void)state;
    accepts("To: 491701234567\n\nHello\n");
    assert_int_equal(f.nto, 1);
    assert_string_equal(f.to[0], "491701234567");
    assert_int_equal(f.send.reading, NUMBER_READ_INTERNATIONAL);
    assert_string_equal(f.send.text, "Hello");
    assert_int_equal(f.send.report, -1);
    assert_int_equal(f.send.cls, -1);
    assert_int_equal(f.send.priority, -1);
    assert_int_equal(f.send.mr, -1);
    assert_false(f.send.no_split);
    accepts("\xEF\xBB\xBFTo: 491701234567\r\n\r\nHello\r\n");
    assert_string_equal(f.send.text, "Hello");
}

/* Recipients as people write them: remarks are left out, what could make another number is refused. */
static void test_recipients(void **state)
{
    static const struct {
        const char *value, *to;
    } good[] = {{"358 12 345-6789", "358 12 345-6789"},
                {"+491701234567", "+491701234567"},
                {"00491701234567", "00491701234567"},
                {"s12345", "s12345"},
                {"John +491701234567", "+491701234567"},
                {"491701234567 (John)", "491701234567 ("},
                {"*100#", "*100#"},
                {"491701234567 John", "491701234567 "}};
    char text[200];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        snprintf(text, sizeof(text), "To: %s\n\nHello\n", good[i].value);
        accepts(text);
        assert_string_equal(f.to[0], good[i].to);
    }
    accepts("To: 491701234567, +491701234568 ,s1234\nTo: 491701234569\n\nHello\n");
    assert_int_equal(f.nto, 4);
    assert_string_equal(f.to[2], "s1234");
    assert_string_equal(f.to[3], "491701234569");
    refuses("To: s\n\nHello\n", "No destination: line 1: To: ");
    refuses("To: 49170x1234567\n\nHello\n", "No destination: line 1: To: ");
    refuses("To: 4917012 ext 34567\n\nHello\n", "No destination");
    refuses("To: John\n\nHello\n", "not \"John\"");
    refuses("From: x\nTo:\n\nHello\n", "No destination: line 2: To: ");
    refuses("From: x\n\nHello\n", "No destination");
    refuses("to: 491701234567\n\nHello\n", "No destination");
}

/* To_TOA says how the number is read, wherever it stands. */
static void test_toa(void **state)
{
    (void)state;
    accepts("To: 1234567\nTo_TOA: unknown\n\nHello\n");
    assert_string_equal(f.to[0], "s1234567");
    accepts("To_TOA: international\nTo: 491701234567\n\nHello\n");
    assert_string_equal(f.to[0], "+491701234567");
    accepts("To_TOA: 2\nTo: 1701234567\n\nHello\n");
    assert_int_equal(f.send.reading, NUMBER_READ_NATIONAL);
    refuses("To: 491701234567\nTo_TOA: dedicated\n\nHello\n", "Invalid number type: line 2: To_TOA: ");
}

/* Each header that asks for something does. */
static void test_headers(void **state)
{
    (void)state;
    accepts("To: 491701234567\nFlash: yes\nReport: on\nPriority: HIGH\nQueue: backup\nReplace: 3\n"
            "Reply_path: 1\nReject_duplicates: true\nMessage_reference: 200\nSMSC: 491722270333\n"
            "Autosplit: 3\n\nHello\n");
    assert_int_equal(f.send.cls, 0);
    assert_int_equal(f.send.report, 1);
    assert_int_equal(f.send.priority, 2);
    assert_string_equal(f.send.pool, "backup");
    assert_int_equal(f.send.pid, 0x43);
    assert_true(f.send.reply_path);
    assert_true(f.send.reject_duplicates);
    assert_int_equal(f.send.mr, 200);
    assert_string_equal(f.send.smsc, "+491722270333");
    assert_false(f.send.no_split);
    accepts("To: 491701234567\nClass: 2\nReport: no\nPriority: yes\nProvider: x\nAutosplit: 0\n\nHello\n");
    assert_int_equal(f.send.cls, 2);
    assert_int_equal(f.send.report, 0);
    assert_int_equal(f.send.priority, 2);
    assert_true(f.send.no_split);
    accepts("To: 491701234567\nDCS_hex: f1\nLanguage: Turkish\n\nHello\n");
    assert_int_equal(f.send.dcs, 0xF1);
    assert_int_equal(f.send.language, 1);
    assert_int_equal(f.send.language_ext, 1);
    accepts("To: 491701234567\nLanguage_ext: 2\nLanguage: 0\n\nHello\n");
    assert_int_equal(f.send.language_ext, 2);
    accepts("To: 491701234567\nPing: yes\n\n");
    assert_int_equal(f.send.pid, 0x40);
    assert_int_equal(f.send.report, 1);
    assert_true(f.send.no_split);
    accepts("To: 491701234567\nSystem_message: yes\n\nabc");
    assert_int_equal(f.send.dcs, 0xF4);
    assert_int_equal(f.send.data_len, 3);
    assert_null(f.send.udh);
}

/* What cannot be honoured is refused, with line, header and what was expected. */
static void test_refusals(void **state)
{
    static const struct {
        const char *header, *reason;
    } bad[] = {{"Class: 4", "line 2: Class: a number from 0 to 3 expected, not \"4\""},
               {"DCS_hex: xyz", "line 2: DCS_hex: two hexadecimal digits"},
               {"Priority: urgent", "line 2: Priority: HIGH, NORMAL or LOW expected"},
               {"Autosplit: 4", "line 2: Autosplit"},
               {"Validity: soon", "line 2: Validity"},
               {"Validity: 256", "line 2: Validity"},
               {"Voicecall: yes", "line 2: Voicecall: voice calls are not supported"},
               {"Replace: 8", "line 2: Replace"},
               {"Alphabet: klingon", "Invalid alphabet: line 2: Alphabet"},
               {"UDH-DATA: 05 00", "line 2: UDH-DATA"},
               {"UDH-DATA: 05:00", "line 2: UDH-DATA"},
               {"Include: /etc/passwd", "line 2: Include: other files are not read"},
               {"Macro: x", "line 2: Macro: name=value"},
               {"System_message: ToSIM", "line 2: System_message"},
               {"Message_reference: 256", "line 2: Message_reference"},
               {"Retries: 3", "line 2: Retries: not supported"},
               {"Text_is_pdu: yes", "line 2: Text_is_pdu"},
               {"Language: Klingon", "line 2: Language"},
               {"SMSC: x", "line 2: SMSC"},
               {"Queue: a_name_that_is_longer_than_any_pool_has", "Wrong provider queue: line 2: Queue"},
               {"Flash: yes\nFlash: yes", "line 3: Flash: expected once only"},
               {"no colon", "line 2: a header such as"}};
    char text[300];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(text, sizeof(text), "To: 491701234567\n%s\n\nHello\n", bad[i].header);
        refuses(text, bad[i].reason);
    }
    accepts("To: 491701234567\nVoicecall: no\nText_is_pdu: no\nX-Mine: 1\nflash: yes\n\nHello\n");
    assert_int_equal(f.send.cls, -1);
}

/* Validity as TP-VP itself and in words, rounded down to what TP-VP can say. */
static void test_validity(void **state)
{
    static const struct {
        const char *value;
        int64_t min;
    } good[] = {{"0", 5},         {"143", 720},           {"144", 750},
                {"167", 1440},    {"168", 2880},          {"255", 63 * 10080},
                {"90 min", 90},   {"8 min", 5},           {"1 hour", 60},
                {"hour", 60},     {"13 hours", 780},      {"800 min", 780},
                {"2 days", 2880}, {"1 month", 30 * 1440}, {"12 month", 52 * 10080},
                {"1 week", 10080}};
    char text[100];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        snprintf(text, sizeof(text), "To: 491701234567\nValidity: %s\n\nHello\n", good[i].value);
        accepts(text);
        if (f.send.validity_ms != good[i].min * 60000)
            fail_msg("%s: %lld min", good[i].value, (long long)f.send.validity_ms / 60000);
    }
}

/* A text is UTF-8 when it is that, else ISO 8859-1, unless Alphabet says otherwise. */
static void test_alphabets(void **state)
{
    (void)state;
    accepts("To: 491701234567\n\nGr\xC3\xBC\xC3\x9F"
            "e");
    assert_string_equal(f.send.text, "Grüße");
    accepts("To: 491701234567\n\nGr\xFC\xDF"
            "e");
    assert_string_equal(f.send.text, "Grüße");
    accepts("To: 491701234567\nAlphabet: Latin\n\nGr\xFC\xDF"
            "e");
    assert_string_equal(f.send.text, "Grüße");
    accepts("To: 491701234567\nAlphabet: GSM\n\n\x11 1\x1B"
            "e\x7E");
    assert_string_equal(f.send.text, "_ 1€ü");
    assert_int_equal(parse_n("To: 491701234567\nAlphabet: GSM\n\n\0\0a", 35), 0);
    assert_string_equal(f.send.text, "@@a");
    assert_int_equal(parse_n("To: 491701234567\nAlphabet: UCS2\n\n\x04\x1F\xD8\x3D\xDE\x00", 39), 0);
    assert_string_equal(f.send.text, "П😀");
    assert_true(f.send.force_ucs2);
    accepts("To: 491701234567\nAlphabet: utf-8\n\nПривет \n\n");
    assert_string_equal(f.send.text, "Привет");
    accepts("To: 491701234567\n\n \n");
    assert_string_equal(f.send.text, " \n");
    refuses("To: 491701234567\nAlphabet: UTF-8\n\nGr\xFC\xDF", "valid UTF-8 expected");
    refuses("To: 491701234567\nAlphabet: GSM\n\n\x80", "not 80 in place 1");
    refuses("To: 491701234567\nAlphabet: UCS2\n\nabc", "odd");
    refuses("To: 491701234567\nAlphabet: UCS2\n\n\xD8\x3D\x61\x62", "surrogate");
    refuses("To: 491701234567\n\n", "No text or data");
    refuses("To: 491701234567\n", "No text or data");
    assert_int_equal(parse_n("To: 491701234567\n\na\0b", 21), ERR_INVALID);
}

/* Binary bodies: the header in front, in UDH-DATA, or none; hexadecimal with comments and keywords. */
static void test_binary(void **state)
{
    (void)state;
    assert_int_equal(parse_n("To: 491701234567\nAlphabet: binary\n\n\x02\x70\x00"
                             "abc",
                             41),
                     0);
    assert_int_equal(f.send.udh_len, 3);
    assert_memory_equal(f.send.udh, "\x02\x70\x00", 3);
    assert_int_equal(f.send.data_len, 3);
    assert_memory_equal(f.send.data, "abc", 3);
    accepts("To: 491701234567\nAlphabet: binary\nUDH: no\n\nabc");
    assert_null(f.send.udh);
    assert_int_equal(f.send.data_len, 3);
    accepts("To: 491701234567\nBinary: yes\nUDH-DUMP: 05 00 03 AB 02 01\n\nabc");
    assert_int_equal(f.send.udh_len, 6);
    assert_int_equal(f.send.data_len, 3);
    accepts("To: 491701234567\nAlphabet: bin\nHex: yes\nMacro: @U@=xy\n\n"
            "// a push\n06 : length\n05 04 0B 84 23 F0 ' ports\n01\n\nLENGTH // begins\nAE\nLENGTH\n"
            "INLINESTRING:@U@\nSTRING:pp\n00\n");
    assert_int_equal(f.send.udh_len, 7);
    assert_int_equal(f.send.data_len, 10);
    assert_memory_equal(f.send.data, "\x01\x01\xAE\x03xy\0pp\0", 10);
    accepts("To: 491701234567\nHex: yes\n\n47 72 C3 BC\n");
    assert_string_equal(f.send.text, "Grü");
    refuses("To: 491701234567\nAlphabet: binary\n\nabc", "\"UDH: no\"");
    refuses("To: 491701234567\nAlphabet: bin\nHex: yes\n\n00\n0g\n",
            "line 2 of the body: hexadecimal digits");
    refuses("To: 491701234567\nAlphabet: bin\nHex: yes\n\n0\n", "two hexadecimal digits");
    refuses("To: 491701234567\nAlphabet: bin\nHex: yes\n\nLENGTH\n00\n", "second LENGTH");
    accepts("To: 491701234567\nUDH-DATA: 02 70 00\n\nHello");
    assert_int_equal(f.send.udh_len, 3);
    assert_string_equal(f.send.text, "Hello");
}

/* Macros are replaced in their order; one that explodes is refused. */
static void test_macros(void **state)
{
    struct buf b = {0};
    (void)state;
    accepts("To: 491701234567\nMacro: @A@=x@B@\nMacro: @B@=y=z\n\n@A@ and @A@ @C@");
    assert_string_equal(f.send.text, "xy=z and xy=z @C@");
    buf_adds(&b, "To: 491701234567\nMacro: a=");
    for (int i = 0; i < 5000; i++)
        buf_addc(&b, 'b');
    buf_adds(&b, "\n\n");
    for (int i = 0; i < 5000; i++)
        buf_addc(&b, 'a');
    refuses(buf_str(&b), "Too long text: Macro a");
    buf_free(&b);
}

static void rewritten(const char *from, const char *added, const char *expected)
{
    struct buf out = {0};
    spool_rewrite(from, strlen(from), added, &out);
    assert_string_equal(buf_str(&out), expected);
    buf_free(&out);
}

/* A file gets its outcome before the empty line; an earlier outcome goes, the user's own headers stay. */
static void test_rewrite(void **state)
{
    (void)state;
    rewritten("To: 1\nX: 2\n\nbody\n\nModem: is a word\n", "Modem: M0\n",
              "To: 1\nX: 2\nModem: M0\n\nbody\n\nModem: is a word\n");
    rewritten("To: 1\nFail_reason: x\nFail_reason: y\nFailed: z\nPDU: 00\nSentry: s\n\nb", "Sent: n\n",
              "To: 1\nSentry: s\nSent: n\n\nb");
    rewritten("To: 1", "Sent: n\n", "To: 1\nSent: n\n\n");
    rewritten("\xEF\xBB\xBF"
              "Modem: 1\r\n\r\nb",
              "Sent: n\n",
              "\xEF\xBB\xBF"
              "Sent: n\n\nb");
    rewritten("", "Sent: n\n", "Sent: n\n\n");
    accepts("To: 491701234567\nModem: M7\nFail_reason: what it was\nSent: x\n\nHello");
    assert_null(f.send.modem);
}

/* No value makes a second header line, whatever bytes it has. */
static void test_injection(void **state)
{
    struct buf out = {0};
    (void)state;
    spool_put_header(&out, "From", "%s", "a\nTo: 1\r\x85\xC2\x85\xE2\x80\xA8z ü");
    assert_string_equal(buf_str(&out), "From: a?To: 1????z ü\n");
    buf_free(&out);
}

/* A claimed name gives the name of before back, odd bytes and all; very long ones are cut. */
static void test_names(void **state)
{
    char unique[SPOOL_UNIQUE_BYTES], claimed[SPOOL_NAME_BYTES], original[SPOOL_NAME_BYTES], text[1024];
    char lengthy[SPOOL_NAME_BYTES];
    static const char *const names[] = {"a",           "x.y", "with space",
                                        "\xFF\x01%41", "-",   "a.0000000001abcde0001"};
    (void)state;
    spool_make_unique(UINT64_C(1795251600000), 0xFFFFFFFFFFFFFFFF, 46655, unique);
    assert_int_equal(strlen(unique), SPOOL_UNIQUE_DIGITS);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_true(spool_claimed_name(names[i], unique, claimed));
        assert_string_equal(spool_unique_of(claimed), unique);
        spool_original_name(claimed, original);
        assert_string_equal(original, names[i]);
        assert_true(spool_name_to_text(claimed, text, sizeof(text)));
        assert_true(spool_name_from_text(text, original));
        assert_string_equal(original, claimed);
    }
    memset(lengthy, 'n', 255);
    lengthy[255] = '\0';
    assert_false(spool_claimed_name(lengthy, unique, claimed));
    assert_int_equal(strlen(claimed), 255);
    assert_string_equal(spool_unique_of(claimed), unique);
    assert_null(spool_unique_of("plain"));
    assert_false(spool_name_from_text("a%2Fb", original));
    assert_false(spool_name_from_text("a%00b", original));
    assert_false(spool_name_from_text("a%4", original));
    assert_true(spool_ignored_name(".x"));
    assert_true(spool_ignored_name("x.LOCK"));
    assert_true(spool_ignored_name("LOCKED.x"));
    assert_true(spool_ignored_name("../x"));
    assert_false(spool_ignored_name("x.LOCKED"));
    spool_file_name("M0", 7, original);
    assert_string_equal(original, "M0.000007");
    spool_file_name("../e\nvil", INT64_MAX, original);
    assert_string_equal(original, "_._e_vil.1y2p0ij32e8e7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_plain, done),     cmocka_unit_test_teardown(test_recipients, done),
        cmocka_unit_test_teardown(test_toa, done),       cmocka_unit_test_teardown(test_headers, done),
        cmocka_unit_test_teardown(test_refusals, done),  cmocka_unit_test_teardown(test_validity, done),
        cmocka_unit_test_teardown(test_alphabets, done), cmocka_unit_test_teardown(test_binary, done),
        cmocka_unit_test_teardown(test_macros, done),    cmocka_unit_test_teardown(test_rewrite, done),
        cmocka_unit_test_teardown(test_injection, done), cmocka_unit_test_teardown(test_names, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
