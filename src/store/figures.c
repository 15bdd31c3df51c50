/* Counting figures: sums by day, desk (department and person) and SIM, and the times that people took.
 *
 * Sums are gathered in the connection during a transaction, a cell for each day, desk and SIM, and added to
 * their rows before its commit (batch.c). Times are kept one by one, for their median is exact:
 * figure_times.c.
 */
#include "store/figures_private.h"

#include <stdio.h>
#include <string.h>

#include "base/zone.h"
#include "store/private.h"

/* ---- days ------------------------------------------------------------------------------------------------
 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The year, month and day of a day since 1970-01-01, Gregorian; years are counted from March. */
static void civil(int32_t day, int *year, int *month, int *of_month)
{
    int64_t z = (int64_t)day + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

    *of_month = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

void figure_day_name(int32_t day, char out[DESK_WORD_BYTES])
{
    int year, month, of_month;

    civil(day, &year, &month, &of_month);
    snprintf(out, DESK_WORD_BYTES, "%04d-%02d-%02d", year, month, of_month);
}

int32_t figure_week(int32_t day)
{
    return day - (int32_t)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

int32_t figure_month(int32_t day)
{
    int year, month, of_month;

    civil(day, &year, &month, &of_month);
    return day - of_month + 1;
}

int32_t figure_next_month(int32_t first)
{
    return figure_month(first + 31);
}

/* Midnights are some hours apart at most, so that within the margin the offset is asked for anew. */
int32_t figure_day(struct store_db *db, int64_t wall_ms)
{
    struct figure_tally *t = &db->figures;
    struct zone_time local;
    int64_t of_day_ms, local_ms;
    const struct zone *z = db->zone ? *db->zone : NULL;

    if (wall_ms >= t->day_from && wall_ms < t->day_until && t->day_zone == z)
        return t->day;
    if (!z)
        return (int32_t)floor_div(wall_ms, MS_PER_DAY);
    zone_local(z, wall_ms, &local);
    local_ms = wall_ms + (int64_t)local.offset_s * 1000;
    t->day = (int32_t)floor_div(local_ms, MS_PER_DAY);
    t->day_zone = z;
    /* The hour that it is in belongs to the day whatever the clocks do; zones change at whole quarters. */
    of_day_ms = wall_ms - floor_div(wall_ms, MS_PER_QUARTER) * MS_PER_QUARTER;
    t->day_from = wall_ms - of_day_ms;
    t->day_until = t->day_from + MS_PER_QUARTER;
    return t->day;
}

/* ---- desks -----------------------------------------------------------------------------------------------
 */

static const char sql_desk[] = "SELECT id FROM figure_desk WHERE department = ?1 AND person = ?2";
static const char sql_desk_new[] = "INSERT INTO figure_desk(department, person) VALUES(?1, ?2)";

int figure_desk(struct store_db *db, const char *department, const char *person, int64_t *id)
{
    sqlite3_stmt *st;
    int rc;

    *id = 0;
    if ((!department || !*department) && (!person || !*person))
        return ERR_OK;
    rc = DB_FIRST(db, &st, sql_desk, db_text(department), db_text(person));
    if (rc > 0) {
        *id = db_col(st, 0);
        db_end(st);
        return ERR_OK;
    }
    if (rc == 0 && (rc = DB_RUN(db, sql_desk_new, db_text(department), db_text(person))) == ERR_OK)
        *id = sqlite3_last_insert_rowid(db->h);
    return rc;
}

/* ---- sums ------------------------------------------------------------------------------------------------
 */

int figure_pack(const int64_t n[FIGURE_SUMS], uint8_t out[FIGURE_SUMS_BYTES])
{
    int len = 0, last = 0;

    for (int i = 0; i < FIGURE_SUMS; i++) {
        uint64_t v = (uint64_t)n[i] << 1 ^ (uint64_t)(n[i] >> 63);

        for (; v >= 0x80; v >>= 7)
            out[len++] = (uint8_t)(v | 0x80);
        out[len++] = (uint8_t)v;
        if (n[i] != 0)
            last = len;
    }
    return last;
}

void figure_add_packed(int64_t n[FIGURE_SUMS], const uint8_t *bytes, int len)
{
    for (int i = 0, at = 0; i < FIGURE_SUMS && at < len; i++) {
        uint64_t v = 0;

        for (int shift = 0; at < len && shift < 64; shift += 7) {
            v |= (uint64_t)(bytes[at] & 0x7F) << shift;
            if (!(bytes[at++] & 0x80))
                break;
        }
        n[i] += (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    }
}

static const char sql_sums[] = "SELECT sums FROM figure WHERE day = ?1 AND desk = ?2 AND sim = ?3";
static const char sql_sums_month[] =
    "SELECT sums FROM figure_month WHERE day = ?1 AND desk = ?2 AND sim = ?3";
static const char sql_write[] = "INSERT OR REPLACE INTO figure(day, desk, sim, sums) VALUES(?1, ?2, ?3, ?4)";
static const char sql_write_month[] =
    "INSERT OR REPLACE INTO figure_month(day, desk, sim, sums) VALUES(?1, ?2, ?3, ?4)";

static int add_to(struct store_db *db, const char *read, const char *write, int32_t day,
                  const struct figure_cell *c)
{
    uint8_t packed[FIGURE_SUMS_BYTES];
    int64_t n[FIGURE_SUMS];
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, read, db_int(day), db_int(c->desk), db_text(c->sim));

    if (rc < 0)
        return rc;
    memcpy(n, c->n, sizeof n);
    if (rc > 0) {
        figure_add_packed(n, sqlite3_column_blob(st, 0), sqlite3_column_bytes(st, 0));
        db_end(st);
    }
    return DB_RUN(db, write, db_int(day), db_int(c->desk), db_text(c->sim),
                  db_blob(packed, (size_t)figure_pack(n, packed)));
}

static int write_cell(struct store_db *db, const struct figure_cell *c)
{
    int rc = add_to(db, sql_sums, sql_write, c->day, c);

    return rc ? rc : add_to(db, sql_sums_month, sql_write_month, figure_month(c->day), c);
}

void figure_drop(struct store_db *db)
{
    db->figures.count = 0;
}

int figure_flush(struct store_db *db)
{
    int rc = ERR_OK;

    for (int i = 0; i < db->figures.count && rc == ERR_OK; i++)
        rc = write_cell(db, &db->figures.cells[i]);
    figure_drop(db);
    return rc;
}

static int cell_of(struct store_db *db, int32_t day, int64_t desk, const char *sim, struct figure_cell **out)
{
    struct figure_tally *t = &db->figures;
    int rc;

    for (int i = 0; i < t->count; i++)
        if (t->cells[i].day == day && t->cells[i].desk == desk && !strcmp(t->cells[i].sim, sim)) {
            *out = &t->cells[i];
            return ERR_OK;
        }
    if (t->count == FIGURE_CELLS && (rc = figure_flush(db)))
        return rc;
    *out = &t->cells[t->count++];
    **out = (struct figure_cell){.day = day, .desk = desk};
    str_copy((*out)->sim, sizeof(*out)->sim, sim);
    return ERR_OK;
}

static int count_in(struct store_db *db, int64_t wall_ms, int64_t desk, const char *sim, int what, int64_t n)
{
    struct figure_cell *cell;
    int rc;

    if (n == 0)
        return ERR_OK;
    if ((rc = cell_of(db, figure_day(db, wall_ms), desk, sim ? sim : "", &cell)) == ERR_OK)
        cell->n[what] += n;
    return rc;
}

int figure_count(struct store_db *db, int64_t wall_ms, int64_t desk, const char *sim, enum figure what,
                 int64_t n)
{
    return count_in(db, wall_ms, desk, sim, FIGURE_SCORES + (int)what, n);
}

int figure_conv(struct store_db *db, int64_t wall_ms, const struct conv_row *c, const char *person,
                enum figure what, int64_t n)
{
    int64_t desk;
    int rc = figure_desk(db, c->department, person ? person : c->assignee, &desk);

    return rc ? rc : figure_count(db, wall_ms, desk, c->sim, what, n);
}

/* ---- messages --------------------------------------------------------------------------------------------
 */

/* "Anna" of "person:Anna"; others as they are. */
static const char *person_of(const char *who)
{
    static const char prefix[] = "person:";

    if (!who)
        return "";
    return strncmp(who, prefix, sizeof prefix - 1) ? who : who + sizeof prefix - 1;
}

int figure_message_desk(struct store_db *db, const char *department, uint32_t flags, const char *who,
                        int64_t *desk)
{
    return figure_desk(db, department, flags & MSG_F_PERSON ? person_of(who) : "", desk);
}

/* In which figures a message stands while it is in a state. */
static unsigned standing(enum msg_state s)
{
    static const unsigned in[MSG_STATES] = {
        [MSG_SENT] = 1 << FIGURE_OUT,
        [MSG_DELIVERED] = 1 << FIGURE_OUT | 1 << FIGURE_DELIVERED,
        [MSG_UNDELIVERED] = 1 << FIGURE_OUT | 1 << FIGURE_UNDELIVERED,
        [MSG_FAILED] = 1 << FIGURE_FAILED,
        [MSG_EXPIRED] = 1 << FIGURE_FAILED,
    };

    return in[s];
}

/* A message that was sent is also automatic, or a person's. */
static unsigned with_maker(unsigned figures, uint32_t flags)
{
    if (!(figures & 1 << FIGURE_OUT))
        return figures;
    return figures | (flags & MSG_F_AUTOMATIC ? 1u << FIGURE_AUTOMATIC : 0) |
           (flags & MSG_F_PERSON ? 1u << FIGURE_BY_PERSON : 0);
}

static int count_bits(struct store_db *db, const struct msg_head *h, int64_t desk, const char *sim,
                      unsigned figures, int64_t n)
{
    int rc = ERR_OK;

    for (int f = 0; f < FIGURES && rc == ERR_OK; f++)
        if (figures & 1u << f)
            rc = figure_count(db, h->created_wall_ms, desk, sim, (enum figure)f, n);
    return rc;
}

static const char sql_message[] = "SELECT desk, modem, cost FROM message WHERE id = ?1";

int figure_message_moves(struct store_db *db, const struct msg_head *h, const struct msg_change *c)
{
    unsigned was = with_maker(standing(h->state), h->flags), is = with_maker(standing(c->to), h->flags);
    char sim[MSG_MODEM_BYTES];
    int64_t desk, cost;
    sqlite3_stmt *st;
    int rc;

    if (was == is || h->direction != MSG_OUT || h->flags & MSG_F_STAFF)
        return ERR_OK;
    if ((rc = DB_FIRST(db, &st, sql_message, db_int(h->id))) <= 0)
        return rc;
    desk = db_col(st, 0);
    db_col_text(st, 1, sim, sizeof sim);
    cost = db_col(st, 2);
    db_end(st);
    rc = count_bits(db, h, desk, sim, was, -1);
    if (c->modem)
        str_copy(sim, sizeof sim, c->modem);
    if (rc == ERR_OK)
        rc = count_bits(db, h, desk, sim, is, 1);
    if (rc || c->to != MSG_SENT)
        return rc;
    if ((rc = figure_count(db, h->created_wall_ms, desk, sim, FIGURE_SEGMENTS, h->parts)))
        return rc;
    return figure_count(db, h->created_wall_ms, desk, sim, FIGURE_COST_MICROS, cost);
}

int figure_received(struct store_db *db, const struct msg_head *h, const char *sim, const struct conv_row *c)
{
    enum figure what = h->flags & MSG_F_CALL ? FIGURE_CALLS : FIGURE_IN;
    int64_t desk = 0;
    int rc = ERR_OK;

    if (h->flags & (MSG_F_STAFF | MSG_F_SILENT))
        return rc;
    if (c && c->id)
        rc = figure_desk(db, c->department, c->assignee, &desk);
    return rc ? rc : figure_count(db, h->created_wall_ms, desk, sim, what, 1);
}

/* ---- times ---- */

int figure_answered(struct store_db *db, const struct conv_row *c, const char *person, int64_t now_wall_ms)
{
    if (c->messages_in == 0)
        return ERR_OK; /* the business wrote first */
    if (c->first_response_wall_ms == 0)
        return figure_time_add(db, FIGURE_FIRST, c, person_of(person), c->created_wall_ms, now_wall_ms);
    if (c->waiting_wall_ms == 0)
        return ERR_OK; /* another text behind the first */
    return figure_time_add(db, FIGURE_NEXT, c, person_of(person), c->waiting_wall_ms, now_wall_ms);
}

/* ---- conversations ---------------------------------------------------------------------------------------
 */

int figure_opened(struct store_db *db, const struct conv_row *c, int64_t now_wall_ms)
{
    return figure_conv(db, now_wall_ms, c, NULL, FIGURE_OPENED, 1);
}

int figure_reopened(struct store_db *db, const struct conv_row *c, int64_t now_wall_ms)
{
    int rc = figure_conv(db, now_wall_ms, c, NULL, FIGURE_REOPENED, 1);

    if (rc || c->closed_wall_ms == 0)
        return rc;
    return figure_time_void(db, FIGURE_FULL, c->id, figure_day(db, c->closed_wall_ms));
}

static bool by_person(const char *who)
{
    return who && (!strncmp(who, "person:", 7) || !strncmp(who, "ctl:", 4));
}

int figure_ended(struct store_db *db, const struct conv_row *c, enum conv_state to, const char *who,
                 int64_t now_wall_ms)
{
    const char *person = who && !strncmp(who, "person:", 7) ? person_of(who) : c->assignee;
    int rc = figure_conv(db, now_wall_ms, c, person, to == CONV_SPAM ? FIGURE_SPAM : FIGURE_CLOSED, 1);

    if (rc || to != CONV_CLOSED || c->messages_in == 0 || (c->replies_by_persons == 0 && !by_person(who)))
        return rc;
    if (c->closed_wall_ms == 0 &&
        (rc = figure_time_add(db, FIGURE_RESOLUTION, c, person, c->created_wall_ms, now_wall_ms)))
        return rc;
    return figure_time_add(db, FIGURE_FULL, c, person, c->created_wall_ms, now_wall_ms);
}

int figure_overdue(struct store_db *db, const struct conv_row *c, int64_t now_wall_ms)
{
    return figure_conv(db, now_wall_ms, c, NULL, FIGURE_OVERDUE, 1);
}

/* Of whose the conversation was when it was asked; `what` as count_in(). */
static int count_survey(struct store_db *db, const struct conv_row *c, int what)
{
    int64_t desk;
    int rc = figure_desk(db, c->survey_department, c->survey_person, &desk);

    return rc ? rc : count_in(db, c->survey_wall_ms, desk, c->sim, what, 1);
}

int figure_asked(struct store_db *db, const struct conv_row *c)
{
    return count_survey(db, c, FIGURE_SCORES + FIGURE_ASKED);
}

int figure_scored(struct store_db *db, const struct conv_row *c, int64_t score)
{
    int rc = count_survey(db, c, FIGURE_SCORES + FIGURE_ANSWERED);

    return rc || score < 0 || score >= FIGURE_SCORES ? rc : count_survey(db, c, (int)score);
}

int figure_consent(struct store_db *db, enum consent_state to, const char *sim, const struct conv_row *c,
                   int64_t now_wall_ms)
{
    enum figure what = to == CONSENT_OUT ? FIGURE_OPT_OUTS : FIGURE_OPT_INS;

    if (to == CONSENT_UNKNOWN)
        return ERR_OK;
    if (c && c->id)
        return figure_conv(db, now_wall_ms, c, NULL, what, 1);
    return figure_count(db, now_wall_ms, 0, sim, what, 1);
}
