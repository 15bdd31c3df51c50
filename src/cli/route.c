/* `route test` for people. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/text.h"

void view_route_test(const json_t *answer)
{
    const json_t *line;
    char cost[40];
    size_t i;

    json_array_foreach(json_object_get(answer, "why"), i, line) say(DIM, "%s", json_string_value(line));
    putchar('\n');
    say_field("to", member_text(answer, "to"));
    if (json_object_get(answer, "refused")) {
        say(RED, "refused: %s", member_text(answer, "refused"));
        return;
    }
    say_field("route", member_text(answer, "route"));
    say_field("pool", member_text(answer, "pool"));
    if (json_object_get(answer, "modem"))
        say_field("modem", member_text(answer, "modem"));
    say_field("parts", member_text(answer, "parts"));
    snprintf(cost, sizeof cost, "%.4g", json_number_value(json_object_get(answer, "cost")));
    say_field("cost", cost);
    if (json_object_get(answer, "due"))
        say_field("not before", member_time(answer, "due"));
    if (json_object_get(answer, "by"))
        say(GREEN, "goes by %s", member_text(answer, "by"));
    else
        say(YELLOW, "waits: no modem can take it now");
}

int status_of_route_test(const json_t *answer)
{
    return json_object_get(answer, "refused") ? CLI_REFUSED : CLI_DONE;
}
