/* simgate-modem: simulated modems on pseudo-terminals or sockets. simgate-modem(1) is its manual. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/shell.h"

#define FIELD(name) offsetof(struct shell_conf, name)

/* Options: a text, or a number within [min, max]. */
static const struct option_row {
    const char *name, *argument, *help;
    size_t text, number;
    int64_t min, max;
} rows[] = {
    {"dir", "DIR", "make DIR/modem0, DIR/modem1 … (links to pseudo-terminals) and DIR/control", FIELD(dir), 0,
     0, 0},
    {"tcp", "PORT", "listen on 127.0.0.1, PORT for the first modem, PORT+1 for the second …", 0,
     FIELD(tcp_port), 1, 65535},
    {"unix", "PATH", "listen on PATH (with --count: PATH0, PATH1 …)", FIELD(unix_path), 0, 0, 0},
    {"count", "N", "number of modems (1)", 0, FIELD(count), 1, SHELL_MODEMS},
    {"pin", "PIN", "the SIMs ask for this PIN (they ask for none)", FIELD(pin), 0, 0, 0},
    {"number", "NUMBER", "number of the first modem; the others count up (+491520000000)", FIELD(number), 0,
     0, 0},
    {"imei", "IMEI", "IMEI of the first modem; the others count up", FIELD(imei), 0, 0, 0},
    {"imsi", "IMSI", "IMSI of the first modem; the others count up", FIELD(imsi), 0, 0, 0},
    {"baud", "RATE", "speed of the lines (unlimited)", 0, FIELD(baud), 300, 10000000},
    {"net-ms", "MS", "time of the network for each message (0)", 0, FIELD(net_ms), 0, 600000},
    {"report-ms", "MS", "time until a delivery report (0)", 0, FIELD(report_ms), 0, 86400000},
    {"seed", "N", "seed of everything random (1)", 0, FIELD(seed), 0, INT64_MAX},
    {"log", "FILE", "append every event to FILE as a line of JSON", FIELD(log), 0, 0, 0},
    {"scenario", "FILE", "do the commands of FILE at their times", FIELD(scenario), 0, 0, 0},
    {"control", "PATH", "the control socket (DIR/control)", FIELD(control), 0, 0, 0},
    {"help", NULL, "print this and end", 0, 0, 0, 0},
    {"version", NULL, "print the version and end", 0, 0, 0, 0},
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

static int bad_usage(const char *what, const char *name)
{
    fprintf(stderr, "simgate-modem: %s%s; see simgate-modem --help\n", what, name);
    return 2;
}

/* 0, an exit status of 2, or -1 to end with success. */
static int take(struct shell_conf *c, const struct option_row *row, const char *value)
{
    if (!row->argument) {
        if (strcmp(row->name, "help") == 0)
            help();
        else
            printf("simgate-modem %s\n", SIMGATE_VERSION);
        return -1;
    }
    if (row->max == 0) {
        memcpy((char *)c + row->text, &value, sizeof(value));
        return 0;
    }
    int64_t n;
    if (!str_to_i64(value, row->min, row->max, &n)) {
        fprintf(stderr, "simgate-modem: --%s: expected a number from %lld to %lld\n", row->name,
                (long long)row->min, (long long)row->max);
        return 2;
    }
    memcpy((char *)c + row->number, &n, sizeof(n));
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
    if (!c->dir && !c->tcp_port && !c->unix_path)
        return bad_usage("one of --dir, --tcp and --unix is needed", "");
    if (c->tcp_port && c->unix_path)
        return bad_usage("--tcp and --unix exclude each other", "");
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
