/* `probe`: which modems there are, what each can do and what is wrong with it; by simgated when it runs, else
 * by a simgated that is started for it. And the self-test: a text from a modem to itself.
 *
 * The program is started directly, never by a shell. What can fail: there is no simgated to be found. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

/* ---- one modem, for people ---- */

static void say_title(const json_t *m)
{
    const json_t *usb = json_object_get(m, "usb");
    const char *port = member_text(m, "port"), *what = member_text(m, "model");
    bool fine = json_array_size(json_object_get(m, "problems")) == 0;

    if (!*what)
        what = member_text(usb, "product");
    if (!*port)
        port = member_text(usb, "path");
    if (!*port) /* of gateway.conf, and nowhere */
        port = member_text(m, "configured");
    say(fine ? GREEN : YELLOW, "%s%s%s%s%s", port, *what ? ": " : "", member_text(m, "manufacturer"),
        *what && *member_text(m, "manufacturer") ? " " : "", what);
}

static void say_usb(const json_t *m)
{
    const json_t *usb = json_object_get(m, "usb"), *other;
    struct buf text = {0};
    size_t i;

    if (!usb)
        return;
    buf_addf(&text, "%s at %s", member_text(usb, "id"), member_text(usb, "path"));
    if (*member_text(usb, "interface"))
        buf_addf(&text, ", interface %s (%s)", member_text(usb, "interface"), member_text(usb, "role"));
    if (*member_text(usb, "serial"))
        buf_addf(&text, ", serial number %s", member_text(usb, "serial"));
    say_field("USB", buf_str(&text));
    buf_clear(&text);
    json_array_foreach(json_object_get(m, "other_ports"), i, other)
        buf_addf(&text, "%s%s (%s)", i ? ", " : "", member_text(other, "port"), member_text(other, "role"));
    say_field("other ports", buf_str(&text));
    buf_free(&text);
}

static void say_sim(const json_t *m)
{
    struct buf text = {0};

    buf_adds(&text, member_text(m, "sim"));
    if (text.len && *member_text(m, "pin_tries"))
        buf_addf(&text, ", %s %s left for the PIN", member_text(m, "pin_tries"),
                 strcmp(member_text(m, "pin_tries"), "1") == 0 ? "try" : "tries");
    say_field("SIM", buf_str(&text));
    say_field("IMSI", member_text(m, "imsi"));
    say_field("ICCID", member_text(m, "iccid"));
    say_field("number", member_text(m, "number"));
    say_field("service centre", member_text(m, "smsc"));
    buf_clear(&text);
    if (*member_text(m, "registration"))
        buf_addf(&text, "%s (%s)", member_text(m, "operator"), member_text(m, "registration"));
    if (*member_text(m, "signal_dbm"))
        buf_addf(&text, ", %s dBm", member_text(m, "signal_dbm"));
    say_field("network", buf_str(&text));
    buf_free(&text);
}

static void say_messages(const json_t *m)
{
    const json_t *works = json_object_get(m, "works"), *store;
    struct buf text = {0};
    size_t i;

    json_array_foreach(json_object_get(m, "stores"), i, store)
        buf_addf(&text, "%s%s %s of %s", i ? ", " : "", member_text(store, "name"),
                 member_text(store, "used"), member_text(store, "size"));
    say_field("stores", buf_str(&text));
    say_field("receives by", member_text(m, "receive"));
    buf_clear(&text);
    if (*member_text(works, "CNMI"))
        buf_addf(&text, "CNMI=%s", member_text(works, "CNMI"));
    if (json_object_get(works, "CSMS"))
        buf_addf(&text, "%sCSMS=1 %s", text.len ? ", " : "",
                 json_is_true(json_object_get(works, "CSMS")) ? "yes" : "no");
    if (json_object_get(works, "CMMS"))
        buf_addf(&text, "%sCMMS=1 %s", text.len ? ", " : "",
                 json_is_true(json_object_get(works, "CMMS")) ? "yes" : "no");
    say_field("works", buf_str(&text));
    buf_free(&text);
}

static void say_modem(const json_t *m)
{
    const json_t *problem;
    struct buf text = {0};
    size_t i;

    say_title(m);
    say_field("configured as", member_text(m, "configured"));
    say_field("state", member_text(m, "state"));
    say_usb(m);
    say_field("family", member_text(m, "family"));
    if (*member_text(m, "profile"))
        buf_addf(&text, "%s: %s", member_text(m, "profile"), member_text(m, "profile_why"));
    say_field("profile", buf_str(&text));
    buf_free(&text);
    say_field("revision", member_text(m, "revision"));
    say_field("IMEI", member_text(m, "imei"));
    say_sim(m);
    say_messages(m);
    json_array_foreach(json_object_get(m, "problems"), i, problem)
        say(YELLOW, "! %s", json_string_value(problem));
    say_field("note", member_text(m, "hint"));
    if (*member_text(m, "entry"))
        say(BOLD, "for modems = ( ... ) of gateway.conf:\n    %s", member_text(m, "entry"));
    putchar('\n');
    fflush(stdout);
}

