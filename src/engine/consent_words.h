/* What people write who want no messages, want them again, or need help: words, near misses and our answers,
 * language by language. Data; consent.c decides.
 */
#ifndef SIMGATE_ENGINE_CONSENT_WORDS_H
#define SIMGATE_ENGINE_CONSENT_WORDS_H

/* Lists are NULL-terminated. Words are whole messages. */
struct consent_language {
    const char *code; /* BCP 47 */
    const char *const *stop, *const *start, *const *help;
    const char *const *again;   /* "yes": START from those only who are opted out */
    const char *const *fillers; /* may stand beside a STOP word without changing its sense */
    const char *const
        *phrases; /* somewhere in a short message: most likely an opt-out, for a person to read */
    const char *stop_reply, *start_reply, *help_reply; /* templates; in the default alphabet, one segment */
};

enum { CONSENT_LANGUAGES = 9 };
extern const struct consent_language consent_languages[CONSENT_LANGUAGES]; /* "en" first */

/* STOP in other scripts and slips of the pen: whole messages, or beside fillers, for a person to read. */
extern const char *const consent_near_words[];
extern const char *const consent_near_fillers[]; /* of other scripts */

#endif
