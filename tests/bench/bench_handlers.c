/* Configured handlers: events a second for each kind, with real processes, a real server on the loopback and
 * a real loop; and what a dead one costs: the first event its deadline, the others nothing.
 *
 * Prints "name<TAB>value<TAB>unit" lines. N: events per measurement (default 20000; a tenth of it where each
 * event is a process). Given "--stay" it is itself the process that stays.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"
#include "os/child_uv.h"
#include "os/rt_uv.h"
#include "os/transfer_curl.h"

enum { AT_A_TIME = 16, DEAD_DEADLINE_MS = 500 };

static uv_loop_t loop;
static struct rt *rt;
static struct child_uv children;
static struct plugin_world world;
static struct store_situation known;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* ---- a process that stays -------------------------------------------------------------------------------
 */

static int stay(void)
{
    static char line[65536];
    char id[64];

    puts("{\"simgate\":1}");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        const char *at = strstr(line, "\"id\":\"");

        if (!at || sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
            continue;
        printf("{\"id\":\"%s\",\"actions\":[{\"action\":\"reply\",\"text\":\"Thank you.\"}]}\n", id);
        fflush(stdout);
    }
    return 0;
}

/* ---- a server: answers each request of a kept connection ------------------------------------------------
 */

struct client {
    uv_tcp_t tcp;
    struct buf in;
};

static void on_client_closed(uv_handle_t *handle)
{
    struct client *c = container_of((uv_tcp_t *)handle, struct client, tcp);

    buf_free(&c->in);
    free(c);
}

static void on_written(uv_write_t *w, int status)
{
    (void)status;
    free(w);
}

static void allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    static char room[65536];

    (void)handle, (void)wanted;
    *out = uv_buf_init(room, sizeof room);
}

