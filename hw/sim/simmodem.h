/* A simulated modem: TS 27.005, TS 27.007 and V.250 as a strict modem speaks them.
 *
 * Pure: bytes and now_ms in, bytes out and the next deadline; no clock, no I/O; randomness from a seed. Its
 * owner feeds what the host wrote, takes what simmodem_out() holds, and calls simmodem_tick() when the
 * deadline has come:
 *
 *     simmodem_feed(m, bytes, n, now_ms);
 *     struct buf *out = simmodem_out(m);
 *     … give out->data[0 … out->len) to the host …
 *     buf_drop(out, n_given);
 *     arm_timer(simmodem_deadline(m));       after every call, and after every drop
 *
 * Strict: wrong commands are refused, SMS commands before the PIN get +CMS ERROR: 311, and what is sent while
 * a command is being executed is lost, as on hardware. PDU mode only, as 27.005 allows.
 *
 * The SIM (stores SM and SR, PIN tries, TP-MR counter) and ME survive a reboot; all settings are lost.
 */
#ifndef SIMGATE_HW_SIM_SIMMODEM_H
#define SIMGATE_HW_SIM_SIMMODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "hw/sim/simnet.h"

struct trace;

/* Everything but `name` has a default: NULL or 0. Strings are copied. */
struct simmodem_conf {
    const char *name;        /* "modem0"; shown in the log */
    const char *personality; /* "huawei-e173" …, simmodem_personality(); NULL or "": the standard's modem */
    const char *number;      /* own number, "+49…"; others reach the modem by it */
    const char *smsc;        /* default "+491710760000" */
    const char *imei;        /* default: 15 digits made from the seed, as imsi and iccid */
    const char *imsi;
    const char *iccid;
    const char *pin;     /* NULL or "": the SIM asks for none */
    bool tries_untold;   /* does not know AT+CPINR */
    const char *puk;     /* default "12345678" */
    unsigned sm_slots;   /* default 50 */
    unsigned me_slots;   /* default 255 */
    unsigned sr_slots;   /* default 100 */
    unsigned index_base; /* first index of a store: 1 (default 0 means 1), or SIMMODEM_INDEX_ZERO */
    unsigned baud;       /* the line carries baud / 10 bytes a second each way; 0 = unlimited */
    int64_t net_ms;      /* from the PDU's end to +CMGS */
    int64_t boot_ms;     /* reboot until the banner; 0 = 1500 */
    /* Answers as this trace's modem did, and as nothing else (replay.h); must outlive the modem. NULL: none
     */
    const struct trace *replay;
    bool starts_off; /* begins absent: as after the fault "vanish" without a time */
    /* Called when output, deadline or presence changed by something other than a call on this very modem
     * (a message from another one, simnet_text(), …). NULL: the owner looks by itself. */
    void (*wake)(struct simmodem *m, void *arg);
    void *arg;
};
#define SIMMODEM_INDEX_ZERO (~0u)

/* The names that `personality` may have (another one is the caller's bug), NULL behind the last, and one line
 * on each for help texts. */
const char *simmodem_personality(size_t i);
const char *simmodem_personality_help(size_t i);

/* The modem stands registered (or waiting for its PIN) at now_ms, without a banner. */
struct simmodem *simmodem_new(struct simnet *net, const struct simmodem_conf *conf, int64_t now_ms);
void simmodem_free(struct simmodem *m);

/* Times inside are microseconds, for the pacing of the line; these three are what the rest is made of. */
void simmodem_feed_us(struct simmodem *m, const void *bytes, size_t len, int64_t now_us);
void simmodem_tick_us(struct simmodem *m, int64_t now_us);
int64_t simmodem_deadline_us(const struct simmodem *m); /* INT64_MAX: none */

/* Bytes from the host. Ignored while the port is gone. */
static inline void simmodem_feed(struct simmodem *m, const void *bytes, size_t len, int64_t now_ms)
{
    simmodem_feed_us(m, bytes, len, now_ms * 1000);
}

static inline void simmodem_tick(struct simmodem *m, int64_t now_ms)
{
    simmodem_tick_us(m, now_ms * 1000);
}

/* The time, in milliseconds, at which simmodem_tick() has something to do; INT64_MAX (RT_NEVER): never. */
static inline int64_t simmodem_deadline(const struct simmodem *m)
{
    int64_t us = simmodem_deadline_us(m);
    return us == INT64_MAX ? us : (us + 999) / 1000;
}

/* Bytes for the host that have left the line by now. The owner drops what it took. */
struct buf *simmodem_out(struct simmodem *m);

