#include "core/base/conf.h"

#include <string.h>

struct reader {
	const struct conf_row *rows;
	size_t nrows;
	const char *name;
	char *settings;
	struct arena *a;
	bool *given; /* per row */
};

/* A number with a unit from the table. */
struct unit {
	const char *text;
	int64_t times;
};

static const struct unit seconds_units[] = {
	{"s",  1    },
        {"m",  60   },
        {"h",  3600 },
        {"d",  86400},
        {NULL, 0    }
};
static const struct unit bytes_units[] = {
	{"k",  1 << 10},
        {"K",  1 << 10},
        {"M",  1 << 20},
        {"G",  1 << 30},
        {NULL, 0      }
};
static const struct unit no_units[] = {
	{NULL, 0}
};

static bool number(struct str text, const struct unit *units, int64_t *n_r)
{
	uint64_t n;
	int64_t times = 1, product;

	for (; units->text; units++) {
		size_t len = strlen(units->text);

		if (text.n > len && str_is(str_sub(text, text.n - len, len), units->text)) {
			times = units->times;
			text.n -= len;
			break;
		}
	}
	if (!str_u64(text, &n) || n > INT64_MAX ||
		__builtin_mul_overflow((int64_t)n, times, &product))
		return false;
	*n_r = product;
	return true;
}

static bool boolean(struct str text, bool *b_r)
{
	static const char *const words[] = {
		"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_iis(text, words[i])) {
			*b_r = i & 1;
			return true;
		}
	return false;
}

static bool choice(struct str text, const char *choices, int *i_r)
{
	struct str rest = str_of(choices), word;

	for (int i = 0; str_next(&rest, '|', &word); i++)
		if (str_eq(text, word)) {
			*i_r = i;
			return true;
		}
	return false;
}

static enum rc set_number(struct reader *r, const struct conf_row *row, struct str text,
	unsigned line, struct err *err)
{
	const struct unit *units = row->type == CONF_SECONDS ? seconds_units
				   : row->type == CONF_BYTES ? bytes_units
							     : no_units;
	int64_t n;

	if (!number(text, units, &n))
		return err_set(err, RC_INVALID, "%s:%u: %s: \"%.*s\" is no number", r->name,
			line, row->key, STR_FMT(text));
	if (n < row->min || n > row->max)
		return err_set(err, RC_INVALID, "%s:%u: %s: %lld is not within %lld and %lld",
			r->name, line, row->key, (long long)n, (long long)row->min,
			(long long)row->max);
	memcpy(r->settings + row->offset, &n, sizeof(n));
	return RC_OK;
}

static enum rc set_value(struct reader *r, const struct conf_row *row, struct str text,
	unsigned line, struct err *err)
{
	void *at = r->settings + row->offset;

	switch (row->type) {
	case CONF_TEXT:
	case CONF_SECRET:
		*(struct str *)at = arena_str(r->a, text);
		return RC_OK;
	case CONF_NUMBER:
	case CONF_SECONDS:
	case CONF_BYTES:
		return set_number(r, row, text, line, err);
	case CONF_BOOL:
		if (boolean(text, at))
			return RC_OK;
		return err_set(err, RC_INVALID, "%s:%u: %s: yes or no, not \"%.*s\"", r->name,
			line, row->key, STR_FMT(text));
	case CONF_CHOICE:
		if (choice(text, row->choices, at))
			return RC_OK;
		return err_set(err, RC_INVALID, "%s:%u: %s: one of %s, not \"%.*s\"", r->name,
			line, row->key, row->choices, STR_FMT(text));
	}
	return err_set(err, RC_INTERNAL, "%s: a setting without a type", row->key);
}

static size_t find(const struct reader *r, struct str key)
{
	size_t i = 0;

	while (i < r->nrows && !str_is(key, r->rows[i].key))
		i++;
	return i;
}

static enum rc read_line(struct reader *r, struct str line, unsigned no, struct err *err)
{
	size_t eq, i;
	struct str key, value;

