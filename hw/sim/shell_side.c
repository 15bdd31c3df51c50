/* The other ports of simulated sticks (simside.h): one more pseudo-terminal for each interface, which comes
 * and goes with the modem's own. Their time passes only while somebody has them open.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "hw/sim/shell.h"

static int open_side(struct shell_port *p, const struct shell_port *modem,
                     const struct simside_interface *interface, struct err *e)
{
    struct simmodem_info info;
    simmodem_info(modem->m, &info);
    *p = (struct shell_port){.shell = modem->shell,
                             .m = modem->m,
                             .side = simside_new(interface->kind, info.imei, shell_now_us() / 1000),
                             .kind = SHELL_PTY,
                             .line.fd = -1,
                             .listen.fd = -1,
                             .slave = -1,
                             .watch = -1};
    snprintf(p->name, sizeof(p->name), "modem%zu-if%u", (size_t)(modem - modem->shell->ports),
             interface->number);
    snprintf(p->path, sizeof(p->path), "%s/%s", modem->shell->conf.dir, p->name);
    return shell_port_open(p, e);
}

static const struct simside_usb *usb_of(const struct shell_port *modem)
{
    struct simmodem_info info;
    simmodem_info(modem->m, &info);
    return simside_usb_of(info.personality);
}

int shell_sides_open(struct shell *s, struct err *e)
{
    size_t most = 0;
    for (size_t i = 0; i < s->ports_len; i++)
        most += usb_of(&s->ports[i])->count;
    s->sides = calloc(most, sizeof(*s->sides));
    if (!s->sides)
        return err_set(e, ERR_NOMEM, "%zu ports", most);
    for (size_t i = 0; i < s->ports_len; i++) {
        const struct simside_usb *usb = usb_of(&s->ports[i]);
        for (size_t k = 0; k < usb->count; k++) {
            if (usb->interfaces[k].kind == SIMSIDE_AT)
                continue;
            int rc = open_side(&s->sides[s->sides_len++], &s->ports[i], &usb->interfaces[k], e);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

void shell_sides_close(struct shell *s)
{
    for (size_t i = 0; i < s->sides_len; i++) {
        shell_port_close(&s->sides[i]);
        simside_free(s->sides[i].side);
    }
    free(s->sides);
}

void shell_sides_pass_time(struct shell *s, int64_t now_us)
{
    for (size_t i = 0; i < s->sides_len; i++) {
        struct shell_port *p = &s->sides[i];
        struct err e = {0};
        if (p->openers)
            simside_tick(p->side, now_us / 1000);
        if (p->up && !simmodem_present(p->m))
            shell_port_close(p);
        else if (!p->up && simmodem_present(p->m) && shell_port_open(p, &e) < 0)
            fprintf(stderr, "simgate-modem: %s\n", e.text);
    }
}

void shell_sides_write(struct shell *s)
{
    for (size_t i = 0; i < s->sides_len; i++)
        if (simside_out(s->sides[i].side)->len)
            shell_port_write(&s->sides[i]);
}

int64_t shell_sides_deadline_us(const struct shell *s)
{
    int64_t at_ms = INT64_MAX / 1000;
    for (size_t i = 0; i < s->sides_len; i++)
        if (s->sides[i].openers && simside_deadline(s->sides[i].side) < at_ms)
            at_ms = simside_deadline(s->sides[i].side);
    return at_ms * 1000;
}

void shell_sides_announce(const struct shell *s)
{
    static const char *const kinds[] = {[SIMSIDE_AT] = "AT",
                                        [SIMSIDE_DATA] = "data",
                                        [SIMSIDE_DIAG] = "diagnostics",
                                        [SIMSIDE_GPS] = "GPS",
                                        [SIMSIDE_AUX] = "auxiliary"};
    for (size_t i = 0; i < s->sides_len; i++)
        printf("%s  %s  %s\n", s->sides[i].name, s->sides[i].path, kinds[simside_kind_of(s->sides[i].side)]);
}
