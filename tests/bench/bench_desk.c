/* What the console's questions cost in a large store: contacts, conversations, timelines, figures.
 *
 * BENCH_DESK_MESSAGES (default 50000) is how large; there is a contact for ten messages and a conversation
 * for five, over two years, made by the store's own operations as customers and people would; the database is
 * in TMPDIR and removed. Lines of name, value, unit, separated by tabs; of the questions the median and the
 * slowest of many, with other words, numbers and ids each time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/util.h"
#include "os/rt_uv.h"
#include "store/query_desk.h"

enum { IN_FLIGHT = 200, IMPORT = 500, ROUNDS = 40, MESSAGES_EACH = 5, CONTACTS_OF = 10 };
#define WALL_MS   INT64_C(1795251600000)
#define DAY_MS    INT64_C(86400000)
#define YEARS_MS  (730 * DAY_MS)
#define MINUTE_MS INT64_C(60000)

static uv_loop_t loop;
static struct rt *rt;
static struct store *s;
static char path[512];
static long messages, contacts, conversations;

static const char *const first_names[] = {"Anna", "Ben",   "Clara", "David", "Elif", "Felix", "Greta", "Hugo",
                                          "Ida",  "Jonas", "Karla", "Leon",  "Mia",  "Noah",  "Olga",  "Paul",
                                          "Rosa", "Sami",  "Tilda", "Umut",  "Vera", "Wim",   "Yara",  "Zoë"};
static const char *const words[] = {"cake",     "order",    "invoice", "opening", "broken",   "refund",
                                    "delivery", "birthday", "blue",    "size",    "tomorrow", "address",
                                    "voucher",  "parking",  "allergy", "repair"};
static const char *const departments[] = {"sales", "support", "returns", "billing"};
static const char *const people[] = {"Anna", "Ben", "Clara", "David", "Elif", "Felix", "Greta", "Hugo"};
static const char *const sims[] = {"sim1", "sim2"};
#define PICK(list, n) ((list)[(unsigned long)(n) % ARRAY_LEN(list)])

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print(const char *name, double value, const char *unit)
{
    printf("%s\t%.4g\t%s\n", name, value, unit);
    fflush(stdout);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_desk: %s: %s\n", what, why);
    exit(1);
}

static unsigned long mix(unsigned long n)
{
    n ^= n >> 16;
    n *= 0x7feb352dUL;
    n ^= n >> 15;
    n *= 0x846ca68bUL;
    return (n ^ n >> 16) & 0x7fffffff;
}

static void number_of(long contact, char out[20])
{
    snprintf(out, 20, "+4917%08lu", (unsigned long)contact * 977 % 100000000);
}

/* ---- the store is filled ---------------------------------------------------------------------------------
 */

/* What happens in a conversation, one after the other. */
enum step {
    RECEIVE,
    HANDLE,
    ANSWER,
    INTEND,
    OUTCOME,
    RECEIVE_2,
    HANDLE_2,
    INTEND_2,
    OUTCOME_2,
    RECEIVE_3,
    HANDLE_3,
    CLOSE,
    STEPS
};

struct story {
    long n;
    enum step step;
    int64_t at, id, message;
    char number[20], text[120];
    struct store_inbound inbound;
    struct store_handle handle;
    struct store_effect effects[3];
    struct store_new_message reply;
    struct store_intend intend;
    struct store_outcome outcome;
};
static struct story stories[IN_FLIGHT];
static long begun, ended;

static const uint8_t pdu[120] = {0x00, 0x11, 0x00, 0x0B, 0x91};
static const struct store_new_part part = {pdu, sizeof pdu, sizeof pdu - 1};

static void next_step(struct story *t);

static void advance(struct story *t)
{
    t->step++;
    next_step(t);
}

static void check(struct store_op *op, int status)
{
    if (status != 0)
        die("operation", op->err.text);
}

static void on_inbound(struct store_op *op, int status)
{
    struct story *t = container_of(op, struct story, inbound.op);

    check(op, status);
    t->message = t->inbound.message;
    advance(t);
}

static void on_handle(struct store_op *op, int status)
{
    struct story *t = container_of(op, struct story, handle.op);

    check(op, status);
    t->id = t->handle.conversation;
    advance(t);
}

static void on_intend(struct store_op *op, int status)
{
    check(op, status);
    advance(container_of(op, struct story, intend.op));
}

