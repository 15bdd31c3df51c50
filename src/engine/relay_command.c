/* Reading what staff writes. See engine/relay_command.h.
 *
 * What could be a command never goes to a customer: "#12 close to the station" is asked back, "#12!" says
 * that it is meant as a text.
 */
#include "engine/relay_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS = 15, WORD_BYTES = 24 };

static const char *skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* The number at *at, with what may stand behind it; 0: there is none. */
static int64_t read_id(const char **at)
{
    size_t digits = strspn(*at, "0123456789");
    int64_t id = digits > 0 && digits <= ID_DIGITS ? strtoll(*at, NULL, 10) : 0;

    if (id > 0)
        *at += digits;
    return id;
}

/* The operation that the text begins with. */
static bool read_operation(const char *text, struct relay_command *out)
{
    char word[WORD_BYTES];
    size_t len = strcspn(text, " \t\r\n"), letters = len;

    while (letters > 0 && strchr(".:,;", text[letters - 1]))
        letters--;
    if (letters == 0 || letters >= sizeof word)
        return false;
    memcpy(word, text, letters);
    word[letters] = '\0';
    if (!operation_from_name(word, &out->op) || out->op == OP_REPLY)
        return false;
    out->value = skip_space(text + len);
    return true;
}

/* Behind "#12". */
static void read_about(const char *at, struct relay_command *out)
{
    out->forced = *at == '!';
    at = skip_space(at + strspn(at, "!:,"));
    out->value = at;
    if (out->forced && *at)
        out->kind = RELAY_TEXT;
    else if (*at == '\0' || strcmp(at, "?") == 0)
        out->kind = RELAY_DETAILS;
    else
        out->kind = read_operation(at, out) ? RELAY_OPERATION : RELAY_TEXT;
}

void relay_read(const char *text, struct relay_command *out)
{
    const char *at = skip_space(text);

    *out = (struct relay_command){.kind = RELAY_TEXT, .value = at};
    if (*at != '#')
        return;
    at = skip_space(at + 1);
    if (*at == '?') {
        at = skip_space(at + 1);
        out->conversation = read_id(&at);
        out->kind = out->conversation ? RELAY_DETAILS : RELAY_LIST;
        return;
    }
    out->conversation = read_id(&at);
    if (out->conversation)
        read_about(at, out);
    else
        out->kind = RELAY_HELP; /* "#help", and whatever is none of these */
}
