/* The walk along a chain of handlers that answer now or later. */
#include "trial.h"

#include "engine/handler.h"

struct scripted {
    struct handler handler;
    enum handler_answer answer;
    int asked;
};

static enum handler_answer scripted_decide(struct handler *h, const struct handler_event *ev,
                                           struct verdict *v, struct walk *walk)
{
    struct scripted *s = container_of(h, struct scripted, handler);

    (void)ev, (void)v, (void)walk;
    s->asked++;
    return s->answer;
}

static int dones;

static void done(struct walk *w)
{
    (void)w;
    dones++;
}

static struct scripted first, second;
static struct handler *chain[] = {&first.handler, &second.handler, NULL};
static struct handler_event event;
static struct verdict verdict;
static struct walk walk;

static void start(enum handler_answer a, enum handler_answer b)
{
    first = (struct scripted){{"first", scripted_decide}, a, 0};
    second = (struct scripted){{"second", scripted_decide}, b, 0};
    verdict_init(&verdict, NULL);
    walk = (struct walk){.chain = chain, .event = &event, .verdict = &verdict, .done = done};
    dones = 0;
    walk_start(&walk);
}

/* NEXT asks the next handler, STOP nobody else; either way it ends once. */
static void test_now(void **state)
{
    (void)state;
    start(HANDLER_NEXT, HANDLER_NEXT);
    assert_int_equal(first.asked + second.asked, 2);
    assert_int_equal(dones, 1);
    assert_string_equal(verdict.handler, "second");
    start(HANDLER_STOP, HANDLER_NEXT);
    assert_int_equal(second.asked, 0);
    assert_int_equal(dones, 1);
    assert_string_equal(verdict.handler, "first");
}

/* A handler that answers later holds up the walk until then, wherever it stands. */
static void test_later(void **state)
{
    (void)state;
    start(HANDLER_LATER, HANDLER_LATER);
    assert_int_equal(second.asked, 0);
    walk_resume(&walk, HANDLER_NEXT);
    assert_int_equal(second.asked, 1);
    assert_int_equal(dones, 0);
    walk_resume(&walk, HANDLER_NEXT);
    assert_int_equal(dones, 1);
    assert_string_equal(verdict.handler, "second");
    start(HANDLER_LATER, HANDLER_NEXT);
    walk_resume(&walk, HANDLER_STOP);
    assert_int_equal(second.asked, 0);
    assert_int_equal(dones, 1);
    assert_string_equal(verdict.handler, "first");
}

/* A reason that is too long is cut between characters. */
static void test_long_reason(void **state)
{
    char many[MSG_REASON_BYTES * 2];

    (void)state;
    memset(many, 'x', sizeof many);
    for (size_t i = 1; i + 2 < sizeof many; i += 2)
        memcpy(many + i, "ü", 2);
    many[sizeof many - 1] = '\0';
    verdict_init(&verdict, NULL);
    verdict_reason(&verdict, "%s", many);
    assert_int_equal(strlen(verdict.reason), MSG_REASON_BYTES - 1);
    verdict_reason(&verdict, "%s", many + 1);
    assert_int_equal(strlen(verdict.reason), MSG_REASON_BYTES - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_now),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_long_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