static void on_outcome(struct store_op *op, int status)
{
    check(op, status);
    advance(container_of(op, struct story, outcome.op));
}

static void receive(struct story *t)
{
    unsigned long k = mix((unsigned long)t->n * 3 + t->step);

    snprintf(t->text, sizeof t->text, "About my %s: is the %s for %s ready, please?", PICK(words, k),
             PICK(words, k / 16), PICK(words, k / 256));
    t->inbound = (struct store_inbound){.op.done = on_inbound,
                                        .modem = PICK(sims, t->n),
                                        .imsi = "262011234567890",
                                        .pdu = pdu,
                                        .len = sizeof pdu,
                                        .now_wall_ms = t->at,
                                        .sender = t->number,
                                        .scts_wall_ms = t->at,
                                        .total = 1,
                                        .seq = 1,
                                        .text = t->text};
    memcpy(t->inbound.hash, &t->n, sizeof t->n);
    t->inbound.hash[15] = (uint8_t)t->step;
    store_inbound(s, &t->inbound);
}

static void set_reply(struct story *t, const char *who)
{
    t->reply =
        (struct store_new_message){.peer = t->number,
                                   .text = "It is ready. You can pick it up until 18:00 today. Thank you!",
                                   .source = who ? who : "rule:ready",
                                   .who = who,
                                   .flags = who ? MSG_F_PERSON : MSG_F_AUTOMATIC,
                                   .priority = 1,
                                   .cost_micros = 70000,
                                   .parts = &part,
                                   .nparts = 1};
    t->handle.replies = &t->reply;
    t->handle.nreplies = 1;
}

static void handle(struct story *t)
{
    static const char who[] = "person:Anna";
    bool ours = t->step == ANSWER || t->step == CLOSE;

    t->handle = (struct store_handle){.op.done = on_handle,
                                      .message = ours ? 0 : t->message,
                                      .conversation = ours ? t->id : 0,
                                      .reason = "bench",
                                      .who = ours ? who : "engine",
                                      .thread = ours ? THREAD_NONE : THREAD_OPEN,
                                      .effects = t->effects,
                                      .now_wall_ms = t->at};
    if (t->step == HANDLE) {
        t->effects[0] = (struct store_effect){.kind = EFFECT_DEPARTMENT,
                                              .value = PICK(departments, mix((unsigned long)t->n))};
        t->effects[1] =
            (struct store_effect){.kind = EFFECT_ASSIGN, .value = PICK(people, mix((unsigned long)t->n + 7))};
        t->handle.neffects = 2;
    } else if (t->step == CLOSE) {
        t->effects[0] = (struct store_effect){.kind = EFFECT_STATE, .n = CONV_CLOSED};
        t->handle.neffects = 1;
    } else {
        set_reply(t, t->step == ANSWER ? who : NULL);
        t->handle.nreplies = t->step != HANDLE_3;
    }
    store_handle(s, &t->handle);
}

static void carry(struct story *t, bool intend)
{
    const char *sim = PICK(sims, t->n);

    if (intend) {
        t->intend = (struct store_intend){.op.done = on_intend,
                                          .message = t->reply.id,
                                          .seq = 1,
                                          .modem = sim,
                                          .imsi = "262011234567890",
                                          .now_wall_ms = t->at};
        store_intend(s, &t->intend);
        return;
    }
    t->outcome = (struct store_outcome){.op.done = on_outcome,
                                        .message = t->reply.id,
                                        .seq = 1,
                                        .state = MSG_SENT,
                                        .mr = (int)(t->reply.id & 255),
                                        .modem = sim,
                                        .imsi = "262011234567890",
                                        .reason = "",
                                        .now_wall_ms = t->at};
    store_outcome(s, &t->outcome);
}

/* The newest thousand are live, and one of five hundred. */
static bool stays_open(const struct story *t)
{
    return conversations - t->n <= 1000 || t->n % 500 == 0;
}

static void begin(struct story *t)
{
    if (begun >= conversations)
        return;
    t->n = begun++;
    t->step = RECEIVE;
    t->at = WALL_MS - YEARS_MS + (int64_t)((double)t->n / (double)conversations * (double)YEARS_MS);
    number_of(t->n % contacts, t->number);
    next_step(t);
}

