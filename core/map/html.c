#include "core/map/html.h"

#include "core/base/buf.h"
#include "core/base/rc.h"
#include "core/base/utf8.h"

#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX (16 * 1024 * 1024)

struct writer {
	struct buf out;
	htmlParserCtxtPtr parser;
	unsigned hidden; /* depth inside elements that are not shown */
	unsigned pre, quote;
	unsigned newlines; /* line ends at the end of out */
	bool space;        /* white space waits to be written */
	bool over;
};

enum {
	SHOW_BLOCK = 1,
	SHOW_PARAGRAPH = 2,
	SHOW_NOT = 4,
	SHOW_PRE = 8,
	SHOW_QUOTE = 16,
	SHOW_ITEM = 32,
	SHOW_CELL = 64,
	SHOW_RULE = 128,
	SHOW_BREAK = 256
};

static const struct {
	const char *name;
	unsigned how;
} elements[] = {
	{"p",          SHOW_PARAGRAPH           },
	{"div",        SHOW_BLOCK               },
	{"br",         SHOW_BREAK               },
	{"tr",         SHOW_BLOCK               },
	{"li",         SHOW_BLOCK | SHOW_ITEM   },
	{"ul",         SHOW_BLOCK               },
	{"ol",         SHOW_BLOCK               },
	{"table",      SHOW_BLOCK               },
	{"td",         SHOW_CELL                },
	{"th",         SHOW_CELL                },
	{"hr",         SHOW_RULE                },
	{"h1",         SHOW_PARAGRAPH           },
	{"h2",         SHOW_PARAGRAPH           },
	{"h3",         SHOW_PARAGRAPH           },
	{"h4",         SHOW_PARAGRAPH           },
	{"h5",         SHOW_PARAGRAPH           },
	{"h6",         SHOW_PARAGRAPH           },
	{"pre",        SHOW_PARAGRAPH | SHOW_PRE},
	{"blockquote", SHOW_BLOCK | SHOW_QUOTE  },
	{"script",     SHOW_NOT                 },
	{"style",      SHOW_NOT                 },
	{"head",       SHOW_NOT                 },
	{"title",      SHOW_NOT                 },
	{"dl",         SHOW_BLOCK               },
	{"dt",         SHOW_BLOCK               },
	{"dd",         SHOW_BLOCK               },
	{"address",    SHOW_BLOCK               },
	{"section",    SHOW_BLOCK               },
	{"article",    SHOW_BLOCK               },
	{"header",     SHOW_BLOCK               },
	{"footer",     SHOW_BLOCK               },
	{"form",       SHOW_BLOCK               },
	{"template",   SHOW_NOT                 },
};

static unsigned how(const xmlChar *name)
{
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		if (strcasecmp((const char *)name, elements[i].name) == 0)
			return elements[i].how;
	return 0;
}

static void put(struct writer *w, const char *p, size_t n)
{
	if (w->over)
		return;
	buf_add(&w->out, p, n);
	if (w->out.over) {
		w->over = true;
		xmlStopParser(w->parser);
	}
}

static void start_line(struct writer *w)
{
	if (w->newlines == 0 && w->out.n)
		return;
	for (unsigned i = 0; i < w->quote && i < 8; i++)
		put(w, "> ", 2);
}

static void newline(struct writer *w)
{
	if (w->out.n == 0)
		return;
	put(w, "\r\n", 2);
	w->newlines++;
	w->space = false;
}

/* Makes sure that at least n line ends stand before what comes. */
static void break_lines(struct writer *w, unsigned n)
{
	while (w->out.n && w->newlines < n && !w->over)
		newline(w);
	w->space = false;
}

static void put_char(struct writer *w, const char *p, size_t n)
{
	if (w->newlines || w->out.n == 0)
		start_line(w);
	else if (w->space)
		put(w, " ", 1);
	w->space = false;
	w->newlines = 0;
	put(w, p, n);
}

static void characters(void *ctx, const xmlChar *text, int len)
{
	struct writer *w = ctx;
	const char *p = (const char *)text;
	size_t n = (size_t)len, i = 0;

	if (w->hidden)
		return;
	while (i < n && !w->over) {
		size_t from = i;

		if (w->pre && p[i] == '\n') {
			newline(w);
			i++;
			continue;
		}
		if (!w->pre && (p[i] == ' ' || (p[i] >= '\t' && p[i] <= '\r'))) {
			w->space = w->newlines == 0 && w->out.n > 0;
			i++;
			continue;
		}
		/* No-break spaces are spaces that stay. */
		if (n - i >= 2 && (unsigned char)p[i] == 0xc2 &&
			(unsigned char)p[i + 1] == 0xa0) {
			put_char(w, " ", 1);
			i += 2;
			continue;
		}
		if (p[i] == '\r') {
			i++;
			continue;
		}
		while (i < n && p[i] != ' ' && !(p[i] >= '\t' && p[i] <= '\r') &&
			!((unsigned char)p[i] == 0xc2 && i > from))
			i++;
		if (i == from)
			i++;
		put_char(w, p + from, i - from);
	}
}

