#include "core/cmd/resolve_contacts.h"

#include "core/map/contact_person.h"
#include "core/sync/item_find.h"

enum { WORDS_MAX = 16 };

static enum rc open_books(
	struct request *rq, struct services *sv, struct own_contacts *own, struct err *err)
{
	struct request *mine;
	struct folders all, shown;
	enum rc rc;

	if (own->a)
		return RC_OK;
	/* They outlive what is kept for one of the recipients. */
	own->a = arena_new();
	mine = ARENA_NEW(own->a, struct request);
	*mine = *rq;
	mine->arena = own->a;
	rc = state_call(sv->state, folders_load, &rq->account, own->a, &all, err);
	if (rc)
		return rc;
	shown = folders_visible(&all, rq->conf, rq->version, own->a);
	own->v = ARENA_ARRAY(own->a, struct item_source, shown.n + 1);
	for (size_t i = 0; i < shown.n && rc == RC_OK; i++) {
		if (shown.v[i].kind != FOLDER_CONTACTS)
			continue;
		rc = servers_items(mine, sv, &shown.v[i], &own->v[own->n], err);
		own->n += rc == RC_OK;
	}
	return rc;
}

void own_contacts_release(struct own_contacts *own)
{
	arena_free(own->a);
	*own = (struct own_contacts){NULL, NULL, 0};
}

static size_t words_of(struct str text, struct str *v)
{
	struct str word;
	size_t n = 0;

	/* An address is one word, whatever it is made of. */
	while (n < WORDS_MAX && str_next(&text, ' ', &word))
		if (word.n)
			v[n++] = word;
	return n;
}

/* One of the person's addresses is that one. */
static bool has_address(struct person *p, struct str address)
{
	for (size_t i = 0; i < p->naddresses; i++)
		if (str_ieq(p->addresses[i], address)) {
			p->email = p->addresses[i];
			return true;
		}
	return false;
}

/* Somebody to write to; what is told of him is copied. */
static bool is_meant(struct str card, const struct directory_query *q, struct arena *scratch,
	struct arena *a, struct person *r)
{
	struct person p;

	if (!card.p || !contact_person(card, scratch, &p))
		return false;
	if (str_find(q->text, '@') < q->text.n && !has_address(&p, q->text))
		return false;
	*r = (struct person){.display_name = arena_str(a, p.display_name),
		.email = arena_str(a, p.email),
		.picture = q->pictures ? arena_str(a, p.picture) : STR_NONE};
	return true;
}

static enum rc take(struct item_source *src, const struct items *found,
	const struct directory_query *q, struct arena *a, struct people *r, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < found->n && rc == RC_OK; i++) {
		struct arena *scratch = arena_new();
		struct dav_object object;

		rc = item_source_read(src, &found->v[i], 1, scratch, &object, err);
		if (rc == RC_OK && is_meant(object.bytes, q, scratch, a, &r->v[r->n]))
			r->n++;
		arena_free(scratch);
	}
	return rc;
}

/* Who is called exactly so is meant, and nobody else. */
static void keep_exact(struct people *r, struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += str_ieq(r->v[i].display_name, text);
	if (n == 0)
		return;
	n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (str_ieq(r->v[i].display_name, text))
			r->v[n++] = r->v[i];
	r->n = n;
}

enum rc resolve_contacts(struct request *rq, struct services *sv, struct own_contacts *own,
	const struct directory_query *q, struct people *r, bool *cut_r, struct err *err)
{
	struct str words[WORDS_MAX];
	size_t n = words_of(q->text, words);
	enum rc rc = open_books(rq, sv, own, err);

	*r = (struct people){.n = 0};
	*cut_r = false;
	if (rc || n == 0)
		return rc;
	r->v = ARENA_ARRAY(rq->arena, struct person, q->count + 2);
	for (size_t i = 0; i < own->n && rc == RC_OK && !*cut_r; i++) {
		struct items found = {NULL, 0};

		rc = item_find(&own->v[i], words, n, q->count + 1 - r->n, &found, err);
		if (rc == RC_OK)
			rc = take(&own->v[i], &found, q, rq->arena, r, err);
		*cut_r = r->n > q->count;
	}
	keep_exact(r, q->text);
	if (r->n > q->count)
		r->n = q->count;
	r->total = r->n + *cut_r;
	return rc;
}
