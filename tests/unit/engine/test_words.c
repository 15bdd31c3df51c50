/* Words in the form in which they are compared. */
#include "trial.h"

#include <locale.h>

#include "engine/words.h"

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void assert_normal(const struct fold *f, const char *text, const char *expected)
{
    char out[FOLD_BYTES + 1];
    int len = fold_normal(f, fold_trim(f, span_of(text)), out, FOLD_BYTES);

    assert_true(len >= 0);
    out[len] = '\0';
    assert_string_equal(out, expected);
}

/* Case, punctuation at the ends of words and kinds of space make no difference, in any script. */
static void test_normal_forms(void **state)
{
    static const char *const cases[][2] = {
        {"STOP", "stop"},
        {"  Stop.\r\n", "stop"},
        {"\"stop\"!!!", "stop"},
        {"¿Stop?", "stop"},
        {"«стоп»…", "стоп"},
        {"СТОП", "стоп"},
        {"ÖFFNUNGSZEITEN?", "öffnungszeiten"},
        {"ΩΡΕΣ", "ωρεσ"},
        {"ωρες", "ωρεσ"},
        {"μέλι ΜΈΛΙ", "μέλι μέλι"},
        {"STRAẞE", "strasse"},
        {"Straße", "strasse"},
        {"STRASSE", "strasse"},
        {"ß", "ss"},
        {"İPTAL", "iptal"},
        {"opt   out", "opt out"},
        {"opt\xC2\xA0out", "opt out"},
        {"opt\xE3\x80\x80out", "opt out"},
        {"opt-out", "opt-out"},
        {"Opening, hours?", "opening hours"},
        {"opening ... (hours)", "opening hours"},
        {"opening\n-- hours", "opening hours"},
        {"s'il vous plaît", "s'il vous plaît"},
        {"24/7", "24/7"},
        {"? !", "? !"},
        {"Stop 🙏", "stop"},
        {"営業時間", "営業時間"},
        {"?", "?"},
        {" 👍 ", "👍"},
        {"", ""},
        {" \t", ""},
    };
    struct fold *f = fold_new();

    (void)state;
    assert_non_null(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_normal(f, cases[i][0], cases[i][1]);
    fold_free(f);
}

/* The process's locale changes nothing: in Turkish too, "INFO" is "info". */
static void test_no_locale(void **state)
{
    struct fold *f = fold_new();

    (void)state;
    setlocale(LC_ALL, "tr_TR.UTF-8");
    assert_normal(f, "INFO", "info");
    setlocale(LC_ALL, "C");
    assert_normal(f, "ÄRZTE", "ärzte");
    fold_free(f);
}

static void assert_first(const struct fold *f, const char *text, const char *expected)
{
    struct span first = fold_first_word(f, fold_trim(f, span_of(text)));

    assert_int_equal(first.len, strlen(expected));
    assert_memory_equal(first.at ? first.at : "", expected, first.len);
}

/* The first word ends at white space and loses the punctuation behind it. */
static void test_first_word(void **state)
{
    struct fold *f = fold_new();

    (void)state;
    assert_first(f, "hours, please", "hours");
    assert_first(f, "  \"Hours\" today?", "Hours");
    assert_first(f, "hours", "hours");
    assert_first(f, "営業時間　は", "営業時間");
    assert_first(f, "?", "?");
    assert_first(f, "", "");
    fold_free(f);
}

/* A word finds all its owners in the order in which they were added, once each. */
static void test_owners(void **state)
{
    struct fold *f = fold_new();
    struct words *w = words_new(f);
    const struct word_use *use;

    (void)state;
    assert_int_equal(words_add(w, "Hours", 1, NULL), 0);
    assert_int_equal(words_add(w, "hours!", 2, NULL), 0);
    assert_int_equal(words_add(w, "HOURS", 1, NULL), 0);
    use = words_find(w, span_of("hOURS"));
    assert_non_null(use);
    assert_int_equal(use->owner, 1);
    assert_string_equal(use->text, "Hours");
    assert_int_equal(use->next->owner, 2);
    assert_null(use->next->next);
    assert_null(words_find(w, span_of("hour")));
    assert_null(words_find(w, span_of("")));
    words_free(w);
    fold_free(f);
}

/* What cannot be a word is refused with the reason. */
static void test_bad_words(void **state)
{
    char many[KEYWORD_BYTES + 2];
    struct fold *f = fold_new();
    struct words *w = words_new(f);
    struct err e;

    (void)state;
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    assert_int_equal(words_add(w, "", 0, &e), ERR_INVALID);
    assert_int_equal(words_add(w, "  ", 0, &e), ERR_INVALID);
    assert_int_equal(words_add(w, "\xff", 0, &e), ERR_INVALID);
    assert_int_equal(words_add(w, many, 0, &e), ERR_TOO_LONG);
    assert_null(words_find(w, span_of(many)));
    words_free(w);
    fold_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal_forms), cmocka_unit_test(test_no_locale),
        cmocka_unit_test(test_first_word),   cmocka_unit_test(test_owners),
        cmocka_unit_test(test_bad_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
