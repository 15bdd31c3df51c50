/* Version 4 of the schema: what was accepted for sending, for quotas of routes and the day's cost cap. See
 * spending.c. */
#include "store/schema.h"

const char schema_restraint[] = "CREATE TABLE spending ("
                                " route TEXT NOT NULL,"
                                " quarter INTEGER NOT NULL," /* wall time in ms / 900000 */
                                " parts INTEGER NOT NULL,"
                                " micros INTEGER NOT NULL," /* millionths of the currency */
                                " PRIMARY KEY (route, quarter)) STRICT, WITHOUT ROWID;";
