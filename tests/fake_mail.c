#include "tests/fake_mail.h"

#include "core/base/clock.h"
#include "core/map/email.h"
#include "core/map/header.h"

#include <assert.h>
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FOLDERS 20000

struct message {
	uint32_t uid;
	unsigned flags;
	char *keywords;
	int64_t received;
	uint64_t modseq;
	char *text;
	size_t size;
	bool poisoned;
};

struct box {
	char *path;
	char id[16];
	enum mail_use use;
	uint32_t uidvalidity, uidnext;
	uint64_t modseq;
	bool read_only;
	struct message *v;
	size_t n, cap;
};

struct fake_mail {
	struct mail mail; /* first */
	struct box *boxes[MAX_FOLDERS];
	size_t nboxes;
	unsigned next_id, next_validity;
	unsigned calls, fail_in;
	bool fail_late;
};

static struct fake_mail *of(struct mail *m)
{
	return (struct fake_mail *)m;
}

static struct box *find(struct fake_mail *fm, struct str path)
{
	for (size_t i = 0; i < fm->nboxes; i++)
		if (str_is(path, fm->boxes[i]->path) ||
			(str_iis(path, "INBOX") && strcmp(fm->boxes[i]->path, "INBOX") == 0))
			return fm->boxes[i];
	return NULL;
}

static struct box *must(struct fake_mail *fm, const char *path)
{
	struct box *b = find(fm, str_of(path));

	assert(b);
	return b;
}

static struct message *message(struct box *b, uint32_t uid)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].uid == uid)
			return &b->v[i];
	return NULL;
}

static void touch(struct box *b, struct message *m)
{
	m->modseq = ++b->modseq;
}

static void drop(struct message *m)
{
	free(m->keywords);
	free(m->text);
}

static void box_free(struct box *b)
{
	for (size_t i = 0; i < b->n; i++)
		drop(&b->v[i]);
	free(b->v);
	free(b->path);
	free(b);
}

static char *with_crlf(const char *text, size_t n, size_t *size_r)
{
	char *out = malloc(2 * n + 1);
	size_t o = 0;

	assert(out);
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			out[o++] = '\r';
		out[o++] = text[i];
	}
	out[o] = '\0';
	*size_r = o;
	return out;
}

static struct message *add(struct box *b, unsigned flags, int64_t received, struct str text)
{
	struct message *m;

	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 16;
		b->v = realloc(b->v, b->cap * sizeof(*b->v));
		assert(b->v);
	}
	m = &b->v[b->n++];
	*m = (struct message){.uid = b->uidnext++, .flags = flags, .received = received};
	m->text = with_crlf(text.p, text.n, &m->size);
	touch(b, m);
	return m;
}

static void expunge(struct box *b, uint32_t uid)
{
	struct message *m = message(b, uid);

	if (!m)
		return;
	drop(m);
	memmove(m, m + 1, (size_t)(b->v + b->n - (m + 1)) * sizeof(*m));
	b->n--;
	b->modseq++;
}

/* The two ends of every op: fail early, or pretend that the answer got lost. */
static bool fails(struct fake_mail *fm, bool late)
{
	if (!late)
		fm->calls++;
	if (fm->fail_in == 0 || fm->fail_late != late)
		return false;
	return --fm->fail_in == 0;
}

#define BEGIN(fm, err)                                                                         \
	do {                                                                                   \
		if (fails((fm), false))                                                        \
			return err_set((err), RC_UNAVAILABLE, "connection lost (injected)");   \
	} while (0)
#define END(fm, err)                                                                           \
	(fails((fm), true) ? err_set((err), RC_UNAVAILABLE, "answer lost (injected)") : RC_OK)

static enum rc absent(struct str folder, struct err *err)
{
	return err_set(err, RC_ABSENT, "no folder \"%.*s\"", STR_FMT(folder));
}

static enum rc do_list(struct mail *m, struct arena *a, struct mail_folders *r, struct err *err)
{
	struct fake_mail *fm = of(m);

	BEGIN(fm, err);
	r->v = ARENA_ARRAY(a, struct mail_folder, fm->nboxes + 1);
	r->n = fm->nboxes;
	/* Parents before children: a parent's path is shorter. */
	for (size_t i = 0; i < fm->nboxes; i++) {
		const struct box *b = fm->boxes[i];
		struct mail_folder *f = &r->v[i];
		const char *slash = strrchr(b->path, '/');

		f->path = arena_str(a, str_of(b->path));
		f->name = arena_str(a, str_of(slash ? slash + 1 : b->path));
		f->parent = slash ? str_sub(f->path, 0, (size_t)(slash - b->path))
				  : (struct str){"", 0};
		f->use = b->use;
		f->selectable = true;
		f->uidvalidity = b->uidvalidity;
		f->mailbox_id = arena_str(a, str_of(b->id));
	}
	for (size_t i = 1; i < r->n; i++)
		for (size_t k = i; k > 0 && r->v[k].path.n < r->v[k - 1].path.n; k--) {
			struct mail_folder f = r->v[k];

			r->v[k] = r->v[k - 1];
			r->v[k - 1] = f;
		}
	return END(fm, err);
}

