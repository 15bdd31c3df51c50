/* Any bytes as a handler's answer: read, and done where they can be. Whatever comes of it is bounded, valid
 * UTF-8, and all or nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/actions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    if (text && !utf8_valid(text, strlen(text)))
        abort();
}

static void apply(const struct actions *as, int64_t conversation, const char *number)
{
    struct action_place at = {.handler = "fuzz",
                              .source = "handler:fuzz",
                              .number = number,
                              .country = "49",
                              .conversation = conversation,
                              .now_wall_ms = INT64_C(1795251600000)};
    struct verdict v;
    struct err e = {0};

    verdict_init(&v, NULL);
    if (actions_apply(as, &at, &v, &e) < 0 &&
        (v.nreplies || v.neffects || v.alarm.len || v.thread != THREAD_OPEN || !*e.text))
        abort();
    for (int i = 0; i < v.nreplies; i++)
        check_text(buf_str(&v.replies[i].text));
    for (int i = 0; i < v.neffects; i++) {
        check_text(v.effects[i].name);
        check_text(v.effects[i].value);
    }
    verdict_fini(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct actions as = {0};
    struct err e = {0};

    if (actions_parse(&as, (const char *)data, size, &e) == 0) {
        apply(&as, 7, "+491701234567");
        apply(&as, 0, "");
    } else if (!*e.text) {
        abort();
    }
    if (as.count > ACTIONS_MOST)
        abort();
    actions_clear(&as);
    return 0;
}
