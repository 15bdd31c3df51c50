/* What the files of the simulated modem share. Nothing outside hw/sim includes this. */
#ifndef SIMGATE_HW_SIM_SIM_INT_H
#define SIMGATE_HW_SIM_SIM_INT_H

#include "hw/sim/personality.h"
#include "hw/sim/replay.h"
#include "hw/sim/simmodem.h"
#include "hw/sim/simnet.h"

enum {
    SIM_LINE_BYTES = 1024,  /* a command line; longer ones get ERROR */
    SIM_ENTRY_BYTES = 1024, /* hex behind a prompt */
    SIM_NAME_BYTES = 32,
    SIM_ARGS = 8,
    SIM_ARG_BYTES = 400,
    SIM_SREGS = 16,
    SIM_URCS_KEPT = 32,       /* notices that the modem keeps while AT+CNMI=0 or an entry is open */
    SIM_SEARCH_MS = 300,      /* from the PIN, or the radio, to registration */
    SIM_BACKLOG_BYTES = 2048, /* with more than this still on the line, the network waits */
};
#define SIM_NEVER INT64_MAX
#define SIM_MS    INT64_C(1000) /* microseconds */

/* ---- randomness ---- */

struct sim_rng {
    uint64_t state;
};
uint64_t sim_rng_next(struct sim_rng *r);
uint32_t sim_rng_below(struct sim_rng *r, uint32_t bound);
bool sim_rng_chance(struct sim_rng *r, uint32_t ppm); /* parts per million */

/* ---- TPDUs on their way to a modem, and in its stores ---- */

struct sim_tpdu {
    struct sim_tpdu *next;
    int64_t due_us;
    int64_t id;
    uint8_t part, parts;
    bool report, resend, own; /* own: written by AT+CMGW */
    uint8_t mr;
    int8_t cls;  /* message class, -1 none */
    bool to_sim; /* class 2 or "store" message waiting: into SM */
    uint8_t st;
    char peer[SIMNET_PEER_BYTES];
    uint8_t pdu[PDU_FULL_BYTES];
    uint8_t len;
    uint8_t tpdu_len;
};

struct sim_queue {
    struct sim_tpdu *head, *tail;
    size_t len;
};
void sim_queue_put(struct sim_queue *q, struct sim_tpdu *t); /* by due_us, behind equals */
struct sim_tpdu *sim_queue_take(struct sim_queue *q);
void sim_queue_free(struct sim_queue *q);
/* Puts q, of at most PDU_MAX_SEGMENTS items, into random order, all of them due at due_us. */
void sim_queue_shuffle(struct sim_rng *rng, struct sim_queue *q, int64_t due_us);

enum { SIM_QUEUE_MESSAGES, SIM_QUEUE_REPORTS, SIM_QUEUES };

/* ---- stores ---- */

enum sim_stat { SIM_REC_UNREAD, SIM_REC_READ, SIM_STO_UNSENT, SIM_STO_SENT, SIM_ALL };

struct sim_slot {
    struct sim_tpdu *t; /* NULL: free */
    enum sim_stat stat;
};

struct sim_store {
    char name[3];
    unsigned size, used, allocated, hint;
    struct sim_slot *slots;
};
enum sim_store_id { SIM_SM, SIM_ME, SIM_SR, SIM_BM, SIM_STORES }; /* BM: broadcasts; empty */

/* ---- faults ---- */

/* Windows end at a time in microseconds; 0 = not active. Counters are "for the next n". */
struct sim_faults {
    int64_t silence_until, garbage_until, drop_until, double_until, no_network_until, full_until;
    int64_t cms_rate_until;
    uint32_t garbage_ppm, drop_ppm, double_ppm, cms_ppm;
    int cms_rate_code;
    int64_t late_us, report_late_us;
    int sent_500, index_lost;
    int late, ok_lost, prompt_bare, prompt_missing, urc_inside, error, cms, cms_code, cme, cme_code;
    int report_lost, report_late, report_double, report_status, report_shuffle;
    uint8_t report_st;
    int duplicate, duplicate_copies, parts_shuffled;
};

/* ---- the modem ---- */

enum sim_power { SIM_GONE, SIM_BOOTING, SIM_UP };
enum sim_entry { SIM_ENTRY_NONE, SIM_ENTRY_CMGS, SIM_ENTRY_CMGW, SIM_ENTRY_CNMA };
enum sim_pin { SIM_PIN_READY, SIM_PIN_ASKED, SIM_PIN_PUK };

