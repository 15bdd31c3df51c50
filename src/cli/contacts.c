/* What is done with one contact and cannot be undone, which is asked about first; and everything about one
 * number, in pieces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/text.h"

/* ---- asking ---- */

/* Is it wanted? At a terminal a person is asked; elsewhere --yes must say so. */
static bool confirmed(struct invocation *v, const char *question, int *status)
{
    struct buf safe = {0};
    char line[16];
    struct err e;

    *status = CLI_FAILED;
    if (json_is_true(json_object_get(v->args, "yes"))) {
        json_object_del(v->args, "yes");
        return true;
    }
    if (v->json || !isatty(STDIN_FILENO)) {
        err_set(&e, ERR_INVALID, "this cannot be undone: --yes is expected where nobody can be asked");
        *status = tell_usage(v->command, v->json, &e);
        return false;
    }
    text_safe(&safe, question, false);
    fprintf(stderr, "%s This cannot be undone. Type yes: ", buf_str(&safe));
    buf_free(&safe);
    if (fgets(line, sizeof line, stdin) && !strcmp(line, "yes\n"))
        return true;
    fputs("nothing was done\n", stderr);
    return false;
}

int run_contact_erase(struct invocation *v)
{
    struct buf question = {0};
    int status;
    bool yes;

    buf_addf(&question,
             "Erase everything about %s and its contact\'s other numbers: contact, conversations, messages, "
             "consent?",
             member_text(v->args, "number"));
    yes = confirmed(v, buf_str(&question), &status);
    buf_free(&question);
    return yes ? run_request(v) : status;
}

int run_contacts_merge(struct invocation *v)
{
    struct buf question = {0};
    int status;
    bool yes;

    buf_addf(&question, "Make %s a part of %s?", member_text(v->args, "number"),
             member_text(v->args, "into"));
    yes = confirmed(v, buf_str(&question), &status);
    buf_free(&question);
    return yes ? run_request(v) : status;
}

/* ---- everything about one number ---- */

static void take_piece(json_t *all, const json_t *answer)
{
    const char *section = member_text(answer, "section");
    json_t *rows = json_object_get(all, section);

    if (!rows)
        json_object_set_new(all, section, rows = json_array());
    json_array_extend(rows, json_object_get(answer, "rows"));
}

/* Asks for piece after piece. */
static int gather(struct invocation *v, json_t *all)
{
    for (;;) {
        json_t *answer, *next;
        struct err e = {0};
        int status = ask(v, "contact export", v->args, &answer, &e);

        if (status != CLI_DONE) {
            tell_failure(v, status, &e, answer);
            json_decref(answer);
            return status;
        }
        json_object_set(all, "number", json_object_get(answer, "number"));
        take_piece(all, answer);
        next = json_object_get(answer, "next");
        json_object_update(v->args, next);
        json_decref(answer);
        if (!next)
            return CLI_DONE;
    }
}

int run_contact_export(struct invocation *v)
{
    json_t *all = json_object();
    int status = gather(v, all);

    if (status == CLI_DONE)
        print_json_lines(all, !v->json);
    json_decref(all);
    return status;
}