/* The power is cut and comes back: cures a modem that hangs (faults "wedge", "silence"). What is on USB is
 * gone meanwhile. */
void simmodem_power_cycle(struct simmodem *m, int64_t now_ms);

/* False while the port is gone (faults "vanish", "return"). The owner of a real port looks after each call.
 */
bool simmodem_present(const struct simmodem *m);

/* A call comes in: RING (and +CLIP) every 3 s, `rings` times (0 = 5), or until ATH, AT+CHUP or ATA. from "":
 * withheld. */
void simmodem_ring(struct simmodem *m, const char *from, unsigned rings, int64_t now_ms);

/* The answer to a USSD code ("*100#"), or to a reply ("1"); for every code without an own one when code is
 * "". An answer that begins with '?' is a menu: the network waits for a reply. */
void simmodem_ussd(struct simmodem *m, const char *code, const char *answer);

/* The network opens a USSD dialogue by itself. */
void simmodem_ussd_push(struct simmodem *m, const char *text, int64_t now_ms);

/* Misbehaviour. `args` are words with one space between (NULL or "": none). Returns 0, ERR_NOT_FOUND or
 * ERR_INVALID with what was expected. The control socket, scenario files and tests use the same words; rates
 * are "0.02" or "2%", times are milliseconds, N is "how many times" and 1 when left out:
 *
 *   silence MS              hangs: input is lost, nothing comes out
 *   wedge                   hangs until the power is cut, or the port vanishes; some say a line every 2 s
 *   power                   the power is cut and comes back
 *   garbage RATE MS         bytes are replaced, both ways;  drop RATE MS: lost;  double RATE MS: doubled
 *   late MS [N]             the next N final results come MS late (the modem is busy meanwhile)
 *   ok_lost [N]             after a message was sent, neither +CMGS nor OK comes
 *   prompt_bare [N]         ">" without the space;  prompt_missing [N]: no prompt comes
 *   sent_500 [N]            the next N messages are sent, and answered by +CMS ERROR: 500
 *   index_lost [N]          the next N +CMTI have -1 as their index
 *   urc_inside [N]          a URC stands between a reply's lines
 *   error [N]               the next N commands get ERROR
 *   cms CODE [N]            the next N messages get +CMS ERROR: CODE
 *   cms_rate CODE RATE MS   messages get +CMS ERROR: CODE by chance
 *   cme CODE [N]            the next N extended commands get +CME ERROR: CODE
 *   reboot [MS]             restarts; the banner comes after MS (boot_ms). What is on USB is gone for MS first
 *   vanish [MS]             the port is gone for MS, or until "return"
 *   return
 *   no_network MS           registration is lost;  registration STAT: +CREG's stat from now on
 *   signal N                +CSQ's value
 *   memory_full MS          no free place in any store
 *   capacity STORE N        a store's size
 *   sim_out | sim_in        the SIM is pulled, put back
 *   mr N                    TP-MR of the next message
 *   report_lost [N] | report_late MS [N] | report_double [N] | report_status ST [N] (hexadecimal)
 *   report_shuffle N        the next N reports are held and come in random order
 *   duplicate COPIES [N]    the next N TPDUs to the modem come COPIES times
 *   parts_shuffled [N]      parts of the next N long messages come in random order
 *   clear                   ends all of these but vanish and sim_out
 */
int simmodem_fault(struct simmodem *m, const char *name, const char *args, int64_t now_ms, struct err *e);

/* The names above with their arguments, for help texts; NULL behind the last. */
const char *simmodem_fault_usage(size_t i);

/* The SIMs of two modems change places: who they are, their PINs and tries (what is stored on them stays
 * where it is). Both ask for their PIN again. */
void simmodem_swap_sims(struct simmodem *a, struct simmodem *b, int64_t now_ms);

/* What the modem is, for a status display. */
struct simmodem_info {
    const char *name, *personality, *number, *imei, *imsi, *iccid;
    bool present, booted, pin_needed, puk_needed;
    int pin_tries;
    int registration; /* +CREG's stat */
    int signal;       /* +CSQ's rssi */
    uint8_t next_mr;
    struct {
        const char *name;
        unsigned used, size;
    } stores[3];
    bool busy; /* a command is being executed */
};
void simmodem_info(const struct simmodem *m, struct simmodem_info *out);

/* What a store holds at `index`: the full PDU, or NULL. For tests and the control socket. */
const uint8_t *simmodem_stored(const struct simmodem *m, const char *store, int index, size_t *len,
                               int *stat);

#endif
