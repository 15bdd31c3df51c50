/* simgated: the command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/conf.h"
#include "app/daemon.h"
#include "app/probe_run.h"
#include "app/profiles.h"
#include "app/udev.h"
#include "base/log.h"
#include "engine/engine.h"
#include "store/templates.h"

enum { EXIT_USAGE = 2, EXIT_CONF = 3 };

#define DEFAULT_CONF "/etc/simgate/gateway.conf"

static void usage(FILE *to)
{
    fputs("usage: simgated [-c FILE] [-t | --udev-rules | --probe [PORT...]]\n"
          "  -c FILE   the configuration; " DEFAULT_CONF " when not given\n"
          "  -t        check the configuration, print every problem, and end\n"
          "  -V        print the version\n"
          "  --udev-rules  print the rules of udev for the modems of all profiles, and end\n"
          "  --probe   examine the modems that there are, or those on the ports named; a JSON object a line\n"
          "Runs in the foreground and logs to standard error, or to the journal under systemd.\n"
          "SIGHUP reads the configuration again; SIGTERM finishes what is on the air and stops.\n",
          to);
}

/* Those that rules may say beside the ones of gateway.conf; a database that is not there yet has none. */
static void use_stored_templates(struct engine *en, const char *database)
{
    struct store_templates all;

    if (store_peek_templates(database, &all, NULL) != 0)
        return;
    for (int i = 0; i < all.count; i++)
        engine_put_template(en, all.rows[i].name, all.rows[i].language, all.rows[i].text, NULL);
    store_templates_clear(&all);
}

/* What is suspicious in the rules is told; tests that fail are a failure. */
static bool check_rules(const struct conf *c, int *tests)
{
    struct engine *en;
    struct engine_check result;
    bool good;

    if (engine_new(NULL, &c->engine, NULL, NULL, &en) != 0)
        return false;
    use_stored_templates(en, c->gateway.database);
    engine_check(en, (int64_t)time(NULL) * 1000, &result);
    for (const char *line = buf_str(&result.warnings); *line; line += strcspn(line, "\n") + 1)
        fprintf(stderr, "warning: %.*s\n", (int)strcspn(line, "\n"), line);
    fputs(buf_str(&result.failures), stderr);
    *tests = result.tests;
    good = result.failed == 0;
    engine_check_clear(&result);
    engine_free(en);
    return good;
}

static int check(const char *path)
{
    struct profiles_folders folders;
    struct buf problems = {0};

    profiles_find(&folders, path);
    struct profiles *p = profiles_read(folders.list, &problems);
    struct conf *c = conf_read(path, profiles_set(p), &problems);
    bool good = c && !problems.len;
    int tests = 0;

    fputs(buf_str(&problems), stderr);
    good = good && check_rules(c, &tests);
    if (good)
        printf("%s: good (%d modems, %d rules, %d templates, %d tests)\n", path, c->nmodems, c->nrules,
               c->ntemplates, tests);
    buf_free(&problems);
    conf_unref(c);
    profiles_free(p);
    return good ? EXIT_SUCCESS : EXIT_CONF;
}

static int print_rules(const char *path)
{
    struct profiles_folders folders;
    struct buf problems = {0}, rules = {0};

    profiles_find(&folders, path);
    struct profiles *p = profiles_read(folders.list, &problems);
    bool good = !problems.len;

    fputs(buf_str(&problems), stderr);
    udev_rules(profiles_set(p), &rules);
    fputs(buf_str(&rules), stdout);
    buf_free(&rules);
    buf_free(&problems);
    profiles_free(p);
    return good ? EXIT_SUCCESS : EXIT_CONF;
}

/* systemd gives a stream to the journal and names its inode. */
static bool under_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long dev, ino;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           st.st_dev == dev && st.st_ino == ino;
}

int main(int argc, char **argv)
{
    enum { UDEV_RULES = 256, PROBE };
    static const struct option names[] = {
        {"udev-rules", no_argument, NULL, UDEV_RULES}, {"probe", no_argument, NULL, PROBE}, {0}};
    const char *conf = DEFAULT_CONF;
    bool only_check = false, only_rules = false, only_probe = false;
    struct err e = {0};
    int c;

    while ((c = getopt_long(argc, argv, "c:thV", names, NULL)) != -1) {
        switch (c) {
        case 'c':
            conf = optarg;
            break;
        case 't':
            only_check = true;
            break;
        case UDEV_RULES:
            only_rules = true;
            break;
        case PROBE:
            only_probe = true;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("simgated " SIMGATE_VERSION);
            return EXIT_SUCCESS;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (only_probe)
        return probe_run(conf, argv + optind) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (optind < argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (only_check)
        return check(conf);
    if (only_rules)
        return print_rules(conf);
    if (under_journal())
        log_set_sink(log_sink_journal);
    if (daemon_run(conf, &e) < 0) {
        log_err("simgated", "%s", e.text);
        return e.code == ERR_INVALID ? EXIT_CONF : EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
