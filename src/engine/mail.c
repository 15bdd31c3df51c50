/* Handlers that are mailboxes: the event as a mail by SMTP, always delivered by the courier.
 *
 * What a customer wrote can become part of the subject and the body, never of the mail's structure: header
 * values are encoded words (RFC 2047) as soon as they are not plain ASCII, without their line ends, and the
 * body is base64 (RFC 2045). The Message-ID is made of the event's id, the same at each try, so that a
 * mailbox that got it twice can show it once.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"
#include "engine/template.h"

enum {
    AT_A_TIME = 4,
    RECIPIENTS = 16,
    WORD_BYTES = 45,  /* of an encoded word: 75 characters (RFC 2047, 2) hold 45 bytes in base64 */
    FIRST_BYTES = 39, /* of the one behind "Subject: ": the line has 76 */
    LINE_BYTES = 57,  /* of the body: 76 characters (RFC 2045, 6.8) */
    SUBJECT_BYTES = 400,
};

struct mailbox {
    char *password;
    struct template *subject;
};

/* One mail. */
struct mail {
    struct ask *ask;
    struct transfer transfer;
    struct buf text;
    json_t *body; /* holds the addresses */
    const char *to[RECIPIENTS + 1], *named[RECIPIENTS + 1];
    char from[256]; /* the address alone */
};

/* ---- what is delivered: {"to": […], "for": […], "id": …, "subject": …, "text": …} -----------------------
 */

static void add_line(struct buf *out, const char *name, const char *value)
{
    if (value && *value)
        buf_addf(out, "%s: %s\n", name, value);
}

static void describe(const struct handler_event *ev, struct buf *out)
{
    const struct span *text = ev->shown.at ? &ev->shown : &ev->text;
    char when[32];

    wall_to_text(ev->now_wall_ms, true, when);
    add_line(out, "From", ev->from);
    add_line(out, "Name", ev->known->contact.name);
    add_line(out, "Event", ev->on == ENGINE_ON_MESSAGE ? "" : engine_on_names[ev->on]);
    add_line(out, "What", ev->name);
    add_line(out, "Modem", ev->modem);
    add_line(out, "At", when);
    if (ev->conversation)
        buf_addf(out, "Conversation: #%lld\n", (long long)ev->conversation);
    buf_addc(out, '\n');
    buf_add(out, text->at ? text->at : "", text->len);
    buf_addc(out, '\n');
}

/* Whom its header names: all who get it, each by a delivery of his own. */
static json_t *named(const struct plugin *p, const char *to, bool one)
{
    json_t *list = json_array();

    if (one)
        json_array_append_new(list, json_string(to));
    for (int i = 0; !one && p->conf.to[i]; i++)
        json_array_append_new(list, json_string(p->conf.to[i]));
    return list;
}

static bool compose(struct plugin *p, const struct handler_event *ev, const char *to, bool one,
                    struct buf *body)
{
    struct mailbox *m = p->impl;
    struct handler_event masked = *ev; /* as others than the sender may read it */
    struct template_values values;
    struct buf subject = {0}, text = {0};
    json_t *o;
    char *line;

    if (ev->shown.at)
        masked.text = ev->shown;
    program_values(p->program, &masked, &values);
    if (m->subject)
        template_render(m->subject, &values, &subject);
    if (!subject.len)
        buf_addf(&subject, "%s %s", engine_on_names[ev->on], ev->from ? ev->from : "");
    describe(ev, &text);
    o = json_pack("{s:o, s:[s], s:s, s:s%, s:s%}", "to", named(p, to, one), "for", to, "id", ev->key,
                  "subject", buf_str(&subject), subject.len, "text", buf_str(&text), text.len);
    line = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (line)
        buf_adds(body, line);
    free(line);
    json_decref(o);
    buf_free(&subject);
    buf_free(&text);
    return body->len > 0;
}

/* ---- the mail itself (RFC 5322) -------------------------------------------------------------------------
 */

static void base64(struct buf *out, const char *at, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)(uint8_t)at[i] << 16;

        three |= i + 1 < len ? (uint32_t)(uint8_t)at[i + 1] << 8 : 0;
        three |= i + 2 < len ? (uint32_t)(uint8_t)at[i + 2] : 0;
        buf_addc(out, digits[three >> 18 & 63]);
        buf_addc(out, digits[three >> 12 & 63]);
        buf_addc(out, i + 1 < len ? digits[three >> 6 & 63] : '=');
        buf_addc(out, i + 2 < len ? digits[three & 63] : '=');
    }
}

static bool plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            return false;
    return strlen(text) <= WORD_BYTES && !strstr(text, "=?");
}

/* The next piece of at most so many bytes, between characters. */
static size_t piece(const char *text, size_t len, size_t most)
{
    size_t end = len < most ? len : most;

    while (end < len && end > 0 && ((uint8_t)text[end] & 0xc0) == 0x80)
        end--;
    return end ? end : len;
}

