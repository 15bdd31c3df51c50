/* The loop of simgate-modem, and the start and end of everything in it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "hw/sim/shell.h"

enum { EVENTS = 128, KEEP_EVENTS = 100000 };

static int64_t clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t shell_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int shell_add(struct shell *s, struct shell_source *src, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = src};
    return epoll_ctl(s->epoll, EPOLL_CTL_ADD, src->fd, &ev);
}

void shell_remove(struct shell *s, struct shell_source *src)
{
    if (src->fd < 0)
        return;
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, src->fd, NULL);
    close(src->fd);
    src->fd = -1;
}

struct shell_port *shell_find(struct shell *s, const char *name)
{
    for (size_t i = 0; i < s->ports_len; i++)
        if (strcmp(s->ports[i].name, name) == 0)
            return &s->ports[i];
    return NULL;
}

/* ---- start and end ---- */

static void on_event(void *arg, const struct simnet_event *ev)
{
    struct shell *s = arg;
    simnet_event_json(s->net, ev, &s->log);
}

static void flush_log(struct shell *s)
{
    size_t at = 0;
    while (at < s->log.len) {
        ssize_t n = write(s->log_fd, s->log.data + at, s->log.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fprintf(stderr, "simgate-modem: %s: %s\n", s->conf.log, strerror(errno));
            break;
        }
        at += (size_t)n;
    }
    buf_clear(&s->log);
}

