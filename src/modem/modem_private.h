/* What the files of src/modem share; not for other rooms.
 *
 * One struct modem owns its port, its AT channel and every command that it may have in flight (one per
 * activity, embedded below). Activities:
 *
 *   line.c          the port and the channel: bytes, deadlines, the requested move
 *   modem.c         the states and what leads from one to the next
 *   script.c        runs a table of commands; the tables are in init.c, sim_pin.c, registration.c, stores.c
 *   entries.c       the messages that are known: announced, offered, settled
 *   receive.c       reads and deletes the stored ones; direct.c: those that come on the line itself
 *   send.c          one submission
 *   ladder.c        what is tried when nothing answers
 *   finder.c        which port; identity.c: whether the modem there is the right one
 *   ask.c           an operator's commands
 *   ussd.c          a USSD session; balance.c: the SIM's balance by one
 *   calls.c         calls that come in
 *   trace.c         recordings of the line; trace_mask.c, trace_pdu.c: what of it is private
 *
 * Nothing that tears the channel down is done inside one of its callbacks: modem_request() notes the move,
 * and a timer makes it.
 */
#ifndef SIMGATE_MODEM_MODEM_PRIVATE_H
#define SIMGATE_MODEM_MODEM_PRIVATE_H

#include "at/channel.h"
#include "base/log.h"
#include "base/trace.h"
#include "modem/balance.h"
#include "modem/calls.h"
#include "modem/modem.h"
#include "modem/ussd.h"
#include "pdu/pdu.h"

enum {
    MODEM_TIMEOUTS_MAX = 3,         /* commands in a row without an answer, then it is recovered */
    SEND_NO_PROMPTS_MAX = 3,        /* a wedge signature: it answers, and gives no prompt */
    MODEM_DRAIN_MS = 200,           /* after opening: old output is dropped */
    MODEM_SETTLED_MS = 60000,       /* ready for so long: ladder and backoff start anew */
    MODEM_STORE_FAILS = 3,          /* a store that could not be selected so often is left alone */
    MODEM_HELD_MS = 60000,          /* a message that could not be stored is offered again after */
    RX_RETRY_MS = 2000,             /* after "busy" or no answer */
    MODEM_RX_MAX = 512,             /* messages known and not yet deleted */
    MODEM_RX_COPIES_MAX = 64,       /* of these, kept here because the modem has no copy */
    MODEM_LIST_ABOVE = 5,           /* more messages than this to read: one listing instead */
    MODEM_BUSY_PATIENCE_MS = 30000, /* a SIM that says "busy" (CME 14, CMS 314) is asked again for so long */
    MODEM_PORTS_MAX = 320,          /* 64 sticks of five interfaces each */
    MODEM_WHO_BYTES = 48,
    MODEM_PDU_LINE_BYTES = 2 * PDU_FULL_BYTES + 1,
};

/* A request to move, made by line.c's timer. The heaviest that was asked for wins. */
enum modem_move {
    MOVE_NONE,
    MOVE_OPEN,     /* open the port (delayed by ABSENT and BACKOFF) */
    MOVE_REPROBE,  /* its settings may be gone: from the first AT again */
    MOVE_BACK_OFF, /* the port is of no use now: close it, try again later */
    MOVE_RECOVER,  /* it does not answer: next rung of the ladder */
    MOVE_CLOSE,    /* an operator or the end of the process: close */
};

/* ---- scripts ---- */

enum script_verdict {
    STEP_NEXT,
    STEP_AGAIN,  /* the same once more after a second, while the step's patience lasts; then as STEP_FAIL */
    STEP_REPEAT, /* the same once more at once: its next attempt (script.attempt is one higher) */
    STEP_FAIL,   /* ends the script if the step is a must, else on */
    STEP_STOP,   /* the step's handler has taken over: the script is over */
};

