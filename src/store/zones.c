/* The zone in whose days figures are counted. Counting is on the lanes' thread, changing it is not: a zone
 * that was in use lives as long as the store. */
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

#include "store/private.h"
#include "store/query_desk.h"

int store_set_zone(struct store *s, const char *zone, struct err *e)
{
    struct zone_of *z;
    int rc;

    if (s->zone && !strcmp(zone_name(s->zone), zone))
        return ERR_OK;
    z = calloc(1, sizeof *z);
    if (!z)
        return err_set(e, ERR_NOMEM, "out of memory");
    if ((rc = zone_new(zone, &z->zone, e))) {
        free(z);
        return rc;
    }
    /* The lanes' thread may still be counting in the one before: it lives as long as the store. */
    z->next = s->zones;
    s->zones = z;
    s->zone = z->zone;
    return ERR_OK;
}

void store_free_zones(struct store *s)
{
    while (s->zones) {
        struct zone_of *z = s->zones;

        s->zones = z->next;
        zone_free(z->zone);
        free(z);
    }
}
