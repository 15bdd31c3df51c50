/* Which profile a modem gets, and what a port is for. */
#include "modem/profile.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

const struct profile profile_generic = {
    .name = "generic",
    .title = "any modem after TS 27.005 and TS 27.007",
    .place = "built in",
    .sure = "source",
    .hint = "",
};

static const char *const role_names[] = {
    [ROLE_UNKNOWN] = "unknown",  [ROLE_AT] = "AT",   [ROLE_AT2] = "second AT", [ROLE_DATA] = "dial-up",
    [ROLE_DIAG] = "diagnostics", [ROLE_GPS] = "GPS", [ROLE_NET] = "network",   [ROLE_AUDIO] = "audio",
    [ROLE_IGNORE] = "not used",
};

const char *profile_role_name(enum profile_role r)
{
    return role_names[r];
}

static bool matches(const char *const *patterns, const char *text, const char **which)
{
    for (; *patterns; patterns++) {
        if (fnmatch(*patterns, text, FNM_CASEFOLD) == 0) {
            *which = *patterns;
            return true;
        }
    }
    return false;
}

static const struct profile_usb *usb_row(const struct profile *p, const struct port_info *port)
{
    for (int i = 0; i < p->nusb; i++) {
        if (p->usb[i].vendor == port->vendor && p->usb[i].product == port->product)
            return &p->usb[i];
    }
    return NULL;
}

static bool says_so(const struct profile *p, const char *manufacturer, const char *model, char *why,
                    size_t why_size)
{
    const char *pattern = NULL;

    if (!p->manufacturers && !p->models)
        return false;
    if (p->manufacturers && !matches(p->manufacturers, manufacturer, &pattern))
        return false;
    if (p->models && !matches(p->models, model, &pattern))
        return false;
    snprintf(why, why_size, "%s is \"%s\", which matches \"%s\"", p->models ? "AT+CGMM" : "AT+CGMI",
             p->models ? model : manufacturer, pattern);
    return true;
}

/* Families of one manufacturer overlap: a pattern on the model says more than one on the manufacturer. */
static int precision(const struct profile *p)
{
    return (p->models ? 2 : 0) + (p->manufacturers ? 1 : 0);
}

const struct profile *profile_match(const struct profile_set *set, const struct port_info *port,
                                    const char *manufacturer, const char *model, char *why, size_t why_size)
{
    for (int wanted = 3; wanted > 0; wanted--) {
        for (int i = 0; set && i < set->count; i++) {
            if (precision(set->profiles[i]) == wanted &&
                says_so(set->profiles[i], manufacturer, model, why, why_size))
                return set->profiles[i];
        }
    }
    for (int i = 0; set && port && port->vendor && i < set->count; i++) {
        if (usb_row(set->profiles[i], port)) {
            snprintf(why, why_size, "its USB id is %04x:%04x", port->vendor, port->product);
            return set->profiles[i];
        }
    }
    snprintf(why, why_size, "no profile names \"%.40s\" \"%.40s\"", manufacturer, model);
    return &profile_generic;
}

const struct profile *profile_named(const struct profile_set *set, const char *name)
{
    for (int i = 0; set && i < set->count; i++) {
        if (strcmp(set->profiles[i]->name, name) == 0)
            return set->profiles[i];
    }
    return strcmp(name, profile_generic.name) == 0 ? &profile_generic : NULL;
}

static enum profile_role role_by_class(const struct profile *p, const struct port_info *port)
{
    enum { VENDOR_SPECIFIC = 255 };

    for (int i = 0; i < p->nclasses && port->interface_class == VENDOR_SPECIFIC; i++) {
        const struct profile_class *c = &p->classes[i];
        if (c->vendor == port->vendor && (c->subclass < 0 || c->subclass == port->interface_subclass) &&
            (c->protocol < 0 || c->protocol == port->interface_protocol) &&
            (c->interface < 0 || c->interface == port->interface))
            return c->role;
    }
    return ROLE_UNKNOWN;
}

enum profile_role profile_role_of(const struct profile_set *set, const struct port_info *port)
{
    for (int i = 0; set && i < set->count; i++) {
        const struct profile_usb *u = usb_row(set->profiles[i], port);
        if (u && port->interface >= 0 && port->interface < PROFILE_INTERFACES &&
            u->roles[port->interface] != ROLE_UNKNOWN)
            return (enum profile_role)u->roles[port->interface];
    }
    for (int i = 0; set && i < set->count; i++) {
        enum profile_role r = role_by_class(set->profiles[i], port);
        if (r != ROLE_UNKNOWN)
            return r;
    }
    return ROLE_UNKNOWN;
}

const struct profile_other_mode *profile_other_mode_of(const struct profile_set *set, uint16_t vendor,
                                                       uint16_t product, const struct profile **family)
{
    for (int i = 0; set && i < set->count; i++) {
        const struct profile *p = set->profiles[i];
        for (int k = 0; k < p->nother_modes; k++) {
            if (p->other_modes[k].vendor != vendor || p->other_modes[k].product != product)
                continue;
            *family = p;
            return &p->other_modes[k];
        }
    }
    return NULL;
}
