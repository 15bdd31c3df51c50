/* Any text as hours and closed days, then questions about any moment.
 *
 * Input: a moment (8 bytes), opening hours, NUL, closed days, NUL, more opening hours.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hours.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES = 256 };

static void ask(const struct hours *h, int64_t at_ms)
{
    int64_t open = hours_next_open(h, at_ms), close = hours_next_close(h, at_ms);
    int64_t due = hours_add(h, at_ms, 3600000);
    char words[96];

    if (open != 0 && (open < at_ms || !hours_open(h, open)))
        abort();
    if (close != 0 && (close < at_ms || hours_open(h, close)))
        abort();
    if (due != 0 && hours_between(h, at_ms, due) != 3600000)
        abort();
    hours_next_words(h, at_ms, "de", words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone *zone;
    char text[3][TEXT_BYTES] = {"", "", ""};
    const char *open[3] = {text[0], NULL, NULL}, *closed[2] = {text[1], NULL};
    struct hours *h;
    int64_t at_ms;
    size_t field = 0, at = 0;

    if (!zone && zone_new("Europe/Berlin", &zone, NULL) != 0)
        return 0;
    if (size < sizeof at_ms)
        return 0;
    memcpy(&at_ms, data, sizeof at_ms);
    at_ms &= INT64_C(0x3FFFFFFFFFF); /* until 2109 */
    for (size_t i = sizeof at_ms; i < size && field < 3; i++) {
        if (data[i] == 0) {
            field++;
            at = 0;
        } else if (at < TEXT_BYTES - 1) {
            text[field][at++] = (char)data[i];
        }
    }
    if (*text[2])
        open[1] = text[2];
    if (hours_new(zone, *text[0] ? open : NULL, *text[1] ? closed : NULL, &h, NULL) == 0)
        ask(h, at_ms);
    hours_free(h);
    return 0;
}
