#include "core/map/email_parts.h"

#include "core/map/header.h"
#include "core/map/server_id.h"

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

struct str email_part_name(const struct mail_part *p, struct arena *a)
{
	struct str name = header_decode(p->filename.n ? p->filename : p->name, a);

	if (!name.n && is_message(p) && p->description.n)
		name = header_decode(p->description, a);
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
	const struct email_options *o;
	const struct mail_part *plain, *html;
	struct str server_id;
	struct arena *a;
	struct wbxml_writer *w;
	unsigned n;
};

static void write_25(struct lister *l, const struct mail_part *p, struct str reference)
{
	struct wbxml_writer *w = l->w;

	wbxml_open(w, EMAIL_ATTACHMENT);
	wbxml_int(w, EMAIL_ATT_METHOD, is_message(p) ? METHOD_MESSAGE : METHOD_NORMAL);
	wbxml_int(w, EMAIL_ATT_SIZE, email_part_size(p) ? email_part_size(p) : 1);
	wbxml_text(w, EMAIL_DISPLAY_NAME, email_part_name(p, l->a));
	wbxml_text(w, EMAIL_ATT_NAME, reference);
	wbxml_close(w, EMAIL_ATTACHMENT);
}

static void write_120(struct lister *l, const struct mail_part *p, struct str reference)
{
	struct wbxml_writer *w = l->w;
	bool inlined = p->id.n && !str_is(p->disposition, "attachment");

	wbxml_open(w, AIRSYNCBASE_ATTACHMENT);
	wbxml_text(w, AIRSYNCBASE_DISPLAY_NAME, email_part_name(p, l->a));
	wbxml_text(w, AIRSYNCBASE_FILE_REFERENCE, reference);
	wbxml_int(w, AIRSYNCBASE_METHOD, is_message(p) ? METHOD_MESSAGE : METHOD_NORMAL);
	wbxml_int(w, AIRSYNCBASE_ESTIMATED_DATA_SIZE,
		email_part_size(p) ? email_part_size(p) : 1);
	wbxml_text_if(w, AIRSYNCBASE_CONTENT_ID, p->id);
	wbxml_text_if(w, AIRSYNCBASE_CONTENT_LOCATION, p->location);
	if (inlined)
		wbxml_bool(w, AIRSYNCBASE_IS_INLINE, true);
	wbxml_close(w, AIRSYNCBASE_ATTACHMENT);
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
	tag_t container = l->o->version < V120 ? EMAIL_ATTACHMENTS : AIRSYNCBASE_ATTACHMENTS;

	for (; p && l->n < ATTACHMENTS_MAX; p = p->next) {
		struct str reference;

		if (p->child && str_is(p->type, "multipart"))
			list(l, p->child);
		if (!is_attachment(l, p))
			continue;
		if (l->n++ == 0)
			wbxml_open(l->w, container);
		reference = arena_printf(
			l->a, "%.*s:%.*s", STR_FMT(l->server_id), STR_FMT(p->section));
		if (l->o->version < V120)
			write_25(l, p, reference);
		else
			write_120(l, p, reference);
	}
}

void email_write_attachments(const struct email_plan *plan, const struct email_options *o,
	struct str server_id, struct arena *a, struct wbxml_writer *w)
{
	struct lister l = {.plan = plan, .o = o, .server_id = server_id, .a = a, .w = w};

	email_bodies(plan->summary->root, &l.plain, &l.html);
	list(&l, plan->summary->root);
	if (l.n)
		wbxml_close(w, o->version < V120 ? EMAIL_ATTACHMENTS : AIRSYNCBASE_ATTACHMENTS);
}
