/* The walk along a chain of handlers that answer now or later. */
#include "trial.h"

#include "engine/handler.h"

struct scripted {
    struct handler handler;
    enum handler_answer answer;
    int asked, abandoned;
};

static enum handler_answer scripted_decide(struct handler *h, const struct handler_event *ev,
                                           struct verdict *v, struct walk *walk)
{
    struct scripted *s = container_of(h, struct scripted, handler);

    (void)ev, (void)v, (void)walk;
    s->asked++;
    return s->answer;
}

static void scripted_abandon(struct handler *h, struct walk *walk)
{
    (void)walk;
    container_of(h, struct scripted, handler)->abandoned++;
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
    struct handler h = {.decide = scripted_decide, .abandon = scripted_abandon};

    h.name = "first";
    first = (struct scripted){.handler = h, .answer = a};
    h.name = "second";
    second = (struct scripted){.handler = h, .answer = b};
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

/* A walk that ends early gives up whom it waits for, once; one that waits for nobody gives up nobody. */
static void test_cancelled(void **state)
{
    (void)state;
    start(HANDLER_NEXT, HANDLER_LATER);
    walk_cancel(&walk);
    walk_cancel(&walk);
    assert_int_equal(first.abandoned, 0);
    assert_int_equal(second.abandoned, 1);
    assert_int_equal(dones, 0);
    start(HANDLER_NEXT, HANDLER_NEXT);
    walk_cancel(&walk);
    assert_int_equal(first.abandoned + second.abandoned, 0);
}

/* Handlers are asked about the events that they want: messages and calls, where they do not say. */
static void test_wanted_events(void **state)
{
    struct handler_event alarm = {.on = ENGINE_ON_ALARM};

    (void)state;
    start(HANDLER_NEXT, HANDLER_NEXT);
    second.handler.on = 1U << ENGINE_ON_ALARM;
    walk.event = &alarm;
    walk_start(&walk);
    assert_int_equal(first.asked, 1);
    assert_int_equal(second.asked, 2);
    walk.event = &event;
    walk_start(&walk);
    assert_int_equal(first.asked, 2);
    assert_int_equal(second.asked, 2);
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
        cmocka_unit_test(test_now),         cmocka_unit_test(test_later),
        cmocka_unit_test(test_cancelled),   cmocka_unit_test(test_wanted_events),
        cmocka_unit_test(test_long_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
