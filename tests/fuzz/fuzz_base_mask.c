/* Masking: the first byte chooses cards and pattern, with 0 as its high bit; with 1 a line of the input is
 * the pattern itself. Valid UTF-8 stays so, with as many characters, and only '*' is new. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mask.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check(struct mask *m, const char *text, size_t len)
{
    struct buf out = {0};
    size_t masked = mask_text(m, text, len, &out), at = 0, next = 0;

    require(masked <= len);
    require((masked > 0) == (out.len > 0));
    for (size_t i = 0, j = 0; masked > 0 && i < len; i = at, j = next) {
        uint32_t from = utf8_next(text, len, &at), to;

        require(j < out.len);
        to = utf8_next(out.data, out.len, &next);
        require(from == to || to == '*');
    }
    require(masked == 0 || next == out.len);
    if (utf8_valid(text, len))
        require(utf8_valid(buf_str(&out), out.len));
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const patterns[] = {"\\d+", "(?i)password[: ]+(\\S+)", "(a|aa)+$", "\\b\\w{4}\\b"};
    char pattern[128];
    const char *list[] = {NULL, NULL};
    struct mask *m;

    if (size < 1)
        return 0;
    if (data[0] & 2)
        list[0] = patterns[(data[0] >> 2) % 4];
    if (data[0] & 0x80) {
        const uint8_t *end = memchr(data + 1, '\n', size - 1);
        size_t len = end ? (size_t)(end - data - 1) : size - 1;

        if (len >= sizeof pattern)
            return 0;
        memcpy(pattern, data + 1, len);
        pattern[len] = '\0';
        list[0] = pattern;
        data += len;
        size -= len;
    }
    if (mask_new(data[0] & 1, list, &m, NULL) < 0)
        return 0;
    check(m, (const char *)data + 1, size - 1);
    mask_free(m);
    return 0;
}
