/* The other ports of a simulated stick: what a real one has beside its AT port, and what a host that opens
 * the wrong one sees. Pure, as simmodem.h.
 *
 * A personality says which USB device it is and which interface is what; the owner of the ports (the shell of
 * simgate-modem, the simulated bus of the tests) makes one port per interface: the AT one is the struct
 * simmodem itself, the others are struct simside.
 */
#ifndef SIMGATE_HW_SIM_SIMSIDE_H
#define SIMGATE_HW_SIM_SIMSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum simside_kind {
    SIMSIDE_AT,   /* the simulated modem itself: no struct simside */
    SIMSIDE_DATA, /* the dial-up port: answers AT, ATE0, AT+CGMI …, no messages, no unsolicited codes */
    SIMSIDE_DIAG, /* takes bytes; answers a binary frame to some, never text */
    SIMSIDE_GPS,  /* $GP… once a second, answers nothing */
    SIMSIDE_AUX,  /* answers AT with OK and everything else with ERROR (audio ports) */
};

struct simside_interface {
    uint8_t number; /* bInterfaceNumber */
    enum simside_kind kind;
    uint8_t subclass, protocol; /* of class 255 */
};

/* What a personality looks like on the bus. vendor 0: not a USB device (a serial line). */
struct simside_usb {
    uint16_t vendor, product;
    const char *product_name;
    const char *driver;
    const struct simside_interface *interfaces;
    size_t count;
};

/* Of a personality by name; NULL: unknown. "" and "generic": a device with one AT port and no ids. */
const struct simside_usb *simside_usb_of(const char *personality);

struct simside; /* heap */
/* imei: what a data port tells to AT+CGSN. Copied. */
struct simside *simside_new(enum simside_kind kind, const char *imei, int64_t now_ms);
void simside_free(struct simside *s);
enum simside_kind simside_kind_of(const struct simside *s);
void simside_feed(struct simside *s, const void *bytes, size_t len, int64_t now_ms);
void simside_tick(struct simside *s, int64_t now_ms);
int64_t simside_deadline(const struct simside *s); /* INT64_MAX: none */
struct buf *simside_out(struct simside *s);        /* the owner drops what it took */

#endif
