/* A bar that grows, to a terminal's standard error. */
#include <stdio.h>

#include "cli/text.h"

enum { BAR_WIDTH = 30 };

void progress(const char *what, int64_t done, int64_t total)
{
    int full = total > 0 ? (int)(done * BAR_WIDTH / total) : BAR_WIDTH;
    struct buf bar = {0};

    for (int i = 0; i < BAR_WIDTH; i++)
        buf_adds(&bar, i < full ? "█" : "░");
    fprintf(stderr, "\r%s %s %3d %%", what, buf_str(&bar), total > 0 ? (int)(done * 100 / total) : 100);
    if (done >= total)
        fputs("\r\033[K", stderr);
    fflush(stderr);
    buf_free(&bar);
}