static struct mail_mark mark_of(const struct box *b)
{
	return (struct mail_mark){b->uidvalidity, b->uidnext, (uint32_t)b->n, b->modseq};
}

static enum rc do_status(
	struct mail *m, struct str folder, struct mail_mark *r, struct err *err)
{
	struct fake_mail *fm = of(m);
	struct box *b;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (!b)
		return absent(folder, err);
	*r = mark_of(b);
	return END(fm, err);
}

static enum rc do_status_many(struct mail *m, const struct str *folders, size_t n,
	struct mail_mark *marks_r, enum rc *rc_r, struct err *err)
{
	struct fake_mail *fm = of(m);

	BEGIN(fm, err);
	for (size_t i = 0; i < n; i++) {
		struct box *b = find(fm, folders[i]);

		rc_r[i] = b ? RC_OK : RC_ABSENT;
		if (b)
			marks_r[i] = mark_of(b);
	}
	return END(fm, err);
}

static struct str header_block(struct str text)
{
	size_t at = str_search(text, STR("\r\n\r\n"));

	return at < text.n ? str_sub(text, 0, at + 2) : text;
}

/* The fields that a summary carries, as IMAP's HEADER.FIELDS gives them. */
static struct str chosen_fields(struct str text, struct arena *a)
{
	struct str head = header_block(text), line;
	struct str names = STR(" " MAIL_HEADER_FIELDS " ");
	struct buf out;
	bool take = false;
	struct str result;

	buf_init(&out, BUF_MAX_TEXT);
	while (head.n) {
		size_t at = str_find(head, '\n');

		line = str_sub(head, 0, at + 1);
		head = str_sub(head, at + 1, head.n);
		if (line.n && line.p[0] != ' ' && line.p[0] != '\t') {
			struct str name = str_sub(line, 0, str_find(line, ':'));
			struct str key = arena_printf(a, " %.*s ", STR_FMT(name));

			take = str_isearch(names, key) < names.n;
		}
		if (take)
			buf_add_str(&out, line);
	}
	buf_adds(&out, "\r\n");
	result = arena_str(a, buf_str(&out));
	buf_release(&out);
	return result;
}

static struct str text_or_none(struct arena *a, const char *c)
{
	return c ? arena_str(a, str_of(c)) : STR_NONE;
}

static struct str lower(struct arena *a, const char *c)
{
	char *p;

	if (!c)
		return STR_NONE;
	p = arena_cstr(a, str_of(c));
	for (char *q = p; *q; q++)
		if (*q >= 'A' && *q <= 'Z')
			*q = (char)(*q + 32);
	return str_of(p);
}

static void part_leaf(GMimeObject *o, struct mail_part *p, struct arena *a)
{
	GMimeContentType *type = g_mime_object_get_content_type(o);
	GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(o);
	const char *id = g_mime_object_get_content_id(o);

	p->type = lower(a, g_mime_content_type_get_media_type(type));
	p->subtype = lower(a, g_mime_content_type_get_media_subtype(type));
	p->charset = text_or_none(a, g_mime_content_type_get_parameter(type, "charset"));
	p->name = text_or_none(a, g_mime_content_type_get_parameter(type, "name"));
	p->method = text_or_none(a, g_mime_content_type_get_parameter(type, "method"));
	p->smime_type = text_or_none(a, g_mime_content_type_get_parameter(type, "smime-type"));
	p->protocol = text_or_none(a, g_mime_content_type_get_parameter(type, "protocol"));
	p->report_type =
		text_or_none(a, g_mime_content_type_get_parameter(type, "report-type"));
	p->id = text_or_none(a, id);
	if (disposition) {
		p->disposition =
			lower(a, g_mime_content_disposition_get_disposition(disposition));
		p->filename = text_or_none(
			a, g_mime_content_disposition_get_parameter(disposition, "filename"));
	}
}

