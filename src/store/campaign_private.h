/* What the files about campaigns share. Private to store/. */
#ifndef SIMGATE_STORE_CAMPAIGN_PRIVATE_H
#define SIMGATE_STORE_CAMPAIGN_PRIVATE_H

#include "store/campaign.h"
#include "store/desk_private.h"

/* ERR_NOT_FOUND */
int campaign_state_of(struct store_db *db, int64_t id, enum campaign_state *out);

#endif
