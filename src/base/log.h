/* Logging: one line for one reader at three in the morning: who, what, then key=value.
 *
 *     log_info("modem counter", "ready operator=%s signal_dbm=%d", ...);
 *
 * Numbers and texts of customers go through log_number() and log_text(), which mask them unless the level is
 * debug. Lines go to a sink set once at start: standard error, the journal (priority prefix), or a test.
 * Only the loop's thread logs.
 */
#ifndef SIMGATE_BASE_LOG_H
#define SIMGATE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

struct mask;

enum log_level { LOG_ERR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 }; /* syslog(3) */

typedef void (*log_sink)(enum log_level level, const char *who, const char *line);

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_set_sink(log_sink sink); /* NULL: standard error with a time stamp */

/* Writes "<6>who: line" to standard error, as systemd reads it. */
void log_sink_journal(enum log_level level, const char *who, const char *line);

void log_write(enum log_level level, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_err(who, ...) log_write(LOG_ERR, who, __VA_ARGS__)
#define log_warning(who, ...) log_write(LOG_WARNING, who, __VA_ARGS__)
#define log_notice(who, ...) log_write(LOG_NOTICE, who, __VA_ARGS__)
#define log_info(who, ...) log_write(LOG_INFO, who, __VA_ARGS__)
#define log_debug(who, ...)                                                                                  \
    do {                                                                                                     \
        if (log_get_level() >= LOG_DEBUG)                                                                    \
            log_write(LOG_DEBUG, who, __VA_ARGS__);                                                          \
    } while (0)

/* "+49170…567": first digits and the last three; whole at debug. Static buffers in rotation (four). */
const char *log_number(const char *number);

/* "(27 characters)"; the text itself at debug. Static buffers in rotation (four). */
const char *log_text(const char *utf8);

/* Texts for logs go through this first (sensitive data); NULL: as they are. */
void log_set_mask(struct mask *m); /* borrowed */
/* The text, masked, whatever the level: for those that an administrator has asked for. As log_text. */
const char *log_masked(const char *utf8);

/* A limiter for lines that may come in floods. Zero-initialised: at most 5 lines in 10 s, then silence; the
 * first line after it tells how many were left out. */
struct log_limit {
    int64_t window_start_ms;
    unsigned in_window;
    unsigned left_out;
};

/* True if the line may be written now; *left_out then is the number of lines suppressed before it. */
bool log_limit_pass(struct log_limit *l, int64_t now_ms, unsigned *left_out);

#endif
