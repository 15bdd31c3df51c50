/* simgated put together: starts the rooms in their order, keeps them together through reloads, stops them in
 * reverse. */
#ifndef SIMGATE_APP_DAEMON_H
#define SIMGATE_APP_DAEMON_H

#include "base/err.h"

/* Runs until SIGTERM or SIGINT. 0, or a negative code when it could not start (the reason in *e; every
 * problem of the configuration has been logged). */
int daemon_run(const char *conf_path, struct err *e);

#endif
