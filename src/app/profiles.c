/* The walk over the folders of profiles.
 *
 * Memory: each family has its own schema object, which holds its strings and lists; `struct profiles` holds
 * the families. What tables cannot say (a USB id that two families claim) is checked behind them. */
#include "app/profiles.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/util.h"

#ifndef SIMGATE_PREFIX
#define SIMGATE_PREFIX "/usr"
#endif

/* ---- one file ---- */

struct family {
    struct profile profile;
    struct schema *memory;
};

struct profiles {
    struct family **families;
    const struct profile **order;
    int count;
    struct profile_set set;
};

static void family_free(struct family *f)
{
    if (f)
        schema_free(f->memory);
    free(f);
}

static void family_problem(struct family *f, const char *path, struct buf *problems, const char *text)
{
    buf_addf(problems, "%s: %s\n", schema_place(f->memory, path), text);
}

/* What the table cannot say of one family. How many problems. */
static int check_family(struct family *f, struct buf *problems)
{
    const struct profile *p = &f->profile;
    char path[40];
    int count = 0;

    for (int i = 0; i < p->nclasses + p->nerrors; i++) {
        bool is_class = i < p->nclasses;
        int k = is_class ? i : i - p->nclasses;

        if (is_class ? p->classes[k].role != ROLE_UNKNOWN : p->errors[k].cls != CARRIER_E_NONE)
            continue;
        snprintf(path, sizeof path, is_class ? "classes[%d].role" : "errors[%d].class", k);
        family_problem(f, path, problems, "this says nothing; expected another value");
        count++;
    }
    if (p->direct && !p->cnmi_direct) {
        family_problem(f, "direct", problems, "expected cnmi_direct with it");
        count++;
    }
    return count;
}

/* NULL, with problems, when the file cannot be used. */
static struct family *read_family(const char *path, const char *name, struct buf *problems)
{
    struct family *f = calloc(1, sizeof *f);

    if (!f || !(f->memory = schema_new()))
        abort();
    schema_set_manual(f->memory, "README.md in the folder of profiles");
    int count = schema_read(f->memory, path, &profiles_table, &f->profile, problems);
    if (count >= 0)
        count += check_family(f, problems);
    if (count) {
        family_free(f);
        return NULL;
    }
    f->profile.name = schema_strdup(f->memory, name);
    f->profile.place = schema_strdup(f->memory, path);
    if (!*f->profile.charset)
        f->profile.charset = NULL;
    return f;
}

/* ---- folders ---- */

static int position(const struct profiles *p, const char *name)
{
    for (int i = 0; i < p->count; i++)
        if (!strcmp(p->families[i]->profile.name, name))
            return i;
    return -1;
}

static bool claims(const struct profile *p, uint16_t vendor, uint16_t product)
{
    for (int i = 0; i < p->nusb; i++)
        if (p->usb[i].vendor == vendor && p->usb[i].product == product)
            return true;
    for (int i = 0; i < p->nother_modes; i++)
        if (p->other_modes[i].vendor == vendor && p->other_modes[i].product == product)
            return true;
    return false;
}

/* Its i-th id, of `usb` and then of `other_modes`; false behind the last. `path`: its place in the file. */
static bool id_at(const struct profile *p, int i, uint16_t id[2], char path[40])
{
    int k = i - p->nusb;

    if (i < p->nusb) {
        memcpy(id, (uint16_t[]){p->usb[i].vendor, p->usb[i].product}, sizeof(uint16_t[2]));
        snprintf(path, 40, "usb[%d].id", i);
    } else if (k < p->nother_modes) {
        memcpy(id, (uint16_t[]){p->other_modes[k].vendor, p->other_modes[k].product}, sizeof(uint16_t[2]));
        snprintf(path, 40, "other_modes[%d].id", k);
    }
    return k < p->nother_modes;
}

/* Two families cannot both have a device; nor can one have it twice. False, told, when it is so. */
static bool claims_alone(const struct profiles *p, struct family *f, struct buf *problems)
{
    const struct profile *own = &f->profile;
    char path[40], text[200];
    uint16_t id[2];
    bool good = true;

    for (int i = 0; id_at(own, i, id, path); i++) {
        for (int k = 0; k < i && i < own->nusb; k++) {
            if (own->usb[k].vendor != id[0] || own->usb[k].product != id[1])
                continue;
            family_problem(f, path, problems, "this id stands here twice");
            good = false;
        }
        for (int k = 0; k < p->count; k++) {
            const struct profile *other = &p->families[k]->profile;

            if (!strcmp(other->name, own->name) || !claims(other, id[0], id[1]))
                continue;
            snprintf(
                text, sizeof text,
                "%04x:%04x is in the profile \"%.60s\" too; to change that one, copy its file and edit it",
                id[0], id[1], other->name);
            family_problem(f, path, problems, text);
            good = false;
        }
    }
    return good;
}

