#include "core/base/log.h"

#include "core/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONTEXT_MAX 8

struct pair {
	char key[24];
	char value[256];
};

static void to_stderr(void *ctx UNUSED, struct str line)
{
	ssize_t n = write(STDERR_FILENO, line.p, line.n);

	(void)n;
}

static void (*output)(void *ctx, struct str line) = to_stderr;
static void *output_ctx;
static enum log_level max_level = LOG_LEVEL_INFO;
static struct pair ident;
static struct pair context[CONTEXT_MAX];
static size_t ncontext;

void log_set_output(void (*write_line)(void *ctx, struct str line), void *ctx)
{
	output = write_line ? write_line : to_stderr;
	output_ctx = ctx;
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

bool log_wants(enum log_level level)
{
	return level <= max_level;
}

static void set_pair(struct pair *p, const char *key, struct str value)
{
	(void)snprintf(p->key, sizeof(p->key), "%s", key);
	(void)snprintf(p->value, sizeof(p->value), "%.*s", STR_FMT(value));
}

void log_set_ident(const char *key, const char *value)
{
	set_pair(&ident, key, str_of(value));
}

void log_context(const char *key, struct str value)
{
	size_t i = 0;

	while (i < ncontext && strcmp(context[i].key, key) != 0)
		i++;
	if (i == CONTEXT_MAX)
		return;
	set_pair(&context[i], key, value);
	if (i == ncontext)
		ncontext++;
}

void log_context_clear(void)
{
	ncontext = 0;
}

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '=' ||
			s.p[i] == 0x7f)
			return false;
	return s.n > 0;
}

static void add_value(struct buf *b, struct str s)
{
	if (is_plain(s)) {
		buf_add_str(b, s);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c == '\n')
			buf_adds(b, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\x%02x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}

static void add_field(struct buf *b, const char *key, struct str value)
{
	buf_addf(b, " %s=", key);
	add_value(b, value);
}

static void begin(struct buf *b, enum log_level level)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	struct arena *a = arena_new();
	int64_t ms = clock_now_ms();
	struct str when = clock_dashed(a, ms / 1000);

	/* The clock's own text ends in ".000Z". */
	buf_add_str(b, str_sub(when, 0, when.n - 4));
	buf_addf(b, "%03dZ %s", (int)(ms % 1000), names[level]);
	arena_free(a);
	if (ident.key[0])
		add_field(b, ident.key, str_of(ident.value));
	for (size_t i = 0; i < ncontext; i++)
		add_field(b, context[i].key, str_of(context[i].value));
}

static void end(struct buf *b)
{
	if (b->over)
		buf_adds(b, "...");
	b->over = false;
	b->max++;
	buf_addc(b, '\n');
	output(output_ctx, buf_str(b));
	buf_release(b);
}

static void sentence(enum log_level level, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static void sentence(enum log_level level, const char *fmt, va_list ap)
{
	char text[2048];
	struct buf b;

	if (!log_wants(level))
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	buf_init(&b, BUF_MAX_LINE);
	begin(&b, level);
	add_field(&b, "msg", str_of(text));
	end(&b);
}

#define LEVEL_FUNCTION(name, level)                                                            \
	void name(const char *fmt, ...)                                                        \
	{                                                                                      \
		va_list ap;                                                                    \
                                                                                               \
		va_start(ap, fmt);                                                             \
		sentence(level, fmt, ap);                                                      \
		va_end(ap);                                                                    \
	}

LEVEL_FUNCTION(log_error, LOG_LEVEL_ERROR)
LEVEL_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LEVEL_FUNCTION(log_info, LOG_LEVEL_INFO)
LEVEL_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

void log_fields(enum log_level level, const struct log_field *fields)
{
	struct buf b;

	if (!log_wants(level))
		return;
	buf_init(&b, BUF_MAX_LINE);
	begin(&b, level);
	for (; fields->key; fields++)
		if (fields->value.p)
			add_field(&b, fields->key, fields->value);
	end(&b);
}
