/* gateway.conf's tables of hours, departments, people, desk and survey. Hours and names are checked where
 * they are compiled (engine/staff.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/conf_parts.h"
#include "base/number.h"
#include "base/util.h"
#include "store/desk.h"

#define HOURS(m)      offsetof(struct hours_conf, m)
#define DEPARTMENT(m) offsetof(struct department_conf, m)
#define PERSON(m)     offsetof(struct person_conf, m)
#define DESK(m)       offsetof(struct desk_conf, m)
#define SURVEY(m)     offsetof(struct survey_conf, m)
#define OBJECTIVE(m)  offsetof(struct objective_conf, m)

static const struct schema_key hours_keys[] = {
    {"zone", SCHEMA_STRING, HOURS(zone), .max = 60,
     .help = "time zone such as \"Europe/Berlin\"; \"\": the business's, and its own is the system's"},
    {"open", SCHEMA_STRINGS, HOURS(open),
     .help = "\"Mon-Fri 09:00-12:30, 14:00-18:00\", \"Sat 22:00-02:00\", \"daily 00:00-24:00\""},
    {"closed", SCHEMA_STRINGS, HOURS(closed),
     .help = "days closed all the same: \"12-25\" each year, \"2027-01-01\", \"2026-12-24..2027-01-06\""},
};
const struct schema_group conf_hours_group = {hours_keys, ARRAY_LEN(hours_keys), sizeof(struct hours_conf),
                                              SCHEMA_NO_PLACE};

static const struct schema_key department_keys[] = {
    {"name", SCHEMA_STRING, DEPARTMENT(name), .min = 1, .max = DESK_WORD_BYTES - 1, .required = true,
     .help = "how rules, people and commands call it"},
    {"modem", SCHEMA_STRING, DEPARTMENT(modem), .max = MSG_MODEM_BYTES - 1,
     .help = "its people answer by this modem; left out: by the one that the customer wrote to"},
    {"pool", SCHEMA_STRING, DEPARTMENT(pool), .max = MSG_MODEM_BYTES - 1,
     .help = "or by the modems of this pool"},
    {"hours", SCHEMA_GROUP, DEPARTMENT(hours), .group = &conf_hours_group,
     .help = "when it is open; without \"open\" as the business is, but for its own closed days"},
    {"first_response", SCHEMA_DURATION, DEPARTMENT(first_response_ms), .min = 0, .max = YEAR,
     .help = "a person answers a new conversation within this opening time; left out: no clock runs"},
    {"next_response", SCHEMA_DURATION, DEPARTMENT(next_response_ms), .min = 0, .max = YEAR,
     .help = "… and each later message within this one"},
    {"resolution", SCHEMA_DURATION, DEPARTMENT(resolution_ms), .min = 0, .max = YEAR,
     .help = "it is closed within this one, without the time that the customer takes"},
};
const struct schema_group conf_departments_group = {department_keys, ARRAY_LEN(department_keys),
                                                    sizeof(struct department_conf), DEPARTMENT(place)};

static const struct schema_key person_keys[] = {
    {"name", SCHEMA_STRING, PERSON(name), .min = 1, .max = DESK_NAME_BYTES - 8, .required = true,
     .help = "how colleagues and commands call them"},
    {"number", SCHEMA_STRING, PERSON(number),
     .help = "of their telephone, for the relay; left out: they use the simgate command"},
    {"departments", SCHEMA_STRINGS, PERSON(departments), .help = "that they belong to; left out: every one"},
    {"hours", SCHEMA_GROUP, PERSON(hours), .group = &conf_hours_group,
     .help = "when they are on duty; left out: always"},
    {"lead", SCHEMA_BOOL, PERSON(lead), .def = "false",
     .help = "may give others' conversations away, sees all departments, and is told of what is late"},
};
const struct schema_group conf_people_group = {person_keys, ARRAY_LEN(person_keys),
                                               sizeof(struct person_conf), PERSON(place)};

static const struct schema_key desk_keys[] = {
    {"reopen", SCHEMA_DURATION, DESK(reopen_ms), .def = "3d", .min = 0, .max = YEAR,
     .help = "who writes again within this time after closing goes on with the same conversation"},
    {"close_after", SCHEMA_DURATION, DESK(close_after_ms), .def = "7d", .min = 0, .max = YEAR,
     .help = "a conversation that waits for the customer is closed after such a silence; 0 never"},
    {"department", SCHEMA_STRING, DESK(department), .max = DESK_WORD_BYTES - 1,
     .help = "of conversations that no rule gives one"},
    {"greeting", SCHEMA_STRING, DESK(greeting), .max = 4000,
     .help = "reply to a conversation's first message, where nothing else answers"},
    {"office_reply", SCHEMA_STRING, DESK(office_reply), .max = 4000,
     .help = "reply while closed, at most once a day and conversation: \"We answer {{hours.next}}\""},
    {"relay", SCHEMA_BOOL, DESK(relay), .def = "false",
     .help = "customers' messages go to the telephones of people on duty, and their answers back"},
    {"keep_messages", SCHEMA_DURATION, DESK(keep_messages_ms), .min = 0, .max = 100 * YEAR,
     .help = "messages are erased when older; 0 never"},
    {"keep_contacts", SCHEMA_DURATION, DESK(keep_contacts_ms), .min = 0, .max = 100 * YEAR,
     .help = "contacts are erased when nobody wrote for so long; 0 never"},
    {"keep_raw", SCHEMA_DURATION, DESK(keep_raw_ms), .min = 0, .max = 100 * YEAR,
     .help = "raw PDUs are erased when older; 0 never"},
};
const struct schema_group conf_desk_group = {desk_keys, ARRAY_LEN(desk_keys), sizeof(struct desk_conf),
                                             SCHEMA_NO_PLACE};

/* "1-5" to scale_min and scale_max, which stand side by side. */
static const char *parse_scale(struct schema *s, const char *text, void *at)
{
    int *scale = at, end = 0, min, max;

    (void)s;
    if (sscanf(text, "%2d-%2d%n", &min, &max, &end) != 2 || text[end] || min < 0 || max > 10 || min >= max)
        return "a scale such as \"1-5\", \"1-9\" or \"0-10\"";
    scale[0] = min;
    scale[1] = max;
    return NULL;
}
_Static_assert(SURVEY(scale_max) == SURVEY(scale_min) + sizeof(int), "side by side");

