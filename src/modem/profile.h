/* What is special about a family of modems: data that app/ reads from hw/profiles/NAME.conf, and what the
 * modem room does by it. A profile only overrides: what a modem itself answers is asked first, and every
 * setting is a list of attempts of which the first OK wins.
 *
 * Pure data and matching. Everything is borrowed from whoever read the files, for the life of the process
 * (profiles are read at start). NULL, 0 and "" mean "as any modem".
 */
#ifndef SIMGATE_MODEM_PROFILE_H
#define SIMGATE_MODEM_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "at/channel.h"
#include "modem/carrier.h"
#include "os/port.h"

/* What a USB interface of a stick is for. Only AT and AT2 are ever opened. */
enum profile_role {
    ROLE_UNKNOWN, /* not said by any profile: may be asked */
    ROLE_AT,      /* commands and unsolicited codes: the one to use */
    ROLE_AT2,     /* answers AT too: used when there is no ROLE_AT */
    ROLE_DATA,    /* the dial-up (PPP) port; answers AT, used last */
    ROLE_DIAG,
    ROLE_GPS,
    ROLE_NET,
    ROLE_AUDIO,
    ROLE_IGNORE,
};

/* One USB device of the family. `roles` is indexed by bInterfaceNumber; ROLE_UNKNOWN where nothing is said.
 */
enum { PROFILE_INTERFACES = 16 };
struct profile_usb {
    uint16_t vendor, product;
    uint8_t roles[PROFILE_INTERFACES]; /* enum profile_role */
    const char *model;                 /* "E173", for people; "" */
};

/* A rule by interface class, for families that number interfaces freely (Huawei). -1 = any. The first that
 * fits counts. */
struct profile_class {
    uint16_t vendor;
    int subclass, protocol; /* of class 255 */
    int interface;          /* bInterfaceNumber */
    enum profile_role role;
};

enum profile_mode { PROFILE_MODE_DISK, PROFILE_MODE_HILINK };
/* A device of the family that is not a modem now: a CD-ROM with drivers, which usb_modeswitch turns into one,
 * or a stick that is a network card and has no AT port. */
struct profile_other_mode {
    uint16_t vendor, product;
    enum profile_mode mode;
    const char *model;
};

struct profile_command {
    const char *text; /* "AT^CURC=0" */
    bool must;
};

/* +CMS ERROR numbers of the vendor's own (512 and up). */
struct profile_error {
    int code;
    enum carrier_error cls;
    const char *text;
};

/* How many PIN tries are left: AT^CPIN? -> "^CPIN: SIM PIN,3,10,3,10,3": `field` counts from 0 behind the
 * prefix. */
struct profile_tries {
    const char *command, *prefix;
    int field;
};

enum profile_ack { ACK_PROBE, ACK_PLAIN, ACK_ZERO, ACK_ONE }; /* AT+CNMA, AT+CNMA=0, AT+CNMA=1 */
enum profile_cmms { CMMS_PROBE, CMMS_OFF };
enum profile_coding { CODING_AUTO, CODING_PLAIN, CODING_PACKED, CODING_UCS2 }; /* of USSD */

/* Flags for what no table can say. Each names one device in hw/profiles and is read in one place. */
enum profile_quirk {
    QUIRK_OK_BEFORE_PDU = 1 << 0,     /* answers OK to AT+CMGS before the PDU (MC7455 with GPS on) */
    QUIRK_SENT_WITHOUT_CMGS = 1 << 1, /* OK alone, no +CMGS, means sent */
    QUIRK_SENDS_WITH_500 = 1 << 2,   /* +CMS ERROR: 500 although it was sent (BG95): the outcome is unknown */
    QUIRK_DELETES_SIBLINGS = 1 << 3, /* AT+CMGD of one part deletes the others (SIM600): all are read first */
    QUIRK_SETTLE_AFTER_PIN = 1 << 4, /* AT+CPMS? and AT+CSCA? fail for a while behind the PIN (ZTE) */
    QUIRK_CPMS_CYCLE = 1 << 5,       /* receives only after mem3 went ME, MT, SM, ME (T77W968) */
    QUIRK_NO_CNMA_FOR_CMT = 1 << 6,  /* +CMT must not be acknowledged (SIM800 under ofono) */
    QUIRK_LISTING_UNINTERRUPTED = 1 << 7, /* an interrupted AT+CMGL hangs it for minutes (E160) */
    QUIRK_3GPP2_FORMAT = 1 << 8,          /* AT#SMSFORMAT may stand on 3GPP2 (Telit for Verizon) */
    QUIRK_CME_515_AFTER_SEND = 1 << 9,    /* "please wait" right behind a send (Wavecom) */
};

