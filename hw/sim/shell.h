/* The shell of simgate-modem: ports, control socket, scenario and log around the pure core.
 *
 * One thread, one epoll set. A turn of the loop reads and feeds every ready port, lets due time pass, writes
 * the log, and only then writes to the ports, so that the log has what any host has seen.
 */
#ifndef SIMGATE_HW_SIM_SHELL_H
#define SIMGATE_HW_SIM_SHELL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "base/trace.h"
#include "hw/sim/simmodem.h"
#include "hw/sim/simside.h"

enum { SHELL_PATH_BYTES = 96, SHELL_MODEMS = 256 }; /* a unix socket's path has at most 107 bytes */

/* What epoll points at. */
struct shell_source {
    void (*ready)(struct shell_source *s, uint32_t events);
    int fd; /* -1: none */
};

enum shell_kind { SHELL_PTY, SHELL_TCP, SHELL_UNIX };

struct shell;

struct shell_port {
    struct shell *shell;
    struct simmodem *m;
    struct simside *side; /* another port of m's stick; NULL: m's own */
    enum shell_kind kind;
    char name[16];
    char path[SHELL_PATH_BYTES]; /* the link to the pseudo-terminal, or the socket; "" for tcp */
    uint16_t tcp_port;
    struct shell_source line;   /* the pseudo-terminal's master, or the connection */
    struct shell_source listen; /* sockets only */
    int slave;                  /* kept open, so that the pseudo-terminal never hangs up */
    int watch;                  /* inotify on the slave; -1: openers are not known */
    int openers;
    bool up, waiting_to_write;
};

struct shell_conf {
    const char *dir, *unix_path, *control, *log, *scenario;
    const char *replay; /* a trace file; NULL: none */
    const char *pin, *number, *imei, *imsi;
    const char *personality; /* names with commas between, taken in turn; NULL: generic */
    bool all_ports;
    int64_t tcp_port, count, baud, net_ms, report_ms, seed;
};

struct shell_step;   /* of the scenario */
struct shell_client; /* of the control socket */

struct shell {
    struct shell_conf conf;
    struct simnet *net;
    struct shell_port *ports;
    size_t ports_len;
    struct trace trace; /* of --replay */
    struct shell_port *sides;
    size_t sides_len;
    int epoll;
    int64_t wall_offset_ms;
    struct shell_source signals, inotify, control;
    struct shell_client *clients;
    char control_path[SHELL_PATH_BYTES];
    struct buf log;
    int log_fd;
    struct shell_step *steps;
    size_t steps_len;
    int64_t start_us;
    uint64_t bytes_in, bytes_out; /* of all lines, as the modems see them */
    bool quit;
};

int64_t shell_now_us(void);
int shell_add(struct shell *s, struct shell_source *src, uint32_t events); /* to the epoll set */
void shell_remove(struct shell *s, struct shell_source *src);              /* and closes it */
struct shell_port *shell_find(struct shell *s, const char *name);

/* shell_loop.c. 0, or a negative code with *e. */
int shell_run(const struct shell_conf *conf, struct err *e);
/* The i-th modem's personality of a list; false: the list has a name that there is not. */
bool shell_personality(const char *list, size_t i, char *out, size_t size);
size_t shell_personalities(const char *list); /* how many names */

/* shell_port.c */
struct buf *shell_port_out(struct shell_port *p);
int shell_port_open(struct shell_port *p, struct err *e);
void shell_port_close(struct shell_port *p); /* and removes its name from the file system */
void shell_port_write(struct shell_port *p);
int shell_inotify_open(struct shell *s, struct err *e);

/* shell_side.c: the other ports of the sticks, with --all-ports. */
int shell_sides_open(struct shell *s, struct err *e);
void shell_sides_close(struct shell *s);
void shell_sides_pass_time(struct shell *s, int64_t now_us);
void shell_sides_write(struct shell *s);
int64_t shell_sides_deadline_us(const struct shell *s);
void shell_sides_announce(const struct shell *s);

/* shell_control.c: one command a line, one JSON object a line. */
int shell_control_open(struct shell *s, struct err *e);
void shell_control_close(struct shell *s);
void shell_command(struct shell *s, char *line, struct buf *answer); /* line is taken apart */
int shell_unix_address(const char *path, struct sockaddr_un *out, struct err *e);
int shell_unix_listen(const char *path, struct err *e); /* the descriptor */

/* shell_scenario.c */
int shell_scenario_load(struct shell *s, const char *path, struct err *e);
void shell_scenario_run(struct shell *s, int64_t now_us);
int64_t shell_scenario_deadline_us(const struct shell *s);

/* shell_client.c: gives `command` to a running simgate-modem and prints its answer. The exit status. */
int shell_tell(const char *control_path, const char *command);

#endif
