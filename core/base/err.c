#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *rc_name(enum rc rc)
{
	static const char *const names[] = {"ok", "absent", "conflict", "denied", "invalid",
		"limit", "unavailable", "internal"};

	return (unsigned)rc < ARRAY_LEN(names) ? names[rc] : "?";
}

static void set(struct err *err, enum rc rc, enum err_why why, const char *fmt, va_list ap)
	PRINTF_LIKE(4, 0);

static void set(struct err *err, enum rc rc, enum err_why why, const char *fmt, va_list ap)
{
	if (!err)
		return;
	err->rc = rc;
	err->why = why;
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, rc, ERR_PLAIN, fmt, ap);
	va_end(ap);
	return rc;
}

enum rc err_set_why(struct err *err, enum rc rc, enum err_why why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, rc, why, fmt, ap);
	va_end(ap);
	return rc;
}

enum rc err_wrap(struct err *err, const char *fmt, ...)
{
	char was[sizeof(err->text)];
	size_t n;
	va_list ap;

	if (!err)
		return RC_INTERNAL;
	memcpy(was, err->text, sizeof(was));
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	(void)snprintf(err->text + n, sizeof(err->text) - n, ": %s", was);
	return err->rc;
}

void err_clear(struct err *err)
{
	if (err)
		*err = (struct err)ERR_INIT;
}