static void next_step(struct story *t)
{
    t->at += (int64_t)(mix((unsigned long)t->n + t->step) % 90) * MINUTE_MS / 3;
    switch (t->step) {
    case RECEIVE:
    case RECEIVE_2:
    case RECEIVE_3:
        receive(t);
        return;
    case HANDLE:
    case ANSWER:
    case HANDLE_2:
    case HANDLE_3:
        handle(t);
        return;
    case INTEND:
    case INTEND_2:
        carry(t, true);
        return;
    case OUTCOME:
    case OUTCOME_2:
        carry(t, false);
        return;
    case CLOSE:
        if (!stays_open(t)) {
            handle(t);
            return;
        }
        break;
    case STEPS:
        break;
    }
    ended++;
    begin(t);
}

static void fill(void)
{
    double from = now_s();

    for (int i = 0; i < IN_FLIGHT; i++)
        begin(&stories[i]);
    while (ended < conversations)
        uv_run(&loop, UV_RUN_ONCE);
    print("desk.fill", (double)messages / (now_s() - from), "messages/s");
}

/* ---- one operation at a time -----------------------------------------------------------------------------
 */

static bool done;

static void on_done(struct store_op *op, int status)
{
    check(op, status);
    done = true;
}

#define DO(fn, req) ((req)->op.done = on_done, done = false, fn(s, (req)), wait_done())

static void wait_done(void)
{
    while (!done)
        uv_run(&loop, UV_RUN_ONCE);
}

static void fill_contacts(void)
{
    static struct contact_import rows[IMPORT];
    static char numbers[IMPORT][20], names[IMPORT][40], cities[IMPORT][40];
    double from = now_s();

    for (long at = 0; at < contacts; at += IMPORT) {
        struct store_import i = {
            .contacts = rows, .who = "bench", .proof = "import: bench", .now_wall_ms = WALL_MS - YEARS_MS};

        for (long k = at; k < at + IMPORT && k < contacts; k++) {
            int n = i.count++;
            unsigned long r = mix((unsigned long)k);

            number_of(k, numbers[n]);
            snprintf(names[n], sizeof names[n], "%s %s%s", PICK(first_names, r), PICK(first_names, r / 32),
                     "son");
            snprintf(cities[n], sizeof cities[n], "{\"city\":\"City%lu\"}", r % 200);
            rows[n] = (struct contact_import){.number = numbers[n],
                                              .name = names[n],
                                              .tags = r % 100 == 0 ? ",vip,"
                                                      : r % 3 == 0 ? ",news,"
                                                                   : NULL,
                                              .attributes = cities[n],
                                              .consent = r % 3 == 0 ? CONSENT_IN : CONSENT_UNKNOWN};
        }
        DO(store_import, &i);
    }
    print("desk.import", (double)contacts / (now_s() - from), "contacts/s");
}

/* ---- questions -------------------------------------------------------------------------------------------
 */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A question, asked ROUNDS times; `k` makes each another one. By the clock and of the processor, which is
 * less disturbed by what else the machine does. */
static void ask(const char *name, void (*question)(unsigned long k))
{
    double took[ROUNDS], cpu[ROUNDS];
    char line[80];

    for (unsigned long i = 0; i < ROUNDS; i++) {
        double from = now_s(), cpu_from = cpu_s();

        question(mix(i + 1));
        took[i] = (now_s() - from) * 1000;
        cpu[i] = (cpu_s() - cpu_from) * 1000;
    }
    qsort(took, ROUNDS, sizeof *took, ascending);
    qsort(cpu, ROUNDS, sizeof *cpu, ascending);
    snprintf(line, sizeof line, "desk.%s", name);
    print(line, took[ROUNDS / 2], "ms");
    snprintf(line, sizeof line, "desk.%s.cpu", name);
    print(line, cpu[ROUNDS / 2], "ms");
}

static void convs(struct store_convs c)
{
    c.limit = 50;
    DO(store_convs, &c);
    store_convs_clear(&c);
}

static void find(struct store_contacts c)
{
    c.limit = 50;
    DO(store_contacts, &c);
    store_contacts_clear(&c);
}

static void figures(enum figure_by by, int days)
{
    struct store_figures f = {.by = by, .since_wall_ms = WALL_MS - days * DAY_MS, .until_wall_ms = WALL_MS};

    DO(store_figures, &f);
    free(f.rows);
}

