/* libcurl's multi interface on libuv: curl says which sockets and which time it waits for, the loop tells it.
 * See os/transfer.h.
 *
 * Certificates are checked against the system's authorities or those of ca_file. Redirects are not followed:
 * a signed body is for the server that was named. A password is never sent over a line that is not encrypted.
 * Mail to this machine without a password is taken to whatever answers there.
 */
#include "os/transfer_curl.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/util.h"

enum {
    CONNECTIONS_KEPT = 16,
    CONNECTIONS_A_HOST = 8,
    CONNECT_SHARE = 2, /* connecting may take this part of the time */
};

struct curl_host {
    struct transfer_host host;
    uv_loop_t *loop;
    uv_timer_t timer, soon;
    CURLM *multi;
    struct request *ended; /* to be told, from the loop */
    int open;              /* handles */
};

struct request {
    struct curl_host *host;
    struct transfer *t;
    CURL *easy;
    struct curl_slist *headers, *to;
    size_t sent; /* of a mail's body */
    bool too_long;
    struct request *next; /* ended */
    int status;
    char why[CURL_ERROR_SIZE];
    char words[128]; /* of an SMTP server's last refusal, behind its code */
};

/* A socket that curl waits for. */
struct waiting {
    uv_poll_t poll;
    struct curl_host *host;
    curl_socket_t socket;
};

static void request_free(struct request *r)
{
    if (r->easy)
        curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->headers);
    curl_slist_free_all(r->to);
    free(r);
}

/* ---- what has ended is told -----------------------------------------------------------------------------
 */

static void on_soon(uv_timer_t *timer)
{
    struct curl_host *h = timer->data;

    while (h->ended) {
        struct request *r = h->ended;
        struct transfer *t = r->t;
        int status = r->status;

        h->ended = r->next;
        request_free(r);
        t->impl = NULL;
        t->done(t, status);
    }
}

static void end_soon(struct request *r, int status)
{
    struct request **at = &r->host->ended;

    while (*at)
        at = &(*at)->next;
    *at = r;
    r->next = NULL;
    r->status = status;
    uv_timer_start(&r->host->soon, on_soon, 0, 0);
}

static int status_of(const struct request *r, CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_LOGIN_DENIED:
    case CURLE_USE_SSL_FAILED:
        return ERR_REFUSED;
    case CURLE_WRITE_ERROR:
        return r->too_long ? ERR_TOO_LONG : ERR_IO;
    default:
        return ERR_IO;
    }
}

/* To MAIL, RCPT or DATA, or to the mail itself: not to the greeting, EHLO or a password. One that wants a
 * login or encryption first (530, RFC 4954 and 3207) has said nothing of the mail yet. */
static bool is_refused(const struct request *r, CURLcode code)
{
    const struct transfer *t = r->t;

    return t->mail_from && t->code >= 500 && t->code < 600 && t->code != 530 &&
           (code == CURLE_SEND_ERROR || r->sent > 0);
}

/* An SMTP server's refusal is an answer too: its code and words say it. */
static void mail_failed(struct request *r, CURLcode code, int status)
{
    struct transfer *t = r->t;

    t->refused = is_refused(r, code);
    if (*r->why)
        err_set(&t->err, status, "%s", r->why);
    else
        err_set(&t->err, status, "the server answered %ld", t->code);
    if (*r->words) {
        struct err said = {.code = status};

        str_copy(said.text, sizeof said.text, r->words);
        err_wrap(&said, "%s", t->err.text);
        t->err = said;
    }
}

static void ended(struct request *r, CURLcode code)
{
    struct transfer *t = r->t;
    int status = status_of(r, code);

    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &t->code);
    if (status == ERR_TOO_LONG)
        err_set(&t->err, status, "an answer of more than %zu bytes", t->answer_max_bytes);
    else if (status < 0 && t->mail_from && t->code >= 400)
        mail_failed(r, code, status);
    else if (status < 0)
        err_set(&t->err, status, "%s", *r->why ? r->why : curl_easy_strerror(code));
    curl_multi_remove_handle(r->host->multi, r->easy);
    end_soon(r, status);
}

