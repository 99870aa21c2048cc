/*
 * log: one line an event, key=value, to wherever the program says.
 *
 *     2026-01-31T10:00:00.123Z info worker=4711 user=a@b device=abc cmd=Sync version=14.1 ...
 *
 * The context (user, device, command) is set once per request, not passed along. Levels: error
 * (somebody must act), warning (odd but handled), info (the request line), debug. Values with
 * spaces, quotes or control characters are quoted and escaped, so that a peer cannot forge
 * lines.
 */
#ifndef EASPOOL_CORE_BASE_LOG_H
#define EASPOOL_CORE_BASE_LOG_H

#include "core/base/buf.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
	const char *key; /* NULL ends a list */
	struct str value;
};

/* Where finished lines go (with their newline); default: standard error. */
void log_set_output(void (*write)(void *ctx, struct str line), void *ctx);
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);
/* What stands in front of every line, e.g. ("worker", "4711"). Copied. */
void log_set_ident(const char *key, const char *value);

/* The context of the request at hand; copied. log_context_clear() ends it. */
void log_context(const char *key, struct str value);
void log_context_clear(void);

void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* A line of fields instead of a sentence. */
void log_fields(enum log_level level, const struct log_field *fields);

#endif
