#include "app/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

enum {
    ID_BYTES = 24,
    LINE_BYTES = CARRIER_NAME_BYTES + 2 * ID_BYTES + 32,
    FILE_BYTES_MAX = 1024 * 1024,
    /* With the modem's own word that no try is missing a PIN is tried once more, because the first may never
     * have arrived; not for ever, because there are modems that count wrongly. A SIM has three tries. */
    TRIES_MAX = 2,
};

struct record {
    char name[CARRIER_NAME_BYTES];
    char imei[ID_BYTES], iccid[ID_BYTES]; /* "" not known */
    int tries;
    bool refused; /* the SIM said no */
};

/* ---- the file ---- */

static int read_file(const char *path, struct buf *text, struct err *e)
{
    char bytes[4096];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return errno == ENOENT ? 0 : err_errno(e, "%s", path);
    while ((n = read(fd, bytes, sizeof bytes)) > 0 && text->len < FILE_BYTES_MAX)
        buf_add(text, bytes, (size_t)n);
    if (n < 0)
        err_errno(e, "%s", path);
    close(fd);
    return n < 0 ? e->code : 0;
}

static int flush_folder(const char *path, struct err *e)
{
    char copy[4096];
    int fd, rc = 0;

    str_copy(copy, sizeof copy, path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        rc = err_errno(e, "%s", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int write_whole(int fd, const struct buf *text)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = write(fd, text->data + done, text->len - done);
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd);
}

/* durable: the new text is on the disk, under its name, when this returns 0. */
static int replace_file(const char *path, const struct buf *text, struct err *e)
{
    char fresh[4096 + 8];
    int fd, rc;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, "%s", fresh);
    rc = write_whole(fd, text) < 0 ? err_errno(e, "%s", fresh) : 0;
    close(fd);
    if (rc == 0 && rename(fresh, path) < 0)
        rc = err_errno(e, "%s", path);
    return rc < 0 ? rc : flush_folder(path, e);
}

/* NAME TRIES IMEI ICCID refused|unanswered; "-" for what is not known. Of an earlier version: NAME TRIES
 * HASH.
 */
static bool parse(const char *line, struct record *r)
{
    char format[64], how[16], hash[128];
    int end = 0;

    *r = (struct record){0};
    snprintf(format, sizeof format, "%%%zus %%4d %%%zus %%%zus %%%zus%%n", sizeof r->name - 1,
             sizeof r->imei - 1, sizeof r->iccid - 1, sizeof how - 1);
    if (sscanf(line, format, r->name, &r->tries, r->imei, r->iccid, how, &end) == 5) {
        r->refused = strcmp(how, "refused") == 0;
        if (strcmp(r->imei, "-") == 0)
            r->imei[0] = '\0';
        if (strcmp(r->iccid, "-") == 0)
            r->iccid[0] = '\0';
        return !line[end] && r->tries > 0 && (r->refused || strcmp(how, "unanswered") == 0);
    }
    *r = (struct record){0};
    snprintf(format, sizeof format, "%%%zus %%4d %%%zus%%n", sizeof r->name - 1, sizeof hash - 1);
    return sscanf(line, format, r->name, &r->tries, hash, &end) == 3 && !line[end] && r->tries > 0;
}

/* Two SIMs are told apart by ICCID; a SIM whose ICCID could not be read this time or that time is taken for
 * the one that was in the modem, and a modem without IMEI goes by its name. */
static bool same_sim(const struct record *r, const struct modem_sim *sim)
{
    if (*r->iccid && *sim->iccid)
        return strcmp(r->iccid, sim->iccid) == 0;
    if (*r->imei && *sim->imei)
        return strcmp(r->imei, sim->imei) == 0;
    return strcmp(r->name, sim->name) == 0;
}

/* A success concerns this SIM alone: where its ICCID could not be read this time, it may be another one than
 * the one on record. */
static bool surely_same_sim(const struct record *r, const struct modem_sim *sim)
{
    if (*r->iccid || *sim->iccid)
        return strcmp(r->iccid, sim->iccid) == 0;
    return same_sim(r, sim);
}