static struct mail_part *part_tree(
	GMimeObject *o, struct str section, bool top, struct arena *a)
{
	struct mail_part *p = ARENA_NEW(a, struct mail_part), **tail = &p->child;

	p->section = section;
	part_leaf(o, p, a);
	if (GMIME_IS_MULTIPART(o)) {
		int n = g_mime_multipart_get_count(GMIME_MULTIPART(o));

		for (int i = 0; i < n; i++) {
			struct str s =
				section.n ? arena_printf(a, "%.*s.%d", STR_FMT(section), i + 1)
					  : arena_printf(a, "%d", i + 1);

			*tail = part_tree(
				g_mime_multipart_get_part(GMIME_MULTIPART(o), i), s, false, a);
			tail = &(*tail)->next;
		}
		return p;
	}
	if (top)
		p->section = STR("1");
	if (GMIME_IS_MESSAGE_PART(o)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
		GMimeObject *root = inner ? g_mime_message_get_mime_part(inner) : NULL;

		p->encoding = STR("7bit");
		p->subject = text_or_none(a, inner ? g_mime_message_get_subject(inner) : NULL);
		if (root)
			p->child = part_tree(root,
				GMIME_IS_MULTIPART(root)
					? p->section
					: arena_printf(a, "%.*s.1", STR_FMT(p->section)),
				false, a);
		return p;
	}
	if (GMIME_IS_PART(o)) {
		GMimeStream *s =
			g_mime_data_wrapper_get_stream(g_mime_part_get_content(GMIME_PART(o)));

		p->encoding =
			lower(a, g_mime_content_encoding_to_string(
					 g_mime_part_get_content_encoding(GMIME_PART(o))));
		if (!p->encoding.p)
			p->encoding = STR("7bit");
		p->size = (uint32_t)g_mime_stream_length(s);
		p->location = text_or_none(a, g_mime_part_get_content_location(GMIME_PART(o)));
		p->description =
			text_or_none(a, g_mime_part_get_content_description(GMIME_PART(o)));
	}
	return p;
}

static GMimeMessage *parse(struct str text)
{
	GMimeStream *s;
	GMimeParser *parser;
	GMimeMessage *msg;

	g_mime_init();
	s = g_mime_stream_mem_new_with_buffer(text.p, text.n);
	parser = g_mime_parser_new_with_stream(s);
	msg = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(s);
	return msg;
}

static struct str msg_text(const struct message *m)
{
	return (struct str){m->text, m->size};
}

static struct mail_part *structure(const struct message *m, struct arena *a)
{
	struct mail_part *root = ARENA_NEW(a, struct mail_part);
	GMimeMessage *msg;

	*root = (struct mail_part){.section = STR("1"),
		.type = STR("text"),
		.subtype = STR("plain"),
		.encoding = STR("7bit"),
		.size = (uint32_t)m->size};
	if (m->poisoned)
		return NULL;
	msg = parse(msg_text(m));
	if (msg && g_mime_message_get_mime_part(msg))
		root = part_tree(
			g_mime_message_get_mime_part(msg), (struct str){"", 0}, true, a);
	if (msg)
		g_object_unref(msg);
	return root;
}

static struct mail_flags flags_of(const struct message *m, struct arena *a)
{
	return (struct mail_flags){m->uid, m->flags, text_or_none(a, m->keywords)};
}

static void summary(const struct message *m, struct arena *a, struct mail_summary *r)
{
	*r = (struct mail_summary){.flags = flags_of(m, a),
		.received = m->received,
		.size = (uint32_t)m->size,
		.header = chosen_fields(msg_text(m), a),
		.root = structure(m, a)};
}

static void read_summaries(struct box *b, const struct uidset *want, size_t newest,
	uint32_t since, struct arena *a, struct mail_summaries *r)
{
	r->v = ARENA_ARRAY(a, struct mail_summary, b->n + 1);
	r->n = 0;
	for (size_t i = 0; i < b->n; i++) {
		const struct message *m = &b->v[i];
		bool take = want && uidset_has(want, m->uid);

		if (b->n - i <= newest && m->uid >= since)
			take = true;
		if (take)
			summary(m, a, &r->v[r->n++]);
	}
}

static void thread_of(const struct message *m, unsigned char id[EMAIL_CONVERSATION_ID])
{
	struct arena *a = arena_new();

	email_conversation_id(header_block(msg_text(m)), a, id);
	arena_free(a);
}

