/* No query of the desk walks through a table that grows: SQLite is asked for the plan of every statement that
 * the queries run, as it runs them. */
#include "customers.h"

#include "store/private.h"

enum { STATEMENTS = 400 };
static char *statements[STATEMENTS];
static int nstatements;

static int on_statement(unsigned kind, void *owner, void *statement, void *unused)
{
    const char *sql = sqlite3_sql(statement);

    (void)kind;
    (void)owner;
    (void)unused;
    for (int i = 0; sql && i < nstatements; i++)
        if (!strcmp(statements[i], sql))
            return 0;
    if (sql && nstatements < STATEMENTS)
        statements[nstatements++] = strdup(sql);
    return 0;
}

static void forget_statements(void)
{
    while (nstatements > 0)
        free(statements[--nstatements]);
}

/* What a plan may walk through: an index of the live conversations only, a table of a value or of JSON, what
 * waits (events, deliveries, what is not settled), the desks, and what is composed within the query; and the
 * keys of what scripts keep, when a number is looked for within them. */
static bool may_scan(const char *detail)
{
    static const char *const small[] = {"conversation_changed",
                                        "conversation_waiting",
                                        "json_each",
                                        "VIRTUAL TABLE INDEX",
                                        "CONSTANT ROW",
                                        "SCAN w",
                                        "SCAN f",
                                        "SCAN event",
                                        "SCAN e",
                                        "SCAN delivery",
                                        "SCAN d",
                                        "SCAN outbox",
                                        "SCAN bundle",
                                        "SCAN b",
                                        "SCAN (",
                                        "report_unmatched",
                                        "_words_config",
                                        "consent_erased",
                                        "SCAN t",
                                        "SCAN figure_pending",
                                        "SCAN value USING COVERING INDEX value_key"};

    for (size_t i = 0; i < ARRAY_LEN(small); i++)
        if (strstr(detail, small[i]))
            return true;
    return false;
}

static int check_plan(sqlite3 *h, const char *sql)
{
    char *explain = NULL;
    sqlite3_stmt *st;
    int scans = 0;

    if (strncmp(sql, "SELECT", 6) && strncmp(sql, "DELETE", 6) && strncmp(sql, "UPDATE", 6))
        return 0;
    assert_true(asprintf(&explain, "EXPLAIN QUERY PLAN %s", sql) > 0);
    if (sqlite3_prepare_v2(h, explain, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(h));
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(st, 3);

        if (!strncmp(detail, "SCAN", 4) && !may_scan(detail)) {
            print_message("%s\n  in %s\n", detail, sql);
            scans++;
        }
    }
    sqlite3_finalize(st);
    free(explain);
    return scans;
}

static void check_plans(struct fixture *f)
{
    int scans = 0;

    assert_true(nstatements > 0);
    for (int i = 0; i < nstatements; i++)
        scans += check_plan(f->s->reader.db.h, statements[i]);
    forget_statements();
    assert_int_equal(scans, 0);
}

static void watch(struct fixture *f)
{
    sqlite3_trace_v2(f->s->reader.db.h, SQLITE_TRACE_STMT, on_statement, NULL);
    sqlite3_trace_v2(f->s->writer.db.h, SQLITE_TRACE_STMT, on_statement, NULL);
}

static void some_people(struct fixture *f)
{
    struct contact_import rows[] = {
        {.number = "+491", .name = "Anna", .tags = ",vip,", .attributes = "{\"a\":\"b\"}"},
        {.number = "+492", .name = "Ben"}};
    struct store_import i = {.contacts = rows, .count = 2, .who = "ctl:root", .now_wall_ms = T0};
    int64_t c;

    assert_int_equal(DO(f, store_import, &i), 0);
    c = customer_writes(f, "+491", "m0", "hello", "sales", "Anna", T0);
    answer(f, c, "+491", "person:Anna", "hello yourself", 1, T0 + MINUTE);
    close_it(f, c, "person:Anna", T0 + 2 * MINUTE);
    customer_writes(f, "+492", "m0", "good day", NULL, NULL, T0);
}

#define ASK(fn, clear, ...)                                                                                  \
    do {                                                                                                     \
        struct fn q = {__VA_ARGS__};                                                                         \
                                                                                                             \
        assert_int_equal(DO(f, fn, &q), 0);                                                                  \
        clear(&q);                                                                                           \
    } while (0)