static void collect(struct curl_host *h)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(h->multi, &left))) {
        struct request *r = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        ended(r, m->data.result);
    }
}

/* ---- sockets and time -----------------------------------------------------------------------------------
 */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct waiting *w = poll->data;
    struct curl_host *h = w->host;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    int running;

    curl_multi_socket_action(h->multi, w->socket, status < 0 ? CURL_CSELECT_ERR : flags, &running);
    collect(h);
}

static void on_unpolled(uv_handle_t *handle)
{
    free(handle->data);
}

static int on_socket(CURL *easy, curl_socket_t s, int what, void *owner, void *assigned)
{
    struct curl_host *h = owner;
    struct waiting *w = assigned;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_unpolled);
            curl_multi_assign(h->multi, s, NULL);
        }
        return 0;
    }
    if (!w) {
        if (!(w = calloc(1, sizeof *w)))
            abort();
        w->host = h;
        w->socket = s;
        w->poll.data = w;
        if (uv_poll_init_socket(h->loop, &w->poll, s) < 0) {
            free(w);
            return -1;
        }
        curl_multi_assign(h->multi, s, w);
    }
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    uv_poll_start(&w->poll, events, on_poll);
    return 0;
}

static void on_time(uv_timer_t *timer)
{
    struct curl_host *h = timer->data;
    int running;

    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(h);
}

static int on_timer_wanted(CURLM *multi, long ms, void *owner)
{
    struct curl_host *h = owner;

    (void)multi;
    if (ms < 0)
        uv_timer_stop(&h->timer);
    else
        uv_timer_start(&h->timer, on_time, (uint64_t)ms, 0);
    return 0;
}

/* ---- one request ----------------------------------------------------------------------------------------
 */

static size_t on_answer(char *at, size_t size, size_t n, void *owner)
{
    struct request *r = owner;

    if (r->t->answer.len + size * n > r->t->answer_max_bytes) {
        r->too_long = true;
        return 0;
    }
    buf_add(&r->t->answer, at, size * n);
    return size * n;
}

/* A line of an SMTP server's answer: "550 5.1.1 no such user". */
static size_t on_line(char *at, size_t size, size_t n, void *owner)
{
    struct request *r = owner;
    size_t len = 0;

    if (size * n == 0 || (*at != '4' && *at != '5')) /* to QUIT, behind a refusal */
        return size * n;
    for (size_t i = 4; i < size * n && len < sizeof r->words - 1 && at[i] != '\r' && at[i] != '\n'; i++)
        r->words[len++] = at[i] >= ' ' && at[i] <= '~' ? at[i] : '?';
    r->words[len] = '\0';
    return size * n;
}

static size_t give_body(char *at, size_t size, size_t n, void *owner)
{
    struct request *r = owner;
    size_t left = r->t->body_len - r->sent, len = size * n < left ? size * n : left;

    memcpy(at, r->t->body + r->sent, len);
    r->sent += len;
    return len;
}

static struct curl_slist *list_of(const char *const *texts)
{
    struct curl_slist *list = NULL, *longer;

    for (; texts && *texts; texts++, list = longer)
        if (!(longer = curl_slist_append(list, *texts)))
            abort();
    return list;
}

static void set_http(struct request *r)
{
    const struct transfer *t = r->t;

    r->headers = list_of(t->headers);
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
    if (t->method)
        curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, t->method);
    if (t->body) {
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, t->body); /* not copied */
    }
}

/* "smtp://localhost": nobody stands between, and the certificates that packages of mail servers make are of
 * no authority and no such name. */
static bool is_here(const char *url)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t len = strlen(names[i]);

        if (!strncmp(url, "smtp://", 7) && !strncmp(url + 7, names[i], len) &&
            (url[7 + len] == '\0' || strchr(":/", url[7 + len])))
            return true;
    }
    return false;
}