static void add_threads(struct box *b, struct uidset *scope)
{
	unsigned char mine[EMAIL_CONVERSATION_ID], theirs[EMAIL_CONVERSATION_ID];
	struct uidset first = uidset_copy(scope, scope->arena);

	for (size_t i = 0; i < b->n; i++) {
		thread_of(&b->v[i], mine);
		for (size_t k = 0; k < b->n; k++) {
			thread_of(&b->v[k], theirs);
			if (uidset_has(&first, b->v[k].uid) &&
				memcmp(mine, theirs, sizeof(mine)) == 0)
				uidset_add(scope, b->v[i].uid);
		}
	}
}

static enum rc do_look(struct mail *mail, struct str folder, const struct mail_look *l,
	struct arena *a, struct mail_delta *r, struct err *err)
{
	struct fake_mail *fm = of(mail);
	struct box *b;
	bool first;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (!b)
		return absent(folder, err);
	*r = (struct mail_delta){.mark = mark_of(b)};
	uidset_init(&r->arrived, a);
	uidset_init(&r->vanished, a);
	uidset_init(&r->scope, a);
	r->reset = l->since.uidvalidity && l->since.uidvalidity != b->uidvalidity;
	first = r->reset || l->since.uidvalidity == 0;
	r->flags = ARENA_ARRAY(a, struct mail_flags, b->n + 1);
	if (!first && l->held) {
		r->vanished = uidset_copy(l->held, a);
		for (size_t i = 0; i < b->n; i++)
			uidset_remove(&r->vanished, b->v[i].uid);
	}
	for (size_t i = 0; i < b->n; i++) {
		const struct message *m = &b->v[i];

		if (!first && m->uid >= l->since.uidnext)
			uidset_add(&r->arrived, m->uid);
		if (!first && l->held && uidset_has(l->held, m->uid) &&
			m->modseq > l->since.modseq)
			r->flags[r->nflags++] = flags_of(m, a);
		if ((l->search || r->reset) && m->received >= l->after)
			uidset_add(&r->scope, m->uid);
	}
	if (l->search && l->conversations)
		add_threads(b, &r->scope);
	read_summaries(b, l->want, l->newest, first ? 0 : l->since.uidnext, a, &r->summaries);
	return END(fm, err);
}

static struct str section_bytes(const struct message *m, struct str section, struct arena *a);

static enum rc do_summaries(struct mail *mail, struct str folder, const struct uidset *uids,
	const struct mail_guess *g, struct arena *a, struct mail_summaries *r, struct err *err)
{
	struct fake_mail *fm = of(mail);
	struct box *b;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (!b)
		return absent(folder, err);
	read_summaries(b, uids, 0, 0, a, r);
	for (size_t i = 0; i < r->n && g; i++)
		for (size_t k = 0; k < MAIL_GUESSES && g->sections[k]; k++)
			r->v[i].guessed[k] =
				str_sub(section_bytes(message(b, r->v[i].flags.uid),
						str_of(g->sections[k]), a),
					0, g->length);
	return END(fm, err);
}

static struct str object_bytes(GMimeObject *o, bool mime, struct arena *a)
{
	GMimeStream *s = g_mime_stream_mem_new();
	GByteArray *bytes;
	struct str text;

	if (mime) {
		char *h = g_mime_object_get_headers(o, NULL);

		text = arena_printf(a, "%s\r\n", h ? h : "");
		g_free(h);
	} else {
		if (GMIME_IS_PART(o))
			g_mime_stream_write_to_stream(
				g_mime_data_wrapper_get_stream(
					g_mime_part_get_content(GMIME_PART(o))),
				s);
		else if (GMIME_IS_MESSAGE_PART(o))
			g_mime_object_write_to_stream(
				GMIME_OBJECT(
					g_mime_message_part_get_message(GMIME_MESSAGE_PART(o))),
				NULL, s);
		bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(s));
		text = arena_str(a,
			(struct str){(const char *)bytes->data ? (const char *)bytes->data : "",
				bytes->len});
	}
	g_object_unref(s);
	return text;
}

/* The object that a section names, or NULL. */
static GMimeObject *descend(GMimeObject *o, struct str section)
{
	struct str field;
	bool top = true;

	while (o && str_next(&section, '.', &field)) {
		uint32_t i;

		if (!str_u32(field, &i) || i == 0)
			return NULL;
		if (!top && GMIME_IS_MESSAGE_PART(o))
			o = g_mime_message_get_mime_part(
				g_mime_message_part_get_message(GMIME_MESSAGE_PART(o)));
		if (GMIME_IS_MULTIPART(o))
			o = (int)i <= g_mime_multipart_get_count(GMIME_MULTIPART(o))
				    ? g_mime_multipart_get_part(GMIME_MULTIPART(o), (int)i - 1)
				    : NULL;
		else if (i != 1)
			return NULL;
		top = false;
	}
	return o;
}

