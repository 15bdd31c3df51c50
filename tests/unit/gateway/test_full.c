/* A full disk: what comes in stays on the modem, what is to go out is refused with a clear error, nothing
 * that was accepted is lost, and the gateway goes on by itself when there is room. On a small tmpfs (needs
 * root). */
#include "tests/unit/gateway/world.h"

#include "tests/lib/full_disk.h"

static void take_room(struct world *w)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/ballast", w->dir);
    fill_disk(path);
}

static void make_room(struct world *w)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/ballast", w->dir);
    assert_int_equal(unlink(path), 0);
}

/* Uses up what the log of the database still holds. */
static int admit_until_refused(struct world *w)
{
    char text[200];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int n = 0; n < 5000; n++)
        if (send_to(w, "+491701111111", text) < 0)
            return n;
    return -1;
}

static void full_and_room_again(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    (void)state;
    world_init(w);
    if (mount("tmpfs", w->dir, "tmpfs", 0, "size=2m") != 0) {
        world_fini(w);
        free(w);
        skip();
    }
    add_carrier(w, "M0", "");
    w->carriers[0].send_ms = 20;
    life_start(w);
    w->carriers[0].send_ms = 10 * SECOND;
    int64_t on_air = send_to(w, "+491701111111", "on the air");
    run(w, SECOND);
    for (int i = 0; i < 5; i++)
        assert_true(send_to(w, "+491701111111", "before") > 0);
    take_room(w);
    int accepted = admit_until_refused(w);
    assert_true(accepted >= 0);
    assert_non_null(strstr(w->reason, "no room on the disk of the database"));
    uint64_t token = arrive_text(w, "+491702222222", "hello");
    run(w, SECOND);
    struct gateway_stats st;
    gateway_get_stats(w->g, &st);
    assert_true(st.disk_full);
    assert_int_equal(settled(w, token), 0);
    assert_non_null(strstr(w->alarm, "no room"));
    run(w, HOUR);
    assert_int_equal(settled(w, token), 0);
    assert_int_equal(sent_count(w, "on the air"), 1);
    assert_state(w, on_air, MSG_SUBMITTING); /* it was sent, but that cannot be written down yet */
    make_room(w);
    run(w, 10 * MINUTE);
    gateway_get_stats(w->g, &st);
    assert_int_equal(sent_count(w, "before"), 5);
    assert_int_equal(sent_count(w, "on the air"), 1);
    assert_state(w, on_air, MSG_SENT);
    assert_int_equal(w->nlog, 2 * accepted + 6);
    assert_int_equal(st.queued, 0);
    uint64_t again = arrive_text(w, "+491702222222", "hello");
    assert_true(send_to(w, "+491701111111", "room") > 0);
    run(w, SECOND);
    assert_int_equal(settled(w, again), 1);
    gateway_get_stats(w->g, &st);
    assert_false(st.disk_full);
    life_crash(w);
    assert_int_equal(umount2(w->dir, MNT_DETACH), 0);
    world_fini(w);
    free(w);
}

/* An engine that confirms STOP and answers everything else, once `deciding` is set. */
static struct {
    int64_t ids[8];
    int n;
    bool deciding;
} engine;

static void give_verdict(struct world *w, int64_t id, bool stop)
{
    struct gateway_send reply = message("+491702222222", stop ? "confirmed" : "answer");
    struct store_effect out = {.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .value = "STOP"};
    struct gateway_verdict v = {.reason = "test", .replies = &reply, .nreplies = 1};
    reply.automatic = true;
    reply.consent = stop;
    if (stop) {
        v.effects = &out;
        v.neffects = 1;
    }
    gateway_handled(w->g, id, &v);
}

static void on_message(void *owner, const struct msg_row *m)
{
    if (engine.deciding)
        give_verdict(owner, m->id, strcmp(m->text, "STOP") == 0);
    else
        engine.ids[engine.n++] = m->id;
}

/* Verdicts that the disk had no room for become durable in the order of their messages: what was decided
 * about a message behind STOP is not sent. */
static void verdicts_keep_their_order(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    (void)state;
    memset(&engine, 0, sizeof(engine));
    world_init(w);
    if (mount("tmpfs", w->dir, "tmpfs", 0, "size=2m") != 0) {
        world_fini(w);
        free(w);
        skip();
    }
    add_carrier(w, "M0", "");
    w->engine = on_message;
    life_start(w);
    arrive_text(w, "+491702222222", "STOP");
    run(w, SECOND);
    arrive_text(w, "+491702222222", "hello");
    arrive_text(w, "+491702222222", "anybody there?");
    run(w, SECOND);
    assert_int_equal(engine.n, 3);
    take_room(w);
    assert_true(admit_until_refused(w) >= 0);
    run(w, 500); /* all three are given while nothing can be written */
    engine.deciding = true;
    for (int i = 0; i < 3; i++)
        give_verdict(w, engine.ids[i], i == 0);
    run(w, 10 * MINUTE);
    assert_int_equal(sent_count(w, "confirmed") + sent_count(w, "answer"), 0);
    make_room(w);
    run(w, 10 * MINUTE);
    assert_int_equal(sent_count(w, "confirmed"), 1);
    assert_int_equal(sent_count(w, "answer"), 0);
    for (int i = 0; i < 3; i++)
        assert_state(w, engine.ids[i], MSG_HANDLED);
    life_crash(w);
    assert_int_equal(umount2(w->dir, MNT_DETACH), 0);
    world_fini(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(full_and_room_again),
                                       cmocka_unit_test(verdicts_keep_their_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
