#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[ERR_CODES] = {
    [-ERR_OK] = "no error",         [-ERR_INVALID] = "invalid",
    [-ERR_TRUNCATED] = "truncated", [-ERR_TOO_LONG] = "too long",
    [-ERR_NOMEM] = "out of memory", [-ERR_IO] = "input/output error",
    [-ERR_BUSY] = "busy",           [-ERR_GONE] = "gone",
    [-ERR_TIMEOUT] = "no answer",   [-ERR_CANCELLED] = "cancelled",
    [-ERR_NOT_FOUND] = "not found", [-ERR_EXISTS] = "already there",
    [-ERR_FULL] = "no room",        [-ERR_REFUSED] = "refused",
    [-ERR_CORRUPT] = "damaged",     [-ERR_VERSION] = "made by a newer version",
};

static const struct {
    int os;
    int code;
} by_errno[] = {
    {ENOENT, ERR_NOT_FOUND}, {ENOMEM, ERR_NOMEM}, {EBUSY, ERR_BUSY},      {ENOSPC, ERR_FULL},
    {EDQUOT, ERR_FULL},      {EEXIST, ERR_EXISTS}, {EACCES, ERR_REFUSED}, {EPERM, ERR_REFUSED},
    {ENODEV, ERR_GONE},      {ENXIO, ERR_GONE},   {ETIMEDOUT, ERR_TIMEOUT},
};

const char *err_name(int code)
{
    if (code > 0 || code <= -ERR_CODES)
        return "unknown error";
    return names[-code];
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return code;
    e->code = code;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return code;
}

int err_errno(struct err *e, const char *fmt, ...)
{
    int os = errno, code = ERR_IO;
    va_list ap;
    size_t used;

    for (size_t i = 0; i < sizeof by_errno / sizeof by_errno[0]; i++)
        if (by_errno[i].os == os)
            code = by_errno[i].code;
    if (!e)
        return code;
    e->code = code;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, ": %s", strerror(os));
    return code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char inner[ERR_TEXT_BYTES];
    va_list ap;
    size_t used;

    if (!e)
        return ERR_OK;
    memcpy(inner, e->text, sizeof inner);
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, ": %.*s", (int)sizeof inner - 1, inner);
    return e->code;
}