static bool is_modem(const json_t *m)
{
    return json_object_get(m, "imei") || json_object_get(m, "model");
}

static int conclude(const struct invocation *v, json_t *modems)
{
    bool any = false;
    const json_t *m;
    size_t i;

    json_array_foreach(modems, i, m) any = any || is_modem(m);
    if (v->json) {
        json_t *doc = json_pack("{sO}", "modems", modems);

        print_json(doc);
        json_decref(doc);
    } else if (!any) {
        say(YELLOW, "no modem was found. Is it plugged in, and has its driver made a port? See: lsusb; ls "
                    "/dev/ttyUSB* /dev/ttyACM*\nA modem on a serial line is examined when its port is named: "
                    "simgate probe /dev/ttyS0");
    }
    return any ? CLI_DONE : CLI_FAILED;
}

/* ---- by a simgated of our own ---- */

static int probe_alone(const struct invocation *v, const char *port)
{
    json_t *modems = json_array(), *m;
    char *line = NULL;
    size_t cap = 0;
    struct err e;
    int out, status;
    char *const argv[] = {"simgated", "--probe", "--", (char *)port, NULL};
    pid_t pid = start_simgated(argv, false, &out);

    if (pid < 0) {
        json_decref(modems);
        err_errno(&e, "simgated is not running, and cannot be started");
        return tell_failure(v, CLI_FAILED, &e, NULL);
    }
    FILE *f = fdopen(out, "r");
    while (f && getline(&line, &cap, f) >= 0) {
        m = json_loads(line, 0, NULL);
        if (m && !v->json)
            say_modem(m);
        if (m)
            json_array_append_new(modems, m);
    }
    free(line);
    if (f)
        fclose(f);
    waitpid(pid, &status, 0);
    status = conclude(v, modems);
    json_decref(modems);
    return status;
}

/* ---- by the daemon ---- */

static bool show(const struct invocation *v, const json_t *event)
{
    if (!v->json)
        say_modem(json_object_get(event, "modem"));
    return true;
}

static int probe_by_daemon(struct invocation *v, struct connection *c)
{
    struct err e = {0};
    json_t *answer = NULL;
    int rc = connection_send(c, "probe", v->args, &e);

    if (rc == CLI_DONE)
        rc = connection_hear(c, v, show, &answer, &e);
    if (rc == CLI_DONE)
        rc = conclude(v, json_object_get(answer, "modems"));
    else
        tell_failure(v, rc, &e, answer);
    json_decref(answer);
    return rc;
}

/* The daemon is in another folder, and so will gateway.conf be. A link's own name stays: it may be the stable
 * one. */
static const char *absolute_port(json_t *args)
{
    const char *port = json_string_value(json_object_get(args, "port"));
    char folder[PATH_MAX], real[PATH_MAX];

    if (!port || port[0] == '/' || access(port, F_OK) != 0)
        return port;
    const char *slash = strrchr(port, '/'), *name = slash ? slash + 1 : port;
    snprintf(folder, sizeof folder, "./%.*s", (int)(name - port), port);
    if (realpath(folder, real))
        json_object_set_new(args, "port", json_sprintf("%s/%s", real, name));
    return json_string_value(json_object_get(args, "port"));
}

int run_probe(struct invocation *v)
{
    bool self_test = json_object_get(v->args, "self-test"), named = json_object_get(v->args, "modem");
    const char *port = absolute_port(v->args);
    struct connection c;
    struct err e = {0};
    int rc;

    if (port && (self_test || named)) {
        err_set(&e, ERR_INVALID, "a PORT stands alone: --modem NAME is another way to say which one");
        return tell_usage(v->command, v->json, &e);
    }
    if (self_test)
        return run_self_test(v);
    rc = connection_open(&c, v->socket, v->timeout_ms, &e);
    if (rc == CLI_DONE)
        rc = probe_by_daemon(v, &c);
    else if (rc == CLI_UNREACHABLE && !named)
        rc = probe_alone(v, port);
    else
        tell_failure(v, rc, &e, NULL);
    connection_close(&c);
    return rc;
}
