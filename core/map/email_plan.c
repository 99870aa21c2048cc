#include "core/map/email_parts.h"

/* More of one message than this is never read into memory. */
#define PART_MAX (24u * 1024 * 1024)
/* Of an invitation, a report or a winmail.dat. */
#define EXTRA_MAX (8u * 1024 * 1024)
/* Of a section that is read without knowing whether it is the right one. */
#define GUESS_MAX (8u * 1024)

bool email_is_smime(const struct mail_part *root)
{
	/* C102: PGP is signed mail as well, and none that a phone could verify. */
	if (str_is(root->type, "multipart") && str_is(root->subtype, "signed"))
		return !str_iis(root->protocol, "application/pgp-signature");
	return str_is(root->type, "application") &&
	       (str_is(root->subtype, "pkcs7-mime") || str_is(root->subtype, "x-pkcs7-mime"));
}

bool email_part_is_text(const struct mail_part *p, const char *subtype)
{
	return str_is(p->type, "text") && str_is(p->subtype, subtype) &&
	       !str_is(p->disposition, "attachment");
}

/* Depth first: the first text part of that subtype which is part of the body. */
static const struct mail_part *find_text(
	const struct mail_part *p, const char *subtype, unsigned depth)
{
	for (; p && depth < 64; p = p->next) {
		const struct mail_part *hit = NULL;

		if (email_part_is_text(p, subtype))
			return p;
		if (p->child && str_is(p->type, "multipart"))
			hit = find_text(p->child, subtype, depth + 1);
		if (hit)
			return hit;
	}
	return NULL;
}

void email_bodies(const struct mail_part *root, const struct mail_part **plain_r,
	const struct mail_part **html_r)
{
	/* The root has no siblings of its own. */
	*plain_r = find_text(root, "plain", 0);
	*html_r = find_text(root, "html", 0);
	if (!*plain_r && !*html_r) {
		*plain_r = find_text(root, "enriched", 0);
		if (!*plain_r && str_is(root->type, "text"))
			*plain_r = root;
	}
	/* A text that is attached behind an HTML body is no body: B20587, B20255. */
	if (*plain_r && *html_r && str_cmp((*html_r)->section, (*plain_r)->section) < 0 &&
		!str_is(root->subtype, "alternative"))
		if ((*plain_r)->filename.p || (*plain_r)->name.p)
			*plain_r = NULL;
}

static const struct body_preference *preference(const struct email_options *o, unsigned type)
{
	for (size_t i = 0; i < o->nprefs; i++)
		if (o->prefs[i].type == type)
			return &o->prefs[i];
	return NULL;
}

/* Decoded size of a part, as far as BODYSTRUCTURE tells. */
uint32_t email_part_size(const struct mail_part *p)
{
	if (str_is(p->encoding, "base64"))
		return (uint32_t)((uint64_t)p->size * 3 / 4 * 76 / 78);
	return p->size;
}

static bool fits(const struct body_preference *p, const struct mail_part *part, uint32_t whole)
{
	uint32_t size = part ? email_part_size(part) : whole;

	return !p->all_or_none || !p->has_size || size <= p->size;
}

/* How many stored bytes give `size` bytes of body. */
static uint32_t bytes_for(const struct mail_part *p, bool cut, uint64_t size, unsigned times)
{
	uint64_t need = size * times + 4096;

	if (!cut || need > PART_MAX)
		need = PART_MAX;
	return p && need >= p->size && p->size <= PART_MAX ? 0 : (uint32_t)need;
}

static int want(struct email_plan *plan, const struct mail_part *p, uint32_t length)
{
	plan->part[plan->nparts] = p;
	plan->parts[plan->nparts] = (struct mail_part_request){
		.uid = plan->summary->flags.uid,
		.section = p ? p->section : (struct str){"", 0},
		.length = length,
	};
	return (int)plan->nparts++;
}

/* The size limit of the body: that of the preference, or of Truncation up to 2.5. */
bool email_limit(const struct email_body *body, const struct email_options *o, uint64_t *size_r)
{
	/* commands.md 1.3: Truncation in characters, MIMETruncation in bytes. */
	static const uint32_t truncation[] = {
		0, 512, 1024, 2048, 5120, 10240, 20480, 51200, 102400};
	static const uint32_t mime[] = {0, 4096, 5120, 7168, 10240, 20480, 51200, 102400};
	bool cut = false;

	if (o->whole)
		return false;
	if (body->pref && body->pref->has_size) {
		*size_r = body->pref->size;
		cut = true;
	}
	if (body->type == BODY_MIME && o->mime_truncation >= 0 &&
		o->mime_truncation < (int)ARRAY_LEN(mime)) {
		uint32_t size = mime[o->mime_truncation];

		if (!cut || size < *size_r)
			*size_r = size;
		cut = true;
	}
	if (o->version < V120 && body->type != BODY_MIME && o->truncation >= 0 &&
		o->truncation < (int)ARRAY_LEN(truncation)) {
		*size_r = truncation[o->truncation];
		cut = true;
	}
	return cut;
}

static bool wants_mime(const struct mail_summary *m, const struct email_options *o)
{
	if (o->mime_support != 2 && !(o->mime_support == 1 && email_is_smime(m->root)))
		return false;
	return o->version < V120 || preference(o, BODY_MIME);
}