static void set_mail(struct request *r)
{
    const struct transfer *t = r->t;

    r->to = list_of(t->mail_to);
    curl_easy_setopt(r->easy, CURLOPT_MAIL_FROM, t->mail_from);
    curl_easy_setopt(r->easy, CURLOPT_MAIL_RCPT, r->to);
    curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_line);
    curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(r->easy, CURLOPT_READDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(r->easy, CURLOPT_USE_SSL, t->user ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    if (!t->user && !t->ca_file && is_here(t->url)) {
        curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static bool is_mail(const char *url)
{
    return !strncmp(url, "smtp:", 5) || !strncmp(url, "smtps:", 6);
}

static void set(struct request *r)
{
    const struct transfer *t = r->t;

    curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->why);
    curl_easy_setopt(r->easy, CURLOPT_URL, t->url);
    curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
    curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->easy, CURLOPT_QUICK_EXIT, 1L); /* nobody waits for a thread that asks for a name */
    curl_easy_setopt(r->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (t->ca_file) {
        curl_easy_setopt(r->easy, CURLOPT_CAINFO, t->ca_file);
        curl_easy_setopt(r->easy, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
    curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(t->timeout_ms / CONNECT_SHARE));
    curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
    if (t->user) {
        curl_easy_setopt(r->easy, CURLOPT_USERNAME, t->user);
        curl_easy_setopt(r->easy, CURLOPT_PASSWORD, t->password ? t->password : "");
    }
    if (is_mail(t->url))
        set_mail(r);
    else
        set_http(r);
}

static bool has_line_end(const char *text)
{
    return text && strpbrk(text, "\r\n");
}

/* Nothing that goes onto a line of its own may hold a line's end. */
static int check(struct transfer *t)
{
    bool bad = has_line_end(t->url) || has_line_end(t->method) || has_line_end(t->mail_from);

    for (const char *const *h = t->headers; h && *h; h++)
        bad = bad || has_line_end(*h);
    for (const char *const *to = t->mail_to; to && *to; to++)
        bad = bad || has_line_end(*to);
    return bad ? err_set(&t->err, ERR_INVALID, "a line's end within a header or address") : 0;
}

static void start(struct transfer_host *host, struct transfer *t)
{
    struct curl_host *h = container_of(host, struct curl_host, host);
    struct request *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    r->host = h;
    r->t = t;
    t->impl = r;
    if (check(t) < 0) {
        end_soon(r, t->err.code);
        return;
    }
    r->easy = curl_easy_init();
    if (!r->easy)
        abort();
    set(r);
    if (curl_multi_add_handle(h->multi, r->easy) != CURLM_OK) {
        err_set(&t->err, ERR_IO, "libcurl refuses it");
        end_soon(r, ERR_IO);
    }
}

static void cancel(struct transfer_host *host, struct transfer *t)
{
    struct curl_host *h = container_of(host, struct curl_host, host);
    struct request *r = t->impl, **at;

    if (!r)
        return;
    for (at = &h->ended; *at && *at != r; at = &(*at)->next) {
    }
    if (*at)
        *at = r->next;
    else
        curl_multi_remove_handle(h->multi, r->easy);
    t->impl = NULL;
    request_free(r);
}

/* ---- the host -------------------------------------------------------------------------------------------
 */

static void on_closed(uv_handle_t *handle)
{
    struct curl_host *h = handle->data;

    if (--h->open == 0)
        free(h);
}

struct transfer_host *transfer_curl_new(struct uv_loop_s *loop)
{
    static const struct transfer_ops ops = {start, cancel};
    struct curl_host *h = calloc(1, sizeof *h);

    if (!h || curl_global_init(CURL_GLOBAL_ALL) != 0 || !(h->multi = curl_multi_init())) {
        free(h);
        return NULL;
    }
    h->host.ops = &ops;
    h->loop = loop;
    uv_timer_init(loop, &h->timer);
    uv_timer_init(loop, &h->soon);
    h->timer.data = h->soon.data = h;
    h->open = 2;
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_A_HOST);
    return &h->host;
}

void transfer_curl_free(struct transfer_host *host)
{
    struct curl_host *h;

    if (!host)
        return;
    h = container_of(host, struct curl_host, host);
    curl_multi_cleanup(h->multi);
    uv_close((uv_handle_t *)&h->timer, on_closed);
    uv_close((uv_handle_t *)&h->soon, on_closed);
    curl_global_cleanup();
}
