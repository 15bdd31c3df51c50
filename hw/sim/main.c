/* simgate-modem: simulated modems on pseudo-terminals or sockets. simgate-modem(1) is its manual. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/shell.h"

#define TEXT(name) .field = offsetof(struct shell_conf, name), .kind = OPTION_TEXT
#define NUMBER(name, least, most)                                                                            \
    .field = offsetof(struct shell_conf, name), .kind = OPTION_NUMBER, .min = (least), .max = (most)
#define SWITCH(name) .field = offsetof(struct shell_conf, name), .kind = OPTION_SWITCH

static void help(void);
static void version(void);

/* Options: a text, a number within [min, max], or a switch. */
static const struct option_row {
    const char *name, *argument, *help;
    size_t field; /* its field's place */
    enum { OPTION_ENDS, OPTION_TEXT, OPTION_NUMBER, OPTION_SWITCH } kind;
    int64_t min, max;
    void (*run)(void); /* OPTION_ENDS */
} rows[] = {
    {"dir", "DIR", "make DIR/modem0, DIR/modem1 … (links to pseudo-terminals) and DIR/control", TEXT(dir)},
    {"tcp", "PORT", "listen on 127.0.0.1, PORT for the first modem, PORT+1 for the second …",
     NUMBER(tcp_port, 1, 65535)},
    {"unix", "PATH", "listen on PATH (with --count: PATH0, PATH1 …)", TEXT(unix_path)},
    {"count", "N", "number of modems (1)", NUMBER(count, 1, SHELL_MODEMS)},
    {"personality", "NAMES", "behave as these families, in turn (generic); \"list\" tells them",
     TEXT(personality)},
    {"replay", "FILE", "answer as the modem did whose trace this is", TEXT(replay)},
    {"all-ports", NULL, "make DIR/modem0-if0 … too: the other ports of a stick", SWITCH(all_ports)},
    {"pin", "PIN", "the SIMs ask for this PIN (they ask for none)", TEXT(pin)},
    {"number", "NUMBER", "number of the first modem; the others count up (+491520000000)", TEXT(number)},
    {"imei", "IMEI", "IMEI of the first modem; the others count up", TEXT(imei)},
    {"imsi", "IMSI", "IMSI of the first modem; the others count up", TEXT(imsi)},
    {"baud", "RATE", "speed of the lines (unlimited)", NUMBER(baud, 300, 10000000)},
    {"net-ms", "MS", "time of the network for each message (0)", NUMBER(net_ms, 0, 600000)},
    {"report-ms", "MS", "time until a delivery report (0)", NUMBER(report_ms, 0, 86400000)},
    {"seed", "N", "seed of everything random (1)", NUMBER(seed, 0, INT64_MAX)},
    {"log", "FILE", "append every event to FILE as a line of JSON", TEXT(log)},
    {"scenario", "FILE", "do the commands of FILE at their times", TEXT(scenario)},
    {"control", "PATH", "the control socket (DIR/control)", TEXT(control)},
    {"help", NULL, "print this and end", .run = help},
    {"version", NULL, "print the version and end", .run = version},
};

static void help(void)
{
    printf("Usage: simgate-modem --dir DIR [--count N] [OPTION]…\n"
           "       simgate-modem --tcp PORT | --unix PATH [OPTION]…\n"
           "       simgate-modem --dir DIR | --control PATH  tell COMMAND…\n"
           "Simulated GSM modems, to try a gateway without hardware.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char left[32];
        snprintf(left, sizeof(left), "--%s %s", rows[i].name, rows[i].argument ? rows[i].argument : "");
        printf("  %-20s %s\n", left, rows[i].help);
    }
    printf("\nExample, with a modem running in another terminal:\n"
           "  simgate-modem --dir x tell text modem0 +491701234567 Hello\n"
           "  simgate-modem --dir x tell help\n");
}

static void version(void)
{
    printf("simgate-modem %s\n", SIMGATE_VERSION);
}

static void list_personalities(void)
{
    for (size_t i = 0; simmodem_personality(i); i++)
        printf("%-16s %s\n", simmodem_personality(i), simmodem_personality_help(i));
}

static int bad_usage(const char *what, const char *name)
{
    fprintf(stderr, "simgate-modem: %s%s; see simgate-modem --help\n", what, name);
    return 2;
}

/* 0, an exit status of 2, or -1 to end with success. */
static int take(struct shell_conf *c, const struct option_row *row, const char *value)
{
    const bool on = true;
    int64_t n;
    switch (row->kind) {
    case OPTION_ENDS:
        row->run();
        return -1;
    case OPTION_TEXT:
        memcpy((char *)c + row->field, &value, sizeof(value));
        return 0;
    case OPTION_SWITCH:
        memcpy((char *)c + row->field, &on, sizeof(on));
        return 0;
    case OPTION_NUMBER:
        break;
    }
    if (!str_to_i64(value, row->min, row->max, &n)) {
        fprintf(stderr, "simgate-modem: --%s: expected a number from %lld to %lld\n", row->name,
                (long long)row->min, (long long)row->max);
        return 2;
    }
    memcpy((char *)c + row->field, &n, sizeof(n));
    return 0;
}

static int tell(const struct shell_conf *c, int argc, char **argv)
{
    char path[SHELL_PATH_BYTES];
    struct buf command = {0};
    if (c->control)
        str_copy(path, sizeof(path), c->control);
    else if (c->dir)
        snprintf(path, sizeof(path), "%s/control", c->dir);
    else
        return bad_usage("tell: --dir or --control is needed", "");
    for (int i = 0; i < argc; i++)
        buf_addf(&command, "%s%s", i ? " " : "", argv[i]);
    int status = argc ? shell_tell(path, buf_str(&command)) : bad_usage("tell: a command is needed", "");
    buf_free(&command);
    return status;
}

static int serve(struct shell_conf *c)
{
    struct err e = {0};
    char name[32];
    if (c->personality && strcmp(c->personality, "list") == 0) {
        list_personalities();
        return 0;
    }
    for (size_t i = 0; i < shell_personalities(c->personality); i++)
        if (!shell_personality(c->personality, i, name, sizeof(name)))
            return bad_usage("--personality: there is no ", name);
    if (!c->dir && !c->tcp_port && !c->unix_path)
        return bad_usage("one of --dir, --tcp and --unix is needed", "");
    if (c->tcp_port && c->unix_path)
        return bad_usage("--tcp and --unix exclude each other", "");
    if (c->all_ports && (c->tcp_port || c->unix_path))
        return bad_usage("--all-ports is for --dir alone", "");
    if (shell_personalities(c->personality) > (size_t)c->count)
        c->count = (int64_t)shell_personalities(c->personality);
    if (c->tcp_port + c->count - 1 > 65535)
        return bad_usage("--tcp: not so many ports", "");
    if (shell_run(c, &e) < 0) {
        fprintf(stderr, "simgate-modem: %s\n", e.text);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct shell_conf c = {.count = 1, .seed = 1};
    struct option options[ARRAY_LEN(rows) + 1] = {{0}};
    int index;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        options[i] =
            (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument, NULL, 0};
    for (int o; (o = getopt_long(argc, argv, "+", options, &index)) != -1;) {
        int rc = o == 0 ? take(&c, &rows[index], optarg) : 2;
        if (rc)
            return rc < 0 ? 0 : rc;
    }
    if (optind == argc)
        return serve(&c);
    if (strcmp(argv[optind], "tell") == 0 || strcmp(argv[optind], "send") == 0)
        return tell(&c, argc - optind - 1, argv + optind + 1);
    return bad_usage("unknown word ", argv[optind]);
}