static struct str section_bytes(const struct message *m, struct str section, struct arena *a)
{
	struct str text = msg_text(m), result = STR_NONE, name = section;
	bool mime = section.n > 5 && str_is(str_sub(section, section.n - 5, 5), ".MIME");
	GMimeMessage *msg;
	GMimeObject *o;

	if (section.n == 0)
		return arena_str(a, text);
	if (str_is(section, "HEADER"))
		return arena_printf(a, "%.*s\r\n", STR_FMT(header_block(text)));
	if (mime)
		name = str_sub(section, 0, section.n - 5);
	msg = parse(text);
	o = msg ? descend(g_mime_message_get_mime_part(msg), name) : NULL;
	if (o)
		result = object_bytes(o, mime, a);
	else if (str_is(name, "1") && msg && !g_mime_message_get_mime_part(msg))
		result = str_sub(text, header_block(text).n + 2, text.n);
	if (msg)
		g_object_unref(msg);
	return result;
}

static enum rc do_parts(struct mail *mail, struct str folder, struct mail_part_request *v,
	size_t n, struct arena *a, struct err *err)
{
	struct fake_mail *fm = of(mail);
	struct box *b;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (!b)
		return absent(folder, err);
	for (size_t i = 0; i < n; i++) {
		const struct message *m = message(b, v[i].uid);
		struct str all = m ? section_bytes(m, v[i].section, a) : STR_NONE;

		v[i].bytes = STR_NONE;
		v[i].refused = false;
		if (all.p)
			v[i].bytes = str_sub(
				all, (size_t)v[i].offset, v[i].length ? v[i].length : all.n);
	}
	return END(fm, err);
}

static enum rc do_stream(struct mail *mail, struct str folder, uint32_t uid, struct str section,
	uint64_t offset, uint64_t length, struct sink *to, struct err *err)
{
	struct fake_mail *fm = of(mail);
	const struct message *m = NULL;
	struct arena *a;
	struct box *b;
	struct str all;
	enum rc rc;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (b)
		m = message(b, uid);
	if (!m)
		return err_set(
			err, RC_ABSENT, "no message %u in \"%.*s\"", uid, STR_FMT(folder));
	a = arena_new();
	all = section_bytes(m, section, a);
	rc = all.p ? sink_write(to,
			     str_sub(all, (size_t)offset, length ? (size_t)length : all.n), err)
		   : err_set(err, RC_ABSENT, "no part %.*s", STR_FMT(section));
	arena_free(a);
	return rc ? rc : END(fm, err);
}

static enum rc remade(struct err *err)
{
	return err_set(err, RC_CONFLICT, "the folder was made anew");
}

static bool in_words(struct str words, struct str word)
{
	struct str one;

	while (str_next(&words, ' ', &one))
		if (one.n && str_ieq(one, word))
			return true;
	return false;
}

static void add_words(struct str words, struct str without, struct buf *out)
{
	struct str one;

	while (str_next(&words, ' ', &one)) {
		if (one.n == 0 || in_words(without, one) || in_words(buf_str(out), one))
			continue;
		if (out->n)
			buf_addc(out, ' ');
		buf_add_str(out, one);
	}
}

/* True when they are others now. */
static bool change_keywords(struct message *m, struct str more, struct str less)
{
	struct buf b;
	bool changed;

	if (!more.n && !less.n)
		return false;
	buf_init(&b, BUF_MAX_LINE);
	add_words(str_of(m->keywords), less, &b);
	add_words(more, STR_NONE, &b);
	changed = strcmp(b.p ? b.p : "", m->keywords ? m->keywords : "") != 0;
	free(m->keywords);
	m->keywords = b.n ? strdup(b.p) : NULL;
	buf_release(&b);
	return changed;
}

static enum rc do_store(struct mail *mail, struct str folder, uint32_t uidvalidity,
	struct mail_flag_change *v, size_t n, struct err *err)
{
	struct fake_mail *fm = of(mail);
	struct box *b;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (!b)
		return absent(folder, err);
	if (uidvalidity && uidvalidity != b->uidvalidity)
		return remade(err);
	if (b->read_only)
		return err_set(err, RC_DENIED, "%s may not be changed", b->path);
	for (size_t i = 0; i < n; i++) {
		struct message *m = message(b, v[i].uid);
		unsigned flags;

		v[i].absent = !m;
		if (!m)
			continue;
		flags = (m->flags | v[i].set) & ~v[i].clear;
		if (flags != m->flags) {
			m->flags = flags;
			touch(b, m);
		}
		if (change_keywords(m, v[i].add, v[i].remove))
			touch(b, m);
	}
	return END(fm, err);
}

