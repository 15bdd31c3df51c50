/* The spool with the real gateway and store on simulated time: files in, files out, deaths at any instant. */
#include "tests/unit/spool/bench.h"

#define HELLO "To: 491701234567\nReport: yes\nX-Mine: 7\n\nHello\n"

/* A dropped file is sent, and lies in sent/ under its name with smstools3's headers in their order. */
static void test_sent(void **state)
{
    struct bench *b = *state;
    drop(b, "cake", HELLO);
    run(&b->w, SECOND);
    assert_int_equal(times_sent(b, "Hello"), 1);
    assert_string_equal(b->w.log[0].to, "+491701234567");
    char *text = read_text(b, "sent", "cake");
    has(text, "To: 491701234567\nReport: yes\nX-Mine: 7\nModem: M0\nNumber: 491520000000\nSent: 26-11-21 ");
    has(text, "\nSending_time: 0\nMessage_id: 0\nIMSI: 262010000000000\nIMEI: 357805020000000\n\nHello\n");
    assert_int_equal(count_files(b, "outgoing") + count_files(b, "checked") + count_files(b, "failed"), 0);
}

/* A sent file that is moved to outgoing/ again is sent again, without its old headers; its name is kept. */
static void test_again(void **state)
{
    struct bench *b = *state;
    drop(b, "cake", HELLO);
    run(&b->w, SECOND);
    assert_int_equal(rename(file_path(b, "sent", "cake"), file_path(b, "outgoing", "cake")), 0);
    spool_kick(b->sp, "cake");
    run(&b->w, SECOND);
    assert_int_equal(times_sent(b, "Hello"), 2);
    char *text = read_text(b, "sent", "cake");
    assert_null(strstr(strstr(text, "Modem:") + 1, "Modem:"));
}

/* Several recipients: sent/ when all are, with all ids; failed/ with the reason of each that failed. */
static void test_several(void **state)
{
    struct bench *b = *state;
    drop(b, "all", "To: 491701234567, 491701234568,491701234569\nReport: yes\n\nHello\n");
    run(&b->w, 5 * SECOND);
    assert_int_equal(times_sent(b, "Hello"), 3);
    has(read_text(b, "sent", "all"), "\nMessage_id: 0 1 2 .\n");
    plan(&b->w.carriers[0], (struct carrier_outcome){.result = CARRIER_SENT});
    plan(&b->w.carriers[0], failed(CARRIER_E_PERMANENT, 1));
    drop(b, "some", "To: 491701234567, 491701234568,491701234569\n\nHi\n");
    run(&b->w, 5 * SECOND);
    char *text = read_text(b, "failed", "some");
    has(text, "\nFail_reason: +491701234568: ");
    has(text, "\nFailed: 26-11-21 ");
    assert_null(strstr(text, "Fail_reason: +491701234567"));
    assert_int_equal(count_files(b, "checked"), 0);
}

/* A bad file goes to failed/, whole, with the line and what was expected; admission's refusals too. */
static void test_refused(void **state)
{
    struct bench *b = *state;
    drop(b, "bad", "To: 491701234567\nAlphabet: klingon\n\nHello\n");
    drop(b, "pool", "To: 491701234567\nQueue: nowhere\n\nHello\n");
    drop(b, "long",
         "To: 491701234567\nAutosplit: 0\n\n"
         "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
         "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890");
    run(&b->w, SECOND);
    has(read_text(b, "failed", "bad"),
        "Alphabet: klingon\nFail_reason: Invalid alphabet: line 2: Alphabet: ");
    has(read_text(b, "failed", "bad"), "\n\nHello\n");
    has(read_text(b, "failed", "pool"), "\nFail_reason: Wrong provider queue: ");
    has(read_text(b, "failed", "long"), "\nFail_reason: Too long text: ");
    assert_int_equal(b->w.nlog, 0);
    assert_int_equal(count_files(b, "checked"), 0);
}

/* A file of more than 1 MiB is refused. */
static void test_large(void **state)
{
    struct bench *b = *state;
    write_file(b, "outgoing", "large", HELLO);
    assert_int_equal(truncate(file_path(b, "outgoing", "large"), (1 << 20) + 1), 0);
    spool_kick(b->sp, "large");
    run(&b->w, SECOND);
    int fd = open(file_path(b, "failed", "large"), O_RDONLY);
    char text[512] = "";
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    has(text, "\nFail_reason: file: at most 1048576 bytes expected");
    assert_int_equal(b->w.nlog, 0);
}