static void add(struct profiles *p, struct family *f)
{
    int at = position(p, f->profile.name);

    if (at >= 0) {
        family_free(p->families[at]);
        p->families[at] = f;
        return;
    }
    p->families = realloc(p->families, (size_t)(p->count + 1) * sizeof(struct family *));
    if (!p->families)
        abort();
    p->families[p->count++] = f;
}

static int is_profile(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 5 && !strcmp(e->d_name + n - 5, ".conf");
}

/* It becomes part of udev's rules and of gateway.conf. */
static bool is_name(const char *name)
{
    return !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

static void read_file(struct profiles *p, const char *folder, const char *name, struct buf *problems)
{
    char path[4096 + 256];
    struct family *f = NULL;

    snprintf(path, sizeof path, "%s/%s.conf", folder, name);
    if (!is_name(name))
        buf_addf(problems, "%s: expected letters, digits, '.', '-' and '_' in the file's name\n", path);
    else if (!strcmp(name, profile_generic.name))
        buf_addf(problems, "%s: this name is the built-in profile's; expected another\n", path);
    else
        f = read_family(path, name, problems);
    if (f && claims_alone(p, f, problems))
        add(p, f);
    else
        family_free(f);
}

/* First what replaces, so that an id can be moved from a family to a new one. */
static void read_folder(struct profiles *p, const char *folder, struct buf *problems)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_profile, alphasort);
    struct err e;

    if (n < 0 && errno != ENOENT) {
        err_errno(&e, "cannot be read");
        buf_addf(problems, "%s: %s\n", folder, e.text);
    }
    for (int i = 0; i < n; i++)
        *strrchr(entries[i]->d_name, '.') = '\0';
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n; i++)
            if ((position(p, entries[i]->d_name) < 0) == pass)
                read_file(p, folder, entries[i]->d_name, problems);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
}

static int by_name(const void *a, const void *b)
{
    const struct profile *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

struct profiles *profiles_read(const char *const *folders, struct buf *problems)
{
    struct profiles *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    for (; *folders; folders++)
        read_folder(p, *folders, problems);
    p->order = calloc((size_t)p->count + 1, sizeof *p->order);
    if (!p->order)
        abort();
    for (int i = 0; i < p->count; i++)
        p->order[i] = &p->families[i]->profile;
    qsort(p->order, (size_t)p->count, sizeof *p->order, by_name);
    p->order[p->count] = &profile_generic;
    p->set = (struct profile_set){p->order, p->count + 1};
    return p;
}

void profiles_free(struct profiles *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->count; i++)
        family_free(p->families[i]);
    free(p->families);
    free(p->order);
    free(p);
}

const struct profile_set *profiles_set(const struct profiles *p)
{
    return &p->set;
}

/* ---- where they are ---- */

void profiles_find(struct profiles_folders *f, const char *conf_path)
{
    static const char *const beside[] = {"../share/simgate/profiles", "profiles"};
    char program[2048];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    const char *slash = strrchr(conf_path, '/');

    program[n > 0 ? n : 0] = '\0';
    if (strrchr(program, '/'))
        *strrchr(program, '/') = '\0';
    *f = (struct profiles_folders){.list = {f->installed, f->own, NULL}};
    for (size_t i = 0; i < ARRAY_LEN(beside) && !*f->installed; i++) {
        snprintf(f->installed, sizeof f->installed, "%s/%s", program, beside[i]);
        if (access(f->installed, R_OK | X_OK) != 0)
            f->installed[0] = '\0';
    }
    if (!*f->installed)
        str_copy(f->installed, sizeof f->installed, SIMGATE_PREFIX "/share/simgate/profiles");
    snprintf(f->own, sizeof f->own, "%.*s/profiles", slash ? (int)(slash - conf_path) : 1,
             slash ? conf_path : ".");
}

void profiles_unknown(const struct profile_set *set, const char *name, struct buf *out)
{
    bool any = false;

    buf_addf(out, "there is no profile \"%.60s\"; ", name);
    for (int all = 0; all < 2 && !any; all++) {
        for (int i = 0; i < set->count; i++) {
            const char *other = set->profiles[i]->name;
            size_t d = schema_distance(name, other);

            if (!all && (d > SCHEMA_NEAR || d >= strlen(name)) && strncmp(name, other, 3) != 0)
                continue;
            buf_addf(out, "%s\"%s\"", any ? ", " : all ? "expected one of " : "did you mean ", other);
            any = true;
        }
    }
}
