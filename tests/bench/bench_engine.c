/* Rules evaluated: messages a second against 100 rules on one core, and what the worst text costs.
 *
 * The rules are a shop's: 81 with keywords, 18 with patterns, and one for the rest; then the same with
 * conditions on contact, conversation, time, sender and language besides, and with words of the text. Prints
 * "name<TAB>value<TAB>unit" lines. N: messages per measurement (default 200000).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "engine/private.h"

enum { RULES = 100, PATTERNS = 18, KEYWORDS = 3, NAME_BYTES = 32, PATTERN_BYTES = 80 };

struct shop {
    char names[RULES][NAME_BYTES], words[RULES][KEYWORDS][NAME_BYTES], patterns[RULES][PATTERN_BYTES];
    const char *lists[RULES][KEYWORDS + 1];
    struct engine_rule_conf rules[RULES];
    struct engine_conf conf;
};

static void shop_init(struct shop *s)
{
    memset(s, 0, sizeof *s);
    for (int i = 0; i < RULES; i++) {
        struct engine_rule_conf *r = &s->rules[i];

        snprintf(s->names[i], NAME_BYTES, "rule %d", i);
        *r = (struct engine_rule_conf){.name = s->names[i], .reply = "Thank you. {{gateway.name}}"};
        if (i == RULES - 1)
            continue;
        if (i % 5 == 4 && i / 5 < PATTERNS) {
            snprintf(s->patterns[i], PATTERN_BYTES, "(?i)\\b(?:order|parcel)%d\\s*#?(?<number>\\d+)", i);
            r->pattern = s->patterns[i];
            r->reply = "Order {{match.number}} is looked at, {{message.from}}.";
            continue;
        }
        for (int k = 0; k < KEYWORDS; k++) {
            snprintf(s->words[i][k], NAME_BYTES, "%s%d", (const char *[]){"preis", "ÖFFNUNG", "цена"}[k], i);
            s->lists[i][k] = s->words[i][k];
        }
        r->keywords = s->lists[i];
    }
    s->conf = (struct engine_conf){.business = "Blue Bakery",
                                   .rules = s->rules,
                                   .nrules = RULES,
                                   .guard.replies = 5,
                                   .guard.window_ms = 600000};
}

static const char *const texts[] = {
    "Hello, are you open on Sunday? We would like to come by with the children at about ten.",
    "preis40",
    "Öffnung81!",
    "цена60, пожалуйста",
    "My order44 #12345 has not arrived yet, can you please have a look?",
    "Thanks",
    "Guten Tag, ich hätte gerne zwei Brote und eine Torte für Samstag, geht das? Viele Grüße, A. Müller",
    "Здравствуйте, вы открыты завтра утром?",
    "1",
    "ok see you then 👍",
};

/* The same rules, each with another condition or two: those of a business that knows its customers. */
static void shop_conditions(struct shop *s)
{
    static const char *const tags[] = {"vip", "!debt", NULL}, *const states[] = {"new", "open", "none", NULL},
                             *const from[] = {"+4915*", "+4917*", "MyBank", NULL},
                             *const languages[] = {"de", "en", NULL}, *const modems[] = {"counter", NULL},
                             *const words[] = {"preis", "offen", "Lieferung", NULL},
                             *const attributes[] = {"plan=gold", NULL};

    for (int i = 0; i < RULES - 1; i++) {
        struct engine_rule_conf *r = &s->rules[i];

        switch (i % 9) {
        case 0:
            r->tags = tags;
            break;
        case 1:
            r->states = states;
            break;
        case 2:
            r->from = from;
            break;
        case 3:
            r->languages = languages;
            break;
        case 4:
            r->hours = "open";
            break;
        case 5:
            r->dates = "11-01..12-24";
            r->modems = modems;
            break;
        case 6:
            r->keywords = NULL;
            r->words = words;
            r->first = WANT_YES;
            break;
        case 7:
            r->once_per_ms = 60000;
            break;
        case 8:
            r->attributes = attributes;
            break;
        }
    }
}

static void nothing(struct walk *w)
{
    (void)w;
}

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* of one core, whatever else the machine does */
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static size_t decide(struct engine *en, const char *text)
{
    static const struct store_situation known;
    struct handler_event ev = {.id = 1,
                               .key = "",
                               .from = "+491701234567",
                               .modem = "counter",
                               .name = "",
                               .language = "",
                               .message_class = -1,
                               .known = &known,
                               .text = {text, strlen(text)}};
    struct buf shown = {0};
    struct verdict v;
    struct walk w = {.chain = en->program->chain, .event = &ev, .verdict = &v, .done = nothing};
    size_t len;

    sensitive_show(&en->program->sensitive, &ev, &shown);
    ev.language = program_language(en->program, &ev);
    verdict_init(&v, NULL);
    walk_start(&w);
    desk_finish(en->program, &ev, &v);
    guard_filter(en->program, &ev, &v);
    len = v.nreplies ? v.replies[0].text.len : 0;
    verdict_fini(&v);
    buf_free(&shown);
    return len;
}

static void bench_mix(struct engine *en, const char *name, int64_t n)
{
    size_t bytes = 0;
    int64_t start = now_ns(), took;

    for (int64_t i = 0; i < n; i++)
        bytes += decide(en, texts[(size_t)i % ARRAY_LEN(texts)]);
    took = now_ns() - start;
    printf("%s\t%.0f\tmessages/s\n", name, (double)n * 1e9 / (double)took);
    printf("%s_reply\t%.1f\tbytes/message\n", name, (double)bytes / (double)n);
}

/* Patterns as they should not be written, on a text made to hurt them, as long as a pattern is shown. */
static void bench_worst(void)
{
    static const char *const bad[] = {
        "(a+)+$", "(?i)(ä|a)+$", "(?=(.*?)z)", "\\w+\\s*\\w+\\s*\\w+\\s*\\d", "^(([a-z])+.)+[A-Z]$",
    };
    char text[PATTERN_TEXT_BYTES * 2];
    int64_t worst = 0;

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 66; i < sizeof text - 1; i += 67)
        text[i] = '!';
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct engine_rule_conf rule = {.name = "bad", .pattern = bad[i], .reply = "x"};
        struct engine_conf conf = {
            .rules = &rule, .nrules = 1, .guard.replies = 5, .guard.window_ms = 600000};
        struct engine *en;
        int64_t start;

        if (engine_new(NULL, &conf, NULL, NULL, &en) != 0)
            abort();
        start = now_ns();
        decide(en, text);
        worst = now_ns() - start > worst ? now_ns() - start : worst;
        engine_free(en);
    }
    printf("engine_worst_pattern\t%.2f\tms\n", (double)worst / 1e6);
}

int main(void)
{
    struct shop *shop = malloc(sizeof *shop);
    const char *n = getenv("N");
    struct engine *en;

    if (!shop)
        abort();
    shop_init(shop);
    if (engine_new(NULL, &shop->conf, NULL, NULL, &en) != 0)
        abort();
    bench_mix(en, "engine_100_rules", n ? atoll(n) : 200000);
    engine_free(en);
    shop_conditions(shop);
    if (engine_new(NULL, &shop->conf, NULL, NULL, &en) != 0)
        abort();
    bench_mix(en, "engine_100_conditions", n ? atoll(n) : 200000);
    bench_worst();
    engine_free(en);
    free(shop);
    return 0;
}
