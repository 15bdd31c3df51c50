#include "app/pins.h"

#include <crypt.h>
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
    LINE_BYTES = CARRIER_NAME_BYTES + 16 + CRYPT_OUTPUT_SIZE,
    FILE_BYTES_MAX = 1024 * 1024,
    /* With the modem's own word that no try is missing a PIN is tried once more, because the first may never
     * have arrived; not for ever, because there are modems that count wrongly. A SIM has three tries. */
    TRIES_MAX = 2,
};

/* SHA-256 of crypt(5) with its default rounds: the slower ones take 16 MiB, and no hash hides four digits
 * from who can read the file and gateway.conf. */
static const char hash_kind[] = "$5$";

struct record {
    char name[CARRIER_NAME_BYTES];
    int tries;
    char hash[CRYPT_OUTPUT_SIZE];
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

static bool parse(const char *line, struct record *r)
{
    char format[64];
    int end = 0;

    snprintf(format, sizeof format, "%%%zus %%4d %%%zus%%n", sizeof r->name - 1, sizeof r->hash - 1);
    return sscanf(line, format, r->name, &r->tries, r->hash, &end) == 3 && !line[end] && r->tries > 0;
}

/* Takes the modem's own line into *own (tries 0: there is none), and all others into *others. A file that is
 * not ours to understand may hold a try: an error. */
static int load(const struct pins *p, const char *modem, struct record *own, struct buf *others,
                struct err *e)
{
    struct buf text = {0};
    char *save = NULL, *line;
    int number = 0, rc = read_file(p->path, &text, e);

    *own = (struct record){0};
    for (line = rc == 0 ? strtok_r((char *)buf_str(&text), "\n", &save) : NULL; line && rc == 0;
         line = strtok_r(NULL, "\n", &save)) {
        struct record r = {0};
        number++;
        if (!parse(line, &r)) {
            rc = err_set(e, ERR_CORRUPT, "%s:%d: expected a modem's name, a count and a hash", p->path,
                         number);
        } else if (strcmp(r.name, modem) == 0) {
            *own = r;
        } else {
            buf_adds(others, line);
            buf_addc(others, '\n');
        }
    }
    buf_free(&text);
    return rc;
}

/* ---- hashes ---- */

static bool same_pin(const struct record *r, const char *pin)
{
    struct crypt_data *c = calloc(1, sizeof *c);
    const char *hash;
    bool same;

    if (!c)
        abort();
    hash = crypt_r(pin, r->hash, c);
    same = !hash || *hash == '*' ||
           strcmp(hash, r->hash) == 0; /* a hash that cannot be made could be the same */
    explicit_bzero(c, sizeof *c);
    free(c);
    return same;
}

static int make_hash(const char *pin, char out[CRYPT_OUTPUT_SIZE], struct err *e)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *c = calloc(1, sizeof *c);
    const char *hash = NULL;

    if (!c)
        abort();
    if (crypt_gensalt_rn(hash_kind, 0, NULL, 0, setting, sizeof setting))
        hash = crypt_r(pin, setting, c);
    bool ok = hash && *hash != '*' && str_copy(out, CRYPT_OUTPUT_SIZE, hash);
    explicit_bzero(c, sizeof *c);
    free(c);
    return ok ? 0 : err_errno(e, "crypt");
}

/* ---- what modems ask ---- */

static int begin(void *owner, const char *modem, const char *pin, bool untouched, struct err *e)
{
    struct pins *p = owner;
    struct record r;
    struct buf text = {0};
    char line[LINE_BYTES];
    int rc = load(p, modem, &r, &text, e);

    if (rc == 0 && r.tries > 0 && !same_pin(&r, pin))
        r.tries = 0; /* corrected since */
    if (rc == 0 && r.tries > 0 && (!untouched || r.tries >= TRIES_MAX))
        rc = err_set(e, ERR_REFUSED, "tried before");
    if (rc == 0)
        rc = make_hash(pin, r.hash, e);
    if (rc == 0) {
        snprintf(line, sizeof line, "%s %d %s\n", modem, r.tries + 1, r.hash);
        buf_adds(&text, line);
        rc = replace_file(p->path, &text, e);
    }
    buf_free(&text);
    return rc;
}

static void forget(void *owner, const char *modem)
{
    struct pins *p = owner;
    struct record r;
    struct buf text = {0};
    struct err e = {0};
    int rc = load(p, modem, &r, &text, &e);

    if (rc == 0 && r.tries > 0)
        rc = replace_file(p->path, &text, &e);
    if (rc < 0)
        log_warning("simgated", "modem %s: that its PIN may be entered again cannot be noted: %s", modem,
                    e.text);
    buf_free(&text);
}

int pins_init(struct pins *p, const char *database, struct err *e)
{
    p->memory = (struct modem_pins){.begin = begin, .forget = forget, .owner = p};
    if (snprintf(p->path, sizeof p->path, "%s.pins", database) >= (int)sizeof p->path)
        return err_set(e, ERR_TOO_LONG, "%s: the path is too long", database);
    return 0;
}