static enum rc do_move(struct mail *mail, struct str folder, uint32_t uidvalidity,
	struct str to, struct mail_move *v, size_t n, struct err *err)
{
	struct fake_mail *fm = of(mail);
	struct box *b, *t;

	BEGIN(fm, err);
	b = find(fm, folder);
	t = find(fm, to);
	if (!b || !t)
		return absent(b ? to : folder, err);
	if (uidvalidity && uidvalidity != b->uidvalidity)
		return remade(err);
	for (size_t i = 0; i < n; i++) {
		struct message *m = message(b, v[i].uid), *made;

		v[i].new_uid = 0;
		v[i].rc = m ? RC_OK : RC_ABSENT;
		if (!m)
			continue;
		made = add(t, m->flags, m->received, msg_text(m));
		v[i].new_uid = made->uid;
		expunge(b, v[i].uid);
	}
	return END(fm, err);
}

static enum rc do_remove(struct mail *mail, struct str folder, uint32_t uidvalidity,
	const struct uidset *uids, struct err *err)
{
	struct fake_mail *fm = of(mail);
	struct box *b;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (!b)
		return absent(folder, err);
	if (uidvalidity && uidvalidity != b->uidvalidity)
		return remade(err);
	for (uint32_t u = uidset_above(uids, 0); u; u = uidset_above(uids, u))
		expunge(b, u);
	return END(fm, err);
}

static enum rc do_append(struct mail *mail, struct str folder, unsigned flags, int64_t received,
	struct source *text, uint32_t *uid_r, struct err *err)
{
	struct fake_mail *fm = of(mail);
	struct buf_sink sink;
	struct buf bytes;
	struct box *b;
	enum rc rc;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (!b)
		return absent(folder, err);
	buf_init(&bytes, BUF_MAX_RESPONSE);
	buf_sink_init(&sink, &bytes);
	rc = stream_copy(text, &sink.sink, err);
	if (!rc)
		*uid_r = add(b, flags, received ? received : clock_now(), buf_str(&bytes))->uid;
	buf_release(&bytes);
	return rc ? rc : END(fm, err);
}

static enum rc do_flags(struct mail *mail, struct str folder, const struct uidset *uids,
	struct arena *a, struct mail_flag_list *r, struct err *err)
{
	struct fake_mail *fm = of(mail);
	struct box *b;

	BEGIN(fm, err);
	b = find(fm, folder);
	if (!b)
		return absent(folder, err);
	r->v = ARENA_ARRAY(a, struct mail_flags, b->n + 1);
	r->n = 0;
	for (size_t i = 0; i < b->n; i++)
		if (uidset_has(uids, b->v[i].uid))
			r->v[r->n++] = flags_of(&b->v[i], a);
	return END(fm, err);
}

static bool field_has(const struct message *m, const char *field, struct str what)
{
	struct arena *a = arena_new();
	struct str value = header_text(header_block(msg_text(m)), field, a);
	bool has = what.n <= value.n && str_isearch(value, what) < value.n;

	arena_free(a);
	return has;
}

static bool matches(const struct message *m, const struct mail_term *t)
{
	const struct mail_term *c = t->child;

	switch (t->kind) {
	case MAIL_TERM_AND:
		while (c && matches(m, c))
			c = c->next;
		return !c;
	case MAIL_TERM_OR:
		while (c && !matches(m, c))
			c = c->next;
		return c || !t->child;
	case MAIL_TERM_NOT:
		return !matches(m, c);
	case MAIL_TERM_TEXT:
	case MAIL_TERM_BODY:
		return str_isearch(msg_text(m), t->text) < m->size ||
		       field_has(m, "Subject", t->text);
	case MAIL_TERM_SUBJECT:
		return field_has(m, "Subject", t->text);
	case MAIL_TERM_FROM:
		return field_has(m, "From", t->text);
	case MAIL_TERM_TO:
		return field_has(m, "To", t->text);
	case MAIL_TERM_CC:
		return field_has(m, "Cc", t->text);
	case MAIL_TERM_HEADER:
		return field_has(m, t->field, t->text);
	case MAIL_TERM_SINCE:
		return m->received >= t->time;
	case MAIL_TERM_BEFORE:
		return m->received < t->time;
	case MAIL_TERM_UNREAD:
		return !(m->flags & MAIL_SEEN);
	case MAIL_TERM_FLAGGED:
		return m->flags & MAIL_FLAGGED;
	}
	return false;
}

