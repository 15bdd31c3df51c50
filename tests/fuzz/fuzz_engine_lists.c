/* Any bytes as a list's file, as a schedule, as days, and as a text whose language is told.
 *
 * Input: the bytes, as all four. What is taken as a schedule has a next time that is later, or none.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/dates.h"
#include "engine/language.h"
#include "engine/lists.h"
#include "engine/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_list(const char *text, size_t size)
{
    struct number_set *s = number_set_new();
    struct err e = {0};

    number_set_read(s, text, size, "49", &e);
    number_set_find(s, "+491701234567");
    number_set_find(s, text);
    number_set_free(s);
}

static void try_times(const char *text)
{
    static struct zone *zone;
    const int64_t now = INT64_C(1795251600000);
    struct schedule s;
    struct date_range *ranges;
    struct zone_time t;
    struct err e = {0};

    if (!zone && zone_new("Europe/Berlin", &zone, NULL) != 0)
        abort();
    if (schedule_parse(text, &s, &e) == 0 && schedule_next(&s, zone, now) <= now)
        abort();
    zone_local(zone, now, &t);
    if (dates_parse(text, &ranges, &e) == 0) {
        dates_hold(ranges, &t);
        free(ranges);
    }
}

static void try_language(const char *text)
{
    static struct fold *fold;
    static struct language *language;

    if (!fold) {
        fold = fold_new();
        language = language_new(fold);
    }
    if (utf8_valid(text, strlen(text)))
        language_of(language, (struct span){text, strlen(text)});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);

    if (!text)
        abort();
    memcpy(text, data, size);
    try_list(text, size);
    try_times(text);
    try_language(text);
    free(text);
    return 0;
}
