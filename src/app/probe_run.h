/* `simgated --probe`: the examination of app/probe.h without a daemon. */
#ifndef SIMGATE_APP_PROBE_RUN_H
#define SIMGATE_APP_PROBE_RUN_H

/* Prints a JSON object a line to standard output for each modem found on the ports (NULL-terminated list;
 * empty: all ports). Profiles are those beside conf_path. Returns how many of them are modems. */
int probe_run(const char *conf_path, char *const *ports);

#endif
