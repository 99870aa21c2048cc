#include "core/map/email_parts.h"

#include "core/base/utf8.h"
#include "core/map/header.h"
#include "core/map/server_id.h"

#include <string.h>

#define ATTACHMENTS_MAX 1000

enum { METHOD_NORMAL = 1, METHOD_MESSAGE = 5 };

const struct mail_part *email_part(const struct mail_part *root, struct str section)
{
	for (const struct mail_part *p = root; p; p = p->next) {
		const struct mail_part *hit;

		if (str_eq(p->section, section) && !str_is(p->type, "multipart"))
			return p;
		hit = p->child ? email_part(p->child, section) : NULL;
		if (hit)
			return hit;
	}
	return NULL;
}

struct str email_part_type(const struct mail_part *p, struct arena *a)
{
	if (!p->type.n || !p->subtype.n)
		return STR("application/octet-stream");
	return arena_printf(a, "%.*s/%.*s", STR_FMT(p->type), STR_FMT(p->subtype));
}

static bool is_message(const struct mail_part *p)
{
	return str_is(p->type, "message") && str_is(p->subtype, "rfc822");
}

static bool ends_with_eml(struct str name)
{
	return name.n > 4 && str_iis(str_sub(name, name.n - 4, 4), ".eml");
}

enum { NAME_CHARS = 100 };

/* What is no name of a file, as one: without what separates paths, and not too long. */
static struct str as_name(struct str raw, struct arena *a)
{
	struct str text = utf8_cut_chars(header_decode(raw, a), NAME_CHARS);
	char *p = arena_alloc(a, text.n + 1);

	for (size_t i = 0; i < text.n; i++)
		p[i] = (unsigned char)text.p[i] < ' ' || strchr("/\\:", text.p[i]) ? '-'
										   : text.p[i];
	return (struct str){p, text.n};
}

struct str email_part_name(const struct mail_part *p, struct arena *a)
{
	struct str name = header_decode(p->filename.n ? p->filename : p->name, a);

	if (!name.n && is_message(p))
		name = as_name(p->description.n ? p->description : p->subject, a);
	if (!name.n)
		name = arena_printf(a, "part-%.*s%s", STR_FMT(p->section),
			is_message(p)              ? ".eml"
			: str_is(p->type, "image") ? ".img"
						   : "");
	/* clients.md 2: embedded messages are shown only with that ending. */
	if (is_message(p) && !ends_with_eml(name))
		name = arena_printf(a, "%.*s.eml", STR_FMT(name));
	return name;
}

struct lister {
	const struct email_plan *plan;
	const struct email_extra *x;
	const struct email_options *o;
	const struct mail_part *plain, *html;
	struct str server_id;
	struct arena *a;
	struct wbxml_writer *w;
	unsigned n;
};

/* One attachment as the device sees it. */
struct item {
	struct str name, reference, id, location;
	uint32_t size;
	bool message, inlined;
};

static void write_25(struct lister *l, const struct item *it)
{
	struct wbxml_writer *w = l->w;

	wbxml_open(w, EMAIL_ATTACHMENT);
	wbxml_int(w, EMAIL_ATT_METHOD, it->message ? METHOD_MESSAGE : METHOD_NORMAL);
	wbxml_int(w, EMAIL_ATT_SIZE, it->size ? it->size : 1);
	wbxml_text(w, EMAIL_DISPLAY_NAME, it->name);
	wbxml_text(w, EMAIL_ATT_NAME, it->reference);
	wbxml_close(w, EMAIL_ATTACHMENT);
}

static void write_120(struct lister *l, const struct item *it)
{
	struct wbxml_writer *w = l->w;

	wbxml_open(w, AIRSYNCBASE_ATTACHMENT);
	wbxml_text(w, AIRSYNCBASE_DISPLAY_NAME, it->name);
	wbxml_text(w, AIRSYNCBASE_FILE_REFERENCE, it->reference);
	wbxml_int(w, AIRSYNCBASE_METHOD, it->message ? METHOD_MESSAGE : METHOD_NORMAL);
	wbxml_int(w, AIRSYNCBASE_ESTIMATED_DATA_SIZE, it->size ? it->size : 1);
	wbxml_text_if(w, AIRSYNCBASE_CONTENT_ID, it->id);
	wbxml_text_if(w, AIRSYNCBASE_CONTENT_LOCATION, it->location);
	if (it->inlined)
		wbxml_bool(w, AIRSYNCBASE_IS_INLINE, true);
	wbxml_close(w, AIRSYNCBASE_ATTACHMENT);
}

static void write_item(struct lister *l, const struct item *it)
{
	bool old = l->o->version < V120;

	if (l->n++ == 0)
		wbxml_open(l->w, old ? EMAIL_ATTACHMENTS : AIRSYNCBASE_ATTACHMENTS);
	if (old)
		write_25(l, it);
	else
		write_120(l, it);
}

/* What is inside a winmail.dat stands in its place: C95. */
static void list_tnef(struct lister *l, const struct mail_part *p)
{
	const struct tnef *t = l->x->tnef;

	for (size_t i = 0; i < t->n && l->n < ATTACHMENTS_MAX; i++)
		write_item(l,
			&(struct item){.name = t->v[i].name.n
						       ? t->v[i].name
						       : arena_printf(l->a, "part-%zu", i + 1),
				.reference = arena_printf(l->a, "%.*s:%.*s~%zu",
					STR_FMT(l->server_id), STR_FMT(p->section), i),
				.size = (uint32_t)t->v[i].data.n});
}

/* A leaf that is no part of the body, nor the calendar twin of an invitation. */
static bool is_attachment(const struct lister *l, const struct mail_part *p)
{
	if (p == l->plain || p == l->html || str_is(p->type, "multipart"))
		return false;
	if (str_is(p->type, "text") && str_is(p->subtype, "calendar") && p->method.n)
		return false;
	return true;
}

static void list(struct lister *l, const struct mail_part *p)
{
	for (; p && l->n < ATTACHMENTS_MAX; p = p->next) {
		if (p->child && str_is(p->type, "multipart"))
			list(l, p->child);
		if (!is_attachment(l, p))
			continue;
		if (l->x->tnef && p == l->x->part) {
			list_tnef(l, p);
			continue;
		}
		write_item(l,
			&(struct item){.name = email_part_name(p, l->a),
				.reference = arena_printf(l->a, "%.*s:%.*s",
					STR_FMT(l->server_id), STR_FMT(p->section)),
				.id = p->id,
				.location = p->location,
				.size = email_part_size(p),
				.message = is_message(p),
				.inlined = p->id.n && !str_is(p->disposition, "attachment")});
	}
}

void email_write_attachments(const struct email_plan *plan, const struct email_options *o,
	const struct email_extra *x, struct str server_id, struct arena *a,
	struct wbxml_writer *w)
{
	struct lister l = {
		.plan = plan, .x = x, .o = o, .server_id = server_id, .a = a, .w = w};

	email_bodies(plan->summary->root, &l.plain, &l.html);
	list(&l, plan->summary->root);
	if (l.n)
		wbxml_close(w, o->version < V120 ? EMAIL_ATTACHMENTS : AIRSYNCBASE_ATTACHMENTS);
}