/* Of several records of one SIM (it was in two modems before its ICCID could be read) the worst counts. */
static void merge(struct record *own, const struct record *r)
{
    bool refused = own->refused || r->refused;
    int tries = own->tries > r->tries ? own->tries : r->tries;

    *own = *r;
    own->tries = tries;
    own->refused = refused;
}

/* Takes the SIM's own record into *own (tries 0: there is none), and all others into *others. A file that is
 * not ours to understand may hold a try: an error. */
static int load(const struct pins *p, const struct modem_sim *sim,
                bool (*same)(const struct record *r, const struct modem_sim *sim), struct record *own,
                struct buf *others, struct err *e)
{
    struct buf text = {0};
    char *save = NULL, *line;
    int number = 0, rc = read_file(p->path, &text, e);

    *own = (struct record){0};
    for (line = rc == 0 ? strtok_r((char *)buf_str(&text), "\n", &save) : NULL; line && rc == 0;
         line = strtok_r(NULL, "\n", &save)) {
        struct record r;
        number++;
        if (!parse(line, &r)) {
            rc = err_set(e, ERR_CORRUPT, "%s:%d: expected a modem's name, a count, IMEI, ICCID and a word",
                         p->path, number);
        } else if (same(&r, sim)) {
            merge(own, &r);
        } else {
            buf_adds(others, line);
            buf_addc(others, '\n');
        }
    }
    buf_free(&text);
    return rc;
}

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static int save(const struct pins *p, const struct record *own, const struct modem_sim *sim,
                struct buf *others, struct err *e)
{
    char line[LINE_BYTES];

    snprintf(line, sizeof line, "%s %d %s %s %s\n", sim->name, own->tries,
             or_dash(*sim->imei ? sim->imei : own->imei), or_dash(*sim->iccid ? sim->iccid : own->iccid),
             own->refused ? "refused" : "unanswered");
    buf_adds(others, line);
    return replace_file(p->path, others, e);
}

/* ---- what modems ask ---- */

static bool may_try(const struct record *r, enum modem_pin_leave leave)
{
    if (r->tries == 0 || leave == PIN_AS_OPERATOR_ASKED)
        return true;
    return r->tries < TRIES_MAX &&
           (leave == PIN_BLIND_BY_OPERATOR || (leave == PIN_UNTOUCHED && !r->refused));
}

static int begin(void *owner, const struct modem_sim *sim, enum modem_pin_leave leave, struct err *e)
{
    struct pins *p = owner;
    struct record r;
    struct buf others = {0};
    int rc = load(p, sim, same_sim, &r, &others, e);

    if (rc == 0 && !may_try(&r, leave))
        rc = err_set(e, ERR_REFUSED, "tried before");
    r.tries++;
    if (rc == 0)
        rc = save(p, &r, sim, &others, e);
    buf_free(&others);
    return rc;
}

static void complain(const struct modem_sim *sim, const char *what, int rc, const struct err *e)
{
    if (rc < 0)
        log_warning("simgated", "modem %s: that its PIN %s cannot be noted: %s", sim->name, what, e->text);
}

static void refused(void *owner, const struct modem_sim *sim)
{
    struct pins *p = owner;
    struct record r;
    struct buf others = {0};
    struct err e = {0};
    int rc = load(p, sim, same_sim, &r, &others, &e);

    r.refused = true;
    r.tries += r.tries == 0;
    if (rc == 0)
        rc = save(p, &r, sim, &others, &e);
    complain(sim, "was refused", rc, &e);
    buf_free(&others);
}

static void forget(void *owner, const struct modem_sim *sim)
{
    struct pins *p = owner;
    struct record r;
    struct buf others = {0};
    struct err e = {0};
    int rc = load(p, sim, surely_same_sim, &r, &others, &e);

    if (rc == 0 && r.tries > 0)
        rc = replace_file(p->path, &others, &e);
    complain(sim, "was right", rc, &e);
    buf_free(&others);
}

int pins_init(struct pins *p, const char *database, struct err *e)
{
    p->memory = (struct modem_pins){.begin = begin, .refused = refused, .forget = forget, .owner = p};
    if (snprintf(p->path, sizeof p->path, "%s.pins", database) >= (int)sizeof p->path)
        return err_set(e, ERR_TOO_LONG, "%s: the path is too long", database);
    return 0;
}
