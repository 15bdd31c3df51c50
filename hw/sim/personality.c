/* Finding a personality, and what the standard says where its row says nothing. Nothing here fails but for an
 * unknown name.
 */
#include "hw/sim/personality.h"

#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

static const struct simside_interface one_at_port[] = {{0, SIMSIDE_AT, 0, 0}};

static const struct personality_answer no_answers[] = {{0}};
static const char *const no_noise[] = {NULL};

static const struct personality standard[] = {
    {.name = "generic",
     .help = "the standards' modem: strict, and silent unless asked",
     .usb = {0, 0, "", "", one_at_port, 1},
     .manufacturer = "simgate",
     .model = "Simulated modem",
     .revision = SIMGATE_VERSION,
     .ident = "simgate\nSimulated modem\nRevision: " SIMGATE_VERSION,
     .banner = "RDY\n+CFUN: 1\n+CPIN: {cpin}"},
    {0},
};

static const struct personality *const tables[] = {
    standard,
    personalities_huawei_zte,
    personalities_simcom,
    personalities_quectel,
    personalities_european,
    personalities_american,
};

static const struct personality *row_at(size_t i)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct personality *p = tables[t]; p->name; p++)
            if (i-- == 0)
                return p;
    return NULL;
}

const char *simmodem_personality(size_t i)
{
    const struct personality *p = row_at(i);
    return p ? p->name : NULL;
}

const char *simmodem_personality_help(size_t i)
{
    const struct personality *p = row_at(i);
    return p ? p->help : NULL;
}

const struct personality *personality_row(const char *name)
{
    if (!name || !*name)
        return standard;
    for (size_t i = 0; row_at(i); i++)
        if (strcmp(row_at(i)->name, name) == 0)
            return row_at(i);
    return NULL;
}

static void set_text(const char **field, const char *text)
{
    if (!*field)
        *field = text;
}

static void fill_texts(struct personality *p)
{
    set_text(&p->prompt, "\r\n> ");
    set_text(&p->urc_end, "\r\n");
    set_text(&p->unknown, "ERROR");
    set_text(&p->banner, "");
    set_text(&p->ready_signs, "");
    set_text(&p->csms_test, "(0,1)");
    set_text(&p->cpms_test, "(\"SM\",\"ME\",\"SR\"),(\"SM\",\"ME\"),(\"SM\",\"ME\")");
    set_text(&p->cmt, "+CMT: ,");
    set_text(&p->cds, "+CDS: ");
    set_text(&p->cell, ",\"00C3\",\"01A2D001\"");
}

struct personality personality_of(const char *name)
{
    static const uint8_t cnmi[5] = {0xF, 0xF, 0x1, 0x7, 0x3};
    struct personality p = *personality_row(name);
    fill_texts(&p);
    if (!p.cnmi_test) {
        p.cnmi_test = "(0-3),(0-3),(0),(0-2),(0,1)";
        memcpy(p.cnmi, cnmi, sizeof(cnmi));
    }
    p.answers = p.answers ? p.answers : no_answers;
    p.noise = p.noise ? p.noise : no_noise;
    p.csms_direct = p.csms_direct ? p.csms_direct : 1;
    p.acks = p.acks ? p.acks : CNMA_PLAIN | CNMA_ZERO | CNMA_ONE | CNMA_TWO;
    p.cpms_args = p.cpms_args ? p.cpms_args : 3;
    p.no_network = p.no_network ? p.no_network : 331;
    return p;
}