/* Links, FIFOs, folders, locked and hidden files are left alone; what becomes ready is picked by itself. */
static void test_not_picked(void **state)
{
    struct bench *b = *state;
    write_file(b, ".", "secret", HELLO);
    assert_int_equal(symlink("../secret", file_path(b, "outgoing", "link")), 0);
    assert_int_equal(link(file_path(b, ".", "secret"), file_path(b, "outgoing", "hard")), 0);
    assert_int_equal(mkfifo(file_path(b, "outgoing", "fifo"), 0600), 0);
    assert_int_equal(mkdir(file_path(b, "outgoing", "dir"), 0700), 0);
    write_file(b, "outgoing", ".hidden", HELLO);
    write_file(b, "outgoing", "LOCKED.x", HELLO);
    write_file(b, "outgoing", "x.LOCK", "1234567 writer\n");
    write_file(b, "outgoing", "x", HELLO);
    write_file(b, "outgoing", "small", "To: 49");
    static const char *const names[] = {"link",     "hard",   "fifo", "dir",  ".hidden",
                                        "LOCKED.x", "x.LOCK", "x",    "small"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        spool_kick(b->sp, names[i]);
    spool_kick(b->sp, NULL);
    run(&b->w, 10 * SECOND);
    assert_int_equal(b->w.nlog, 0);
    assert_int_equal(count_files(b, "outgoing"), 9);
    unlink(file_path(b, "outgoing", "x.LOCK"));
    unlink(file_path(b, ".", "secret"));
    write_file(b, "outgoing", "small", "To: 491701234567\n\nSmall\n");
    run(&b->w, MINUTE + SECOND);
    assert_int_equal(b->w.nlog, 3);
    assert_true(exists(b, "sent", "x") && exists(b, "sent", "hard") && exists(b, "sent", "small"));
    assert_int_equal(b->rescans, 1);
}

/* A walk leaves a file alone that was changed within the last half second, and comes back for it. */
static void test_young(void **state)
{
    struct bench *b = *state;
    int64_t wall = RT_SIM_START_WALL_MS + rt_sim_now(b->w.rt) - RT_SIM_START_MS;
    struct timespec t[2] = {{wall / 1000, wall % 1000 * 1000000}, {wall / 1000, wall % 1000 * 1000000}};
    write_file(b, "outgoing", "young", HELLO);
    assert_int_equal(utimensat(AT_FDCWD, file_path(b, "outgoing", "young"), t, 0), 0);
    spool_kick(b->sp, NULL);
    run(&b->w, 200);
    assert_true(exists(b, "outgoing", "young"));
    run(&b->w, 2 * SECOND);
    assert_true(exists(b, "sent", "young"));
}

/* Names come back as they were: odd bytes, 255 of them, and with a number where the name is taken. */
static void test_names(void **state)
{
    struct bench *b = *state;
    char lengthy[256];
    memset(lengthy, 'n', 255);
    lengthy[255] = '\0';
    drop(b, "a b\xFF\n%41", HELLO);
    drop(b, lengthy, HELLO);
    run(&b->w, SECOND);
    assert_true(exists(b, "sent", "a b\xFF\n%41"));
    assert_true(exists(b, "sent", lengthy));
    assert_int_equal(count_files(b, "checked"), 0);
    for (int i = 0; i < 13; i++) {
        drop(b, "same", HELLO);
        run(&b->w, SECOND);
    }
    assert_true(exists(b, "sent", "same") && exists(b, "sent", "same.1") && exists(b, "sent", "same.9"));
    assert_int_equal(count_files(b, "sent"), 15);
}

/* A directory of many is read in portions: of what was read, HIGH goes first, then the oldest, then by name.
 */
static void test_order(void **state)
{
    struct bench *b = *state;
    char name[32], text[128];
    enum { MANY = 1500 };
    b->w.carriers[0].send_ms = 1;
    for (int i = 0; i < MANY; i++) {
        struct timespec t[2] = {{1000000, 0}, {1000000 - i / 100, 0}};
        bool high = i == 700;
        snprintf(name, sizeof(name), "f%04d", i);
        snprintf(text, sizeof(text), "To: 491701234567\n%s\nN%d\n", high ? "Priority: HIGH\n" : "", i);
        write_file(b, "outgoing", name, text);
        assert_int_equal(utimensat(AT_FDCWD, file_path(b, "outgoing", name), t, 0), 0);
    }
    spool_kick(b->sp, NULL);
    run(&b->w, MINUTE);
    assert_int_equal(count_files(b, "sent"), MANY);
    assert_int_equal(b->w.nlog, MANY);
}

/* While the gateway's queue is full, files wait and nothing is refused; they go when there is room. */
static void test_full(void **state)
{
    struct bench *b = *state;
    char name[16];
    b->w.conf.queue_max = 2;
    b->w.carriers[0].send_ms = 3 * SECOND;
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        drop(b, name, HELLO);
    }
    run(&b->w, SECOND);
    assert_int_equal(count_files(b, "failed"), 0);
    run(&b->w, 10 * MINUTE);
    assert_int_equal(count_files(b, "sent"), 8);
    assert_int_equal(times_sent(b, "Hello"), 8);
}