enum { ENDED = 1 << CONV_CLOSED | 1 << CONV_SPAM, ANY = ENDED | CONV_BIT_LIVE };
#define QUESTION(name, ...)                                                                                  \
    static void name(unsigned long k)                                                                        \
    {                                                                                                        \
        (void)k;                                                                                             \
        __VA_ARGS__;                                                                                         \
    }

QUESTION(q_live, convs((struct store_convs){0}))
QUESTION(q_waiting, convs((struct store_convs){.order = CONV_LONGEST}))
QUESTION(q_department, convs((struct store_convs){.department = PICK(departments, k)}))
QUESTION(q_mine, convs((struct store_convs){.assignee = PICK(people, k)}))
QUESTION(q_flagged, convs((struct store_convs){.flagged = true}))
QUESTION(q_overdue, convs((struct store_convs){.overdue = true}))
QUESTION(q_sim, convs((struct store_convs){.sim = PICK(sims, k)}))
QUESTION(q_all, convs((struct store_convs){.states = ANY}))
QUESTION(q_closed, convs((struct store_convs){.states = ENDED}))
QUESTION(q_closed_deep, convs((struct store_convs){.states = ENDED,
                                                   .after = (int64_t)(k % (unsigned long)conversations) + 1}))
QUESTION(q_closed_department,
         convs((struct store_convs){.states = ENDED, .department = PICK(departments, k)}))
QUESTION(q_closed_nobody, convs((struct store_convs){.states = ENDED, .assignee = "Nobody"}))
QUESTION(q_tag, convs((struct store_convs){.tag = "vip"}))
QUESTION(q_tag_all, convs((struct store_convs){.tag = "vip", .states = ANY}))
QUESTION(q_search_word, convs((struct store_convs){.search = PICK(words, k), .states = ANY}))
QUESTION(q_search_two, convs((struct store_convs){.search = "cake ref", .states = ANY}))
QUESTION(q_search_name, convs((struct store_convs){.search = PICK(first_names, k), .states = ANY}))

static void q_search_number(unsigned long k)
{
    char number[20];

    number_of((long)(k % (unsigned long)contacts), number);
    number[9] = '\0';
    convs((struct store_convs){.search = number, .states = ANY});
}

static void q_timeline(unsigned long k)
{
    struct store_conv c = {.id = (int64_t)(k % (unsigned long)conversations) + 1, .limit = 50};

    DO(store_conv, &c);
    store_conv_clear(&c);
}

static void q_counts(unsigned long k)
{
    struct store_conv_counts c = {.count = 0};

    (void)k;
    DO(store_conv_counts, &c);
    free(c.rows);
}

QUESTION(q_contacts, find((struct store_contacts){0}))
QUESTION(q_contacts_deep, find((struct store_contacts){.after = (int64_t)(k % (unsigned long)contacts) + 1}))
QUESTION(q_contacts_name, find((struct store_contacts){.search = PICK(first_names, k)}))
QUESTION(q_contacts_letter, find((struct store_contacts){.search = "a"}))
QUESTION(q_contacts_tag, find((struct store_contacts){.tag = "vip"}))
QUESTION(q_contacts_attribute, find((struct store_contacts){.attribute = "city", .value = "City7"}))

static void q_contacts_prefix(unsigned long k)
{
    char number[20];

    number_of((long)(k % (unsigned long)contacts), number);
    number[8] = '\0';
    find((struct store_contacts){.prefix = number});
}

static void q_contact(unsigned long k)
{
    char number[20];
    struct store_contact c = {.number = number};

    number_of((long)(k % (unsigned long)contacts), number);
    DO(store_contact, &c);
    contact_row_clear(&c.row);
}

static void q_messages(unsigned long k)
{
    char number[20];
    struct store_list l = {.peer = number, .limit = 50};

    number_of((long)(k % (unsigned long)contacts), number);
    DO(store_list, &l);
    for (int i = 0; i < l.count; i++)
        msg_row_clear(&l.rows[i]);
    free(l.rows);
}

static void q_situation(unsigned long k)
{
    char number[20];
    struct store_situation q = {.number = number, .sim = "sim1", .guard_since_wall_ms = WALL_MS - DAY_MS};

    number_of((long)(k % (unsigned long)contacts), number);
    DO(store_situation, &q);
    store_situation_clear(&q);
}

static void q_ledger(unsigned long k)
{
    struct store_ledger l = {.limit = 50};

    (void)k;
    DO(store_ledger, &l);
    store_ledger_clear(&l);
}

