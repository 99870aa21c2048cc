#include "store/imap/reply.h"

#include "core/base/utf7.h"

static const struct {
	const char *name;
	unsigned bit;
} capabilities[] = {
	{"CONDSTORE",          CAP_CONDSTORE              },
	{"QRESYNC",            CAP_QRESYNC | CAP_CONDSTORE},
	{"ESEARCH",            CAP_ESEARCH                },
	{"MOVE",               CAP_MOVE                   },
	{"UIDPLUS",            CAP_UIDPLUS                },
	{"LIST-STATUS",        CAP_LIST_STATUS            },
	{"SPECIAL-USE",        CAP_SPECIAL_USE            },
	{"OBJECTID",           CAP_OBJECTID               },
	{"LITERAL+",           CAP_LITERAL_PLUS           },
	{"CREATE-SPECIAL-USE", CAP_CREATE_SPECIAL_USE     },
	{"UNSELECT",           CAP_UNSELECT               },
	{"NAMESPACE",          CAP_NAMESPACE              },
	{"LIST-EXTENDED",      CAP_LIST_EXTENDED          },
	{"WITHIN",             CAP_WITHIN                 },
	{"THREAD=REFERENCES",  CAP_THREAD                 },
	{"NOTIFY",             CAP_NOTIFY                 },
	{"IDLE",               CAP_IDLE                   },
};

enum reply_frame reply_frame(struct str in, uint64_t max, size_t *scanned, struct str *r)
{
	for (;;) {
		struct str rest = str_sub(in, *scanned, in.n), line;
		size_t end = str_find(rest, '\n');
		uint64_t n;

		if (end == rest.n)
			return REPLY_MORE;
		line = str_sub(rest, 0, end);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (!imap_literal(line, &n)) {
			*r = (struct str){in.p, (size_t)(line.p + line.n - in.p)};
			*scanned += end + 1;
			return REPLY_WHOLE;
		}
		if (n > max)
			return REPLY_HUGE;
		if (rest.n - (end + 1) < n)
			return REPLY_MORE;
		*scanned += end + 1 + (size_t)n;
	}
}

void reply_result(struct str s, struct arena *a, struct imap_result *r)
{
	size_t space = str_find(s, ' ');
	struct str word = str_sub(s, 0, space);

	s = str_trim(str_sub(s, space, s.n));
	r->status = str_iis(word, "OK") ? IMAP_OK : str_iis(word, "NO") ? IMAP_NO : IMAP_BAD;
	r->code = STR_NONE;
	if (s.n && s.p[0] == '[') {
		size_t end = str_find(s, ']');

		r->code = arena_str(a, str_sub(s, 1, end - 1));
		s = str_trim(str_sub(s, end + 1, s.n));
	}
	r->text = arena_str(a, s);
}

unsigned reply_capabilities(const struct imap_value *v)
{
	unsigned caps = 0;

	for (; v; v = v->next)
		for (size_t i = 0; i < ARRAY_LEN(capabilities); i++)
			if (imap_is(v, capabilities[i].name))
				caps |= capabilities[i].bit;
	return caps;
}

struct str reply_path(struct str raw, struct arena *a)
{
	struct str path = utf7_decode(raw, a);

	return str_iis(path, "INBOX") ? STR("INBOX") : path;
}

bool reply_has(const struct imap_value *attributes, const char *name)
{
	for (const struct imap_value *v = attributes; v; v = v->next)
		if (imap_is(v, name))
			return true;
	return false;
}

void reply_mark(
	struct mail_mark *m, const struct imap_value *key, const struct imap_value *value)
{
	if (imap_is(key, "UIDVALIDITY"))
		(void)str_u32(imap_text(value), &m->uidvalidity);
	else if (imap_is(key, "UIDNEXT"))
		(void)str_u32(imap_text(value), &m->uidnext);
	else if (imap_is(key, "MESSAGES"))
		(void)str_u32(imap_text(value), &m->messages);
	else if (imap_is(key, "HIGHESTMODSEQ"))
		(void)str_u64(imap_text(value), &m->modseq);
}

bool reply_status(
	struct imap_value *values, struct arena *a, struct str *path_r, struct mail_mark *m)
{
	struct imap_value *items = imap_at(values, 2);

	if (!imap_is(values, "STATUS") || !items || items->kind != IMAP_LIST)
		return false;
	*path_r = reply_path(imap_text(imap_at(values, 1)), a);
	for (struct imap_value *v = items->child; v && v->next; v = v->next->next)
		reply_mark(m, v, v->next);
	return true;
}
