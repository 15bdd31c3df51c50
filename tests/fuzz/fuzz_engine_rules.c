/* A shop's rules tried on any text from any sender, and any bytes as pattern and keyword.
 *
 * Input: kind (one byte), then: even: sender, NUL, text for fixed rules; odd: pattern, NUL, keyword, NUL,
 * text.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 3, FIELD_BYTES = 4096 };

static const char *const hours[] = {"hours", "öffnungszeiten", "営業時間", "?", NULL};
static const struct engine_rule_conf shop[] = {
    {.name = "hours", .keywords = hours, .reply = "{{keyword}} {{message.text}}", .also = true},
    {.name = "order",
     .pattern = "(?i)order\\s*#?(?<n>\\d+)(?<more>.*)",
     .reply = "{{match.n}} {{match.more|-}}"},
    {.name = "words", .pattern = "^(\\w+\\s*)+$", .reply = "{{match.1}}"},
    {.name = "rest", .reply = "{{message.text|empty}} {{message.from}}"},
};

static struct engine *engine_of(const struct engine_rule_conf *rules, int nrules)
{
    struct engine_conf conf = {.business = "Blue Bakery",
                               .rules = rules,
                               .nrules = nrules,
                               .guard.replies = 5,
                               .guard.window_ms = 600000};
    struct engine *en;

    return engine_new(NULL, &conf, NULL, NULL, &en) == 0 ? en : NULL;
}

static void try_text(struct engine *en, const char *from, const char *text)
{
    struct engine_trial t = {.from = from, .text = text};
    struct engine_trial_result r;

    for (t.consent = CONSENT_UNKNOWN; t.consent <= CONSENT_OUT; t.consent++) {
        engine_try(en, &t, &r);
        engine_trial_clear(&r);
    }
}

static void split(const uint8_t *data, size_t size, char fields[FIELDS][FIELD_BYTES])
{
    size_t at = 0, field = 0;

    for (size_t i = 0; i < size && field < FIELDS; i++) {
        if (at < FIELD_BYTES - 1)
            fields[field][at++] = (char)data[i];
        if (data[i] == 0) {
            field++;
            at = 0;
        }
    }
}

static void try_rule(char fields[FIELDS][FIELD_BYTES])
{
    const char *const keywords[] = {fields[1], NULL};
    struct engine_rule_conf rules[] = {
        {.name = "pattern", .pattern = fields[0], .reply = "{{match.0}}", .also = true},
        {.name = "keyword", .keywords = keywords, .reply = "{{keyword}}"},
    };
    struct engine *en = engine_of(rules, 2);

    if (en)
        try_text(en, "+491701234567", fields[2]);
    engine_free(en);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct engine *en;
    char fields[FIELDS][FIELD_BYTES] = {{0}};

    if (size == 0)
        return 0;
    if (!en && !(en = engine_of(shop, sizeof shop / sizeof shop[0])))
        abort();
    split(data + 1, size - 1, fields);
    if (data[0] % 2)
        try_rule(fields);
    else
        try_text(en, fields[0], fields[1]);
    return 0;
}
