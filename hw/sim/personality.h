/* What makes a simulated modem behave as one of a family: data, with a few flags where data cannot say it.
 *
 * A row says only what differs from a modem that follows the standards to the letter; personality_of() fills
 * the rest. Texts may hold {imei}, {imsi}, {iccid}, {rssi}, {pin} and {puk} (tries left), {cpin} (the state
 * as +CPIN tells it), {store} and {random} (eight hexadecimal digits); '\n' stands between lines.
 */
#ifndef SIMGATE_HW_SIM_PERSONALITY_H
#define SIMGATE_HW_SIM_PERSONALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/sim/simside.h"

enum personality_do { DO_NOTHING, DO_QUIET, DO_NOISE, DO_RESTART, DO_GPS_OFF, DO_GPS_ON };

/* The answer to an extended command, asked before the standard's own. A '*' at the end of `ask` stands for
 * anything; capitals. The first that fits counts. */
struct personality_answer {
    const char *ask; /* "+CSMS=?", "^CURC=*" */
    const char *say; /* information lines; NULL none */
    int result;      /* SIM_R_OK (0), SIM_R_ERROR, SIM_CME + n, SIM_CMS + n, SIM_R_UNKNOWN */
    enum personality_do then;
};

enum personality_escape { ESCAPE_OK, ESCAPE_350, ESCAPE_SILENT };
enum personality_registration { REG_PLAIN, REG_SMS_ONLY, REG_NONE }; /* 1 as 1, as 6, as 0 */
enum personality_ussd { USSD_BY_CSCS, USSD_PACKED, USSD_UCS2, USSD_PLAIN, USSD_GARBAGE };

enum personality_quirk {
    PQ_CPIN_WITHOUT_OK = 1 << 0,    /* AT+CPIN? is answered without a final result */
    PQ_WAITS_AFTER_SEND = 1 << 1,   /* +CME ERROR: 515 for a moment behind each message */
    PQ_CNMI_MODE_1_DIRECT = 1 << 2, /* mt 2 and 3 and ds 1 need mode 1 */
    PQ_CNMI_NEEDS_CSMS = 1 << 3,    /* mt 2 and 3 and ds 1 need AT+CSMS=1 */
    PQ_KEEPS_CNMI = 1 << 4,         /* without AT+CNMA in time the next +CMT waits; AT+CNMI stays */
    PQ_OK_BEFORE_PDU = 1 << 5,      /* OK behind the prompt and no +CMGS, while GPS is on */
    PQ_USSD_LATE_ERROR = 1 << 6,    /* a refused USSD code: OK, and +CME ERROR: 132 later */
    PQ_NO_LTE = 1 << 7,             /* AT+CEREG is not known */
    PQ_NO_CESQ = 1 << 8,
    PQ_NO_CPINR = 1 << 9,
    PQ_REPORT_BEFORE_PROMPT = 1 << 10, /* +CDSI likes to come between AT+CMGS and the prompt */
};

/* AT+CNMA's forms, as bits. */
enum { CNMA_PLAIN = 1, CNMA_ZERO = 2, CNMA_ONE = 4, CNMA_TWO = 8 };

struct personality {
    const char *name, *help;
    struct simside_usb usb;
    const char *manufacturer, *model;
    const char *revision;                     /* NULL: AT+CGMR is refused */
    const char *ident;                        /* of ATI; NULL: the three above */
    const struct personality_answer *answers; /* ends with ask NULL */

    const char *prompt;  /* "\r\n> " */
    const char *urc_end; /* "\r\n" */
    const char *unknown; /* the final result of a command it does not know: "ERROR" */
    enum personality_escape escape;

    const char *banner;      /* behind the start */
    const char *ready_signs; /* when SMS commands work */
    int64_t ready_ms;        /* how long after the start or the PIN; until then they get `not_ready` */
    int not_ready;
    int64_t gone_ms; /* a restart takes it off the bus for so long; 0: it stays */

    const char *const *noise; /* one of them every noise_ms */
    int64_t noise_ms;
    const char *wedge_line; /* what the fault "wedge" leaves it saying every 2 s; NULL: nothing */
    const char *full_line;  /* when a message found no room; NULL: nothing is said */

    const char *cnmi_test;
    uint8_t cnmi[5]; /* allowed values of each parameter, as bits */
    const char *csms_test;
    int csms_direct;       /* the value that asks for AT+CNMA: 1; 128 on some; -1: none */
    uint8_t acks;          /* CNMA_* */
    const char *cpms_test; /* the names in it are those that it takes; "MT" is ME, or SM without ME */
    int cpms_args;         /* at most: 3 */
    unsigned sm_slots, me_slots, sr_slots;
    bool index_zero;
    const char *cmt, *cds; /* in front of the length: "+CMT: ,", "+CDS: " */
    int no_network;        /* CMS code without registration: 331 */

    const char *cell;                       /* behind +CREG's stat: ",\"00C3\",\"01A2D001\"" */
    enum personality_registration creg, ps; /* of AT+CREG; of AT+CGREG and AT+CEREG */
    bool signal_untold;                     /* AT+CSQ says 99 always */
    unsigned ussd_requests;                 /* codings accepted, as bits 1 << USSD_…; 0: by AT+CSCS */
    enum personality_ussd ussd_answers;
    int ussd_refusal; /* the result for another coding; 0: OK and "+CUSD: 4" */
    unsigned quirks;  /* enum personality_quirk */
};

/* The row of that name ("" and "generic": the standard's modem), or NULL. */
const struct personality *personality_row(const char *name);
/* The same with everything said that the row leaves to the standard. */
struct personality personality_of(const char *name);

/* Rows, by vendors. */
extern const struct personality personalities_huawei_zte[], personalities_simcom[], personalities_quectel[],
    personalities_european[], personalities_american[];

#endif