struct script_step {
    const char *text;                                       /* the command; NULL: make() writes it */
    bool (*make)(struct modem *m, char *text, size_t size); /* false: the step is left out */
    const char *prefix;
    enum at_class cls;
    bool must;
    bool ok_optional;
    bool list;  /* each attempt is a command of its own; what fails is left out but for family_must() */
    bool boots; /* fails while the modem starts: is tried again for the profile's ready_ms */
    int64_t patience_ms; /* STEP_AGAIN, and errors of a must, are tried again for so long; 0: busy SIM only */
    void (*line)(struct modem *m, const char *line);
    enum script_verdict (*done)(struct modem *m, const struct at_result *r); /* NULL: by the result */
};

struct script {
    const char *name;
    const struct script_step *steps;
    size_t count;
    void (*end)(struct modem *m);                     /* all done */
    void (*failed)(struct modem *m, const char *why); /* a must failed */
};

enum { SCRIPTS_NEXT = 8 }; /* no more than there are to be asked for of a modem that is set up */

struct script_run {
    const struct script *script;             /* NULL: none runs */
    const struct script *next[SCRIPTS_NEXT]; /* asked for meanwhile, in this order, none twice */
    size_t next_len;
    size_t step;
    unsigned attempt;
    int64_t since_ms; /* of the step */
    bool sent;        /* cmd is in the channel */
    struct at_cmd cmd;
    struct rt_timer pause;
};

/* ---- receiving ---- */

enum rx_state {
    RX_WANTED, /* announced or listed: to be read */
    RX_READING,
    RX_OFFERED, /* with the gateway, which commits it */
    RX_DELETE,  /* durable: to be deleted */
    RX_DELETING,
    RX_HELD, /* waits for due_ms, then `held_as` */
};

struct rx_entry {
    char store[MODEM_STORE_BYTES]; /* "" = it came on the line (+CMT, +CDS) */
    int index;
    enum rx_state state;
    enum rx_state held_as;
    int64_t due_ms;
    bool again;    /* announced once more since it was read: the slot may hold another message */
    bool must_ack; /* on the line, and the modem waits for AT+CNMA */
    uint8_t fails;
    uint64_t token;
    uint64_t seq;  /* order of arrival */
    uint8_t *copy; /* on the line, not acknowledged: ours is the only one */
    size_t copy_len;
    int tpdu_len;
    bool malformed;
};

enum rx_doing { RX_DOING_NOTHING, RX_DOING_SELECT, RX_DOING_READ, RX_DOING_LIST, RX_DOING_DELETE };

struct rx {
    struct rx_entry *entries;
    size_t len, cap;
    size_t copies;
    uint64_t seq, token;
    enum rx_doing doing;
    char store[MODEM_STORE_BYTES]; /* of what is being done */
    int index;
    struct at_cmd cmd;
    struct rt_timer held;
    /* the header line that was read last */
    struct {
        bool valid;
        bool text_mode; /* the modem has lost AT+CMGF=0 */
        int index, stat, tpdu_len;
        char text[64];
    } head;
    bool got_pdu;
    bool overflow;    /* a listing held more than we could take */
    int64_t pause_ms; /* nothing is begun before */
    char bad_line[64];
    uint64_t list_seq;
    struct at_cmd ack;
    bool ack_sent;
    unsigned acks_wanted, nacks_wanted;
    enum profile_ack ack_form; /* ACK_PROBE: not known yet */
    bool ack_changed;          /* the profile's, or the usual one, was refused */
};

struct modem_store {
    char name[MODEM_STORE_BYTES];
    bool sweep;     /* to be listed when the channel has time */
    int fails;      /* times in a row that it could not be selected; given up at MODEM_STORE_FAILS */
    int used, size; /* told when it was selected, less what was deleted since; size 0: untold */
};

/* ---- the modem ---- */

enum modem_lock { LOCK_NONE, LOCK_NO_SIM, LOCK_PIN, LOCK_PUK, LOCK_OTHER };

enum modem_net { NET_CREG, NET_CEREG, NET_CGREG, NET_COUNT };

struct modem {
    struct carrier carrier;
    struct rt *rt;
    struct port_source *ports;
    const struct modem_conf *conf;
    char who[MODEM_WHO_BYTES]; /* "modem NAME" */

