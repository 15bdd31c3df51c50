/* The marks of what has left: a process that dies knows in its next life which parts may be on the air. */
#include "tests/unit/store/fixture.h"

static void begin(struct fixture *f)
{
    struct err e;

    assert_true(store_settle_interrupted(f->s, T0, &e) >= 0);
}

static int next_life(struct fixture *f)
{
    struct err e;

    fixture_crash(f);
    fixture_start(f);
    return store_settle_interrupted(f->s, T0 + MINUTE, &e);
}

/* Of two intended parts only the one that left is unknown; the other waits again as if it had never been
 * tried. */
static void test_only_what_left_is_unknown(void **state)
{
    struct fixture *f = *state;
    int64_t left = admit(f, "+491", 1), stayed = admit(f, "+492", 1);
    struct store_show h;

    begin(f);
    assert_true(intend(f, left, 1, T0) && intend(f, stayed, 1, T0));
    store_air_mark(f->s, left, 1);
    assert_int_equal(next_life(f), 1);
    assert_int_equal(state_of(f, left), MSG_UNKNOWN);
    assert_history(f, stayed, "queued submitting queued");
    h = show(f, stayed);
    assert_int_equal(h.parts[0].attempts, 0);
    store_show_clear(&h);
}

/* Parts of one message: what left is unknown and holds the message, what stayed waits for that. */
static void test_parts_of_one_message(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491", 3);

    begin(f);
    assert_true(intend(f, id, 1, T0) && intend(f, id, 2, T0) && intend(f, id, 3, T0));
    store_air_mark(f->s, id, 1);
    outcome(f, id, 1, MSG_SENT, 7, T0);
    store_air_mark(f->s, id, 2);
    assert_int_equal(next_life(f), 1);
    assert_int_equal(part_state_of(f, id, 1), MSG_SENT);
    assert_int_equal(part_state_of(f, id, 2), MSG_UNKNOWN);
    assert_int_equal(part_state_of(f, id, 3), MSG_QUEUED);
    assert_int_equal(state_of(f, id), MSG_UNKNOWN);
}

/* A mark stands until the outcome is committed, not until the result came. */
static void test_mark_outlives_the_result(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491", 1);
    struct store_outcome o = {.op.done = fixture_done,
                              .message = id,
                              .seq = 1,
                              .state = MSG_SENT,
                              .mr = 7,
                              .modem = "m0",
                              .imsi = "262",
                              .now_wall_ms = T0};

    begin(f);
    assert_true(intend(f, id, 1, T0));
    store_air_mark(f->s, id, 1);
    store_outcome(f->s, &o); /* the process dies before the batch runs */
    assert_int_equal(next_life(f), 1);
    assert_int_equal(state_of(f, id), MSG_UNKNOWN);
}

/* A part that was refused and waits again is not taken for one that left when it is intended once more. */
static void test_mark_is_cleared_by_its_outcome(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491", 1);

    begin(f);
    assert_true(intend(f, id, 1, T0));
    store_air_mark(f->s, id, 1);
    assert_int_equal(outcome(f, id, 1, MSG_QUEUED, -1, T0), MSG_QUEUED);
    assert_true(intend(f, id, 1, T0 + MINUTE));
    assert_int_equal(next_life(f), 0);
    assert_int_equal(state_of(f, id), MSG_QUEUED);
}

/* After the machine's own crash the marks are worth nothing: whatever was intended may have left. */
static void test_machine_crash(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491", 1);
    char path[128];
    FILE *file;

    begin(f);
    assert_true(intend(f, id, 1, T0));
    fixture_crash(f);
    snprintf(path, sizeof path, "%s-air", f->path);
    file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, 8, SEEK_SET);
    fputs("another run of the machine", file);
    fclose(file);
    fixture_start(f);
    assert_int_equal(store_settle_interrupted(f->s, T0 + MINUTE, &(struct err){0}), 1);
    assert_int_equal(state_of(f, id), MSG_UNKNOWN);
}

/* More parts than there is room for marks: the next life takes all for possibly sent. */
static void test_no_room(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491", 1);

    begin(f);
    assert_true(intend(f, id, 1, T0));
    for (int i = 0; i < 9000; i++)
        store_air_mark(f->s, 1000 + i, 1);
    assert_int_equal(next_life(f), 1);
    assert_int_equal(state_of(f, id), MSG_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_only_what_left_is_unknown),
        TEST(test_parts_of_one_message),
        TEST(test_mark_outlives_the_result),
        TEST(test_mark_is_cleared_by_its_outcome),
        TEST(test_machine_crash),
        TEST(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
