/* Listing, paging, showing, counting. */
#include "fixture.h"

static int list_ids(struct fixture *f, struct store_list *l, int64_t *ids, int max)
{
    int n;

    assert_int_equal(DO(f, store_list, l), 0);
    n = l->count;
    for (int i = 0; i < n; i++) {
        if (i < max)
            ids[i] = l->rows[i].id;
        msg_row_clear(&l->rows[i]);
    }
    free(l->rows);
    return n;
}

static int64_t admit_at(struct fixture *f, const char *peer, const char *text, int64_t at)
{
    struct store_new_message m = new_message(peer, 1);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = at};

    m.text = text;
    m.modem = "wanted";
    assert_int_equal(DO(f, store_admit, &a), 0);
    return m.id;
}

/* Each filter by itself and together; newest first. */
static void test_filters(void **state)
{
    struct fixture *f = *state;
    int64_t a = admit_at(f, "+491", "one 100% sure", T0), b = admit_at(f, "+492", "two", T0 + MINUTE);
    int64_t c = admit_at(f, "+491", "three", T0 + 2 * MINUTE), ids[8];

    send_part(f, a, 1, 1, T0);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 10}, ids, 8), 3);
    assert_true(ids[0] == c && ids[1] == b && ids[2] == a);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 10, .peer = "+491"}, ids, 8), 2);
    assert_true(ids[0] == c && ids[1] == a);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 10, .state = MSG_QUEUED}, ids, 8), 2);
    assert_true(ids[0] == c && ids[1] == b);
    assert_int_equal(
        list_ids(f,
                 &(struct store_list){.limit = 10, .since_wall_ms = T0 + 1, .until_wall_ms = T0 + 2 * MINUTE},
                 ids, 8),
        1);
    assert_true(ids[0] == b);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 10, .contains = "100%"}, ids, 8), 1);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 10, .contains = "1__%"}, ids, 8), 0);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 10, .modem = "m0"}, ids, 8), 1);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 10, .modem = "wanted"}, ids, 8), 2);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 10, .direction = MSG_IN}, ids, 8), 0);
    assert_int_equal(
        list_ids(f,
                 &(struct store_list){
                     .limit = 10, .peer = "+491", .state = MSG_QUEUED, .since_wall_ms = T0, .source = "test"},
                 ids, 8),
        1);
    assert_true(ids[0] == c);
}

/* Pages follow one another without a gap or a repetition, by id and by time, also over a clock set back. */
static void test_paging(void **state)
{
    struct fixture *f = *state;
    int64_t last[2] = {0}, seen[2] = {0}, page[4];

    for (int i = 0; i < 10; i++)
        admit_at(f, "+491", "x", i < 5 ? T0 + DAY + i : T0 + i);
    for (int by_time = 0; by_time < 2; by_time++) {
        int n;

        do {
            struct store_list l = {.limit = 4, .before_id = last[by_time], .since_wall_ms = by_time};

            n = list_ids(f, &l, page, 4);
            if (n > 0)
                last[by_time] = page[n - 1];
            for (int i = 0; i < n; i++)
                seen[by_time] |= INT64_C(1) << page[i];
        } while (n > 0);
    }
    assert_int_equal(seen[0], 0x7FE);
    assert_int_equal(seen[1], 0x7FE);
}

/* A number's messages are found over eras of ids, in pages too. */
static void test_list_over_eras(void **state)
{
    enum { MANY = 40000 };
    struct fixture *f = *state;
    struct store_new_message *many = calloc(MANY, sizeof *many);
    struct store_admit a = {.messages = many, .count = MANY, .now_wall_ms = T0};
    int64_t first = admit_at(f, "+491", "x", T0), last, ids[8];

    for (int i = 0; i < MANY; i++)
        many[i] = new_message("+492", 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    last = admit_at(f, "+491", "x", T0);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 8, .peer = "+491"}, ids, 8), 2);
    assert_true(ids[0] == last && ids[1] == first);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 1, .peer = "+491", .before_id = last}, ids, 8),
                     1);
    assert_true(ids[0] == first);
    assert_int_equal(list_ids(f, &(struct store_list){.limit = 1, .peer = "+491", .before_id = 1}, ids, 8),
                     0);
    free(many);
}

/* A message is found by id or key; what is not there is said so. */
static void test_show(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m = new_message("+491", 2);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};
    struct store_show h = {.key = "k"};

    m.key = "k";
    m.meta = "{}";
    m.pool = "p";
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_int_equal(DO(f, store_show, &h), 0);
    assert_int_equal(h.row.id, m.id);
    assert_string_equal(h.row.key, "k");
    assert_string_equal(h.row.meta, "{}");
    assert_string_equal(h.row.pool, "p");
    assert_int_equal(h.nparts, 2);
    assert_int_equal(h.parts[1].mr, -1);
    store_show_clear(&h);
    h = (struct store_show){.id = 99};
    assert_int_equal(DO(f, store_show, &h), ERR_NOT_FOUND);
    h = (struct store_show){.key = ""};
    assert_int_equal(DO(f, store_show, &h), ERR_NOT_FOUND);
}

/* The counts follow every move and survive a restart. */
static void test_counts(void **state)
{
    struct fixture *f = *state;
    struct store_counts c = {0};

    send_part(f, admit(f, "+491", 1), 1, 1, T0);
    admit(f, "+491", 1);
    assert_int_equal(move_to(f, admit(f, "+491", 1), MSG_CANCELLED), 0);
    fixture_stop(f);
    fixture_start(f);
    assert_int_equal(DO(f, store_counts, &c), 0);
    assert_int_equal(c.by_state[MSG_SENT], 1);
    assert_int_equal(c.by_state[MSG_QUEUED], 1);
    assert_int_equal(c.by_state[MSG_CANCELLED], 1);
    assert_int_equal(c.by_state[MSG_SUBMITTING], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_filters), TEST(test_paging), TEST(test_list_over_eras), TEST(test_show), TEST(test_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