/* ---- what came in ---- */

static void only_file(struct bench *b, const char *folder, char name[256])
{
    DIR *d = opendir(file_path(b, folder, ""));
    name[0] = '\0';
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            str_copy(name, 256, e->d_name);
    closedir(d);
}

/* A customer's text as a file; a text with lines in it makes no header. */
static void test_incoming(void **state)
{
    struct bench *b = *state;
    char name[256];
    arrive_text(&b->w, "+491701234567", "Grüße\nTo: 1\n\nx");
    run(&b->w, SECOND);
    only_file(b, "incoming", name);
    assert_string_equal(name, "M0.000001");
    char *text = read_text(b, "incoming", name);
    has(text, "From: 491701234567\nFrom_TOA: 91 international, ISDN/telephone\n");
    has(text, "\nSubject: M0\nModem: M0\nNumber: 491520000000\nIMSI: 262010000000000\nIMEI: 357805020000000\n"
              "Report: no\nAlphabet: UTF-8\nLength: 14\n\nGrüße\nTo: 1\n\nx");
    assert_int_equal(count_files(b, "incoming"), 1);
}

/* A call as a file in calls/, in smstools3's form. */
static void test_call(void **state)
{
    struct bench *b = *state;
    struct carrier *c = &b->w.carriers[0].c;
    char name[256];
    c->up->call(c->up_owner, c,
                &(struct carrier_call){.from = "+491701234567", .rings = 3, .began_wall_ms = 1});
    run(&b->w, SECOND);
    only_file(b, "calls", name);
    assert_string_equal(name, "M0.000001");
    char *text = read_text(b, "calls", name);
    has(text, "From: 491701234567\nFrom_TOA: 91 international, ISDN/telephone\nSubject: M0\nModem: M0\n"
              "Number: 491520000000\nIMSI: 262010000000000\nIMEI: 357805020000000\nCall_type: missed\n"
              "Received: ");
    has(text, "\n\nCALL MISSED\n");
    c->up->call(c->up_owner, c, &(struct carrier_call){.from = "", .withheld = true, .began_wall_ms = 2});
    run(&b->w, SECOND);
    has(read_text(b, "calls", "M0.000002"), "From: \nSubject: M0\n");
    assert_int_equal(count_files(b, "incoming"), 0);
}

/* A delivery report has exactly the body that scripts read, without a newline at its end. */
static void test_report(void **state)
{
    struct bench *b = *state;
    char name[256];
    drop(b, "cake", HELLO);
    run(&b->w, SECOND);
    arrive_report(&b->w, 0, "+491701234567", b->w.log[0].mr, 0);
    run(&b->w, SECOND);
    only_file(b, "report", name);
    char *text = read_text(b, "report", name), *body = strstr(text, "\n\n");
    has(text,
        "From: 491701234567\nFrom_TOA: 91 international, ISDN/telephone\nFrom_SMSC: 491710760000\nSent: ");
    has(text, "\nAlphabet: ISO\nLength: ");
    /* The service centre is an hour east of here. */
    int sent, received;
    assert_int_equal(sscanf(strstr(text, "\nSent: "), "\nSent: %*8s %d", &sent), 1);
    assert_int_equal(sscanf(strstr(text, "\nReceived: "), "\nReceived: %*8s %d", &received), 1);
    assert_int_equal(sent, (received + 1) % 24);
    assert_memory_equal(body, "\n\nSMS STATUS REPORT\nMessage_id: 0\nDischarge_timestamp: ", 55);
    assert_string_equal(strstr(body, "Status:"), "Status: 0,Ok,short message received by the SME");
}

/* What cannot be decoded comes as its PDU, with the reason, marked as an error. */
static void test_undecodable(void **state)
{
    struct bench *b = *state;
    char name[256];
    offer(&b->w, 0, (const uint8_t *)"\x00\x04\x0B\x91", 4, 3, false);
    run(&b->w, SECOND);
    only_file(b, "incoming", name);
    char *text = read_text(b, "incoming", name);
    assert_memory_equal(text, "Error: Cannot decode PDU, see text part for details.\n", 53);
    has(text, "\nAlphabet: unknown\nPDU: 00040B91\nPos: ");
}

/* While files cannot be written nothing is lost: they come when they can. */
static void test_disk(void **state)
{
    struct bench *b = *state;
    assert_int_equal(rmdir(file_path(b, "incoming", "")), 0);
    write_file(b, ".", "incoming", "in the way");
    arrive_text(&b->w, "+491701234567", "one");
    arrive_text(&b->w, "+491701234567", "two");
    drop(b, "cake", HELLO);
    run(&b->w, 20 * SECOND);
    assert_true(exists(b, "sent", "cake")); /* others go on */
    unlink(file_path(b, ".", "incoming"));
    run(&b->w, 2 * MINUTE);
    assert_int_equal(count_files(b, "incoming"), 2);
}