#define FREE_ROWS(q) free((q)->rows)

/* Lists and single ones, with every filter. */
static void test_lists(void **state)
{
    const unsigned all = CONV_BIT_LIVE | 1U << CONV_CLOSED;
    struct fixture *f = *state;

    some_people(f);
    watch(f);
    ASK(store_contacts, store_contacts_clear, .limit = 50);
    ASK(store_contacts, store_contacts_clear, .limit = 50, .prefix = "+49", .after = 1);
    ASK(store_contacts, store_contacts_clear, .limit = 50, .search = "anna", .after = 9);
    ASK(store_contacts, store_contacts_clear, .limit = 50, .search = "491");
    ASK(store_contacts, store_contacts_clear, .limit = 50, .search = "anna", .tag = "vip", .attribute = "a");
    ASK(store_contacts, store_contacts_clear, .limit = 50, .tag = "vip", .after = 9);
    ASK(store_contacts, store_contacts_clear, .limit = 50, .attribute = "a", .after = 9);
    ASK(store_contacts, store_contacts_clear, .limit = 50, .attribute = "a", .value = "b", .after = 9);
    ASK(store_ledger, store_ledger_clear, .limit = 50, .after = 9);
    ASK(store_ledger, store_ledger_clear, .limit = 50, .number = "+491", .after = 9);
    ASK(store_consents, FREE_ROWS, .limit = 50, .after = "+491");
    ASK(store_consents, FREE_ROWS, .limit = 50, .state = CONSENT_OUT, .after = "+491");
    ASK(store_consents, FREE_ROWS, .limit = 50, .number = "+491");
    ASK(store_convs, store_convs_clear, .limit = 50, .after = 1);
    ASK(store_convs, store_convs_clear, .limit = 50, .order = CONV_LONGEST, .after = 1);
    ASK(store_convs, store_convs_clear, .limit = 50, .states = all, .after = 1);
    ASK(store_convs, store_convs_clear, .limit = 50, .states = all, .department = "sales", .after = 1);
    ASK(store_convs, store_convs_clear, .limit = 50, .states = all, .assignee = "Anna", .department = "",
        .sim = "m0");
    ASK(store_convs, store_convs_clear, .limit = 50, .states = all, .tag = "vip", .after = 1);
    ASK(store_convs, store_convs_clear, .limit = 50, .tag = "vip", .overdue = true, .flagged = true);
    ASK(store_convs, store_convs_clear, .limit = 50, .states = all, .number = "+491", .after = 1);
    ASK(store_convs, store_convs_clear, .limit = 50, .states = all, .search = "hello", .after = 9);
    ASK(store_convs, store_convs_clear, .limit = 50, .states = all, .search = "+49 1");
    ASK(store_conv, store_conv_clear, .id = 1, .limit = 50);
    ASK(store_conv, store_conv_clear, .id = 1, .limit = 50, .before = 2);
    ASK(store_conv_counts, FREE_ROWS, .count = 0);
    check_plans(f);
}

/* Figures of a period, by everything; export, erasing, retention. */
static void test_others(void **state)
{
    struct fixture *f = *state;
    struct store_export x = {.number = "+491"};
    struct store_erase e = {.number = "+492", .who = "x", .now_wall_ms = T0};
    struct store_merge m = {.from = "+491", .into = "+492", .who = "x", .now_wall_ms = T0};

    some_people(f);
    watch(f);
    for (int by = BY_NONE; by <= BY_SIM; by++)
        ASK(store_figures, FREE_ROWS, .by = (enum figure_by)by, .since_wall_ms = T0 - 30 * DAY,
            .until_wall_ms = T0 + DAY);
    ASK(store_times_pending, FREE_ROWS, .max = 50);
    do {
        assert_int_equal(DO(f, store_export, &x), 0);
        free(x.json);
    } while (!x.ended);
    for (int kind = 0; kind < RETENTIONS; kind++) {
        struct store_retain r = {
            .kind = (enum retention)kind, .before_wall_ms = T0 - DAY, .now_wall_ms = T0, .max = 10};

        assert_int_equal(DO(f, store_retain, &r), 0);
    }
    assert_int_equal(DO(f, store_merge, &m), 0);
    assert_int_equal(move_to(f, 2, MSG_CANCELLED), 0);
    do
        assert_int_equal(DO(f, store_erase, &e), 0);
    while (e.more);
    check_plans(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_lists), TEST(test_others)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
