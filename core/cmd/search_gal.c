#include "core/base/log.h"
#include "core/cmd/photo.h"
#include "core/cmd/search.h"
#include "core/cmd/status.h"

#include <stddef.h>

/* [MS-ASCMD] 2.2.3.177.15: what the device learns when the address book does not answer. The
 * user's own credentials are not in question, so it is never "access denied". */
static unsigned failure(enum rc rc, const struct err *err)
{
	/* It gave up before it had found anybody. */
	if (rc == RC_LIMIT)
		return SEARCH_TIMED_OUT;
	if (rc != RC_UNAVAILABLE)
		return SEARCH_SERVER_ERROR;
	return err->why == ERR_TIMEOUT ? SEARCH_TIMED_OUT : SEARCH_NO_CONNECTION;
}

static void write_picture(struct wbxml_writer *w, const struct photo_limits *photos,
	struct str picture, uint32_t *given, struct arena *a)
{
	struct str jpeg;

	wbxml_open(w, GAL_PICTURE);
	wbxml_int(w, GAL_STATUS, photo_fit(photos, picture, given, a, &jpeg));
	if (jpeg.n)
		wbxml_opaque(w, GAL_DATA, jpeg);
	wbxml_close(w, GAL_PICTURE);
}

/* In the order of the schema. */
static void write_texts(struct wbxml_writer *w, const struct person *p)
{
	static const struct {
		tag_t tag;
		size_t at;
		bool always;
	} rows[] = {
		{GAL_DISPLAY_NAME,  offsetof(struct person, display_name), false},
		{GAL_PHONE,         offsetof(struct person, phone),        false},
		{GAL_OFFICE,        offsetof(struct person, office),       false},
		{GAL_TITLE,         offsetof(struct person, title),        false},
		{GAL_COMPANY,       offsetof(struct person, company),      false},
		{GAL_ALIAS,         offsetof(struct person, alias),        false},
 /* clients.md 8: a Nokia shows only who has a FirstName, be it empty. */
		{GAL_FIRST_NAME,    offsetof(struct person, first_name),   true },
		{GAL_LAST_NAME,     offsetof(struct person, last_name),    true },
		{GAL_HOME_PHONE,    offsetof(struct person, home_phone),   false},
		{GAL_MOBILE_PHONE,  offsetof(struct person, mobile_phone), false},
		{GAL_EMAIL_ADDRESS, offsetof(struct person, email),        false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str text = *(const struct str *)((const char *)p + rows[i].at);

		if (text.n || rows[i].always)
			wbxml_text(w, rows[i].tag, text);
	}
}

static void write_person(struct wbxml_writer *w, const struct person *p,
	const struct photo_limits *photos, uint32_t *given, struct arena *a)
{
	struct person shown = *p;
	struct arena_mark mark = arena_mark(a);

	/* B20250: an iPhone 3.0 makes the name of these two alone, and has "No Name" without.
	 */
	if (!p->first_name.n && !p->last_name.n)
		shown.last_name = p->display_name;
	wbxml_open(w, SEARCH_RESULT);
	wbxml_open(w, SEARCH_PROPERTIES);
	write_texts(w, &shown);
	if (photos->wanted)
		write_picture(w, photos, p->picture, given, a);
	wbxml_close(w, SEARCH_PROPERTIES);
	wbxml_close(w, SEARCH_RESULT);
	arena_rewind(a, mark);
}

static enum rc write_people(struct request *rq, const struct people *people, uint32_t from,
	const struct photo_limits *photos, struct reply *rp)
{
	struct wbxml_writer *w = reply_wbxml(rp);
	uint32_t given = 0;

	search_open(w, SEARCH_OK);
	for (size_t i = 0; i < people->n; i++)
		write_person(w, &people->v[i], photos, &given, rq->arena);
	wbxml_text(
		w, SEARCH_RANGE, arena_printf(rq->arena, "%u-%zu", from, from + people->n - 1));
	wbxml_int(w, SEARCH_TOTAL, (int64_t)people->total);
	search_close(w);
	rp->status = SEARCH_OK;
	return RC_OK;
}

/* [MS-ASCMD] 2.2.3.155.3: without a match there is no Result, unlike in a mailbox. */
static enum rc search_nobody(struct reply *rp)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	search_open(w, SEARCH_OK);
	wbxml_int(w, SEARCH_TOTAL, 0);
	search_close(w);
	rp->status = SEARCH_OK;
	return RC_OK;
}

/* The whole address book goes to nobody: a text that says nothing finds nothing. */
enum rc search_gal(struct request *rq, struct services *sv, const struct elem *store,
	struct reply *rp, struct err *err UNUSED)
{
	struct directory_query q = {.text = elem_text(store, SEARCH_QUERY)};
	struct search_range range;
	struct photo_limits photos;
	struct people people;
	struct err why = ERR_INIT;
	unsigned status = search_range_read(store, &range);
	enum rc rc;

	if (!elem_has(store, SEARCH_QUERY))
		status = SEARCH_INVALID;
	if (status)
		return search_status(rp, status);
	/* Without an address book there is nobody in it. */
	if (!sv->directory)
		return search_nobody(rp);
	photo_read(rq, elem_child(elem_child(store, SEARCH_OPTIONS), SEARCH_PICTURE),
		SEARCH_MAX_SIZE, SEARCH_MAX_PICTURES, &photos);
	q.first = range.from;
	q.count = range.to - range.from + 1;
	q.pictures = photos.wanted;
	rc = directory_call(sv->directory, search, &q, rq->arena, &people, &why);
	if (rc && (rc != RC_LIMIT || people.total == 0)) {
		log_warning("the address book was not searched: %s", why.text);
		return search_status(rp, failure(rc, &why));
	}
	if (people.total == 0)
		return search_nobody(rp);
	return people.n ? write_people(rq, &people, range.from, &photos, rp)
			: search_status(rp, SEARCH_PAST_END);
}