/* classes.md 8.1. The chosen preference, NULL when the device named none that fits. */
static void choose(const struct mail_summary *m, const struct email_options *o,
	const struct mail_part *plain, const struct mail_part *html, struct email_body *r)
{
	unsigned native = html ? BODY_HTML : BODY_PLAIN, other = html ? BODY_PLAIN : BODY_HTML;

	r->type = BODY_PLAIN;
	if (wants_mime(m, o)) {
		r->type = BODY_MIME;
		r->pref = preference(o, BODY_MIME);
		return;
	}
	if (o->version < V120)
		return;
	if (o->nprefs == 0) {
		r->type = native;
		return;
	}
	r->pref = preference(o, native);
	if (r->pref && fits(r->pref, html ? html : plain, m->size)) {
		r->type = native;
		return;
	}
	if (preference(o, other)) {
		r->pref = preference(o, other);
		r->type = other;
	} else if (r->pref) {
		r->type = native;
	} else {
		r->pref = NULL;
		r->type = BODY_PLAIN;
	}
}

bool email_part_is_tnef(const struct mail_part *p)
{
	return (str_is(p->type, "application") &&
		       (str_is(p->subtype, "ms-tnef") || str_is(p->subtype, "vnd.ms-tnef"))) ||
	       str_iis(p->filename, "winmail.dat") || str_iis(p->name, "winmail.dat");
}

static bool is_extra(const struct mail_part *p)
{
	if (str_is(p->type, "text") && str_is(p->subtype, "calendar"))
		return true;
	if (str_is(p->type, "message") &&
		(str_is(p->subtype, "delivery-status") ||
			str_is(p->subtype, "disposition-notification")))
		return true;
	return email_part_is_tnef(p);
}

static const struct mail_part *find_extra(const struct mail_part *p, unsigned depth)
{
	for (; p && depth < 64; p = p->next) {
		const struct mail_part *hit = NULL;

		if (is_extra(p))
			return p;
		if (str_is(p->type, "multipart"))
			hit = find_extra(p->child, depth + 1);
		if (hit)
			return hit;
	}
	return NULL;
}

const struct mail_part *email_extra_part(const struct mail_part *root)
{
	return root ? find_extra(root, 0) : NULL;
}

/* The part behind a rendering, and how much of it. */
static void plan_body(struct email_plan *r, struct email_body *b, const struct email_options *o,
	const struct mail_part *plain, const struct mail_part *html)
{
	const struct mail_part *source;
	const struct mail_summary *m = r->summary;
	uint64_t size = 0;
	bool cut = email_limit(b, o, &size);

	b->at = EMAIL_PLAN_NONE;
	b->streamed = b->type == BODY_MIME && !cut && o->stream && o->version >= V120 &&
		      m->size >= EMAIL_STREAM_LEAST;
	if (b->streamed)
		return;
	if (b->type == BODY_MIME) {
		if (!cut || size)
			b->at = want(r, NULL,
				cut && size < PART_MAX ? (uint32_t)size
				: m->size > PART_MAX   ? PART_MAX
						       : 0);
		return;
	}
	source = b->type == BODY_HTML ? (html ? html : plain) : (plain ? plain : html);
	b->html_to_text = b->type == BODY_PLAIN && source && source == html;
	b->text_to_html = b->type == BODY_HTML && source && source != html;
	if (o->version >= V120 && !b->pref && o->nprefs == 0 && !o->whole)
		return;
	if (b->pref && b->pref->preview && size < 4096)
		size = 4096;
	if (source && source->size && (!cut || size))
		b->at = want(r, source, bytes_for(source, cut, size, b->html_to_text ? 12 : 4));
}

void email_plan(const struct mail_summary *m, const struct email_options *o, struct arena *a,
	struct email_plan *r)
{
	const struct mail_part *plain, *html, *extra;

	(void)a;
	*r = (struct email_plan){.summary = m, .extra = EMAIL_PLAN_NONE};
	r->body.at = r->body_part.at = EMAIL_PLAN_NONE;
	if (!m->root)
		return;
	email_bodies(m->root, &plain, &html);
	choose(m, o, plain, html, &r->body);
	plan_body(r, &r->body, o, plain, html);
	if (o->has_part && o->version >= V141) {
		r->has_part = true;
		r->body_part = (struct email_body){.type = BODY_HTML, .pref = &o->part};
		plan_body(r, &r->body_part, o, plain, html);
	}
	extra = email_extra_part(m->root);
	if (extra && extra->size)
		r->extra = want(r, extra, extra->size <= EXTRA_MAX ? 0 : EXTRA_MAX);
}

bool email_guess(const struct email_options *o, struct mail_guess *r)
{
	const struct body_preference *first = o->nprefs ? &o->prefs[0] : NULL;

	*r = (struct mail_guess){.length = GUESS_MAX};
	if (o->version < V120 || o->mime_support || o->has_part || !first || !first->has_size)
		return false;
	/* What bytes_for() will ask for. */
	if ((uint64_t)first->size * 4 + 4096 > GUESS_MAX)
		return false;
	if (preference(o, BODY_HTML))
		*r = (struct mail_guess){
			{"2", "1", "1.2"},
                        GUESS_MAX
                };
	else
		*r = (struct mail_guess){
			{"1", "1.1"},
                        GUESS_MAX
                };
	return true;
}

void email_use_guesses(struct email_plan *plan, const struct mail_guess *g)
{
	for (size_t i = 0; i < plan->nparts; i++) {
		struct mail_part_request *q = &plan->parts[i];

		for (size_t k = 0; k < MAIL_GUESSES && g->sections[k] && !q->bytes.p; k++) {
			struct str got = plan->summary->guessed[k];

			if (!got.p || q->offset || !str_is(q->section, g->sections[k]))
				continue;
			if (got.n < g->length || (q->length && q->length <= got.n))
				q->bytes = str_sub(got, 0, q->length ? q->length : got.n);
		}
	}
}