/* One whole request at the front? */
static size_t request_len(const struct buf *in)
{
    const char *end = strstr(buf_str(in), "\r\n\r\n"), *len = strstr(buf_str(in), "Content-Length: ");
    size_t whole;

    if (!end || !len)
        return 0;
    whole = (size_t)(end + 4 - buf_str(in)) + strtoul(len + 16, NULL, 10);
    return whole <= in->len ? whole : 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    static char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
                           "{\"action\":\"reply\",\"text\":\"Thank you!  \"}";
    struct client *c = container_of((uv_tcp_t *)stream, struct client, tcp);
    uv_buf_t text = uv_buf_init(answer, sizeof answer - 1);
    size_t len;

    if (n < 0) {
        uv_close((uv_handle_t *)stream, on_client_closed);
        return;
    }
    buf_add(&c->in, bytes->base, (size_t)n);
    while ((len = request_len(&c->in))) {
        uv_write_t *w = calloc(1, sizeof *w);

        buf_drop(&c->in, len);
        uv_write(w, stream, &text, 1, on_written);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct client *c = calloc(1, sizeof *c);

    (void)status;
    uv_tcp_init(&loop, &c->tcp);
    uv_accept(listener, (uv_stream_t *)&c->tcp);
    uv_read_start((uv_stream_t *)&c->tcp, allocate, on_read);
}

static int listen_somewhere(uv_tcp_t *server)
{
    struct sockaddr_in address;
    int len = sizeof address;

    uv_tcp_init(&loop, server);
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(server, (struct sockaddr *)&address, 0);
    uv_listen((uv_stream_t *)server, 128, on_connection);
    uv_tcp_getsockname(server, (struct sockaddr *)&address, &len);
    return ntohs(address.sin_port);
}

/* ---- events ---------------------------------------------------------------------------------------------
 */

struct course {
    struct plugins *plugins;
    struct handler *chain[2];
    int64_t begun, ended, wanted, replies;
    int under_way;
    int64_t first_ns, start_ns;
};

struct given {
    struct course *course;
    struct handler_event event;
    struct verdict verdict;
    struct walk walk;
    char key[32];
};

static void on_done(struct walk *w)
{
    struct given *g = container_of(w, struct given, walk);
    struct course *c = g->course;

    if (c->ended++ == 0)
        c->first_ns = now_ns() - c->start_ns;
    c->replies += g->verdict.nreplies;
    c->under_way--;
    verdict_fini(&g->verdict);
    free(g);
}

static void give(struct course *c)
{
    static const char text[] = "Hello, are you open on Sunday? We would like to come by at about ten.";
    struct given *g = calloc(1, sizeof *g);

    if (!g)
        abort();
    g->course = c;
    snprintf(g->key, sizeof g->key, "message:%lld", (long long)++c->begun);
    g->event = (struct handler_event){.id = c->begun,
                                      .key = g->key,
                                      .wall_ms = rt_wall_ms(rt),
                                      .now_wall_ms = rt_wall_ms(rt),
                                      .from = "+491701234567",
                                      .text = {text, sizeof text - 1},
                                      .modem = "counter",
                                      .name = "",
                                      .language = "en",
                                      .message_class = -1,
                                      .known = &known,
                                      .conversation = 7};
    verdict_init(&g->verdict, NULL);
    g->walk = (struct walk){.chain = c->chain, .event = &g->event, .verdict = &g->verdict, .done = on_done};
    c->under_way++;
    walk_start(&g->walk);
}

static void tell(void *owner, const char *text)
{
    (void)owner;
    fprintf(stderr, "%s\n", text);
}

static void quiet(enum log_level level, const char *who, const char *line)
{
    (void)level, (void)who, (void)line;
}

static void keep_awake(uv_timer_t *t)
{
    (void)t;
}

/* A course of n events with this handler. */
static int64_t run(struct course *c, const struct engine_handler_conf *conf, int64_t n)
{
    struct engine_conf ec = {.handlers = conf, .nhandlers = 1};
    struct problems problems = {tell, NULL, 0};
    uv_timer_t timer;

    *c = (struct course){.plugins = plugins_new(&ec, &world, NULL, &problems), .wanted = n};
    if (problems.count)
        exit(1);
    c->chain[0] = plugins_at(c->plugins, 0, NULL);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, keep_awake, 5, 5);
    c->start_ns = now_ns();
    while (c->ended < n) {
        while (c->under_way < AT_A_TIME && c->begun < n)
            give(c);
        uv_run(&loop, c->under_way ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    }
    int64_t took = now_ns() - c->start_ns;

    plugins_free(c->plugins);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return took;
}

static void measure(const char *name, const struct engine_handler_conf *conf, int64_t n)
{
    struct course c;
    int64_t took = run(&c, conf, n);

    printf("handler_%s\t%.0f\tevents/s\n", name, (double)n * 1e9 / (double)took);
    fflush(stdout);
}

/* ---- kinds ----------------------------------------------------------------------------------------------
 */

static struct engine_handler_conf conf_of(enum handler_kind kind)
{
    return (struct engine_handler_conf){.name = "bench",
                                        .kind = kind,
                                        .deadline_ms = 10000,
                                        .retry_for_ms = 86400000,
                                        .memory_mib = 4,
                                        .instructions = 1000};
}

static void bench_exec(const char *self, int64_t n)
{
    static const char *const once[] = {"/bin/true", NULL};
    const char *const staying[] = {self, "--stay", NULL};
    struct engine_handler_conf c = conf_of(HANDLER_EXEC);

    c.command = once;
    measure("exec", &c, n / 10);
    c.command = staying;
    c.stay = true;
    measure("exec_stay", &c, n);
}

static void bench_webhook(int64_t n)
{
    struct engine_handler_conf c = conf_of(HANDLER_WEBHOOK);
    uv_tcp_t server;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/", listen_somewhere(&server));
    c.url = url;
    c.secret = "secret";
    measure("webhook", &c, n);
    uv_close((uv_handle_t *)&server, NULL);
}

static const char script[] = "function handle(event)\n"
                             "  local hour = event.message.text:match('at about (%a+)')\n"
                             "  if hour then simgate.reply('See you at ' .. hour .. '.') end\n"
                             "end\n";

static void bench_lua(int64_t n)
{
    struct engine_handler_conf c = conf_of(HANDLER_LUA);
    char path[] = "/tmp/simgate-bench-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f)
        return;
    fputs(script, f);
    fclose(f);
    c.file = path;
    measure("lua", &c, n);
    unlink(path);
}

static void bench_shared(int64_t n)
{
    struct engine_handler_conf c = conf_of(HANDLER_SHARED);
    char dir[] = "/tmp/simgate-bench-XXXXXX", command[300], object[64];

    if (!mkdtemp(dir))
        return;
    snprintf(object, sizeof object, "%s/queue.so", dir);
    snprintf(command, sizeof command,
             "cc -O2 -Iinclude -shared -fPIC -o %s docs/examples/handler/queue.c 2>/dev/null", object);
    if (system(command) == 0) {
        c.file = object;
        c.options = "table";
        measure("shared", &c, n * 10);
    }
    unlink(object);
    rmdir(dir);
}

static void bench_dead(int64_t n)
{
    static const char *const dead[] = {"/bin/sleep", "1000", NULL};
    struct engine_handler_conf c = conf_of(HANDLER_EXEC);
    struct course course;
    int64_t took;

    c.command = dead;
    c.deadline_ms = DEAD_DEADLINE_MS;
    took = run(&course, &c, n * 10);
    printf("handler_dead_first\t%.0f\tms (its deadline is %d ms)\n", (double)course.first_ns / 1e6,
           DEAD_DEADLINE_MS);
    printf("handler_dead_others\t%.2f\tus/event\n",
           (double)(took - course.first_ns) / 1e3 / (double)(n * 10));
}

int main(int argc, char **argv)
{
    const char *count = getenv("N");
    int64_t n = count ? atoll(count) : 20000;
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (argc > 1 && !strcmp(argv[1], "--stay"))
        return stay();
    self[len > 0 ? len : 0] = '\0';
    signal(SIGPIPE, SIG_IGN);
    log_set_sink(quiet);
    uv_loop_init(&loop);
    rt = rt_uv_new(&loop);
    child_uv_init(&children, &loop);
    world =
        (struct plugin_world){.rt = rt, .children = &children.host, .transfers = transfer_curl_new(&loop)};
    bench_exec(self, n);
    bench_webhook(n);
    bench_lua(n);
    bench_shared(n);
    bench_dead(n);
    return 0;
}
