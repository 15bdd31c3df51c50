/* The courier: what must reach a handler outside at least once, from the store (store_deliveries), with the
 * same event id each time, ever more seldom, until the handler's `retry_for`. What an answer asks for is
 * applied together with the delivery's end (gateway_apply), so once.
 */
#ifndef SIMGATE_ENGINE_COURIER_H
#define SIMGATE_ENGINE_COURIER_H

#include "gateway/gateway.h"

struct courier;

struct program;

struct courier_conf {
    struct rt *rt;
    struct store *store;
    struct gateway *gateway;
    struct program *(*program)(void *owner); /* that is in use: its plugins, and its guard for late answers */
    void *owner;
};

/* Begins with what the last life left. */
struct courier *courier_new(const struct courier_conf *conf);
/* There may be new ones (gateway_set_work), or other handlers (after a reload). */
void courier_kick(struct courier *c);
/* At once, calling nothing; the store is closed or abandoned. NULL allowed. */
void courier_free(struct courier *c);

struct courier_stats {
    int waiting, under_way;
    uint64_t delivered, failed, given_up;
};
void courier_get_stats(const struct courier *c, struct courier_stats *out);

#endif
