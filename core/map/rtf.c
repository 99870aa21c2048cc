#include "core/map/rtf.h"

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/map/charset.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* [MS-OXRTFCP] 2.1.3.1: header, and what the window holds from the start. */
enum { HEADER = 16, WINDOW = 4096, COMPRESSED = 0x75465a4c, STORED = 0x414c454d };

static const char preset[] =
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss "
	"\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
	"{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
_Static_assert(sizeof(preset) - 1 == 207, "the window begins with 207 characters");

struct inflating {
	struct str in;
	size_t at;
	char window[WINDOW];
	size_t write; /* place in the window */
	char *out;
	size_t n, max;
};

static uint32_t le32(struct str s, size_t at)
{
	uint32_t r = 0;

	for (size_t i = 4; i-- > 0;)
		r = r << 8 | (unsigned char)s.p[at + i];
	return r;
}

static void give(struct inflating *x, char c)
{
	x->window[x->write] = c;
	x->write = (x->write + 1) % WINDOW;
	if (x->n < x->max)
		x->out[x->n++] = c;
}

/* A reference into the window; false: it was the last one. */
static bool copy(struct inflating *x)
{
	size_t what, from, n;

	if (x->in.n - x->at < 2)
		return false;
	what = (size_t)(unsigned char)x->in.p[x->at] << 8 | (unsigned char)x->in.p[x->at + 1];
	x->at += 2;
	from = what >> 4;
	n = (what & 15) + 2;
	if (from == x->write)
		return false;
	for (; n > 0; n--, from++)
		give(x, x->window[from % WINDOW]);
	return true;
}

static void inflate(struct inflating *x)
{
	while (x->at < x->in.n && x->n < x->max) {
		unsigned control = (unsigned char)x->in.p[x->at++];

		for (unsigned bit = 0; bit < 8 && x->at < x->in.n; bit++)
			if (!(control >> bit & 1))
				give(x, x->in.p[x->at++]);
			else if (!copy(x))
				return;
	}
}

enum rc rtf_decompress(struct str bytes, struct arena *a, struct str *rtf_r)
{
	struct inflating x = {.in = bytes, .at = HEADER, .write = sizeof(preset) - 1};
	uint32_t kind;

	if (bytes.n < HEADER)
		return RC_INVALID;
	x.max = le32(bytes, 4);
	kind = le32(bytes, 8);
	if (kind != COMPRESSED && kind != STORED)
		return RC_INVALID;
	if (x.max > RTF_MAX)
		return RC_LIMIT;
	if (kind == STORED) {
		*rtf_r = str_sub(bytes, HEADER, x.max);
		return RC_OK;
	}
	memset(x.window, ' ', sizeof(x.window));
	memcpy(x.window, preset, sizeof(preset) - 1);
	x.out = arena_alloc(a, x.max + 1);
	inflate(&x);
	*rtf_r = (struct str){x.out, x.n};
	return RC_OK;
}

enum { GROUPS = 64, DIGITS = 11 };

/* What holds in a group and ends with it. */
struct group {
	bool hidden, veiled;
	unsigned unicode_skip; /* \uc */
};

struct reading {
	struct str in;
	size_t at;
	struct arena *a;
	struct buf out, bytes; /* bytes: in the code page, not yet converted */
	struct str charset;
	struct group v[GROUPS];
	size_t depth;
	size_t too_deep; /* groups beyond those */
	unsigned skip;   /* characters that stand for one told by \u */
	uint32_t high;   /* the first half of a character of two \u */
};

static bool hidden(const struct reading *x)
{
	return x->too_deep || x->v[x->depth].hidden || x->v[x->depth].veiled;
}

static void flush(struct reading *x)
{
	if (x->bytes.n)
		buf_add_str(&x->out,
			charset_to_utf8(arena_str(x->a, buf_str(&x->bytes)), x->charset, x->a));
	buf_reset(&x->bytes);
}