    enum modem_state state;
    int64_t state_ms; /* when it began */
    char reason[CARRIER_TEXT_BYTES];

    /* line.c */
    struct port *port;
    struct port_user user;
    struct at_chan chan;
    struct rt_timer chan_timer;
    struct rt_timer move_timer;
    enum modem_move move;
    char move_why[CARRIER_TEXT_BYTES];
    bool pumping;
    int64_t last_exchange_ms;

    struct modem_trace *traces; /* trace.c: those who record the line */

    /* modem.c */
    int64_t state_wall_ms;
    char logged[CARRIER_TEXT_BYTES]; /* the reason that was logged last */
    int64_t swept_ms;
    struct rt_timer drain_timer;
    struct rt_timer idle_timer; /* sweep and health check; polls of registration and of a locked SIM */
    struct rt_timer stop_timer;
    int64_t stop_ms; /* the bound */
    void (*stopped)(void *owner);
    void *stopped_owner;

    /* finder.c */
    struct port_info found;          /* where another modem met it; name "": nowhere */
    struct port_info last;           /* where it was recognised last */
    uint64_t tried[MODEM_PORTS_MAX]; /* hashes of the ports and sticks asked in this round */
    size_t tried_len;
    uint64_t list_hash;
    int64_t round_ms;              /* when all had been asked; 0: not yet */
    bool recognised;               /* since the port was opened all that we are configured with was seen */
    int64_t put_back_ms;           /* a stick left off the bus was put back last; 0: never */
    bool was_away;                 /* the port was not there when devices changed last */
    bool waits_for_stick;          /* another modem is asking one that may be ours */
    char miss[CARRIER_TEXT_BYTES]; /* what was wrong with the port that was left last */
    char ambiguous[CARRIER_TEXT_BYTES];
    unsigned garbage; /* bytes that are no text, since the port was opened */

    /* ladder.c */
    unsigned timeouts; /* in a row */
    size_t rung;       /* the next one; MODEM_RUNGS: all were used */
    int64_t rung_used_ms[MODEM_RUNGS];
    uint64_t rungs[MODEM_RUNGS];
    unsigned absent_n, backoff_n;
    uint64_t recoveries;
    unsigned wedge_lines;        /* of the profile's `wedged` since it last answered */
    int64_t silent_until_ms;     /* the same of its silence */
    bool rung_skipped;           /* lower ones were, for a wedge */
    int64_t boot_until_ms;       /* it was restarted: until then its absence is no failure */
    int64_t closed_since_ms;     /* no port since; 0: there is one */
    struct rung_task *rung_task; /* replug or command is under way */
    struct at_cmd rung_cmd;
    struct rt_timer rung_timer;
    size_t rung_step; /* index of the rung's next command */
    bool rung_active;
    bool rung_obeyed; /* it said OK to a restart */
    bool rung_waits;  /* for the answer of one that may be deaf */
    bool was_up;      /* set up since the port was opened */
    bool rung_deaf;   /* it was silent before: its answers are not waited for */

    struct script_run run;

    /* identification, SIM */
    const struct profile *profile; /* never NULL */
    char profile_why[CARRIER_TEXT_BYTES];
    struct port_info info; /* of the port that is open */
    char manufacturer[40], model[40], revision[40];
    char smsc[NUMBER_BYTES];
    char iccid[24];                     /* of the SIM; often readable before its PIN */
    char home_imsi[CARRIER_IMSI_BYTES]; /* the first SIM's of this modem's life, or accepted since */
    bool sim_usable;                    /* asks for nothing, since it was probed */
    enum modem_lock lock;
    char pin_state[24]; /* what +CPIN? said */
    bool pin_wanted;
    bool pin_sent;      /* since it was probed */
    bool pin_tried;     /* in this modem's life, and not seen to be right */
    bool pin_granted;   /* an operator asked for one try */
    char pin_iccid[24]; /* of the SIM that pin_tried is about; "" not known */
    int pin_tries;