	line = str_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return RC_OK;
	eq = str_find(line, '=');
	if (eq == line.n)
		return err_set(err, RC_INVALID, "%s:%u: expected key = value", r->name, no);
	key = str_trim(str_sub(line, 0, eq));
	value = str_trim(str_sub(line, eq + 1, line.n));
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		value = str_sub(value, 1, value.n - 2);
	else if (value.n && value.p[0] == '"')
		return err_set(err, RC_INVALID, "%s:%u: a quote is not closed", r->name, no);
	i = find(r, key);
	if (i == r->nrows)
		return err_set(err, RC_INVALID, "%s:%u: there is no setting \"%.*s\"", r->name,
			no, STR_FMT(key));
	if (r->given[i])
		return err_set(err, RC_INVALID, "%s:%u: %s is given twice", r->name, no,
			r->rows[i].key);
	r->given[i] = true;
	return set_value(r, &r->rows[i], value, no, err);
}

enum rc conf_read(const struct conf_row *rows, size_t nrows, struct str text, const char *name,
	void *settings, struct arena *a, struct err *err)
{
	struct reader r = {
		rows, nrows, "default", settings, a, ARENA_ARRAY(a, bool, nrows + 1)};
	struct str rest = text, line;
	enum rc rc;

	for (size_t i = 0; i < nrows; i++) {
		rc = set_value(&r, &rows[i], str_of(rows[i].fallback), 0, err);
		if (rc)
			return rc;
	}
	r.name = name;
	for (unsigned no = 1; str_next(&rest, '\n', &line); no++) {
		rc = read_line(&r, line, no, err);
		if (rc)
			return rc;
	}
	return RC_OK;
}

static void print_value(const struct conf_row *row, const void *settings, struct buf *out)
{
	const void *at = (const char *)settings + row->offset;
	struct str rest, word = STR_NONE;

	switch (row->type) {
	case CONF_TEXT:
		buf_add_str(out, *(const struct str *)at);
		break;
	case CONF_SECRET:
		buf_adds(out, ((const struct str *)at)->n ? "(set)" : "(unset)");
		break;
	case CONF_NUMBER:
	case CONF_SECONDS:
	case CONF_BYTES:
		buf_addf(out, "%lld", (long long)*(const int64_t *)at);
		break;
	case CONF_BOOL:
		buf_adds(out, *(const bool *)at ? "yes" : "no");
		break;
	case CONF_CHOICE:
		rest = str_of(row->choices);
		for (int i = *(const int *)at; i >= 0 && str_next(&rest, '|', &word); i--)
			;
		buf_add_str(out, word);
		break;
	}
}

void conf_print(
	const struct conf_row *rows, size_t nrows, const void *settings, struct buf *out)
{
	for (size_t i = 0; i < nrows; i++) {
		buf_addf(out, "%s = ", rows[i].key);
		print_value(&rows[i], settings, out);
		if (rows[i].type != CONF_SECRET)
			buf_addf(out, "    (default: %s)", rows[i].fallback);
		buf_addf(out, "\n    %s\n", rows[i].help);
	}
}

void conf_json_text(struct buf *out, struct str s)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(out, "\\u%04x", c);
		else
			buf_addc(out, (char)c);
	}
	buf_addc(out, '"');
}

void conf_print_json(
	const struct conf_row *rows, size_t nrows, const void *settings, struct buf *out)
{
	struct buf value;

	buf_init(&value, BUF_MAX_LINE);
	buf_adds(out, "{");
	for (size_t i = 0; i < nrows; i++) {
		buf_reset(&value);
		print_value(&rows[i], settings, &value);
		buf_addf(out, "%s\n \"%s\": ", i ? "," : "", rows[i].key);
		conf_json_text(out, buf_str(&value));
	}
	buf_adds(out, "\n}\n");
	buf_release(&value);
}

/* Help text as comment lines of at most some 78 columns. */
static void print_comment(struct str text, struct buf *out)
{
	size_t column = 0;
	struct str word;

	while (str_next(&text, ' ', &word)) {
		if (column == 0 || column + word.n + 1 > 76) {
			buf_adds(out, column ? "\n#" : "#");
			column = 1;
		}
		buf_addc(out, ' ');
		buf_add_str(out, word);
		column += word.n + 1;
	}
	buf_addc(out, '\n');
}

void conf_print_sample(const struct conf_row *rows, size_t nrows, struct buf *out)
{
	for (size_t i = 0; i < nrows; i++) {
		print_comment(str_of(rows[i].help), out);
		if (rows[i].type == CONF_CHOICE)
			buf_addf(out, "# One of: %s\n", rows[i].choices);
		buf_addf(out, "#%s = %s\n\n", rows[i].key, rows[i].fallback);
	}
}