static void say(struct reading *x, const char *text)
{
	flush(x);
	if (!hidden(x))
		buf_adds(&x->out, text);
}

static void byte(struct reading *x, char c)
{
	if (x->skip)
		x->skip--;
	else if (!hidden(x))
		buf_addc(&x->bytes, c);
}

static void add_character(struct reading *x, uint32_t c)
{
	char p[4];
	size_t n = 0;

	if (c < 0x80) {
		p[n++] = (char)c;
	} else if (c < 0x800) {
		p[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		p[n++] = (char)(0xe0 | c >> 12);
		p[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		p[n++] = (char)(0xf0 | (c >> 18 & 7));
		p[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		p[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		p[n++] = (char)(0x80 | (c & 0x3f));
	buf_add(&x->out, p, n);
}

struct word {
	const char *name;
	void (*obey)(struct reading *x, const struct word *w, bool has_number, long number);
	const char *text;
};

static void say_it(struct reading *x, const struct word *w, bool has UNUSED, long n UNUSED)
{
	say(x, w->text);
}

static void hide(struct reading *x, const struct word *w UNUSED, bool has UNUSED, long n UNUSED)
{
	x->v[x->depth].hidden = true;
}

/* On and off; inside of what is hidden anyway it changes nothing. */
static void veil(struct reading *x, const struct word *w UNUSED, bool has_number, long number)
{
	x->v[x->depth].veiled = !has_number || number != 0;
}

static void codepage(
	struct reading *x, const struct word *w UNUSED, bool has UNUSED, long number)
{
	flush(x);
	x->charset = arena_printf(x->a, "CP%ld", number);
}

static void unicode_skip(
	struct reading *x, const struct word *w UNUSED, bool has UNUSED, long number)
{
	x->v[x->depth].unicode_skip = number >= 0 && number < 16 ? (unsigned)number : 1;
}

static void skip_binary(
	struct reading *x, const struct word *w UNUSED, bool has UNUSED, long number)
{
	size_t left = x->in.n - x->at;

	if (number > 0)
		x->at += (size_t)number < left ? (size_t)number : left;
}

/* \uN: UTF-16, as a signed number. */
static void unicode(
	struct reading *x, const struct word *w UNUSED, bool has UNUSED, long number)
{
	uint32_t c = (uint32_t)number & 0xffff, high = x->high;

	flush(x);
	x->high = 0;
	x->skip = x->v[x->depth].unicode_skip;
	if (hidden(x))
		return;
	if (c >= 0xd800 && c < 0xdc00)
		x->high = c;
	else if (c >= 0xdc00 && c < 0xe000 && high)
		add_character(x, 0x10000 + ((high - 0xd800) << 10) + (c - 0xdc00));
	else
		add_character(x, c);
}

static const struct word words[] = {
	{"par",        say_it,       "\n"          },
	{"line",       say_it,       "\n"          },
	{"sect",       say_it,       "\n"          },
	{"page",       say_it,       "\n"          },
	{"row",        say_it,       "\n"          },
	{"cell",       say_it,       "\t"          },
	{"tab",        say_it,       "\t"          },
	{"emdash",     say_it,       "\xe2\x80\x94"},
	{"endash",     say_it,       "\xe2\x80\x93"},
	{"lquote",     say_it,       "\xe2\x80\x98"},
	{"rquote",     say_it,       "\xe2\x80\x99"},
	{"ldblquote",  say_it,       "\xe2\x80\x9c"},
	{"rdblquote",  say_it,       "\xe2\x80\x9d"},
	{"bullet",     say_it,       "\xe2\x80\xa2"},
	{"fonttbl",    hide,         NULL          },
	{"colortbl",   hide,         NULL          },
	{"stylesheet", hide,         NULL          },
	{"info",       hide,         NULL          },
	{"pict",       hide,         NULL          },
	{"object",     hide,         NULL          },
	{"header",     hide,         NULL          },
	{"footer",     hide,         NULL          },
	{"htmlrtf",    veil,         NULL          },
	{"v",          veil,         NULL          },
	{"ansicpg",    codepage,     NULL          },
	{"u",          unicode,      NULL          },
	{"uc",         unicode_skip, NULL          },
	{"bin",        skip_binary,  NULL          },
};

/* \word, with a number behind it perhaps, and a space that belongs to it. */
static void control_word(struct reading *x)
{
	struct str name = str_sub(x->in, x->at, x->in.n);
	char digits[DIGITS + 1];
	size_t n = 0;

	while (x->at < x->in.n && g_ascii_isalpha(x->in.p[x->at]))
		x->at++;
	name.n -= x->in.n - x->at;
	if (x->at < x->in.n && x->in.p[x->at] == '-')
		digits[n++] = x->in.p[x->at++];
	for (; x->at < x->in.n && g_ascii_isdigit(x->in.p[x->at]); x->at++)
		if (n < DIGITS)
			digits[n++] = x->in.p[x->at];
	digits[n] = '\0';
	if (x->at < x->in.n && x->in.p[x->at] == ' ')
		x->at++;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(name, words[i].name)) {
			words[i].obey(x, &words[i], n > 0, strtol(digits, NULL, 10));
			return;
		}
}

/* \'hh: a byte of the code page. */
static void hex_byte(struct reading *x)
{
	int high, low;

	if (x->in.n - x->at < 2)
		return;
	high = g_ascii_xdigit_value(x->in.p[x->at]);
	low = g_ascii_xdigit_value(x->in.p[x->at + 1]);
	x->at += 2;
	if (high >= 0 && low >= 0)
		byte(x, (char)(high << 4 | low));
}

static void control_symbol(struct reading *x, char c)
{
	x->at++;
	if (c == '\'')
		hex_byte(x);
	else if (c == '\\' || c == '{' || c == '}')
		byte(x, c);
	/* What a reader that does not know it must leave out. */
	else if (c == '*')
		x->v[x->depth].hidden = true;
	else if (c == '~')
		say(x, "\xc2\xa0");
	else if (c == '_')
		say(x, "-");
	else if (c == '\n' || c == '\r')
		say(x, "\n");
}

static void open_group(struct reading *x)
{
	x->skip = 0;
	if (x->too_deep || x->depth + 1 == GROUPS) {
		x->too_deep++;
		return;
	}
	x->v[x->depth + 1] = x->v[x->depth];
	x->depth++;
}

static void close_group(struct reading *x)
{
	x->skip = 0;
	if (x->too_deep)
		x->too_deep--;
	else if (x->depth)
		x->depth--;
}

static void read_all(struct reading *x)
{
	while (x->at < x->in.n) {
		char c = x->in.p[x->at++];

		if (c == '{')
			open_group(x);
		else if (c == '}')
			close_group(x);
		else if (c == '\\' && x->at < x->in.n && g_ascii_isalpha(x->in.p[x->at]))
			control_word(x);
		else if (c == '\\' && x->at < x->in.n)
			control_symbol(x, x->in.p[x->at]);
		else if (c != '\\' && c != '\r' && c != '\n' && c != '\0')
			byte(x, c);
	}
	flush(x);
}

enum rc rtf_to_text(struct str rtf, struct arena *a, struct str *text_r)
{
	struct reading x = {.in = rtf, .charset = STR("windows-1252")};

	if (rtf.n > RTF_MAX)
		return RC_LIMIT;
	if (!str_starts(str_trim(rtf), "{\\rtf"))
		return RC_INVALID;
	x.a = arena_new();
	x.v[0].unicode_skip = 1;
	buf_init(&x.out, 4 * (size_t)RTF_MAX);
	buf_init(&x.bytes, RTF_MAX);
	read_all(&x);
	*text_r = utf8_cleaned(arena_str(a, buf_str(&x.out)), a);
	buf_release(&x.out);
	buf_release(&x.bytes);
	arena_free(x.a);
	return RC_OK;
}
