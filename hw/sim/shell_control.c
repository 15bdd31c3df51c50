/* The control socket of simgate-modem: text commands in, JSON objects out, one a line each.
 *
 * The same commands stand in scenario files. Bad ones are answered with {"ok":false,"error":…} and change
 * nothing. A client that does not read its answers is cut off at a bound.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "hw/sim/shell.h"

enum { LINE_BYTES = 65536, ANSWER_BYTES = 64 << 20, LOG_EVENTS = 10000 };

/* ---- commands ---- */

struct call {
    struct shell *s;
    char *rest; /* arguments not read yet */
    struct err e;
};

static char *word(struct call *c)
{
    char *w = c->rest + strspn(c->rest, " ");
    char *end = w + strcspn(w, " ");
    c->rest = *end ? end + 1 : end;
    *end = '\0';
    return w;
}

static struct shell_port *modem_word(struct call *c)
{
    const char *name = word(c);
    struct shell_port *p = shell_find(c->s, name);
    if (!p)
        err_set(&c->e, ERR_NOT_FOUND, "there is no modem \"%s\"", name);
    return p;
}

static int64_t now_ms(void)
{
    return shell_now_us() / 1000;
}

/* "\n" and "\\" in a text, since a command is one line. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (from[0] == '\\' && (from[1] == 'n' || from[1] == '\\'))
            *to++ = *++from == 'n' ? '\n' : '\\';
        else
            *to++ = *from;
    }
    *to = '\0';
}

static json_t *do_text(struct call *c)
{
    struct shell_port *p = modem_word(c);
    if (!p)
        return NULL;
    const char *from = word(c);
    unescape(c->rest);
    int64_t id = simnet_text(c->s->net, p->m, from, c->rest, now_ms(), &c->e);
    return id < 0 ? NULL : json_pack("{sI}", "id", (json_int_t)id);
}

static json_t *do_pdu(struct call *c)
{
    struct shell_port *p = modem_word(c);
    uint8_t pdu[PDU_FULL_BYTES];
    if (!p)
        return NULL;
    const char *hex = word(c);
    int len = hex_decode(hex, strlen(hex), pdu, sizeof(pdu));
    if (len < 0) {
        err_set(&c->e, len, "expected an even number of hexadecimal digits");
        return NULL;
    }
    int64_t id = simnet_deliver_tpdu(c->s->net, p->m, pdu, (size_t)len, now_ms(), &c->e);
    return id < 0 ? NULL : json_pack("{sI}", "id", (json_int_t)id);
}

static json_t *do_ring(struct call *c)
{
    struct shell_port *p = modem_word(c);
    if (!p)
        return NULL;
    const char *from = word(c);
    int64_t rings = 0;
    if (*c->rest && !str_to_i64(c->rest, 1, 100, &rings)) {
        err_set(&c->e, ERR_INVALID, "expected a number of rings, 1 to 100");
        return NULL;
    }
    simmodem_ring(p->m, from, (unsigned)rings, now_ms());
    return json_object();
}

static json_t *do_ussd(struct call *c)
{
    struct shell_port *p = modem_word(c);
    if (!p)
        return NULL;
    const char *code = word(c);
    simmodem_ussd(p->m, strcmp(code, "any") == 0 ? "" : code, c->rest);
    return json_object();
}

static json_t *do_ussd_push(struct call *c)
{
    struct shell_port *p = modem_word(c);
    if (!p)
        return NULL;
    simmodem_ussd_push(p->m, c->rest, now_ms());
    return json_object();
}

static json_t *do_fault(struct call *c)
{
    const char *which = word(c);
    const char *name = word(c);
    struct shell_port *one = shell_find(c->s, which);
    if (!one && strcmp(which, "all") != 0) {
        err_set(&c->e, ERR_NOT_FOUND, "there is no modem \"%s\"", which);
        return NULL;
    }
    for (size_t i = 0; i < c->s->ports_len; i++)
        if ((!one || one == &c->s->ports[i]) &&
            simmodem_fault(c->s->ports[i].m, name, c->rest, now_ms(), &c->e) < 0)
            return NULL;
    return json_object();
}

static json_t *do_report(struct call *c)
{
    const char *prefix = word(c);
    const char *st = word(c);
    char *end;
    unsigned long value = strtoul(st, &end, 16);
    int64_t delay_ms = -1;
    bool never = strcmp(c->rest, "never") == 0;
    if (end == st || *end || value > 0xFF || (!never && !str_to_i64(c->rest, 0, INT32_MAX, &delay_ms))) {
        err_set(&c->e, ERR_INVALID, "expected: report PREFIX ST MS, with ST hexadecimal and MS or \"never\"");
        return NULL;
    }
    simnet_report_rule(c->s->net, strcmp(prefix, "any") == 0 ? "" : prefix, (uint8_t)value, delay_ms);
    return json_object();
}

static json_t *do_store(struct call *c)
{
    struct shell_port *p = modem_word(c);
    if (!p)
        return NULL;
    const char *name = word(c);
    json_t *list = json_array();
    for (int i = 0; i < 65536; i++) {
        char hex[2 * PDU_FULL_BYTES + 1];
        size_t len;
        int stat;
        const uint8_t *pdu = simmodem_stored(p->m, name, i, &len, &stat);
        if (!pdu)
            continue;
        hex_encode(pdu, len, hex);
        json_array_append_new(list, json_pack("{sisiss}", "index", i, "stat", stat, "pdu", hex));
    }
    return json_pack("{so}", "messages", list);
}

static json_t *status_of(struct shell_port *p)
{
    struct simmodem_info i;
    simmodem_info(p->m, &i);
    json_t *o = json_pack("{sssssssssbsbsbsisisisI}", "name", i.name, "personality", i.personality, "number",
                          i.number, "imei", i.imei, "present", i.present, "booted", i.booted, "pin_needed",
                          i.pin_needed, "pin_tries", i.pin_tries, "registration", i.registration, "signal",
                          i.signal, "waiting", (json_int_t)simnet_waiting(p->shell->net, p->m));
    json_t *stores = json_object();
    for (int k = 0; k < 3; k++)
        json_object_set_new(stores, i.stores[k].name,
                            json_pack("[ii]", (int)i.stores[k].used, (int)i.stores[k].size));
    json_object_set_new(o, "stores", stores);
    if (p->path[0])
        json_object_set_new(o, "path", json_string(p->path));
    if (p->tcp_port)
        json_object_set_new(o, "tcp_port", json_integer(p->tcp_port));
    return o;
}

static json_t *do_status(struct call *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->s->ports_len; i++)
        json_array_append_new(list, status_of(&c->s->ports[i]));
    return json_pack("{so}", "modems", list);
}

static json_t *do_counts(struct call *c)
{
    const struct simnet_counts *n = simnet_counts(c->s->net);
    json_t *o = json_object();
    for (int k = 0; k < SIMNET_KINDS; k++)
        json_object_set_new(o, simnet_kind_name((enum simnet_kind)k),
                            json_integer((json_int_t)n->by_kind[k]));
    json_object_set_new(o, "submitted_reject_duplicates",
                        json_integer((json_int_t)n->submitted_reject_duplicates));
    json_object_set_new(o, "injected_messages", json_integer((json_int_t)n->injected_messages));
    json_object_set_new(o, "deleted_messages", json_integer((json_int_t)n->deleted_messages));
    json_object_set_new(o, "acked_messages", json_integer((json_int_t)n->acked_messages));
    json_object_set_new(o, "lost_input_bytes", json_integer((json_int_t)n->lost_input_bytes));
    json_object_set_new(o, "bytes_in", json_integer((json_int_t)c->s->bytes_in));
    json_object_set_new(o, "bytes_out", json_integer((json_int_t)c->s->bytes_out));
    return o;
}

static json_t *do_log(struct call *c)
{
    int64_t since = 0;
    if (*c->rest && !str_to_i64(c->rest, 0, INT64_MAX, &since)) {
        err_set(&c->e, ERR_INVALID, "expected the sequence number behind which to begin");
        return NULL;
    }
    json_t *list = json_array();
    struct buf line = {0};
    for (size_t i = 0; i < simnet_events(c->s->net) && json_array_size(list) < LOG_EVENTS; i++) {
        const struct simnet_event *ev = simnet_event(c->s->net, i);
        if (ev->seq <= (uint64_t)since)
            continue;
        buf_clear(&line);
        simnet_event_json(c->s->net, ev, &line);
        json_array_append_new(list, json_loadb(line.data, line.len, 0, NULL));
    }
    buf_free(&line);
    return json_pack("{so}", "events", list);
}

static json_t *do_quit(struct call *c)
{
    c->s->quit = true;
    return json_object();
}

static json_t *do_help(struct call *c);

static const struct {
    const char *name, *usage;
    json_t *(*run)(struct call *c);
} commands[] = {
    {"text", "text MODEM FROM TEXT…", do_text},
    {"pdu", "pdu MODEM HEX", do_pdu},
    {"ring", "ring MODEM FROM [RINGS]", do_ring},
    {"ussd", "ussd MODEM CODE|any ANSWER…", do_ussd},
    {"ussd_push", "ussd_push MODEM TEXT…", do_ussd_push},
    {"fault", "fault MODEM|all NAME ARGS…", do_fault},
    {"report", "report PREFIX|any ST MS|never", do_report},
    {"store", "store MODEM SM|ME|SR", do_store},
    {"status", "status", do_status},
    {"counts", "counts", do_counts},
    {"log", "log [SINCE]", do_log},
    {"help", "help", do_help},
    {"quit", "quit", do_quit},
};

static json_t *do_help(struct call *c)
{
    json_t *list = json_array();
    (void)c;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        json_array_append_new(list, json_string(commands[i].usage));
    json_t *faults = json_array();
    for (size_t i = 0; simmodem_fault_usage(i); i++)
        json_array_append_new(faults, json_string(simmodem_fault_usage(i)));
    return json_pack("{soso}", "commands", list, "faults", faults);
}

void shell_command(struct shell *s, char *line, struct buf *answer)
{
    struct call c = {.s = s, .rest = line};
    const char *name = word(&c);
    json_t *o = NULL;
    size_t i = 0;
    while (i < ARRAY_LEN(commands) && strcmp(commands[i].name, name) != 0)
        i++;
    if (i < ARRAY_LEN(commands))
        o = commands[i].run(&c);
    else
        err_set(&c.e, ERR_NOT_FOUND, "there is no command \"%s\"; try \"help\"", name);
    if (o)
        json_object_set_new(o, "ok", json_true());
    else
        o = json_pack("{sbss}", "ok", 0, "error", c.e.text);
    char *text = json_dumps(o, JSON_COMPACT);
    buf_adds(answer, text ? text : "{\"ok\":false,\"error\":\"not UTF-8\"}");
    buf_addc(answer, '\n');
    free(text);
    json_decref(o);
}

/* ---- clients ---- */

