/* USSD strings, lines that tell of calls, and amounts in sentences: whatever a network or a modem writes
 * gives valid UTF-8 of bounded length, and a request that can be written as UCS2 reads back as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "modem/calls.h"
#include "modem/modem.h"
#include "modem/ussd_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void decode(const char *text, int64_t dcs)
{
    static const enum profile_coding codings[] = {CODING_AUTO, CODING_PLAIN, CODING_PACKED, CODING_UCS2};
    char out[USSD_TEXT_BYTES];

    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        memset(out, 'x', sizeof(out));
        ussd_decode(text, dcs, codings[i], out);
        check(memchr(out, '\0', sizeof(out)) != NULL);
        check(utf8_valid(out, strlen(out)));
    }
}

static void encode(const char *text)
{
    static const enum profile_coding codings[] = {CODING_PACKED, CODING_UCS2};
    char string[USSD_STRING_BYTES], back[USSD_TEXT_BYTES];

    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        if (!utf8_valid(text, strlen(text)) || !ussd_encode(text, codings[i], string))
            continue;
        check(strlen(string) < USSD_STRING_BYTES);
        ussd_decode(string, 15, codings[i], back);
        check(codings[i] != CODING_UCS2 || strstr(text, "\xEF\xBF\xBF") || strcmp(back, text) == 0);
    }
    if (ussd_encode(text, CODING_PLAIN, string))
        check(strcmp(string, text) == 0 && !strchr(string, '"'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct calls_caller caller;
    int64_t milli;

    if (size < 1 || size > 4096)
        return 0;
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    char *half = text + strlen(text) / 2;
    decode(text, data[0]);
    encode(text);
    if (calls_read_clip(text, &caller))
        check(strlen(caller.number) < sizeof(caller.number));
    calls_read_missed(text, &caller);
    modem_read_amount(text, "", &milli);
    modem_read_amount(text, half, &milli);
    modem_read_amount(text, "is {amount} EUR", &milli);
    free(text);
    return 0;
}
