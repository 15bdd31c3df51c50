/* os/transfer_curl: requests on a real loop to a little server on it. */
#include <netdb.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <uv.h>

#include "base/util.h"
#include "os/transfer_curl.h"

/* A name that no name server answers for: whoever asks for it waits, until the test says so, or too long. It
 * stands before the C library's. */
static sem_t asked, release_it;
static atomic_bool waited_too_long;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    struct timespec until;

    (void)name, (void)service, (void)hints;
    *out = NULL;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    sem_post(&asked);
    if (sem_timedwait(&release_it, &until) != 0)
        atomic_store(&waited_too_long, true);
    return EAI_AGAIN;
}

/* A server that keeps what it is sent, and answers each connection by one text when a request has ended. */
static uv_loop_t loop;
static struct transfer_host *host;
static uv_tcp_t server;
static int port;
static struct buf received;
static const char *answer; /* NULL: never */
static uv_timer_t ticking; /* uv_run(ONCE) waits behind timers: not for ever */

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_written(uv_write_t *w, int status)
{
    (void)status;
    uv_close((uv_handle_t *)w->handle, on_closed);
    free(w);
}

static void allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    static char room[65536];

    (void)handle, (void)wanted;
    *out = uv_buf_init(room, sizeof room);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    uv_buf_t text;
    uv_write_t *w;

    if (n < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    buf_add(&received, bytes->base, (size_t)n);
    if (!answer || !strstr(buf_str(&received), "the end"))
        return;
    uv_read_stop(stream);
    w = calloc(1, sizeof *w);
    text = uv_buf_init((char *)(uintptr_t)answer, (unsigned)strlen(answer));
    uv_write(w, stream, &text, 1, on_written);
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *client = calloc(1, sizeof *client);

    assert_int_equal(status, 0);
    uv_tcp_init(&loop, client);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)client), 0);
    uv_read_start((uv_stream_t *)client, allocate, on_read);
}

static void tick(uv_timer_t *t)
{
    (void)t;
}

static int set_up(void **state)
{
    struct sockaddr_in address;
    int len = sizeof address;

    (void)state;
    unsetenv("http_proxy");
    unsetenv("HTTP_PROXY");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    uv_loop_init(&loop);
    host = transfer_curl_new(&loop);
    uv_tcp_init(&loop, &server);
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&server, (struct sockaddr *)&address, 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server, 8, on_connection), 0);
    uv_tcp_getsockname(&server, (struct sockaddr *)&address, &len);
    port = ntohs(address.sin_port);
    uv_timer_init(&loop, &ticking);
    uv_timer_start(&ticking, tick, 10, 10);
    answer = NULL;
    buf_clear(&received);
    return 0;
}