/* Words of RFC 2047, one a line. */
static void encoded(struct buf *out, const char *text)
{
    for (size_t at = 0, len = strlen(text); at < len;) {
        size_t n = piece(text + at, len - at, at ? WORD_BYTES : FIRST_BYTES);

        buf_adds(out, at ? "\r\n =?UTF-8?B?" : " =?UTF-8?B?");
        base64(out, text + at, n);
        buf_adds(out, "?=");
        at += n;
    }
}

static void unstructured(struct buf *out, const char *name, const char *value)
{
    char text[SUBJECT_BYTES];

    str_copy(text, sizeof text, value);
    utf8_mend(text);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    buf_addf(out, "%s:", name);
    if (plain(text))
        buf_addf(out, " %s", text);
    else
        encoded(out, text);
    buf_adds(out, "\r\n");
}

/* "Name <address>" or an address: a name of other things than words stands in quotation marks (RFC
 * 5322, 3.2.5), unless it does already; one that is not ASCII is encoded. */
static void from_header(struct buf *out, const char *from, const char *address)
{
    const char *open = strchr(from, '<');
    char name[SUBJECT_BYTES];
    size_t len = open ? (size_t)(open - from) : 0;

    while (len && from[len - 1] == ' ')
        len--;
    snprintf(name, sizeof name, "%.*s", (int)len, from);
    buf_adds(out, "From:");
    if (!plain(name)) {
        encoded(out, name);
    } else if (*name && *name != '"' && strpbrk(name, "()<>[]:;@\\,.\"")) {
        buf_adds(out, " \"");
        for (const char *c = name; *c; c++)
            buf_addf(out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
        buf_addc(out, '"');
    } else if (*name) {
        buf_addf(out, " %s", name);
    }
    buf_addf(out, *name ? " <%s>\r\n" : " %s\r\n", address);
}

/* The event's id as an addr-spec's local part: what may not stand there is '-'. */
static void message_id(struct buf *out, const char *key, const char *from)
{
    const char *domain = strchr(from, '@');

    buf_adds(out, "Message-ID: <simgate.");
    for (; *key; key++)
        buf_addc(out, isalnum((unsigned char)*key) || *key == '-' ? *key : '.');
    buf_addf(out, "@%s>\r\n", domain && domain[1] ? domain + 1 : "localhost");
}

static void date(struct buf *out, int64_t wall_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
             months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Lines of a text end by CR LF (RFC 2046, 4.1.1). */
static void crlf(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_addc(out, '\r');
        if (*text != '\r')
            buf_addc(out, *text);
    }
}

static void write_mail(struct mail *m, const struct plugin *p, const char *subject, const char *text)
{
    const char *id = json_string_value(json_object_get(m->body, "id"));
    struct buf *out = &m->text, lines = {0};

    date(out, rt_wall_ms(p->world->rt));
    from_header(out, p->conf.from, m->from);
    buf_adds(out, "To: ");
    for (int i = 0; m->named[i]; i++)
        buf_addf(out, "%s<%s>", i ? ",\r\n " : "", m->named[i]);
    buf_adds(out, "\r\n");
    message_id(out, id ? id : m->ask->key, m->from);
    unstructured(out, "Subject", subject);
    buf_adds(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    crlf(&lines, text);
    for (size_t at = 0; at < lines.len; at += LINE_BYTES) {
        base64(out, lines.data + at, lines.len - at < LINE_BYTES ? lines.len - at : LINE_BYTES);
        buf_adds(out, "\r\n");
    }
    buf_free(&lines);
}

/* An address alone, of "Name <address>" or of itself. */
static bool address_of(const char *text, char *out, size_t size)
{
    const char *open = strchr(text, '<'), *close = open ? strchr(open, '>') : NULL;
    const char *at;

    if (open && (!close || close[1] || (size_t)(close - open) > size))
        return false;
    if (open)
        snprintf(out, size, "%.*s", (int)(close - open - 1), open + 1);
    else if (!str_copy(out, size, text))
        return false;
    at = strchr(out, '@');
    if (!at || at == out || !at[1])
        return false;
    for (const char *c = out; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~' || strchr("<>(),;:\\\"", *c))
            return false;
    return true;
}

/* ---- the kind -------------------------------------------------------------------------------------------
 */

static void mail_free(struct mail *m)
{
    json_decref(m->body);
    buf_free(&m->text);
    buf_free(&m->transfer.answer);
    free(m);
}

static void on_done(struct transfer *t, int status)
{
    struct mail *m = container_of(t, struct mail, transfer);
    struct ask *a = m->ask;

    if (status < 0)
        a->err = t->err;
    a->refused = t->refused;
    mail_free(m);
    plugin_end(a, status);
}

static int read_list(const json_t *list, const char **out)
{
    json_t *one;
    size_t i;
    int n = 0;

    json_array_foreach(list, i, one) if (n < RECIPIENTS && json_is_string(one)) out[n++] =
        json_string_value(one);
    return n;
}

/* Without "for" it is of a version that made one delivery for all. */
static int read_body(struct mail *m, const struct ask *a, const char **subject, const char **text,
                     struct err *e)
{
    int n;

    m->body = json_loadb(buf_str(&a->body), a->body.len, JSON_ALLOW_NUL, NULL);
    *subject = json_string_value(json_object_get(m->body, "subject"));
    *text = json_string_value(json_object_get(m->body, "text"));
    n = read_list(json_object_get(m->body, "to"), m->named);
    if (read_list(json_object_get(m->body, "for"), m->to) == 0)
        memcpy(m->to, m->named, sizeof m->to);
    return *subject && *text && n ? 0 : err_set(e, ERR_INVALID, "a delivery that is no mail");
}

static void start_mail(struct plugin *p, struct ask *a)
{
    struct transfer_host *h = p->world->transfers;
    struct mailbox *box = p->impl;
    struct mail *m = calloc(1, sizeof *m);
    const char *subject, *text;

    if (!m)
        abort();
    m->ask = a;
    if (read_body(m, a, &subject, &text, &a->err) < 0 || !h) {
        mail_free(m);
        plugin_end(a, a->err.code ? a->err.code : err_set(&a->err, ERR_INVALID, "no mail can be sent here"));
        return;
    }
    address_of(p->conf.from, m->from, sizeof m->from);
    write_mail(m, p, subject, text);
    m->transfer = (struct transfer){.url = p->conf.url,
                                    .body = buf_str(&m->text),
                                    .body_len = m->text.len,
                                    .user = *p->conf.user ? p->conf.user : NULL,
                                    .password = box->password,
                                    .ca_file = *p->conf.ca_file ? p->conf.ca_file : NULL,
                                    .mail_from = m->from,
                                    .mail_to = m->to,
                                    .timeout_ms = a->deadline.at_ms - rt_now_ms(p->world->rt),
                                    .answer_max_bytes = ANSWER_BYTES,
                                    .done = on_done};
    a->impl = m;
    h->ops->start(h, &m->transfer);
}

static void cancel_mail(struct plugin *p, struct ask *a)
{
    struct mail *m = a->impl;

    p->world->transfers->ops->cancel(p->world->transfers, &m->transfer);
    mail_free(m);
}

static bool printable(const char *text)
{
    if (!utf8_valid(text, strlen(text)))
        return false;
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static void check_addresses(const struct plugin *p, struct problems *problems)
{
    char address[256];

    if (!address_of(p->conf.from, address, sizeof address) || !printable(p->conf.from))
        problem(problems, "%s.from: expected \"shop@example.org\" or \"Shop <shop@example.org>\"",
                plugin_place(p));
    if (!p->conf.to[0])
        problem(problems, "%s.to: expected the addresses that it is sent to", plugin_place(p));
    for (int i = 0; p->conf.to[i]; i++)
        if (i >= RECIPIENTS || strchr(p->conf.to[i], '<') ||
            !address_of(p->conf.to[i], address, sizeof address))
            problem(problems, "%s.to[%d]: expected an address such as \"anna@example.org\", at most %d",
                    plugin_place(p), i, RECIPIENTS);
}

static void open_mail(struct plugin *p, struct problems *problems)
{
    struct mailbox *box = calloc(1, sizeof *box);
    struct template_scope scope = {.unbound = true};
    struct err e = {0};

    if (!box)
        abort();
    p->impl = box;
    if (strncmp(p->conf.url, "smtp://", 7) != 0 && strncmp(p->conf.url, "smtps://", 8) != 0)
        problem(problems, "%s.url: expected \"smtp://…\" or \"smtps://…\"", plugin_place(p));
    check_addresses(p, problems);
    box->password = plugin_secret(p, "password", p->conf.password, problems);
    if (*p->conf.subject && template_new(p->conf.subject, &scope, &box->subject, &e) != 0)
        problem(problems, "%s.subject: %s", plugin_place(p), e.text);
}

static void close_mail(struct plugin *p)
{
    struct mailbox *box = p->impl;

    if (box->password)
        explicit_bzero(box->password, strlen(box->password));
    free(box->password);
    template_free(box->subject);
    free(box);
}

const struct plugin_kind plugin_mail = {.name = "mail",
                                        .at_a_time = AT_A_TIME,
                                        .only_delivered = true,
                                        .open = open_mail,
                                        .close = close_mail,
                                        .start = start_mail,
                                        .cancel = cancel_mail,
                                        .compose = compose};