static void start_element(void *ctx, const xmlChar *name, const xmlChar **attributes UNUSED)
{
	struct writer *w = ctx;
	unsigned h = how(name);

	if (h & SHOW_NOT)
		w->hidden++;
	if (w->hidden)
		return;
	if (h & SHOW_PARAGRAPH)
		break_lines(w, 2);
	else if (h & SHOW_BLOCK)
		break_lines(w, 1);
	if (h & SHOW_BREAK)
		newline(w);
	if (h & SHOW_CELL)
		w->space = w->newlines == 0 && w->out.n > 0;
	if (h & SHOW_RULE) {
		break_lines(w, 1);
		put_char(w, "----------", 10);
		newline(w);
	}
	w->pre += (h & SHOW_PRE) != 0;
	w->quote += (h & SHOW_QUOTE) != 0;
	if (h & SHOW_ITEM)
		put_char(w, "* ", 2);
}

static void end_element(void *ctx, const xmlChar *name)
{
	struct writer *w = ctx;
	unsigned h = how(name);

	if (h & SHOW_NOT && w->hidden)
		w->hidden--;
	if (w->hidden)
		return;
	if (h & SHOW_PRE && w->pre)
		w->pre--;
	if (h & SHOW_PARAGRAPH)
		break_lines(w, 2);
	else if (h & SHOW_BLOCK)
		break_lines(w, 1);
	if (h & SHOW_QUOTE && w->quote)
		w->quote--;
}

static void ignore(void *ctx UNUSED, const char *msg UNUSED, ...)
{
}

struct str html_to_text(struct str html, size_t max, struct arena *a)
{
	htmlSAXHandler sax = {0};
	struct writer w = {0};
	struct str r;

	buf_init(&w.out, max && max < TEXT_MAX ? max + 16 : TEXT_MAX);
	sax.characters = characters;
	sax.ignorableWhitespace = characters;
	sax.cdataBlock = NULL;
	sax.startElement = start_element;
	sax.endElement = end_element;
	sax.error = ignore;
	sax.warning = ignore;
	w.parser = htmlCreatePushParserCtxt(&sax, &w, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	if (!w.parser)
		abort();
	(void)htmlCtxtUseOptions(w.parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
						   HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
						   HTML_PARSE_IGNORE_ENC);
	for (size_t at = 0; at < html.n && !w.over; at += 4096) {
		struct str piece = str_sub(html, at, 4096);

		(void)htmlParseChunk(w.parser, piece.p, (int)piece.n, 0);
	}
	if (!w.over)
		(void)htmlParseChunk(w.parser, NULL, 0, 1);
	if (w.parser->myDoc)
		xmlFreeDoc(w.parser->myDoc);
	htmlFreeParserCtxt(w.parser);
	r = utf8_cleaned(arena_str(a, buf_str(&w.out)), a);
	buf_release(&w.out);
	while (r.n && (r.p[r.n - 1] == '\n' || r.p[r.n - 1] == '\r'))
		r.n--;
	return r;
}

struct str html_from_text(struct str text, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, SIZE_MAX / 8);
	buf_adds(&b, "<html><body><pre style=\"white-space:pre-wrap;font-family:inherit\">");
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&':
			buf_adds(&b, "&amp;");
			break;
		case '<':
			buf_adds(&b, "&lt;");
			break;
		case '>':
			buf_adds(&b, "&gt;");
			break;
		default:
			buf_addc(&b, text.p[i]);
			break;
		}
	}
	buf_adds(&b, "</pre></body></html>");
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct str html_cut(struct str html, size_t n)
{
	struct str s = utf8_cut(html, n);

	if (s.n == html.n)
		return s;
	/* Half a tag: back to before its '<'; half an entity: back to before its '&'. */
	for (size_t i = s.n; i > 0 && s.n - i < 1024; i--) {
		if (s.p[i - 1] == '>')
			break;
		if (s.p[i - 1] == '<')
			return str_sub(s, 0, i - 1);
	}
	for (size_t i = s.n; i > 0 && s.n - i < 12; i--) {
		if (s.p[i - 1] == ';')
			break;
		if (s.p[i - 1] == '&')
			return str_sub(s, 0, i - 1);
	}
	return s;
}