static int open_log(struct shell *s, struct err *e)
{
    s->log_fd = -1;
    if (!s->conf.log)
        return 0;
    s->log_fd = open(s->conf.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (s->log_fd < 0)
        return err_errno(e, "%s", s->conf.log);
    simnet_watch(s->net, on_event, s);
    return 0;
}

static void on_signal(struct shell_source *src, uint32_t events)
{
    struct shell *s = container_of(src, struct shell, signals);
    struct signalfd_siginfo info;
    (void)events;
    if (read(src->fd, &info, sizeof(info)) == sizeof(info))
        s->quit = true;
}

static int open_signals(struct shell *s, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signals = (struct shell_source){on_signal, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (s->signals.fd < 0 || shell_add(s, &s->signals, EPOLLIN) < 0)
        return err_errno(e, "signalfd");
    return 0;
}

/* The i-th number after `first`: its last digits counted up, its width kept. */
static void number_up(const char *first, size_t i, char *out, size_t size)
{
    str_copy(out, size, first);
    for (size_t n = strlen(out), carry = i; n-- > 0 && carry && out[n] >= '0' && out[n] <= '9';) {
        carry += (size_t)(out[n] - '0');
        out[n] = (char)('0' + carry % 10);
        carry /= 10;
    }
}

/* The i-th IMEI: its last digit checks the 14 before it (TS 23.003 annex B), so those are counted up. */
static void imei_up(const char *first, size_t i, char *out, size_t size)
{
    enum { DIGITS = 14 };
    char body[DIGITS + 1];
    unsigned sum = 0;

    if (i == 0 || strlen(first) != DIGITS + 1) {
        number_up(first, i, out, size);
        return;
    }
    snprintf(body, sizeof(body), "%.*s", DIGITS, first);
    number_up(body, i, out, size);
    for (int n = 0; n < DIGITS; n++) {
        unsigned digit = (unsigned)(out[n] - '0') << (n % 2);
        sum += digit / 10 + digit % 10;
    }
    out[DIGITS] = (char)('0' + (10 - sum % 10) % 10);
    out[DIGITS + 1] = '\0';
}

size_t shell_personalities(const char *list)
{
    size_t n = list != NULL;
    for (; list && *list; list++)
        n += *list == ',';
    return n;
}

bool shell_personality(const char *list, size_t i, char *out, size_t size)
{
    str_copy(out, size, "");
    if (!list)
        return true;
    for (i %= shell_personalities(list); i > 0; i--)
        list = strchr(list, ',') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(list, ","), list);
    return simside_usb_of(out) != NULL;
}

static void init_port(struct shell *s, size_t i)
{
    struct shell_port *p = &s->ports[i];
    const struct shell_conf *c = &s->conf;
    char number[32], imei[32], imsi[32], personality[32];
    shell_personality(c->personality, i, personality, sizeof(personality));
    *p = (struct shell_port){.shell = s, .line.fd = -1, .listen.fd = -1, .slave = -1, .watch = -1};
    snprintf(p->name, sizeof(p->name), "modem%zu", i);
    number_up(c->number ? c->number : "+491520000000", i, number, sizeof(number));
    imei_up(c->imei ? c->imei : "357805020000000", i, imei, sizeof(imei));
    number_up(c->imsi ? c->imsi : "262010000000000", i, imsi, sizeof(imsi));
    if (c->tcp_port) {
        p->kind = SHELL_TCP;
        p->tcp_port = (uint16_t)(c->tcp_port + (int64_t)i);
    } else if (c->unix_path) {
        p->kind = SHELL_UNIX;
        if (c->count > 1)
            snprintf(p->path, sizeof(p->path), "%s%zu", c->unix_path, i);
        else
            str_copy(p->path, sizeof(p->path), c->unix_path);
    } else {
        p->kind = SHELL_PTY;
        snprintf(p->path, sizeof(p->path), "%s/%s", c->dir, p->name);
    }
    struct simmodem_conf mc = {.name = p->name,
                               .personality = personality,
                               .number = number,
                               .imei = imei,
                               .imsi = imsi,
                               .pin = c->pin,
                               .baud = (unsigned)c->baud,
                               .net_ms = c->net_ms};
    if (c->replay)
        mc.replay = &s->trace;
    p->m = simmodem_new(s->net, &mc, shell_now_us() / 1000);
}

static int read_trace(struct shell *s, struct err *e)
{
    char bytes[65536];
    struct buf text = {0};
    ssize_t n = 1;
    if (!s->conf.replay)
        return 0;
    int fd = open(s->conf.replay, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
        buf_add(&text, bytes, (size_t)n);
    int rc = fd < 0 || n < 0 ? err_errno(e, "%s", s->conf.replay)
                             : trace_read(s->conf.replay, buf_str(&text), text.len, &s->trace, e);
    if (fd >= 0)
        close(fd);
    buf_free(&text);
    return rc;
}

static int open_all(struct shell *s, struct err *e)
{
    struct simnet_conf nc = {.seed = (uint64_t)s->conf.seed,
                             .wall_offset_ms = s->wall_offset_ms,
                             .report_ms = s->conf.report_ms,
                             .keep_events = KEEP_EVENTS};
    s->net = simnet_new(&nc);
    s->ports = calloc((size_t)s->conf.count, sizeof(*s->ports));
    if (!s->ports)
        return err_set(e, ERR_NOMEM, "%lld modems", (long long)s->conf.count);
    if (s->conf.dir && mkdir(s->conf.dir, 0755) < 0 && errno != EEXIST)
        return err_errno(e, "%s", s->conf.dir);
    int rc = read_trace(s, e);
    if (rc == 0)
        rc = open_log(s, e);
    if (rc == 0)
        rc = open_signals(s, e);
    if (rc == 0)
        rc = shell_inotify_open(s, e);
    for (size_t i = 0; rc == 0 && i < (size_t)s->conf.count; i++) {
        init_port(s, i);
        s->ports_len = i + 1;
        rc = shell_port_open(&s->ports[i], e);
    }
    if (rc == 0 && s->conf.all_ports)
        rc = shell_sides_open(s, e);
    if (rc == 0 && s->control_path[0])
        rc = shell_control_open(s, e);
    if (rc == 0 && s->conf.scenario)
        rc = shell_scenario_load(s, s->conf.scenario, e);
    return rc;
}

static void close_all(struct shell *s)
{
    shell_control_close(s);
    shell_sides_close(s);
    for (size_t i = 0; i < s->ports_len; i++) {
        shell_port_close(&s->ports[i]);
        simmodem_free(s->ports[i].m);
    }
    flush_log(s);
    if (s->log_fd >= 0)
        close(s->log_fd);
    shell_remove(s, &s->signals);
    shell_remove(s, &s->inotify);
    trace_fini(&s->trace);
    free(s->ports);
    free(s->steps);
    buf_free(&s->log);
    simnet_free(s->net);
    close(s->epoll);
}

static void announce(const struct shell *s)
{
    for (size_t i = 0; i < s->ports_len; i++) {
        const struct shell_port *p = &s->ports[i];
        struct simmodem_info info;
        simmodem_info(p->m, &info);
        if (p->kind == SHELL_TCP)
            printf("%s  tcp://127.0.0.1:%u  %s\n", p->name, p->tcp_port, info.number);
        else
            printf("%s  %s%s  %s\n", p->name, p->kind == SHELL_UNIX ? "unix:" : "", p->path, info.number);
    }
    shell_sides_announce(s);
    printf("ready\n");
    fflush(stdout);
}

/* ---- the loop ---- */

/* Lets due time pass at every modem, and follows a port that vanished or returned. */
static void pass_time(struct shell *s)
{
    int64_t now_us = shell_now_us();
    shell_scenario_run(s, now_us);
    for (size_t i = 0; i < s->ports_len; i++) {
        struct shell_port *p = &s->ports[i];
        struct err e = {0};
        if (simmodem_deadline_us(p->m) <= now_us)
            simmodem_tick_us(p->m, now_us);
        if (p->up && !simmodem_present(p->m))
            shell_port_close(p);
        else if (!p->up && simmodem_present(p->m) && shell_port_open(p, &e) < 0)
            fprintf(stderr, "simgate-modem: %s\n", e.text);
    }
    shell_sides_pass_time(s, now_us);
}

static void write_all(struct shell *s)
{
    flush_log(s);
    for (size_t i = 0; i < s->ports_len; i++)
        if (simmodem_out(s->ports[i].m)->len)
            shell_port_write(&s->ports[i]);
    shell_sides_write(s);
}

static int64_t next_deadline_us(const struct shell *s)
{
    int64_t at = shell_scenario_deadline_us(s);
    if (shell_sides_deadline_us(s) < at)
        at = shell_sides_deadline_us(s);
    for (size_t i = 0; i < s->ports_len; i++) {
        int64_t d = simmodem_deadline_us(s->ports[i].m);
        if (d < at)
            at = d;
    }
    return at;
}

static int wait_events(struct shell *s, struct epoll_event *events)
{
    int64_t at = next_deadline_us(s);
    if (at == INT64_MAX)
        return epoll_wait(s->epoll, events, EVENTS, -1);
    int64_t us = at - shell_now_us();
    if (us < 0)
        us = 0;
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    int n = epoll_pwait2(s->epoll, events, EVENTS, &t, NULL);
    if (n < 0 && errno == ENOSYS) /* before Linux 5.11 */
        n = epoll_wait(s->epoll, events, EVENTS,
                       (int)((us + 999) / 1000 < 60000 ? (us + 999) / 1000 : 60000));
    return n;
}

static void loop(struct shell *s)
{
    struct epoll_event events[EVENTS];
    while (!s->quit) {
        int n = wait_events(s, events);
        for (int i = 0; i < n; i++) {
            struct shell_source *src = events[i].data.ptr;
            if (src->fd >= 0)
                src->ready(src, events[i].events);
        }
        pass_time(s);
        write_all(s);
    }
}

int shell_run(const struct shell_conf *conf, struct err *e)
{
    struct shell s = {.conf = *conf, .signals.fd = -1, .inotify.fd = -1, .control.fd = -1, .log_fd = -1};
    s.epoll = epoll_create1(EPOLL_CLOEXEC);
    s.start_us = shell_now_us();
    s.wall_offset_ms = (clock_us(CLOCK_REALTIME) - s.start_us) / 1000;
    if (conf->control)
        str_copy(s.control_path, sizeof(s.control_path), conf->control);
    else if (conf->dir)
        snprintf(s.control_path, sizeof(s.control_path), "%s/control", conf->dir);
    int rc = s.epoll < 0 ? err_errno(e, "epoll") : open_all(&s, e);
    if (rc == 0) {
        announce(&s);
        loop(&s);
    }
    close_all(&s);
    return rc;
}