QUESTION(q_month, figures(BY_NONE, 30))
QUESTION(q_month_days, figures(BY_DAY, 30))
QUESTION(q_month_people, figures(BY_PERSON, 30))
QUESTION(q_quarter_weeks, figures(BY_WEEK, 91))
QUESTION(q_year_months, figures(BY_MONTH, 365))

static void questions(void)
{
    ask("conversations_live", q_live);
    ask("conversations_waiting", q_waiting);
    ask("conversations_department", q_department);
    ask("conversations_assignee", q_mine);
    ask("conversations_flagged", q_flagged);
    ask("conversations_overdue", q_overdue);
    ask("conversations_sim", q_sim);
    ask("conversations_all", q_all);
    ask("conversations_closed", q_closed);
    ask("conversations_closed_deep", q_closed_deep);
    ask("conversations_closed_department", q_closed_department);
    ask("conversations_closed_nobody", q_closed_nobody);
    ask("conversations_tag", q_tag);
    ask("conversations_tag_all", q_tag_all);
    ask("conversations_search_word", q_search_word);
    ask("conversations_search_words", q_search_two);
    ask("conversations_search_name", q_search_name);
    ask("conversations_search_number", q_search_number);
    ask("conversation_timeline", q_timeline);
    ask("conversation_counts", q_counts);
    ask("contacts", q_contacts);
    ask("contacts_deep", q_contacts_deep);
    ask("contacts_prefix", q_contacts_prefix);
    ask("contacts_name", q_contacts_name);
    ask("contacts_letter", q_contacts_letter);
    ask("contacts_tag", q_contacts_tag);
    ask("contacts_attribute", q_contacts_attribute);
    ask("contact", q_contact);
    ask("messages_of_number", q_messages);
    ask("situation", q_situation);
    ask("consent_ledger", q_ledger);
    ask("figures_month", q_month);
    ask("figures_month_by_day", q_month_days);
    ask("figures_month_by_person", q_month_people);
    ask("figures_quarter_by_week", q_quarter_weeks);
    ask("figures_year_by_month", q_year_months);
}

static void erase_one(void)
{
    char number[20];
    struct store_erase e = {.number = number, .who = "bench", .now_wall_ms = WALL_MS};
    double from = now_s(), longest = 0;

    number_of(contacts / 2, number);
    do {
        double call = now_s();

        DO(store_erase, &e);
        longest = now_s() - call > longest ? now_s() - call : longest;
    } while (e.more);
    print("desk.erase", (now_s() - from) * 1000, "ms");
    print("desk.erase_longest_transaction", longest * 1000, "ms");
}

/* ---- open and close --------------------------------------------------------------------------------------
 */

static void open_store(void)
{
    struct store_conf conf = {.path = path};
    struct err e;

    if (store_open(rt, &conf, &s, &e) != 0)
        die("open", e.text);
}

static void on_closed(void *owner)
{
    *(bool *)owner = true;
}

static void close_store(void)
{
    bool closed = false;

    store_close(s, on_closed, &closed);
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
}

/* Where the database is; whether it is there already. */
static bool find_database(const char *kept, char dir[400])
{
    const char *tmp = getenv("TMPDIR");

    dir[0] = '\0';
    if (kept) {
        snprintf(path, sizeof path, "%s", kept);
        return access(path, F_OK) == 0;
    }
    snprintf(dir, 400, "%s/simgate-bench-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        die("directory", dir);
    snprintf(path, sizeof path, "%s/db", dir);
    return false;
}

static void bench(bool filled)
{
    struct stat st;

    open_store();
    if (!filled) {
        fill_contacts();
        fill();
        close_store();
        open_store(); /* nothing is left in its caches */
    }
    questions();
    erase_one();
    close_store();
    if (stat(path, &st) == 0)
        print("desk.bytes_per_message", (double)st.st_size / (double)messages, "bytes");
}

int main(void)
{
    const char *n = getenv("BENCH_DESK_MESSAGES");
    char dir[400], command[450];

    messages = n ? atol(n) : 50000;
    contacts = messages / CONTACTS_OF;
    conversations = messages / MESSAGES_EACH;
    uv_loop_init(&loop);
    rt = rt_uv_new(&loop);
    bench(find_database(getenv("BENCH_DESK_DB"), dir));
    rt_uv_close(rt);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return *dir && system(command) != 0;
}