static enum rc do_search(struct mail *mail, const struct str *folders, size_t n,
	const struct mail_term *what, unsigned newest, struct arena *a, struct mail_hits *hits,
	struct err *err)
{
	struct fake_mail *fm = of(mail);

	BEGIN(fm, err);
	for (size_t i = 0; i < n; i++) {
		struct box *b = find(fm, folders[i]);

		hits[i] = (struct mail_hits){.rc = b ? RC_OK : RC_ABSENT};
		if (!b)
			continue;
		hits[i].uidvalidity = b->uidvalidity;
		hits[i].v = ARENA_ARRAY(a, struct mail_hit, newest + 1);
		for (size_t k = b->n; k-- > 0;) {
			if (b->v[k].flags & MAIL_DELETED || !matches(&b->v[k], what))
				continue;
			hits[i].total++;
			if (hits[i].n < newest)
				hits[i].v[hits[i].n++] = (struct mail_hit){
					b->v[k].uid, n > 1 ? b->v[k].received : 0};
		}
	}
	return END(fm, err);
}

static enum rc do_join(struct mail *mail, struct str parent, struct str name, struct arena *a,
	struct str *path_r, struct err *err)
{
	struct fake_mail *fm = of(mail);

	BEGIN(fm, err);
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == '/')
			return err_set(err, RC_INVALID, "a bad folder name");
	if (name.n == 0)
		return err_set(err, RC_INVALID, "no folder name");
	*path_r = parent.n ? arena_printf(a, "%.*s/%.*s", STR_FMT(parent), STR_FMT(name))
			   : arena_str(a, name);
	return END(fm, err);
}

static enum rc do_rename(struct mail *mail, struct str folder, struct str to, struct err *err)
{
	struct fake_mail *fm = of(mail);
	char from_path[512], to_path[512];

	BEGIN(fm, err);
	if (!find(fm, folder))
		return absent(folder, err);
	if (find(fm, to))
		return err_set(err, RC_CONFLICT, "folder \"%.*s\" exists", STR_FMT(to));
	(void)snprintf(from_path, sizeof(from_path), "%.*s", STR_FMT(folder));
	(void)snprintf(to_path, sizeof(to_path), "%.*s", STR_FMT(to));
	fake_mail_folder_rename(fm, from_path, to_path);
	return END(fm, err);
}

static enum rc do_erase(struct mail *mail, struct str folder, struct err *err)
{
	struct fake_mail *fm = of(mail);
	char path[512];

	BEGIN(fm, err);
	if (!find(fm, folder))
		return absent(folder, err);
	(void)snprintf(path, sizeof(path), "%.*s", STR_FMT(folder));
	fake_mail_folder_delete(fm, path);
	return END(fm, err);
}

static enum rc do_create(
	struct mail *mail, struct str folder, enum mail_use use, struct err *err)
{
	struct fake_mail *fm = of(mail);
	char path[512];

	BEGIN(fm, err);
	if (find(fm, folder))
		return err_set(err, RC_CONFLICT, "folder \"%.*s\" exists", STR_FMT(folder));
	(void)snprintf(path, sizeof(path), "%.*s", STR_FMT(folder));
	fake_mail_folder(fm, path, use);
	return END(fm, err);
}

static const struct mail_ops ops = {
	.list = do_list,
	.status = do_status,
	.status_many = do_status_many,
	.look = do_look,
	.summaries = do_summaries,
	.parts = do_parts,
	.stream = do_stream,
	.store = do_store,
	.move = do_move,
	.remove = do_remove,
	.append = do_append,
	.flags = do_flags,
	.search = do_search,
	.join = do_join,
	.create = do_create,
	.rename = do_rename,
	.erase = do_erase,
};

struct fake_mail *fake_mail_new(void)
{
	struct fake_mail *fm = calloc(1, sizeof(*fm));

	assert(fm);
	fm->mail.ops = &ops;
	fm->next_validity = 1000;
	fake_mail_folder(fm, "INBOX", MAIL_USE_INBOX);
	fake_mail_folder(fm, "Trash", MAIL_USE_TRASH);
	fake_mail_folder(fm, "Sent", MAIL_USE_SENT);
	fake_mail_folder(fm, "Drafts", MAIL_USE_DRAFTS);
	return fm;
}

void fake_mail_free(struct fake_mail *fm)
{
	if (!fm)
		return;
	for (size_t i = 0; i < fm->nboxes; i++)
		box_free(fm->boxes[i]);
	free(fm);
}

struct mail *fake_mail_mail(struct fake_mail *fm)
{
	return &fm->mail;
}

