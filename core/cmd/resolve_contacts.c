#include "core/cmd/resolve_contacts.h"

#include "core/base/clock.h"
#include "core/map/contact_person.h"
#include "core/map/contact_words.h"
#include "core/sync/item_find.h"

/* Cards that are read of a book for one recipient, and recipients that are looked for here: who
 * types names does not wait for thousands of cards. */
enum { READS_MAX = 300, ASKED_MAX = 20 };

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
	*own = (struct own_contacts){.n = 0};
}

static size_t words_of(struct str text, struct str *v)
{
	struct str word;
	size_t n = 0;

	/* An address is one word, whatever it is made of. */
	while (n < DAV_WORDS_MAX && str_next(&text, ' ', &word))
		if (word.n)
			v[n++] = word;
	return n;
}

/* Who may be meant; those that are called exactly so are kept apart. */
struct finding {
	struct item_finder finder; /* first */
	const struct directory_query *q;
	struct arena *a;
	struct people others, exact; /* room for q->count each; total: that there are */
	bool addressed;              /* the exact one is meant by his address */
};

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

/* What is told of a person is copied. One who stands in two books is one. */
static void keep(struct finding *f, struct people *r, const struct person *p)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_ieq(r->v[i].email, p->email))
			return;
	r->total++;
	if (r->n < f->q->count)
		r->v[r->n++] = (struct person){.display_name = arena_str(f->a, p->display_name),
			.email = arena_str(f->a, p->email),
			.picture = f->q->pictures ? arena_str(f->a, p->picture) : STR_NONE};
}

static bool take(struct item_finder *finder, const struct item *it UNUSED, struct str bytes)
{
	struct finding *f = (struct finding *)finder;
	bool address = str_find(f->q->text, '@') < f->q->text.n;
	struct arena *scratch = arena_new();
	struct person p;
	bool exact, meant = contact_person(bytes, scratch, &p);

	if (meant && has_address(&p, f->q->text))
		f->addressed = true;
	exact = meant && (str_ieq(p.email, f->q->text) || str_ieq(p.display_name, f->q->text));
	meant = meant && !address &&
		contact_is_called(bytes, finder->words, finder->n, scratch);
	if (exact || meant)
		keep(f, exact ? &f->exact : &f->others, &p);
	arena_free(scratch);
	return exact || meant;
}

static enum rc find_in_all(struct own_contacts *own, struct finding *f, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < own->n && rc == RC_OK; i++) {
		rc = item_find(&own->v[i], &f->finder, err);
		/* A book that is gone, or closed to the user, takes nobody else along. */
		if (rc == RC_ABSENT || rc == RC_DENIED) {
			err_clear(err);
			rc = RC_OK;
		}
	}
	return rc;
}

enum rc resolve_contacts(struct request *rq, struct services *sv, struct own_contacts *own,
	const struct directory_query *q, struct people *r, bool *cut_r, struct err *err)
{
	struct str words[DAV_WORDS_MAX];
	struct finding f = {
		.finder = {.words = words,
			   .n = words_of(q->text, words),
			   .most = SIZE_MAX,
			   .reads = READS_MAX,
			   .take = take},
		.q = q,
		.a = rq->arena
        };
	enum rc rc;

	*r = (struct people){.n = 0};
	*cut_r = false;
	if (own->failed || own->asked++ >= ASKED_MAX || clock_mono_ms() >= rq->deadline_ms)
		return RC_OK;
	rc = open_books(rq, sv, own, err);
	f.others.v = ARENA_ARRAY(rq->arena, struct person, q->count + 1);
	f.exact.v = ARENA_ARRAY(rq->arena, struct person, q->count + 1);
	if (rc == RC_OK)
		rc = find_in_all(own, &f, err);
	own->failed = rc != RC_OK;
	*r = f.exact.n ? f.exact : f.others;
	/* An address has nobody else. */
	*cut_r = f.finder.cut && !f.addressed;
	return rc;
}
