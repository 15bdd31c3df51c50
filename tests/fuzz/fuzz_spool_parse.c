/* Files that anybody may drop: parsed, rewritten with an outcome, and parsed again to the same message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spool/names.h"
#include "spool/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check_names(const char *bytes, size_t size)
{
    char name[SPOOL_NAME_BYTES] = "x", claimed[SPOOL_NAME_BYTES], back[SPOOL_NAME_BYTES], text[1024];
    size_t n = strnlen(bytes, size < 200 ? size : 200);
    if (n)
        memcpy(name, bytes, n);
    name[n ? n : 1] = '\0';
    if (spool_ignored_name(name))
        return;
    must(spool_claimed_name(name, "0123456789abcdefgh", claimed));
    spool_original_name(claimed, back);
    must(strcmp(back, name) == 0);
    must(spool_name_to_text(claimed, text, sizeof(text)) && spool_name_from_text(text, back));
    must(strcmp(back, claimed) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = size ? (const char *)data : "";
    struct spool_file first, second;
    struct err e = {0};
    struct buf out = {0};
    int rc = spool_parse(bytes, size, &first, &e);
    must(rc == 0 || e.text[0]);
    must(rc < 0 || (first.nto > 0 && (first.send.text || first.send.data)));
    spool_rewrite(bytes, size, "Modem: M0\nSent: now\n", &out);
    /* What the outcome adds changes nothing; a file without an empty line gets one. */
    must(spool_parse(buf_str(&out), out.len, &second, &e) == rc || !spool_layout_of(bytes, size).divided);
    if (rc == 0 && spool_layout_of(bytes, size).divided)
        must(second.nto == first.nto && second.body.len == first.body.len);
    spool_file_clear(&first);
    spool_file_clear(&second);
    buf_free(&out);
    check_names(bytes, size);
    return 0;
}
