/* When an answer is due. See engine/due.h. */
#include "engine/due.h"

static int64_t target_of(const struct department *d, enum conv_clock clock)
{
    const int64_t targets[CLOCKS] = {[CLOCK_FIRST] = d->first_response_ms,
                                     [CLOCK_NEXT] = d->next_response_ms,
                                     [CLOCK_RESOLUTION] = d->resolution_ms};

    return targets[clock];
}

struct setting {
    const struct conv_row *c;
    struct store_effect *out;
    int count;
};

static void set(struct setting *s, enum conv_clock clock, int64_t due_wall_ms)
{
    if (s->c->due_wall_ms[clock] != due_wall_ms)
        s->out[s->count++] = (struct store_effect){
            .kind = EFFECT_CLOCK, .conversation = s->c->id, .n = clock, .at_wall_ms = due_wall_ms};
}

/* Starts a clock where the department has a time for it. */
static void start(struct setting *s, const struct staff *staff, const struct department *d,
                  enum conv_clock clock, int64_t from_wall_ms)
{
    int64_t target = d ? target_of(d, clock) : 0;

    set(s, clock, target > 0 ? hours_add(staff_hours(staff, d->name), from_wall_ms, target) : 0);
}

static bool is_idle(const struct conv_row *c, enum conv_clock clock)
{
    return c->due_wall_ms[clock] == 0 && c->overdue_wall_ms[clock] == 0;
}

int due_on_message(const struct staff *s, const struct conv_row *c, const char *department, bool fresh,
                   int64_t now_wall_ms, struct store_effect out[CLOCKS])
{
    struct setting set_to = {c, out, 0};
    const struct department *d = staff_department(s, department);
    int64_t left = -c->due_wall_ms[CLOCK_RESOLUTION];

    if (c->first_response_wall_ms == 0) {
        if (fresh || is_idle(c, CLOCK_FIRST))
            start(&set_to, s, d, CLOCK_FIRST, now_wall_ms);
    } else if (fresh || c->due_wall_ms[CLOCK_NEXT] == 0) {
        start(&set_to, s, d, CLOCK_NEXT, now_wall_ms);
    }
    if (fresh || is_idle(c, CLOCK_RESOLUTION))
        start(&set_to, s, d, CLOCK_RESOLUTION, now_wall_ms);
    else if (left > 0)
        set(&set_to, CLOCK_RESOLUTION, hours_add(staff_hours(s, department), now_wall_ms, left));
    return set_to.count;
}

int due_on_answer(const struct staff *s, const struct conv_row *c, int64_t now_wall_ms,
                  struct store_effect out[CLOCKS])
{
    struct setting set_to = {c, out, 0};
    int64_t due = c->due_wall_ms[CLOCK_RESOLUTION], left;

    set(&set_to, CLOCK_FIRST, 0);
    set(&set_to, CLOCK_NEXT, 0);
    if (due > 0 && c->overdue_wall_ms[CLOCK_RESOLUTION] == 0) {
        left = hours_between(staff_hours(s, c->department), now_wall_ms, due);
        set(&set_to, CLOCK_RESOLUTION, left > 0 ? -left : -1);
    }
    return set_to.count;
}

int due_on_resume(const struct staff *s, const struct conv_row *c, int64_t now_wall_ms,
                  struct store_effect out[CLOCKS])
{
    struct setting set_to = {c, out, 0};
    const struct department *d = staff_department(s, c->department);
    int64_t left = -c->due_wall_ms[CLOCK_RESOLUTION];

    if (c->waiting_wall_ms)
        start(&set_to, s, d, c->first_response_wall_ms ? CLOCK_NEXT : CLOCK_FIRST, now_wall_ms);
    if (left > 0)
        set(&set_to, CLOCK_RESOLUTION, hours_add(staff_hours(s, c->department), now_wall_ms, left));
    else if (c->due_wall_ms[CLOCK_RESOLUTION] == 0)
        start(&set_to, s, d, CLOCK_RESOLUTION, now_wall_ms);
    return set_to.count;
}

int due_on_department(const struct staff *s, const struct conv_row *c, const char *department,
                      struct store_effect out[CLOCKS])
{
    struct setting set_to = {c, out, 0};
    const struct department *d = staff_department(s, department);
    const int64_t since[CLOCKS] = {[CLOCK_FIRST] = c->first_response_wall_ms ? 0 : c->waiting_wall_ms,
                                   [CLOCK_NEXT] = c->first_response_wall_ms ? c->waiting_wall_ms : 0,
                                   [CLOCK_RESOLUTION] = c->created_wall_ms};

    for (int i = 0; i < CLOCKS; i++)
        if (since[i] > 0 && c->due_wall_ms[i] >= 0 && c->overdue_wall_ms[i] == 0)
            start(&set_to, s, d, (enum conv_clock)i, since[i]);
    return set_to.count;
}