    /* network */
    int stat[NET_COUNT]; /* TS 27.007 7.2; -1: not supported or not known */
    int csq;
    int64_t register_ms;      /* REGISTERING since */
    unsigned register_n;      /* polls so far */
    int64_t offline_since_ms; /* set up and not registered since; 0: it is */

    /* stores and plan */
    enum modem_plan plan;
    bool acks; /* AT+CSMS=1: what comes on the line waits for AT+CNMA */
    struct modem_store stores[MODEM_STORES];
    size_t stores_len;
    char mem3_allowed[MODEM_STORES][MODEM_STORE_BYTES];
    size_t mem3_len;
    char mem1[MODEM_STORE_BYTES], mem2[MODEM_STORE_BYTES], mem3[MODEM_STORE_BYTES];
    int cpms_args;       /* 3, 2 or 1 arguments are understood; 0: no AT+CPMS */
    int cnmi;            /* index into the plan's attempts; -1: none was accepted */
    bool cnmi_kept;      /* the read-back shows that it is set */
    bool reports_stored; /* ds = 2 */
    int64_t full_ms;     /* of the last memory-full notice that led to a sweep */
    struct {             /* of mem3, from AT+CPMS?; total -1: not told */
        int used, total;
        bool wanted; /* asked for behind the sweep */
        int64_t due_ms;
    } room;

    struct rx rx;

    /* send.c */
    struct carrier_submit *submit;
    struct at_cmd submit_cmd;
    char submit_hex[MODEM_PDU_LINE_BYTES];
    int submit_mr;
    int more_max;      /* AT+CMMS=2, =1 are understood, or 0 */
    int more_now;      /* its value in the modem */
    bool more_refused; /* once in this modem's life: not tried again */
    bool more_sent;    /* more_cmd is in the channel */
    struct at_cmd more_cmd;
    int64_t submit_ms;
    unsigned no_prompts;                 /* in a row */
    uint8_t prompt_tried, offline_tried; /* ladder_useless() */
    int csms;                            /* AT+CSMS=1: 1 taken, 0 refused, -1 not tried */
    bool prompts_in_vain;                /* all was tried for them: the alarm stands until there is one */
    bool numbered;                       /* it took AT+CMEE=1 */
    int64_t renewed_ms;                  /* set up anew because of a bare ERROR */
    unsigned restarts;                   /* by itself, each within some time of the one before */
    int64_t restarted_ms;
    int64_t rest_ms; /* behind a submission, of a modem that wants it */
    uint64_t sent, failed, received, reports;
    double seconds_per_part;
    int64_t check_ms;        /* of the last health check after a refusal */
    unsigned refused_n;      /* by the network, in a row */
    uint32_t refused_who[4]; /* hashes of their recipients */
    size_t refused_len;

    /* ask.c */
    struct modem_ask *ask;
    struct at_cmd ask_cmd;
    bool ask_busy;
    struct buf ask_answer;

    struct ussd ussd;
    struct balance balance;
    struct calls calls;
};

#define modem_log(level, m, ...) log_##level((m)->who, __VA_ARGS__)

static inline int64_t modem_now(const struct modem *m)
{
    return rt_now_ms(m->rt);
}

