/* simgated: the command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/conf.h"
#include "app/daemon.h"
#include "app/profiles.h"
#include "base/log.h"

enum { EXIT_USAGE = 2, EXIT_CONF = 3 };

#define DEFAULT_CONF "/etc/simgate/gateway.conf"

static void usage(FILE *to)
{
    fputs("usage: simgated [-c FILE] [-t]\n"
          "  -c FILE   the configuration; " DEFAULT_CONF " when not given\n"
          "  -t        check the configuration, print every problem, and end\n"
          "  -V        print the version\n"
          "Runs in the foreground and logs to standard error, or to the journal under systemd.\n"
          "SIGHUP reads the configuration again; SIGTERM finishes what is on the air and stops.\n",
          to);
}

static int check(const char *path)
{
    struct profiles_folders folders;
    struct buf problems = {0};

    profiles_find(&folders, path);
    struct profiles *p = profiles_read(folders.list, &problems);
    bool good = !problems.len;
    struct conf *c = conf_read(path, profiles_set(p), &problems);

    fputs(buf_str(&problems), stderr);
    if (c)
        printf("%s: good (%d modems, %d rules, %d templates)\n", path, c->nmodems, c->nrules, c->ntemplates);
    good = good && c;
    buf_free(&problems);
    conf_unref(c);
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
    const char *conf = DEFAULT_CONF;
    bool only_check = false;
    struct err e = {0};
    int c;

    while ((c = getopt(argc, argv, "c:thV")) != -1) {
        switch (c) {
        case 'c':
            conf = optarg;
            break;
        case 't':
            only_check = true;
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
    if (optind < argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (only_check)
        return check(conf);
    if (under_journal())
        log_set_sink(log_sink_journal);
    if (daemon_run(conf, &e) < 0) {
        log_err("simgated", "%s", e.text);
        return e.code == ERR_INVALID ? EXIT_CONF : EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
