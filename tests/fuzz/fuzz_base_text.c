/* The readers of what people and scripts write: UTF-8, numbers, durations, times, hex. The first byte chooses
 * the country. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void read_number(const char *text, const char *country, enum number_reading reading)
{
    char once[NUMBER_BYTES], twice[NUMBER_BYTES];

    if (number_normalise(text, country, reading, once, NULL) != ERR_OK)
        return;
    require(number_kind(once) != NUMBER_ALPHA);
    require(number_same(once, once));
    if (once[0] == '+') {
        require(number_normalise(once, country, reading, twice, NULL) == ERR_OK);
        require(strcmp(once, twice) == 0);
    }
}

static void read_utf8(const char *text, size_t len)
{
    size_t chars = 0;
    char bytes[4];

    for (size_t at = 0; at < len; chars++) {
        size_t start = at;
        uint32_t cp = utf8_next(text, len, &at);

        require(at > start && at - start <= 4 && at <= len);
        if (cp != UTF8_REPLACEMENT)
            require(utf8_put(cp, bytes) == at - start && memcmp(bytes, text + start, at - start) == 0);
    }
    require(utf8_count(text, len) == chars);
}

static void read_times(const char *text)
{
    int64_t ms, again;
    char out[32];

    if (str_to_duration_ms(text, &ms))
        require(ms >= 0);
    if (!wall_from_text(text, INT64_C(1795253400000), &ms))
        return;
    wall_to_text(ms, false, out);
    require(ms < 0 || !wall_from_text(out, 0, &again) || again == ms - ms % 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const countries[] = {"", "49", "1", "7", "36", "39"};
    const char *country = countries[size > 0 ? data[0] % ARRAY_LEN(countries) : 0];
    size_t len = size > 0 ? size - 1 : 0;
    char *text = malloc(len + 1);
    uint8_t bytes[64];
    int64_t value;

    if (!text)
        return 0;
    if (len > 0)
        memcpy(text, data + 1, len);
    text[len] = '\0';
    read_utf8(text, len);
    read_number(text, country, NUMBER_READ_NATIONAL);
    read_number(text, country, NUMBER_READ_INTERNATIONAL);
    read_times(text);
    str_to_i64(text, INT64_MIN, INT64_MAX, &value);
    hex_decode(text, len, bytes, sizeof bytes);
    free(text);
    return 0;
}