struct shell_client {
    struct shell_source line;
    struct shell *shell;
    struct shell_client *next;
    struct buf in, out;
};

static void client_close(struct shell_client *c)
{
    struct shell_client **p = &c->shell->clients;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    shell_remove(c->shell, &c->line);
    buf_free(&c->in);
    buf_free(&c->out);
    free(c);
}

static void client_lines(struct shell_client *c)
{
    char *end;
    while (c->in.len && (end = memchr(c->in.data, '\n', c->in.len))) {
        *end = '\0';
        if (end > c->in.data && end[-1] == '\r')
            end[-1] = '\0';
        shell_command(c->shell, c->in.data, &c->out);
        buf_drop(&c->in, (size_t)(end - c->in.data) + 1);
    }
}

static bool client_write(struct shell_client *c)
{
    if (c->out.len) {
        ssize_t n = send(c->line.fd, c->out.data, c->out.len, MSG_NOSIGNAL);
        if (n > 0)
            buf_drop(&c->out, (size_t)n);
        else if (errno != EAGAIN)
            return false;
    }
    struct epoll_event ev = {.events = EPOLLIN | (c->out.len ? EPOLLOUT : 0u), .data.ptr = &c->line};
    return epoll_ctl(c->shell->epoll, EPOLL_CTL_MOD, c->line.fd, &ev) == 0;
}

