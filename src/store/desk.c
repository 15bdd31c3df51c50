/* Names of the customer side's words. See store/desk.h. */
#include "store/desk.h"

#include <stddef.h>

static const char *const effect_names[EFFECT_KINDS] = {
    [EFFECT_STATE] = "state",
    [EFFECT_DEPARTMENT] = "department",
    [EFFECT_ASSIGN] = "assign",
    [EFFECT_PRIORITY] = "priority",
    [EFFECT_FLAG] = "flag",
    [EFFECT_NOTE] = "note",
    [EFFECT_CLOCK] = "clock",
    [EFFECT_OVERDUE] = "overdue",
    [EFFECT_OFFICE] = "office",
    [EFFECT_SURVEY_ASK] = "survey ask",
    [EFFECT_SURVEY_SCORE] = "survey score",
    [EFFECT_SURVEY_COMMENT] = "survey comment",
    [EFFECT_CONTACT] = "contact",
    [EFFECT_ATTRIBUTE] = "attribute",
    [EFFECT_TAG] = "tag",
    [EFFECT_UNTAG] = "untag",
    [EFFECT_CONSENT] = "consent",
    [EFFECT_ONCE] = "once",
    [EFFECT_MUTE] = "mute",
    [EFFECT_DELIVER] = "deliver",
    [EFFECT_VALUE] = "value",
};

const char *effect_name(enum effect_kind k)
{
    return effect_names[k];
}