static void close_rest(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (handle->type == UV_TCP && handle != (uv_handle_t *)&server && !uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static int tear_down(void **state)
{
    (void)state;
    transfer_curl_free(host);
    uv_close((uv_handle_t *)&server, NULL);
    uv_close((uv_handle_t *)&ticking, NULL);
    uv_walk(&loop, close_rest, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    buf_free(&received);
    return uv_loop_close(&loop);
}

struct heard {
    struct transfer t;
    char url[64];
    bool done;
    int status;
};

static void on_done(struct transfer *t, int status)
{
    struct heard *h = container_of(t, struct heard, t);

    assert_false(h->done);
    h->done = true;
    h->status = status;
}

static void begin(struct heard *h, const char *scheme)
{
    snprintf(h->url, sizeof h->url, "%s://127.0.0.1:%d/hook", scheme, port);
    h->t.url = h->url;
    h->t.method = h->t.method ? h->t.method : "POST";
    h->t.body = h->t.body ? h->t.body : "the end";
    h->t.body_len = strlen(h->t.body);
    h->t.timeout_ms = h->t.timeout_ms ? h->t.timeout_ms : 5000;
    h->t.answer_max_bytes = h->t.answer_max_bytes ? h->t.answer_max_bytes : 1000;
    h->t.done = on_done;
    host->ops->start(host, &h->t);
    assert_false(h->done);
}

static void wait_for(struct heard *h)
{
    while (!h->done)
        uv_run(&loop, UV_RUN_ONCE);
}

static void fini(struct heard *h)
{
    buf_free(&h->t.answer);
}

/* A request with its headers and body, and its answer. */
static void test_post(void **state)
{
    static const char *const headers[] = {"X-One: 1", "Expect:", NULL};
    struct heard h = {.t = {.headers = headers, .body = "{\"a\":1} the end"}};

    (void)state;
    answer = "HTTP/1.1 201 Made\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine";
    begin(&h, "http");
    wait_for(&h);
    assert_int_equal(h.status, 0);
    assert_int_equal(h.t.code, 201);
    assert_string_equal(buf_str(&h.t.answer), "fine");
    assert_non_null(strstr(buf_str(&received), "POST /hook HTTP/1.1\r\n"));
    assert_non_null(strstr(buf_str(&received), "X-One: 1\r\n"));
    assert_non_null(strstr(buf_str(&received), "\r\n\r\n{\"a\":1} the end"));
    fini(&h);
}

/* Redirects are an answer, not a way. */
static void test_redirect(void **state)
{
    struct heard h = {0};

    (void)state;
    answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: "
             "close\r\n\r\n";
    begin(&h, "http");
    wait_for(&h);
    assert_int_equal(h.status, 0);
    assert_int_equal(h.t.code, 302);
    fini(&h);
}

/* An answer without end, no answer, nobody there: errors, each by its code. */
static void test_failures(void **state)
{
    struct heard long_answer = {.t = {.answer_max_bytes = 10}}, none = {.t = {.timeout_ms = 300}},
                 nobody = {0};

    (void)state;
    answer = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n01234567890123456789";
    begin(&long_answer, "http");
    wait_for(&long_answer);
    assert_int_equal(long_answer.status, ERR_TOO_LONG);
    answer = NULL;
    begin(&none, "http");
    wait_for(&none);
    assert_int_equal(none.status, ERR_TIMEOUT);
    port = 1;
    begin(&nobody, "http");
    wait_for(&nobody);
    assert_int_equal(nobody.status, ERR_IO);
    assert_true(*nobody.t.err.text);
    fini(&long_answer);
    fini(&none);
    fini(&nobody);
}

/* What is not encrypted by a certificate that can be checked is no https; other protocols are none. */
static void test_only_checked_servers(void **state)
{
    struct heard tls = {.t = {.timeout_ms = 3000}}, file = {0};

    (void)state;
    answer = "hello the end";
    begin(&tls, "https");
    buf_adds(&received, "the end");
    wait_for(&tls);
    assert_true(tls.status < 0);
    begin(&file, "ftp");
    wait_for(&file);
    assert_true(file.status < 0);
    fini(&tls);
    fini(&file);
}

/* A line's end within a header or an address is refused before anything is sent. */
static void test_header_injection(void **state)
{
    static const char *const headers[] = {"X-Event: a\r\nX-Admin: 1", NULL};
    static const char *const to[] = {"a@example.org>\r\nRCPT TO:<b@example.org", NULL};
    struct heard h = {.t = {.headers = headers}}, mail = {.t = {.mail_from = "x@example.org", .mail_to = to}};

    (void)state;
    begin(&h, "http");
    wait_for(&h);
    assert_int_equal(h.status, ERR_INVALID);
    begin(&mail, "smtp");
    wait_for(&mail);
    assert_int_equal(mail.status, ERR_INVALID);
    assert_int_equal(received.len, 0);
}

/* Cancelled at any moment, nothing is told. */
static void test_cancelled(void **state)
{
    struct heard at_once = {0}, later = {0}, refused = {0};
    static const char *const headers[] = {"a\nb", NULL};

    (void)state;
    begin(&at_once, "http");
    host->ops->cancel(host, &at_once.t);
    refused.t.headers = headers;
    begin(&refused, "http");
    host->ops->cancel(host, &refused.t);
    begin(&later, "http");
    while (!strstr(buf_str(&received), "the end"))
        uv_run(&loop, UV_RUN_ONCE);
    host->ops->cancel(host, &later.t);
    for (int i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    assert_false(at_once.done || later.done || refused.done);
    fini(&later);
}

/* Nobody waits for a name server: neither who gives up, nor the loop when the time is over. */
static void test_name_without_answer(void **state)
{
    struct heard late = {.t.url = "http://nowhere.example/", .t.timeout_ms = 50}, cancelled = late;

    (void)state;
    sem_init(&asked, 0, 0);
    sem_init(&release_it, 0, 0);
    late.t.done = cancelled.t.done = on_done;
    late.t.answer_max_bytes = cancelled.t.answer_max_bytes = 1000;
    cancelled.t.timeout_ms = 5000;
    host->ops->start(host, &cancelled.t);
    while (sem_trywait(&asked) != 0)
        uv_run(&loop, UV_RUN_ONCE);
    host->ops->cancel(host, &cancelled.t);
    assert_false(atomic_load(&waited_too_long));
    host->ops->start(host, &late.t);
    while (!late.done)
        uv_run(&loop, UV_RUN_ONCE);
    assert_false(atomic_load(&waited_too_long));
    assert_int_equal(late.status, ERR_TIMEOUT);
    buf_free(&late.t.answer);
    buf_free(&cancelled.t.answer);
    sem_post(&release_it);
    sem_post(&release_it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_post, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_redirect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_checked_servers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_header_injection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_name_without_answer, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
