/* What the tests of single traps begin with: a dialogue per test, a message, something to say. */
#ifndef SIMGATE_TESTS_LIB_DIALOGUE_TEST_H
#define SIMGATE_TESTS_LIB_DIALOGUE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/util.h"
#include "tests/lib/dialogue.h"

#define PDU_HELLO "07919471060740F0040C9194719999999900006211121900008005C8329BFD06"

static inline int dialogue_setup(void **state)
{
    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR);
    *state = dialogue_new();
    return 0;
}

static inline int dialogue_teardown(void **state)
{
    if (getenv("VERBOSE"))
        print_message("%s\n", port_script_heard(((struct dialogue *)*state)->port));
    dialogue_free(*state);
    return 0;
}

static inline void say(struct dialogue *d, const char *text)
{
    port_script_say(d->port, text);
    dialogue_run(d, 100);
}

#define TRAP(f) cmocka_unit_test_setup_teardown(f, dialogue_setup, dialogue_teardown)

#endif
