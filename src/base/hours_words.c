/* When it opens next, as people say it. */
#include "base/hours.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

enum { DAY_MINUTES = 1440, WEEK_DAYS = 7 };

/* Formats: %T the time, %N the day of the month, %M the month; the weekday is in `weekdays` with what stands
 * before it, as some languages have another word before some days. `one`: before one o'clock, where that
 * differs from `at`. */
static const struct language {
    const char *code, *now, *never;
    const char *at, *one; /* "at %T" */
    const char *today, *tomorrow, *date;
    const char *weekdays[WEEK_DAYS], *months[12];
} languages[] = {
    {"en",
     "now",
     "later",
     "at %T",
     "at %T",
     "today",
     "tomorrow",
     "on %N %M",
     {"on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday", "on Sunday"},
     {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
      "November", "December"}},
    {"de",
     "jetzt",
     "später",
     "um %T Uhr",
     "um %T Uhr",
     "heute",
     "morgen",
     "am %N. %M",
     {"am Montag", "am Dienstag", "am Mittwoch", "am Donnerstag", "am Freitag", "am Samstag", "am Sonntag"},
     {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
      "November", "Dezember"}},
    {"fr",
     "maintenant",
     "plus tard",
     "à %T",
     "à %T",
     "aujourd'hui",
     "demain",
     "le %N %M",
     {"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"},
     {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
      "novembre", "décembre"}},
    {"es",
     "ahora",
     "más tarde",
     "a las %T",
     "a la %T",
     "hoy",
     "mañana",
     "el %N de %M",
     {"el lunes", "el martes", "el miércoles", "el jueves", "el viernes", "el sábado", "el domingo"},
     {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
      "noviembre", "diciembre"}},
    {"it",
     "adesso",
     "più tardi",
     "alle %T",
     "all'%T",
     "oggi",
     "domani",
     "il %N %M",
     {"lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"},
     {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
      "ottobre", "novembre", "dicembre"}},
    {"nl",
     "nu",
     "later",
     "om %T uur",
     "om %T uur",
     "vandaag",
     "morgen",
     "op %N %M",
     {"op maandag", "op dinsdag", "op woensdag", "op donderdag", "op vrijdag", "op zaterdag", "op zondag"},
     {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
      "november", "december"}},
    {"pt",
     "agora",
     "mais tarde",
     "às %T",
     "à %T",
     "hoje",
     "amanhã",
     "em %N de %M",
     {"na segunda-feira", "na terça-feira", "na quarta-feira", "na quinta-feira", "na sexta-feira",
      "no sábado", "no domingo"},
     {"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
      "novembro", "dezembro"}},
    {"tr",
     "şimdi",
     "daha sonra",
     "saat %T",
     "saat %T",
     "bugün",
     "yarın",
     "%N %M",
     {"pazartesi günü", "salı günü", "çarşamba günü", "perşembe günü", "cuma günü", "cumartesi günü",
      "pazar günü"},
     {"Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim", "Kasım",
      "Aralık"}},
    {"pl",
     "teraz",
     "później",
     "o %T",
     "o %T",
     "dzisiaj",
     "jutro",
     "%N %M",
     {"w poniedziałek", "we wtorek", "w środę", "w czwartek", "w piątek", "w sobotę", "w niedzielę"},
     {"stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września",
      "października", "listopada", "grudnia"}},
};

/* "pt-BR" is "pt"; what is not known is English. */
static const struct language *language_of(const char *code)
{
    size_t len = strcspn(code, "-_");

    for (size_t i = 0; i < ARRAY_LEN(languages); i++)
        if (strlen(languages[i].code) == len && strncasecmp(languages[i].code, code, len) == 0)
            return &languages[i];
    return &languages[0];
}

/* Replaces "%x" by a text, once. */
static void fill(char out[96], const char *format, char what, const char *text)
{
    char key[] = {'%', what, '\0'};
    const char *hole = strstr(format, key);

    if (hole)
        snprintf(out, 96, "%.*s%s%s", (int)(hole - format), format, text, hole + 2);
    else
        snprintf(out, 96, "%s", format);
}

static void say_date(const struct language *l, const struct zone_time *t, char out[96])
{
    char number[16], half[96];

    snprintf(number, sizeof number, t->day == 1 && strcmp(l->code, "fr") == 0 ? "%der" : "%d", t->day);
    fill(half, l->date, 'N', number);
    fill(out, half, 'M', l->months[t->month - 1]);
}

/* Days of the calendar from one to the other, by their noons: no change of clocks is as long as half a day.
 */
static int days_between(const struct zone *z, const struct zone_time *a, const struct zone_time *b)
{
    int64_t noon_a = zone_moment(z, a->year, a->month, a->day, DAY_MINUTES / 2);
    int64_t noon_b = zone_moment(z, b->year, b->month, b->day, DAY_MINUTES / 2);

    return (int)((noon_b - noon_a + DAY_MINUTES * INT64_C(30000)) / (DAY_MINUTES * INT64_C(60000)));
}

static void say_moment(const struct language *l, const char *day, int minute, char out[96])
{
    char time[16], at[96];

    snprintf(time, sizeof time, "%d:%02d", minute / 60, minute % 60);
    fill(at, minute / 60 == 1 ? l->one : l->at, 'T', time);
    snprintf(out, 96, "%s %s", day, at);
}

void hours_next_words(const struct hours *h, int64_t wall_ms, const char *language, char out[96])
{
    const struct language *l = language_of(language);
    int64_t next = hours_next_open(h, wall_ms);
    struct zone_time now, then;
    char day[96];
    int days;

    if (next == 0 || next == wall_ms) {
        str_copy(out, 96, next == 0 ? l->never : l->now);
        return;
    }
    zone_local(hours_zone(h), wall_ms, &now);
    zone_local(hours_zone(h), next, &then);
    days = days_between(hours_zone(h), &now, &then);
    if (days < WEEK_DAYS)
        str_copy(day, sizeof day, days == 0 ? l->today : days == 1 ? l->tomorrow : l->weekdays[then.weekday]);
    else
        say_date(l, &then, day);
    say_moment(l, day, then.minute, out);
}

bool hours_words_form(const char *language, int index, char out[96])
{
    enum { MONTHS = 12, NOW = WEEK_DAYS + MONTHS, NEVER, FORMS };
    const struct language *l =
        *language ? language_of(language) : &languages[index / FORMS % (int)ARRAY_LEN(languages)];
    struct zone_time t = {.day = 31};
    char day[96];

    if (index >= FORMS * (*language ? 1 : (int)ARRAY_LEN(languages)))
        return false;
    index %= FORMS;
    if (index >= NOW) {
        str_copy(out, 96, index == NOW ? l->now : l->never);
        return true;
    }
    t.month = index - WEEK_DAYS + 1;
    if (index < WEEK_DAYS)
        str_copy(day, sizeof day, l->weekdays[index]);
    else
        say_date(l, &t, day);
    say_moment(l, day, DAY_MINUTES - 1, out);
    return true;
}