struct profile {
    const char *name;  /* "huawei-stick": the file's name */
    const char *title; /* "Huawei E-series sticks" */
    const char *place; /* the file, for messages */
    const char *sure;  /* how sure the facts are: "source", "manual", "report", "assumed" */

    /* match: USB ids, or patterns of fnmatch(3), case-blind, on +CGMI and +CGMM; NULL-terminated lists */
    const struct profile_usb *usb;
    int nusb;
    const struct profile_class *classes;
    int nclasses;
    const struct profile_other_mode *other_modes;
    int nother_modes;
    const char *const *manufacturers;
    const char *const *models; /* both lists given: both must match */

    const char *const *ready_signs; /* "SMS Ready", "+QIND: SMS DONE": prefixes of lines */
    int64_t ready_ms;               /* how long after a restart until SMS commands work */
    int64_t boot_ms;                /* from a restart until it answers, on the bus again */
    int probe_tries;                /* AT, 3 s apart; 0 = 4 */

    const struct profile_command *init; /* behind ATE0, +CMEE, before the SIM is asked */
    int ninit;
    const struct profile_command *init_sim; /* behind the SIM's being ready */
    int ninit_sim;
    const char *const *cnmi;        /* attempts "2,1,0,1,0" of plan store */
    const char *const *cnmi_direct; /* … of plan direct; NULL: not for this family */
    const char *const *stores;      /* order of preference for mem3; NULL: SM, ME, MT */
    const char *const *csms_direct; /* values for AT+CSMS= in plan direct; NULL: 1, 128 */
    bool direct;                    /* the plan where gateway.conf says "auto" */
    enum profile_ack ack;
    int64_t timeout_ms[AT_CLASSES]; /* 0 = as any; AT_SEND: the result behind the PDU */
    int64_t gap_ms;                 /* behind a final result, before the next command */
    int64_t prompt_gap_ms;          /* behind the prompt, before the PDU */
    enum profile_cmms cmms;
    const char *charset; /* of AT+CSCS; NULL: GSM */
    enum profile_coding ussd_request, ussd_answer;
    const char *const *signal;  /* commands beside AT+CSQ: "AT+CESQ", "AT^HCSQ?" */
    const char *const *noise;   /* prefixes of lines that say nothing */
    const char *const *wedged;  /* prefixes of lines which, with no answers between, mean that it hangs */
    const char *const *banners; /* lines that mean a restart, beside those of all modems */
    const char *const *resets;  /* restart commands, the best first; NULL: AT+CFUN=1,1 */
    const struct profile_tries *tries; /* beside AT+CPINR, the first that answers counts */
    int ntries;
    const struct profile_error *errors;
    int nerrors;
    unsigned quirks;  /* enum profile_quirk */
    const char *hint; /* for an administrator: "variants LNXY have no SMS", or "" */
};

struct profile_set {
    const struct profile *const *profiles; /* in the order in which they are asked; the last one is generic */
    int count;
};

/* The profile for any modem: never NULL fields that a modem cannot do without. */
extern const struct profile profile_generic;

/* By what the modem says of itself, then by USB id of the port's device (NULL: not on USB); else generic.
 * *why says why, for a person: "AT+CGMM is \"E173\"". */
const struct profile *profile_match(const struct profile_set *set, const struct port_info *port,
                                    const char *manufacturer, const char *model, char *why, size_t why_size);
const struct profile *profile_named(const struct profile_set *set, const char *name); /* NULL */
/* What a port is for, before it was ever opened: by USB id and interface, then by class. */
enum profile_role profile_role_of(const struct profile_set *set, const struct port_info *port);
const char *profile_role_name(enum profile_role r); /* "AT", "diagnostics" … */
/* The row for a USB device that is no modem now, or NULL. */
const struct profile_other_mode *profile_other_mode_of(const struct profile_set *set, uint16_t vendor,
                                                       uint16_t product, const struct profile **family);

#endif