static const struct schema_key survey_keys[] = {
    {"text", SCHEMA_STRING, SURVEY(text), .max = 4000,
     .help = "the question, with {{survey.scale}} in it; left out: none is asked"},
    {"scale", SCHEMA_PARSED, SURVEY(scale_min), .def = "1-5", .parse = parse_scale,
     .help = "\"1-5\", \"1-9\", or \"0-10\" for a net promoter score"},
    {"comment", SCHEMA_STRING, SURVEY(comment), .max = 4000, .help = "asked for behind the score"},
    {"thanks", SCHEMA_STRING, SURVEY(thanks), .max = 4000, .help = "the last word"},
    {"delay", SCHEMA_DURATION, SURVEY(delay_ms), .def = "10m", .min = 0, .max = 7 * DAY,
     .help = "between closing and the question, which waits for the opening hours"},
    {"window", SCHEMA_DURATION, SURVEY(window_ms), .def = "2d", .min = MINUTE, .max = 30 * DAY,
     .help = "a bare number is the answer for so long; later it is a message"},
};
const struct schema_group conf_survey_group = {survey_keys, ARRAY_LEN(survey_keys),
                                               sizeof(struct survey_conf), SCHEMA_NO_PLACE};

/* Of a hundred: 0.95, or "95%". */
static const char *parse_share(struct schema *s, const char *text, void *at)
{
    char *end;
    double v = strtod(text, &end);

    (void)s;
    if (end != text && !strcmp(end, "%"))
        v /= 100;
    else if (end == text || *end)
        v = -1;
    if (!(v >= 0 && v <= 1))
        return "a share such as 0.95 or \"95%\"";
    *(double *)at = v;
    return NULL;
}

static const struct schema_key objective_keys[] = {
    {"name", SCHEMA_STRING, OBJECTIVE(name), .min = 1, .max = DESK_WORD_BYTES - 1, .required = true,
     .help = "as it is shown: \"same-day answer\""},
    {"figure", SCHEMA_STRING, OBJECTIVE(figure), .min = 1, .max = DESK_WORD_BYTES - 1, .required = true,
     .help = "first_response, next_response, resolution, full_resolution, satisfied, answered, delivered, "
             "automatic, nps"},
    {"target", SCHEMA_STRING, OBJECTIVE(target), .max = 40,
     .help = "of a time: \"15m\", \"4h business\"; a business day is what a day is open on average"},
    {"share", SCHEMA_PARSED, OBJECTIVE(share), .def = "0.9", .parse = parse_share,
     .help = "so many must be within the target, or the figure itself be so high: 0.95"},
    {"department", SCHEMA_STRING, OBJECTIVE(department), .max = DESK_WORD_BYTES - 1,
     .help = "only of this department"},
};
const struct schema_group conf_objectives_group = {objective_keys, ARRAY_LEN(objective_keys),
                                                   sizeof(struct objective_conf), OBJECTIVE(place)};

/* ---- checks ---------------------------------------------------------------------------------------------
 */

static bool is_modem(const struct conf *c, const char *name, bool pool)
{
    for (int i = 0; i < c->nmodems; i++)
        if (strcmp(pool ? c->modems[i].modem.pool : c->modems[i].modem.name, name) == 0)
            return true;
    return false;
}

static void check_department(const struct conf *c, int i, const struct conf_teller *t)
{
    const struct department_conf *d = &c->engine.departments[i];
    char path[48];

    snprintf(path, sizeof path, "departments[%d].modem", i);
    if (*d->modem && !is_modem(c, d->modem, false))
        t->say(t->owner, path, "expected the name of a modem of this file");
    snprintf(path, sizeof path, "departments[%d].pool", i);
    if (*d->pool && !is_modem(c, d->pool, true))
        t->say(t->owner, path, "expected a pool that a modem of this file belongs to");
}

/* A SIM of ours would be relayed to itself. */
static bool is_own(const struct conf *c, const char *number)
{
    for (int i = 0; i < c->nmodems; i++)
        if (*c->modems[i].modem.number && number_same(c->modems[i].modem.number, number))
            return true;
    return false;
}

static void check_person(struct conf *c, struct person_conf *p, int i, const struct conf_teller *t)
{
    char path[48];

    snprintf(path, sizeof path, "people[%d].number", i);
    if (conf_number(c, &p->number, path, t) == ERR_OK && *p->number && is_own(c, p->number))
        t->say(t->owner, path, "expected a person's own telephone: this is the number of one of the modems");
}

void conf_desk_check(struct conf *c, const struct conf_teller *t)
{
    for (int i = 0; i < c->engine.ndepartments; i++)
        check_department(c, i, t);
    for (int i = 0; i < c->engine.npeople; i++)
        check_person(c, (struct person_conf *)(uintptr_t)&c->engine.people[i], i, t);
    c->engine.survey.on = *c->engine.survey.text != '\0';
}