/* ---- modem.c ---- */
void modem_set_state(struct modem *m, enum modem_state to, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void modem_changed(struct modem *m);  /* something the gateway shows has changed */
bool modem_up(const struct modem *m); /* initialised: REGISTERING, READY */
void modem_open(struct modem *m);
void modem_probe(struct modem *m, const char *why); /* the port is open: from the first AT */
void modem_locked(struct modem *m, enum modem_lock lock, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void modem_close(struct modem *m); /* for good: DISABLED */
void modem_absent(struct modem *m, const char *why);
void modem_back_off(struct modem *m, int64_t max_ms, const char *why);
void modem_teardown(struct modem *m);   /* ends everything on the channel, closes the port; the state stays */
void modem_drained(struct modem *m);    /* draining and nothing left on the air: closes */
void modem_here(struct modem *m);       /* on its port, recognised */
void modem_set_up(struct modem *m);     /* initialised, with its SIM */
void modem_registered(struct modem *m); /* the network's state is known or has changed */

/* ---- line.c ---- */
void line_init(struct modem *m);
int line_open(struct modem *m, const char *spec, struct err *e);
void line_close(struct modem *m);
void line_pump(struct modem *m); /* writes what the channel has put out, arms its deadline */
int line_send(struct modem *m, struct at_cmd *c, bool first);
/* The port is open and not the one for commands: another is looked for, or it is closed and said. */
void line_wrong_port(struct modem *m, const char *what);
/* Every command's result goes through here first: counts those without an answer. */
void line_result(struct modem *m, const struct at_result *r);
void modem_request(struct modem *m, enum modem_move move, int64_t after_ms, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- script.c ---- */
void script_start(struct modem *m, const struct script *s); /* after the one that runs, if one does */
void script_stop(struct modem *m);
void script_hurry(struct modem *m);               /* what waits to be tried again is tried now */
bool script_busy_code(const struct at_result *r); /* SIM or modem busy: ask again */

/* ---- init.c ---- */
extern const struct script script_probe, script_init;

/* ---- family.c ---- */
void family_guess(struct modem *m);  /* by its port, before it says who it is */
void family_choose(struct modem *m); /* by what it has said */
bool family_ready_sign(const struct modem *m, const char *line);
bool family_banner(const struct modem *m, const char *line);
bool family_noise(const struct modem *m, const char *line);
bool family_make_command(struct modem *m, char *text, size_t size);
bool family_must(const struct modem *m); /* the list's present command */
bool family_make_format(struct modem *m, char *text, size_t size);
bool family_make_charset(struct modem *m, char *text, size_t size);

/* ---- plan.c ---- */
bool plan_make_csms(struct modem *m, char *text, size_t size);
enum script_verdict plan_csms_done(struct modem *m, const struct at_result *r);
bool plan_make_cnmi(struct modem *m, char *text, size_t size);
enum script_verdict plan_cnmi_done(struct modem *m, const struct at_result *r);
bool plan_make_cnmi_check(struct modem *m, char *text, size_t size);
void plan_cnmi_line(struct modem *m, const char *line);
enum script_verdict plan_cnmi_checked(struct modem *m, const struct at_result *r);
void plan_describe(const struct modem *m, char *out, size_t size);
extern const struct script script_cnmi; /* are the notifications still on? */

/* ---- identity.c: steps of script_probe and script_init ---- */
void identity_imei_line(struct modem *m, const char *line);
enum script_verdict identity_imei_done(struct modem *m, const struct at_result *r);
void identity_imsi_line(struct modem *m, const char *line);
bool identity_make_iccid(struct modem *m, char *text, size_t size); /* before the PIN */
void identity_iccid_line(struct modem *m, const char *line);
enum script_verdict identity_iccid_done(struct modem *m, const struct at_result *r);
bool identity_make_guard(struct modem *m, char *text, size_t size);
enum script_verdict identity_guard(struct modem *m, const struct at_result *r);
bool identity_make_imsi(struct modem *m, char *text, size_t size); /* behind the PIN */
enum script_verdict identity_imsi_done(struct modem *m, const struct at_result *r);
bool identity_make_iccid_again(struct modem *m, char *text, size_t size);
enum script_verdict identity_iccid_again(struct modem *m, const struct at_result *r);
bool identity_make_imsi_late(struct modem *m, char *text, size_t size);
/* The SIM on the port is unusable; true: and it need not be ours, the port is left. */
bool identity_locked(struct modem *m, const char *why);

/* ---- sim_pin.c: steps of script_init ---- */
enum script_verdict pin_asked(struct modem *m, const struct at_result *r);
void pin_line(struct modem *m, const char *line);
bool pin_make_tries(struct modem *m, char *text, size_t size);
void pin_tries_line(struct modem *m, const char *line);
enum script_verdict pin_tries_done(struct modem *m, const struct at_result *r);
bool pin_make_entry(struct modem *m, char *text, size_t size);
enum script_verdict pin_entered(struct modem *m, const struct at_result *r);
bool pin_make_check(struct modem *m, char *text, size_t size);
enum script_verdict pin_checked(struct modem *m, const struct at_result *r);
extern const struct script script_locked; /* asks now and then whether a locked SIM is usable */
extern const struct script script_check;  /* after a refusal that may come from the SIM */
void pin_urc(struct modem *m, const char *line);
void pin_notice(struct modem *m, const char *line); /* "^SIMST:1" and the like */

/* ---- registration.c ---- */
extern const struct script script_register, script_ready, script_health;
/* The <stat> of a +CREG, +CEREG or +CGREG line of any of the seen forms; `answer`: it answers a query. -1. */
int registration_stat(const char *line, bool answer);
bool registration_urc(struct modem *m, const char *line);
bool registration_ok(const struct modem *m);
bool registration_denied(const struct modem *m);
void registration_forget(struct modem *m);
const char *registration_text(const struct modem *m);

/* ---- stores.c: steps of script_init ---- */
void stores_forget(struct modem *m);
void stores_list_line(struct modem *m, const char *line);
bool stores_make_select(struct modem *m, char *text, size_t size);
void stores_selected_line(struct modem *m, const char *line);
enum script_verdict stores_selected(struct modem *m, const struct at_result *r);
/* The command that makes `store` the one that is read and deleted from. */
void stores_select_text(const struct modem *m, const char *store, char *text, size_t size);
void stores_count_line(struct modem *m, const char *store, const char *line); /* the answer to that */
void stores_deleted(struct modem *m, const char *store);
struct modem_store *stores_find(struct modem *m, const char *name);
bool stores_make_cycle(struct modem *m, char *text, size_t size);
void stores_full(struct modem *m, const char *notice); /* reads what is there, then looks for room */
bool stores_room_due(const struct modem *m);
extern const struct script script_room;
void stores_sweep(struct modem *m); /* asks for a reading of all of them */
/* Places of this store are read under another name: as MT's, or as SM's and ME's. */
bool stores_other_view(struct modem *m, const char *name);

/* ---- receive.c ---- */
void rx_next(struct modem *m); /* starts what is to be done next, if the channel is free for it */

/* ---- entries.c ---- */
void rx_init(struct modem *m);
void rx_forget(struct modem *m); /* the channel was closed: tokens are void */
void rx_fini(struct modem *m);
void rx_announced(struct modem *m, const char *line, const char *prefix);
void rx_settle(struct carrier *c, uint64_t token, bool stored);
bool rx_drained(const struct modem *m);
struct rx_entry *rx_find(struct modem *m, const char *store, int index); /* NULL */
struct rx_entry *rx_add(struct modem *m, const char *store, int index);  /* NULL: MODEM_RX_MAX are known */
void rx_pause(struct modem *m); /* nothing new is begun for RX_RETRY_MS: the modem is busy */
void rx_remove(struct modem *m, struct rx_entry *e);
void rx_hold(struct modem *m, struct rx_entry *e, enum rx_state then, int64_t after_ms);
/* Hands the PDU line to the gateway. `e` may be gone afterwards. */
void rx_offer(struct modem *m, struct rx_entry *e, const char *line, int tpdu_len, bool malformed);
/* <length>, the last field of a header line in all its forms: "+CMT: ,25", "+CMT: 25", "+CMGR: 1,"name",25",
 * "+CDS: 25"; -1 when it is none. */
int rx_told_length(const char *line);
/* True if the line is a PDU of tpdu_len octets (-1: any). */
bool rx_pdu_fits(const char *line, int tpdu_len);

/* ---- direct.c ---- */
void direct_urc(struct modem *m, const struct at_urc *urc);
void direct_settle(struct modem *m, struct rx_entry *e, bool stored);
void direct_offer_again(struct modem *m, struct rx_entry *e);

/* ---- send.c ---- */
int send_submit(struct carrier *c, struct carrier_submit *s);
void send_late(struct modem *m, const char *line);
bool send_make_more(struct modem *m, char *text, size_t size);
void send_more_line(struct modem *m, const char *line); /* +CMMS=?'s answer */

/* ---- refusals.c ---- */
void refusals_note(struct modem *m, const struct carrier_submit *s, const struct carrier_outcome *o);

/* ---- errors.c ---- */
enum carrier_error errors_class(const struct at_result *r);
/* What the modem's family means by a number of its own; NULL: nothing else than others. */
const struct profile_error *errors_vendor(const struct modem *m, const struct at_result *r);
/* "+CMS ERROR: 38 (network out of order)" */
void errors_text(const struct at_result *r, char *out, size_t size);
int errors_code(const struct at_result *r); /* struct carrier_outcome.code */

/* ---- ladder.c ---- */
void ladder_recover(struct modem *m, const char *why);
void ladder_calm(struct modem *m); /* it has worked well for a while: starts from the first rung again */
void ladder_init(struct modem *m);
void ladder_fini(struct modem *m);
bool ladder_restarting(const struct modem *m); /* by us: its absence is no failure */
void ladder_stop(struct modem *m);
/* For a modem that answers and does not do its work (no network, no prompts): radio off and on, then restart,
 * replug, reset_command, one a call and each once as long as *tried is kept; then, or `gently`, only the
 * radio. False: nothing can be done now. */
bool ladder_useless(struct modem *m, uint8_t *tried, bool gently, const char *why);

/* ---- wedge.c ---- */
void wedge_line(struct modem *m, const char *line); /* an unsolicited one: is it a wedge signature? */
bool wedge_shown(const struct modem *m);            /* nothing but its signature has come for a while */

/* ---- finder.c; more in finder.h ---- */
void finder_join(struct modem *m);
void finder_leave(struct modem *m);
/* The next port to try; or ERR_NOT_FOUND: none for now, ERR_INVALID: the configured one is not an AT port. */
int finder_pick(struct modem *m, char spec[PORT_NAME_BYTES], struct err *e);
bool finder_taken(const struct modem *m, const char *spec);
void finder_opened(struct modem *m, const char *spec); /* sets m->user.spec, m->info */
void finder_closed(struct modem *m);
/* finder_pick() found none: ABSENT, or BACKOFF. */
void finder_none(struct modem *m, const struct err *why);
/* A port could not be opened, or has gone: the next one where ports are only tried, or the same. */
void finder_failed(struct modem *m, const struct err *why);
/* The port that is open is of no use, whoever answers there: it is not asked again for a while. */
void finder_wrong_port(struct modem *m, const char *why);
/* The port is open only to see whether it is ours: it is asked and left, not repaired. */
bool finder_stranger(const struct modem *m);
void finder_heard(struct modem *m, const uint8_t *bytes, size_t len); /* before the channel reads them */

/* ---- alarm.c: callable from anywhere, also inside the channel's callbacks ---- */
void modem_alarm(struct modem *m, enum carrier_alarm a, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void modem_alarm_over(struct modem *m, enum carrier_alarm a);
void alarm_absent(struct modem *m,
                  const char *why); /* no device, or none that could be opened; after a while */
void alarms_of_presence_over(struct modem *m);
void alarm_restarted(struct modem *m);     /* by itself, as its banner shows */
void alarm_restarts_over(struct modem *m); /* it is ready: has it been calm for long enough? */
void alarm_sim(struct modem *m);           /* usable, and known: the same as before? */
void alarm_offline(struct modem *m);       /* not registered; after a while */

/* ---- trace.c: nothing while nobody records ---- */
void trace_bytes(struct modem *m, enum trace_kind kind, const void *bytes, size_t len);
void trace_note(struct modem *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void trace_state(struct modem *m); /* a note of the state that was entered */
void trace_end(struct modem *m);   /* the modem is being freed */

/* ---- ask.c; ussd.h, balance.h, calls.h have their own ---- */
void ask_end(struct modem *m, int status);

#endif