/* What a power cycle resets. */
struct sim_settings {
    int echo, quiet, verbose;
    int cmee, csms, cmms, clip, crc, creg, cgreg, cereg, cops_format, cfun;
    int cnmi[5]; /* mode, mt, bm, ds, bfr */
    int csmp[4];
    enum sim_store_id mem[3];
    char mem_name[3][8]; /* as AT+CPMS chose them */
    char cscs[8];
    int sregs[SIM_SREGS];
};

/* A command under execution: what it will say, and when. */
struct sim_busy {
    bool on;
    int64_t until_us;
    bool submit;       /* the network has the TPDU at the end of it */
    bool from_storage; /* AT+CMSS */
    int storage_index;
    uint8_t pdu[PDU_FULL_BYTES];
    size_t pdu_len;
    int tpdu_len;
    struct buf held; /* bytes to put out at its end */
};

struct simmodem {
    struct simnet *net;
    struct simmodem *next; /* in net */
    struct simmodem_conf conf;
    struct personality p;
    struct simreplay *replay; /* NULL: a modem of its own */
    const char *name;
    char number[SIM_NAME_BYTES], smsc[SIM_NAME_BYTES];
    char imei[SIM_NAME_BYTES], imsi[SIM_NAME_BYTES], iccid[SIM_NAME_BYTES];
    char pin_code[16], puk_code[16];
    struct sim_rng rng;
    int64_t now_us;
    bool in_call;

    enum sim_power power;
    int64_t power_at_us; /* BOOTING: the banner; GONE: return, or SIM_NEVER */

    /* SIM and network: these survive a reboot */
    struct sim_queue waiting[SIM_QUEUES];
    struct sim_queue shuffled; /* reports held by "report_shuffle" */
    uint8_t mr;
    bool sim_out;
    enum sim_pin pin;
    int pin_tries, puk_tries;
    struct sim_store stores[SIM_STORES];
    int home_stat, signal;
    int64_t searching_until_us; /* 0: not searching */
    int stat_told;              /* the last +CREG stat that was shown */
    int64_t retry_at_us;        /* memory full: the network's next try by itself */
    bool memory_full;

    struct sim_tpdu *await; /* shown, waits for AT+CNMA */
    int64_t await_until_us;

    /* the line */
    struct buf out, tx, rx;
    int64_t byte_ns, tx_start_ns, rx_start_ns;
    char line[SIM_LINE_BYTES];
    size_t line_len;
    bool line_overlong;
    enum sim_entry entry;
    int entry_tpdu_len;
    bool entry_negative; /* AT+CNMA=2 */
    char hex[SIM_ENTRY_BYTES];
    size_t hex_len;
    bool hex_overlong;

    struct sim_settings set;
    struct sim_busy busy;
    struct buf reply;     /* information lines of the command line being executed */
    size_t reply_cuts[4]; /* places between them, for "urc_inside" */
    size_t reply_cuts_len;
    struct buf urcs;    /* waiting for the end of an entry */
    struct buf ta_urcs; /* kept by AT+CNMI mode 0 */
    unsigned ta_urcs_len;
    struct buf *urc_capture; /* "urc_inside" catches notices here */

    /* by its personality */
    bool noise_off, gps_on, ready_untold;
    bool wedged;  /* until the power is cut */
    bool leaving; /* BOOTING: about to leave the bus */
    int64_t noise_at_us, wedge_at_us;
    size_t noise_next;
    int64_t ready_at_us;   /* SMS commands work from then on */
    int64_t wait_until_us; /* +CME ERROR: 515 until then */

    /* calls and USSD */
    char caller[SIM_NAME_BYTES];
    unsigned rings_left;
    bool call_active;
    int64_t ring_at_us; /* SIM_NEVER: none */
    struct sim_ussd *ussd;
    char ussd_pending[SIM_ARG_BYTES];
    int64_t ussd_at_us; /* SIM_NEVER: none */
    bool ussd_failed;   /* instead of an answer an error comes */
    bool ussd_open;     /* the network waits for a reply */

    struct sim_faults fault;
};

