/*
 * conf: settings as a table, read from text in the form `key = value`.
 *
 * A row names the key, its type, default, bounds and help, and where in the settings struct the
 * value goes. An unknown key, a value out of bounds or a key given twice stops with file and
 * line. Lines that begin with '#' and empty lines are comments. Values may be quoted with
 * "...".
 */
#ifndef EASPOOL_CORE_BASE_CONF_H
#define EASPOOL_CORE_BASE_CONF_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

enum conf_type {
	CONF_TEXT,    /* struct str */
	CONF_SECRET,  /* struct str, never printed */
	CONF_NUMBER,  /* int64_t */
	CONF_SECONDS, /* int64_t; accepts 30, 30s, 5m, 2h, 1d */
	CONF_BYTES,   /* int64_t; accepts 512, 64k, 10M, 1G */
	CONF_BOOL,    /* bool; yes/no, true/false, on/off, 1/0 */
	CONF_CHOICE,  /* int: index into the words of `choices`, "none|starttls|tls" */
};

struct conf_row {
	const char *key;
	enum conf_type type;
	const char *fallback; /* the default, in the form in which a file would give it */
	int64_t min, max;     /* CONF_NUMBER, CONF_SECONDS, CONF_BYTES */
	const char *choices;  /* CONF_CHOICE */
	const char *help;     /* one or two sentences */
	size_t offset;        /* of the value in the settings struct */
};

/* Sets all defaults, then what the text says; `name` is the file's name for messages. Texts
 * live in `a`. */
MUST_USE enum rc conf_read(const struct conf_row *rows, size_t nrows, struct str text,
	const char *name, void *settings, struct arena *a, struct err *err);

/* The table for people: key, value now, default, help; secrets shown as set/unset. */
void conf_print(
	const struct conf_row *rows, size_t nrows, const void *settings, struct buf *out);
/* The same as a JSON object of texts; secrets as "set" or "unset". */
void conf_print_json(
	const struct conf_row *rows, size_t nrows, const void *settings, struct buf *out);
/* A text as JSON writes it, with its quotes. */
void conf_json_text(struct buf *out, struct str s);
/* A sample file: every key commented out with its default, the help above it. */
void conf_print_sample(const struct conf_row *rows, size_t nrows, struct buf *out);

#endif
