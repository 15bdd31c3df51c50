/* Handlers that are HTTP servers: the event as JSON by POST, the answer in the response.
 *
 * Signed by HMAC-SHA256 (RFC 2104) over the time, a full stop and the body, so that neither can be changed
 * and an old request cannot be played again; the event's id stands in a header, the same at each try, so that
 * the server can leave out what it has had. A server that cannot be asked in time gets the event later, from
 * the store (courier.c).
 */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"

enum {
    AT_A_TIME = 8,
    MAC_BYTES = 32, /* SHA-256 */
    HEADERS = 6,
    HEADER_BYTES = MSG_KEY_BYTES + 200,
};

struct hook {
    char *secret, *password;
};

/* One request. */
struct post {
    struct ask *ask;
    struct transfer transfer;
    char text[HEADERS][HEADER_BYTES];
    const char *headers[HEADERS + 1];
};

static void post_free(struct post *w)
{
    buf_free(&w->transfer.answer);
    free(w);
}

/* A body that is no JSON ("OK") says nothing. */
static void read_answer(struct ask *a, const struct buf *answer)
{
    const char *text = buf_str(answer);
    size_t space = strspn(text, " \t\r\n");

    if (answer->len > space && (text[space] == '{' || text[space] == '['))
        plugin_answer(a, text, answer->len);
    else
        plugin_end(a, 0);
}

static void on_done(struct transfer *t, int status)
{
    struct post *w = container_of(t, struct post, transfer);
    struct ask *a = w->ask;
    struct buf answer = t->answer;
    bool taken = status == 0 && t->code >= 200 && t->code < 300;

    if (status < 0)
        a->err = t->err;
    else if (!taken)
        err_set(&a->err, ERR_IO, "HTTP status %ld", t->code);
    t->answer = (struct buf){0};
    post_free(w);
    if (taken)
        read_answer(a, &answer);
    else
        plugin_end(a, a->err.code ? a->err.code : ERR_IO);
    buf_free(&answer);
}

/* "t=1795251600,v1=HEX" */
static void sign(const char *secret, int64_t wall_ms, const struct buf *body, char *out, size_t size)
{
    uint8_t mac[MAC_BYTES];
    char hex[2 * MAC_BYTES + 1], seconds[24];
    gnutls_hmac_hd_t h;

    snprintf(seconds, sizeof seconds, "%lld", (long long)(wall_ms / 1000));
    if (gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, secret, strlen(secret)) < 0)
        abort();
    gnutls_hmac(h, seconds, strlen(seconds));
    gnutls_hmac(h, ".", 1);
    gnutls_hmac(h, buf_str(body), body->len);
    gnutls_hmac_deinit(h, mac);
    hex_encode(mac, sizeof mac, hex);
    for (char *c = hex; *c; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    snprintf(out, size, "X-Simgate-Signature: t=%s,v1=%s", seconds, hex);
}

static void fill_headers(struct plugin *p, const struct ask *a, struct post *w)
{
    struct hook *hook = p->impl;
    int n = 0;

    snprintf(w->text[n++], HEADER_BYTES, "Content-Type: application/json");
    snprintf(w->text[n++], HEADER_BYTES, "Accept: application/json");
    snprintf(w->text[n++], HEADER_BYTES, "User-Agent: simgate/" SIMGATE_VERSION);
    snprintf(w->text[n++], HEADER_BYTES, "Expect:"); /* none: the body follows at once */
    snprintf(w->text[n++], HEADER_BYTES, "X-Simgate-Event: %s", a->key);
    if (*hook->secret)
        sign(hook->secret, rt_wall_ms(p->world->rt), &a->body, w->text[n++], HEADER_BYTES);
    for (int i = 0; i < n; i++)
        w->headers[i] = w->text[i];
}

static int64_t time_left(const struct plugin *p, const struct ask *a)
{
    int64_t left = a->deadline.at_ms - rt_now_ms(p->world->rt);

    return left > 0 ? left : 1;
}

static void start_webhook(struct plugin *p, struct ask *a)
{
    struct transfer_host *h = p->world->transfers;
    struct hook *hook = p->impl;
    struct post *w;

    if (!h) {
        plugin_end(a, err_set(&a->err, ERR_INVALID, "no servers can be asked here"));
        return;
    }
    if (!(w = calloc(1, sizeof *w)))
        abort();
    w->ask = a;
    fill_headers(p, a, w);
    w->transfer = (struct transfer){.url = p->conf.url,
                                    .method = "POST",
                                    .headers = w->headers,
                                    .body = buf_str(&a->body),
                                    .body_len = a->body.len,
                                    .user = *p->conf.user ? p->conf.user : NULL,
                                    .password = hook->password,
                                    .ca_file = *p->conf.ca_file ? p->conf.ca_file : NULL,
                                    .timeout_ms = time_left(p, a),
                                    .answer_max_bytes = ANSWER_BYTES,
                                    .done = on_done};
    a->impl = w;
    h->ops->start(h, &w->transfer);
}

static void cancel_webhook(struct plugin *p, struct ask *a)
{
    struct post *w = a->impl;

    p->world->transfers->ops->cancel(p->world->transfers, &w->transfer);
    post_free(w);
}

static void open_webhook(struct plugin *p, struct problems *problems)
{
    struct hook *hook = calloc(1, sizeof *hook);

    if (!hook)
        abort();
    p->impl = hook;
    if (strncmp(p->conf.url, "https://", 8) != 0 && strncmp(p->conf.url, "http://", 7) != 0)
        problem(problems, "%s.url: expected \"https://…\" or \"http://…\"", plugin_place(p));
    if (*p->conf.user && strncmp(p->conf.url, "https://", 8) != 0)
        problem(problems,
                "%s.user: expected an url that begins with \"https://\": a password is sent over encrypted "
                "lines only",
                plugin_place(p));
    hook->secret = plugin_secret(p, "secret", p->conf.secret, problems);
    hook->password = plugin_secret(p, "password", p->conf.password, problems);
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void close_webhook(struct plugin *p)
{
    struct hook *hook = p->impl;

    wipe(hook->secret);
    wipe(hook->password);
    free(hook);
}

const struct plugin_kind plugin_webhook = {.name = "webhook",
                                           .at_a_time = AT_A_TIME,
                                           .remote = true,
                                           .open = open_webhook,
                                           .close = close_webhook,
                                           .start = start_webhook,
                                           .cancel = cancel_webhook};