static void on_client(struct shell_source *src, uint32_t events)
{
    struct shell_client *c = container_of(src, struct shell_client, line);
    char bytes[4096];
    bool alive = true;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t n = recv(src->fd, bytes, sizeof(bytes), 0);
        alive = n > 0 || (n < 0 && errno == EAGAIN);
        if (n > 0)
            buf_add(&c->in, bytes, (size_t)n);
    }
    client_lines(c);
    if (!alive || c->in.len > LINE_BYTES || c->out.len > ANSWER_BYTES || !client_write(c))
        client_close(c);
}

static void on_control(struct shell_source *src, uint32_t events)
{
    struct shell *s = container_of(src, struct shell, control);
    (void)events;
    int fd = accept4(src->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct shell_client *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->shell = s;
    c->next = s->clients;
    s->clients = c;
    c->line = (struct shell_source){on_client, fd};
    shell_add(s, &c->line, EPOLLIN);
}

int shell_unix_address(const char *path, struct sockaddr_un *out, struct err *e)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!str_copy(out->sun_path, sizeof(out->sun_path), path))
        return err_set(e, ERR_TOO_LONG, "%s: a socket's path has at most %zu bytes", path,
                       sizeof(out->sun_path) - 1);
    return 0;
}

int shell_unix_listen(const char *path, struct err *e)
{
    struct sockaddr_un a;
    int rc = shell_unix_address(path, &a, e);
    if (rc < 0)
        return rc;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(e, "%s", path);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
        close(fd);
        return err_set(e, ERR_BUSY, "%s: another process listens there", path);
    }
    if (errno == ECONNREFUSED)
        unlink(path); /* a dead socket */
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0) {
        rc = err_errno(e, "%s", path);
        close(fd);
        return rc;
    }
    return fd;
}

int shell_control_open(struct shell *s, struct err *e)
{
    int fd = shell_unix_listen(s->control_path, e);
    if (fd < 0)
        return fd;
    s->control = (struct shell_source){on_control, fd};
    return shell_add(s, &s->control, EPOLLIN) < 0 ? err_errno(e, "epoll") : 0;
}

void shell_control_close(struct shell *s)
{
    while (s->clients)
        client_close(s->clients);
    if (s->control.fd < 0)
        return;
    shell_remove(s, &s->control);
    unlink(s->control_path);
}
