#include "core/cmd/search.h"

enum { PAGE_MAX = 100, RANGE_DEFAULT = 99 };

unsigned search_range_read(const struct elem *store, struct search_range *r)
{
	struct str range = elem_text(elem_child(store, SEARCH_OPTIONS), SEARCH_RANGE);
	size_t dash = str_find(range, '-');

	*r = (struct search_range){0, RANGE_DEFAULT};
	if (!range.n)
		return 0;
	if (!str_u32(str_sub(range, 0, dash), &r->from) ||
		!str_u32(str_sub(range, dash + 1, range.n), &r->to) || r->to < r->from)
		return SEARCH_INVALID;
	if (r->from >= SEARCH_HITS_MAX)
		return SEARCH_PAST_END;
	if (r->to - r->from >= PAGE_MAX)
		r->to = r->from + PAGE_MAX - 1;
	if (r->to >= SEARCH_HITS_MAX)
		r->to = SEARCH_HITS_MAX - 1;
	return 0;
}

void search_open(struct wbxml_writer *w, unsigned status)
{
	wbxml_open(w, SEARCH_SEARCH);
	wbxml_int(w, SEARCH_STATUS, SEARCH_OK);
	wbxml_open(w, SEARCH_RESPONSE);
	wbxml_open(w, SEARCH_STORE);
	wbxml_int(w, SEARCH_STATUS, status);
}

void search_close(struct wbxml_writer *w)
{
	wbxml_close(w, SEARCH_STORE);
	wbxml_close(w, SEARCH_RESPONSE);
	wbxml_close(w, SEARCH_SEARCH);
}

enum rc search_status(struct reply *rp, unsigned status)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	search_open(w, status);
	search_close(w);
	rp->status = status;
	return RC_OK;
}

/* clients.md 2: without Total an Android shows nothing. */
enum rc search_nothing(struct reply *rp)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	search_open(w, SEARCH_OK);
	wbxml_empty(w, SEARCH_RESULT);
	wbxml_int(w, SEARCH_TOTAL, 0);
	search_close(w);
	rp->status = SEARCH_OK;
	return RC_OK;
}

/* [MS-ASCMD] 2.2.1.16. 12.0 has Stores around Store. */
enum rc cmd_search(struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	const struct elem *store = elem_child(rq->doc, SEARCH_STORE);
	struct str name;

	if (!store)
		store = elem_child(elem_child(rq->doc, SEARCH_STORES), SEARCH_STORE);
	name = elem_text(store, SEARCH_NAME);
	if (str_iis(name, "Mailbox") && rq->version >= V120)
		return search_mailbox(rq, sv, store, rp, err);
	if (str_iis(name, "GAL"))
		return search_gal(rq, sv, store, rp, err);
	/* There are no documents here. */
	return search_status(
		rp, str_iis(name, "DocumentLibrary") ? SEARCH_DENIED : SEARCH_INVALID);
}
