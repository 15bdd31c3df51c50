/* The lines, named by profiles as `wedged`, of modems that are past commands and say nothing else (E220:
 * ^BOOT). What is done then is ladder.c's.
 */
#include <string.h>

#include "modem/modem_private.h"

enum { WEDGE_LINES = 3 };

static bool is_wedge_line(const struct modem *m, const char *line)
{
    for (const char *const *p = m->profile->wedged; p && *p; p++) {
        if (strncmp(line, *p, strlen(*p)) == 0)
            return true;
    }
    return false;
}

/* The same lines come from healthy modems now and then: only several of them, and nothing else, while a
 * command waits for its answer, mean that it hangs. One that is idle is asked at once. */
void wedge_line(struct modem *m, const char *line)
{
    if (!is_wedge_line(m, line)) {
        m->wedge_lines = 0;
        return;
    }
    if (++m->wedge_lines == WEDGE_LINES && m->state == MODEM_READY && at_idle(&m->chan))
        script_start(m, &script_health);
}

bool wedge_shown(const struct modem *m)
{
    return m->wedge_lines >= WEDGE_LINES;
}