/* simmodem.c */
void sim_emit(struct simmodem *m, const void *bytes, size_t len);
void sim_urc(struct simmodem *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_urcs_flush(struct simmodem *m); /* what waited for the end of an entry or of AT+CNMI=0 */
void sim_wake(struct simmodem *m);
void sim_busy_for(struct simmodem *m, int64_t us);
bool sim_silent(const struct simmodem *m); /* hangs: hears and says nothing */

void sim_settings_lost(struct simmodem *m);

/* sim_power.c */
int64_t sim_boot_us(const struct simmodem *m); /* from power to the banner */
void sim_reboot(struct simmodem *m, int64_t after_us);
void sim_vanish(struct simmodem *m, int64_t for_us); /* < 0: until sim_return */
void sim_return(struct simmodem *m);
int sim_restart(struct simmodem *m); /* answers OK first; a USB device leaves the bus. SIM_R_LATER */
void sim_power_step(struct simmodem *m);

/* sim_life.c */
void sim_settings_reset(struct sim_settings *s);
int sim_reg_stat(const struct simmodem *m);
int sim_reg_shown(const struct simmodem *m, const char *command); /* as "+CREG", "+CEREG" … tell it */
bool sim_registered(const struct simmodem *m);
bool sim_ready(const struct simmodem *m);       /* SIM in, PIN given */
const char *sim_cpin(const struct simmodem *m); /* as +CPIN tells it */
void sim_reg_check(struct simmodem *m);         /* tells +CREG's change */
bool sim_count_down(int *n);                    /* uses one of a fault's n */
bool sim_window(const struct simmodem *m, int64_t until_us);

/* sim_family.c */
void sim_say(struct simmodem *m, const char *text, const char *store); /* unasked, {fields} filled in */
void sim_tell(struct simmodem *m, const char *text);                   /* as information lines */
/* The personality's own answer to an extended command; false when it has none. */
bool sim_family_answer(struct simmodem *m, const char *text, size_t len, int *result);
bool sim_family_lacks(const struct simmodem *m, const char *name);
int sim_not_ready(const struct simmodem *m); /* why SMS commands are refused for the moment; SIM_R_OK */
void sim_get_ready(struct simmodem *m);      /* SMS commands work after the personality's time */
void sim_family_reset(struct simmodem *m);
bool sim_ok_before_pdu(const struct simmodem *m);
void sim_wedge(struct simmodem *m);
void sim_family_step(struct simmodem *m);
int64_t sim_family_deadline(const struct simmodem *m);

/* sim_parse.c: command lines */
enum sim_form { SIM_EXEC, SIM_READ, SIM_TEST, SIM_SET };
struct sim_command;
struct sim_arg {
    bool present, quoted;
    char text[SIM_ARG_BYTES];
};
struct sim_cmd {
    const char *name;
    const struct sim_command *setting; /* for sim_cmd_setting: the command's own row */
    enum sim_form form;
    int argc;
    struct sim_arg arg[SIM_ARGS];
};
/* A handler's result: one of these, or SIM_CME + code, SIM_CMS + code. */
enum {
    SIM_R_OK,
    SIM_R_ERROR,
    SIM_R_LATER, /* the result comes later, or a prompt stands */
    SIM_R_NO_CARRIER,
    SIM_R_UNKNOWN,  /* no such command: ERROR, or the vendor's words */
    SIM_R_NO_FINAL, /* the information lines alone */
    SIM_CME = 10000,
    SIM_CMS = 20000,
};
typedef int (*sim_handler)(struct simmodem *m, struct sim_cmd *c);
struct sim_command {
    const char *name;
    sim_handler run;
    unsigned flags;
    size_t offset; /* of an int in struct sim_settings, with its largest value: a plain setting */
    int max;
};
enum {
    SIM_F_SMS = 1,     /* fails with +CMS ERROR, needs the SIM */
    SIM_F_SIM = 2,     /* fails with +CME ERROR, needs the SIM */
    SIM_F_TEST_OK = 4, /* the test form is answered by OK alone */
};
extern const struct sim_command sim_commands_sms[], sim_commands_general[];

void sim_run_line(struct simmodem *m, const char *line);
void sim_info_line(struct simmodem *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_finish(struct simmodem *m, int result); /* the reply and its final result go out */
void sim_prompt(struct simmodem *m, enum sim_entry entry, int tpdu_len);
/* False when the argument is there and not a number within [min, max]; absent: *out stays. */
bool sim_arg_int(const struct sim_cmd *c, int i, int min, int max, int *out);
void sim_quote(const struct simmodem *m, const char *utf8, char *out, size_t size); /* in the CSCS alphabet */
bool sim_unquote(const struct simmodem *m, const char *text, char *out, size_t size);

/* sim_storage.c */
int sim_cmd_cpms(struct simmodem *m, struct sim_cmd *c);
int sim_cmd_cmgl(struct simmodem *m, struct sim_cmd *c);
int sim_cmd_cmgr(struct simmodem *m, struct sim_cmd *c);
int sim_cmd_cmgd(struct simmodem *m, struct sim_cmd *c);
/* The slot that the command's first argument names; 0, or what the command answers. */
int sim_index_arg(struct simmodem *m, const struct sim_cmd *c, enum sim_store_id id, int *index,
                  struct sim_slot **slot);

/* sim_sms.c */
void sim_entry_done(struct simmodem *m, bool cancelled);
void sim_submit_end(struct simmodem *m);

/* sim_store.c */
void sim_stores_init(struct simmodem *m);
void sim_stores_free(struct simmodem *m);
unsigned sim_index_base(const struct simmodem *m);
bool sim_store_full(const struct simmodem *m, enum sim_store_id id);
int sim_store_put(struct simmodem *m, enum sim_store_id id, struct sim_tpdu *t,
                  enum sim_stat stat);                                              /* takes t */
struct sim_slot *sim_store_at(struct simmodem *m, enum sim_store_id id, int index); /* NULL: out of range */
void sim_store_delete(struct simmodem *m, enum sim_store_id id, int index);
void sim_store_resize(struct simmodem *m, enum sim_store_id id, unsigned size);
bool sim_store_by_name(const char *name, enum sim_store_id *out);
/* A name that AT+CPMS takes of this modem, "MT" among them where it has it. */
bool sim_store_named(const struct simmodem *m, const char *name, enum sim_store_id *out);

/* sim_mt.c */
void sim_mt_step(struct simmodem *m);
int64_t sim_mt_deadline(const struct simmodem *m);
void sim_mt_unacked(struct simmodem *m);
int sim_mt_ack(struct simmodem *m, bool negative); /* 0, or a CMS code */

/* sim_calls.c */
void sim_calls_step(struct simmodem *m);
int64_t sim_calls_deadline(const struct simmodem *m);
void sim_calls_reset(struct simmodem *m);
int sim_cmd_clcc(struct simmodem *m, struct sim_cmd *c);
int sim_hang_up(struct simmodem *m);
int sim_answer(struct simmodem *m);

/* sim_ussd.c */
void sim_ussd_free(struct simmodem *m);
void sim_ussd_show(struct simmodem *m);
int sim_cmd_cusd(struct simmodem *m, struct sim_cmd *c);

/* simnet.c */
/* Gives m its name, which the network keeps. */
void sim_net_join(struct simnet *net, struct simmodem *m, const char *name);
void sim_net_leave(struct simnet *net, struct simmodem *m);
/* The network takes a SUBMIT: gives the TP-MR, routes it, makes the report. */
uint8_t sim_net_submit(struct simmodem *m, const struct pdu_submit *s, const uint8_t *pdu, size_t len);
void sim_net_refuse(struct simmodem *m, const struct pdu_submit *s, const uint8_t *pdu, size_t len, int code);
void sim_net_release_reports(struct simmodem *m);           /* those that "report_shuffle" holds */
void sim_net_retry(struct simmodem *m, struct sim_tpdu *t); /* keeps t and tries again later */
int64_t sim_net_retry_us(const struct simnet *net);
uint64_t sim_net_random(struct simnet *net);
void sim_net_lost_input(struct simnet *net, size_t bytes);
/* Logs what happened to t at m. */
void sim_net_event(struct simmodem *m, enum simnet_kind kind, const struct sim_tpdu *t, int code,
                   enum sim_store_id store, int index);

/* simnet_log.c */
struct sim_log {
    struct simnet_event *events;
    size_t len, cap, first, keep;
    uint64_t seq;
    struct simnet_counts counts;
    void (*watch)(void *arg, const struct simnet_event *ev);
    void *watch_arg;
};
void sim_log_add(struct sim_log *l, const struct simnet_event *ev);
struct sim_log *sim_net_log(struct simnet *net);
int64_t sim_net_wall_ms(const struct simnet *net, int64_t now_ms);

#endif