void fake_mail_folder(struct fake_mail *fm, const char *path, enum mail_use use)
{
	struct box *b = calloc(1, sizeof(*b));

	assert(b && fm->nboxes < MAX_FOLDERS);
	b->path = strdup(path);
	(void)snprintf(b->id, sizeof(b->id), "F%u", ++fm->next_id);
	b->use = use;
	b->uidvalidity = ++fm->next_validity;
	b->uidnext = 1;
	b->modseq = 1;
	fm->boxes[fm->nboxes++] = b;
}

void fake_mail_folder_delete(struct fake_mail *fm, const char *path)
{
	struct box *b = must(fm, path);

	for (size_t i = 0; i < fm->nboxes; i++)
		if (fm->boxes[i] == b) {
			memmove(&fm->boxes[i], &fm->boxes[i + 1],
				(fm->nboxes - i - 1) * sizeof(struct box *));
			fm->nboxes--;
			break;
		}
	box_free(b);
}

void fake_mail_folder_rename(struct fake_mail *fm, const char *path, const char *to)
{
	size_t n = strlen(path);

	(void)must(fm, path);
	for (size_t i = 0; i < fm->nboxes; i++) {
		struct box *b = fm->boxes[i];
		char name[512];

		if (strncmp(b->path, path, n) != 0 || (b->path[n] && b->path[n] != '/'))
			continue;
		(void)snprintf(name, sizeof(name), "%s%s", to, b->path + n);
		free(b->path);
		b->path = strdup(name);
	}
}

uint32_t fake_mail_add(struct fake_mail *fm, const char *path, unsigned flags, int64_t received,
	const char *text)
{
	return add(must(fm, path), flags, received, str_of(text))->uid;
}

uint32_t fake_mail_add_simple(struct fake_mail *fm, const char *path, unsigned flags,
	int64_t received, const char *subject)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"From: Ann Other <ann@example.test>\nTo: user01@example.test\nSubject: %s\n"
		"Message-ID: <%s@example.test>\nMIME-Version: 1.0\n"
		"Content-Type: text/plain; charset=utf-8\n\nThe body of %s.\n",
		subject, subject, subject);
	return fake_mail_add(fm, path, flags, received, text);
}

void fake_mail_expunge(struct fake_mail *fm, const char *path, uint32_t uid)
{
	expunge(must(fm, path), uid);
}

void fake_mail_set_flags(struct fake_mail *fm, const char *path, uint32_t uid, unsigned flags)
{
	struct box *b = must(fm, path);
	struct message *m = message(b, uid);

	assert(m);
	m->flags = flags;
	touch(b, m);
}

void fake_mail_keywords(
	struct fake_mail *fm, const char *path, uint32_t uid, const char *keywords)
{
	struct box *b = must(fm, path);
	struct message *m = message(b, uid);

	assert(m);
	free(m->keywords);
	m->keywords = keywords ? strdup(keywords) : NULL;
	touch(b, m);
}

void fake_mail_read_only(struct fake_mail *fm, const char *path, bool read_only)
{
	struct box *b = find(fm, str_of(path));

	assert(b);
	b->read_only = read_only;
}

void fake_mail_new_uidvalidity(struct fake_mail *fm, const char *path)
{
	struct box *b = must(fm, path);

	b->uidvalidity = ++fm->next_validity;
	b->uidnext = 1;
	for (size_t i = 0; i < b->n; i++)
		b->v[i].uid = b->uidnext++;
}

void fake_mail_poison(struct fake_mail *fm, const char *path, uint32_t uid, bool poisoned)
{
	struct message *m = message(must(fm, path), uid);

	assert(m);
	m->poisoned = poisoned;
}

unsigned fake_mail_flags(struct fake_mail *fm, const char *path, uint32_t uid)
{
	struct message *m = message(must(fm, path), uid);

	return m ? m->flags : ~0u;
}

uint32_t fake_mail_uid(struct fake_mail *fm, const char *path, size_t i)
{
	struct box *b = must(fm, path);

	return i < b->n ? b->v[i].uid : 0;
}

size_t fake_mail_count(struct fake_mail *fm, const char *path)
{
	return must(fm, path)->n;
}

struct str fake_mail_text(struct fake_mail *fm, const char *path, uint32_t uid)
{
	struct message *m = message(must(fm, path), uid);

	return m ? msg_text(m) : STR_NONE;
}

void fake_mail_fail_after(struct fake_mail *fm, unsigned n, bool after)
{
	fm->fail_in = n;
	fm->fail_late = after;
}

unsigned fake_mail_calls(struct fake_mail *fm)
{
	return fm->calls;
}