/* Folders that somebody removed are made again. */
static void test_folders(void **state)
{
    struct bench *b = *state;
    assert_int_equal(rmdir(file_path(b, "sent", "")), 0);
    assert_int_equal(rmdir(file_path(b, "checked", "")), 0);
    drop(b, "cake", HELLO);
    run(&b->w, SECOND);
    assert_true(exists(b, "sent", "cake"));
}

/* ---- consent ---- */

static void take_stop(void *owner, const struct msg_row *m)
{
    struct bench *b = owner;
    struct store_effect out = {.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .value = m->text};
    struct gateway_verdict v = {.reason = "STOP", .effects = &out, .neffects = 1};
    gateway_handled(b->w.g, m->id, &v);
}

static void opt_out(struct bench *b, const char *number)
{
    gateway_set_engine(b->w.g, take_stop, b);
    arrive_text(&b->w, number, "STOP");
    run(&b->w, SECOND);
}

/* Who has opted out gets nothing; the file says so, the others get theirs. */
static void test_opted_out(void **state)
{
    struct bench *b = *state;
    opt_out(b, "+491701234567");
    drop(b, "one", HELLO);
    drop(b, "two", "To: 491701234567, 491701234568\n\nHi\n");
    run(&b->w, 2 * SECOND);
    has(read_text(b, "failed", "one"), "\nFail_reason: Destination is blacklisted: ");
    has(read_text(b, "failed", "two"), "\nFail_reason: 491701234567: has opted out (STOP)");
    assert_int_equal(times_sent(b, "Hello"), 0);
    assert_int_equal(times_sent(b, "Hi"), 1);
}

/* ---- deaths ---- */

struct death {
    uint64_t at, count;
};

static bool die(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    struct death *d = arg;
    (void)moment, (void)number;
    return ++d->count == d->at;
}

static void drop_three(struct bench *b)
{
    drop(b, "cake", HELLO);
    drop(b, "pair", "To: 491701234567,491701234568\n\nPair\n");
    drop(b, "bad", "To: x\n\nHello\n");
    arrive_text(&b->w, "+491701234567", "in");
}

/* How many messages of a file wait because nobody knows whether they went out. */
static int is_unknown(struct bench *b, const char *source)
{
    int n = 0;
    for (int64_t id = 1; id <= 4; id++) {
        struct shown *s = show(&b->w, id);
        n += s->status == 0 && strcmp(s->op.row.source, source) == 0 && s->op.row.state == MSG_UNKNOWN;
        unshow(s);
    }
    return n;
}

/* Killed before or after any piece of work, at any time: no file is lost, no message is sent twice, and each
 * file ends in the right folder, or waits where the outcome is not known. */
static void test_deaths(void **state)
{
    (void)state;
    bool died = true;
    int deaths = 0;
    for (uint64_t at = 1; died; at++) {
        struct bench b;
        struct death d = {.at = at};
        bench_init(&b);
        bench_life(&b);
        rt_sim_on_work(b.w.rt, die, &d);
        drop_three(&b);
        run(&b.w, 3 * SECOND);
        died = rt_sim_crashed(b.w.rt);
        deaths += died;
        rt_sim_on_work(b.w.rt, NULL, NULL);
        bench_crash(&b);
        bench_life(&b);
        run(&b.w, 5 * SECOND);
        bool cake = is_unknown(&b, "spool:cake") > 0;
        int pair = is_unknown(&b, "spool:pair");
        assert_true(times_sent(&b, "Hello") == 1 || (cake && times_sent(&b, "Hello") == 0));
        assert_in_range(times_sent(&b, "Pair"), 2 - pair, 2);
        assert_int_equal(count_files(&b, "outgoing"), 0);
        assert_true(exists(&b, "failed", "bad"));
        assert_int_equal(count_files(&b, "failed"), 1);
        assert_int_equal(exists(&b, "sent", "cake"), !cake);
        assert_int_equal(exists(&b, "sent", "pair"), !pair);
        assert_int_equal(count_files(&b, "sent") + count_files(&b, "checked"), 2);
        assert_true(count_files(&b, "incoming") <= 1); /* its PDU may still be on the modem */
        bench_crash(&b);
        world_fini(&b.w);
    }
    printf("%d deaths\n", deaths);
    assert_true(deaths > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sent, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_again, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_several, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_refused, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_large, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_not_picked, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_young, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_names, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_order, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_full, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_incoming, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_call, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_report, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_undecodable, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_disk, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_folders, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_opted_out, bench_setup, bench_teardown),
        cmocka_unit_test(test_deaths),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
