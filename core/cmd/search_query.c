#include "core/cmd/search_query.h"

#include "core/base/clock.h"
#include "core/cmd/search.h"
#include "core/map/kql.h"

static void hash_text(uint64_t *h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		*h = (*h ^ (unsigned char)s.p[i]) * 1099511628211u;
	*h = (*h ^ 0x1ff) * 1099511628211u;
}

/* The question, whatever the order of its children; Range and Options are no part of it. */
static void hash_elem(uint64_t *h, const struct elem *e)
{
	for (; e; e = e->next) {
		*h = (*h ^ e->tag) * 1099511628211u;
		hash_text(h, e->text);
		hash_elem(h, e->child);
	}
}

void search_query_and(struct search_query *q, struct mail_term *t)
{
	t->next = q->term->child;
	q->term->child = t;
}

/* Dates are the only property that may be compared. */
static unsigned read_date(
	struct search_query *q, struct arena *a, const struct elem *e, bool since)
{
	struct mail_term *t = ARENA_NEW(a, struct mail_term);

	if (!elem_has(e, EMAIL_DATE_RECEIVED) ||
		clock_parse(elem_text(e, SEARCH_VALUE), &t->time))
		return SEARCH_INVALID;
	t->kind = since ? MAIL_TERM_SINCE : MAIL_TERM_BEFORE;
	search_query_and(q, t);
	return 0;
}

static unsigned read_text(struct search_query *q, struct arena *a, struct str text)
{
	struct mail_term *t = kql_parse(text, a);

	if (!t)
		return SEARCH_INVALID;
	search_query_and(q, t);
	return 0;
}

static bool is_class(struct str name)
{
	static const char *const names[] = {
		"Email", "Calendar", "Contacts", "Tasks", "Notes", "SMS"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_iis(name, names[i]))
			return true;
	return false;
}

/* Texts of which one must be there. */
static unsigned read_or(struct search_query *q, struct arena *a, const struct elem * or)
{
	struct mail_term *any = ARENA_NEW(a, struct mail_term);

	any->kind = MAIL_TERM_OR;
	for (const struct elem *e = or->child; e; e = e->next) {
		struct mail_term *t = e->tag == SEARCH_FREE_TEXT ? kql_parse(e->text, a) : NULL;

		if (!t)
			return SEARCH_INVALID;
		t->next = any->child;
		any->child = t;
	}
	if (!any->child)
		return SEARCH_INVALID;
	search_query_and(q, any);
	return 0;
}

static unsigned read_condition(
	struct search_query *q, struct arena *a, const struct elem *e, bool *classes_r)
{
	switch (e->tag) {
	case AIRSYNC_CLASS:
		*classes_r = true;
		q->email = q->email || str_iis(e->text, "Email");
		q->contacts = q->contacts || str_iis(e->text, "Contacts");
		return is_class(e->text) ? 0 : SEARCH_INVALID;
	case AIRSYNC_COLLECTION_ID:
		if (!q->ids)
			q->ids = e;
		return 0;
	case SEARCH_FREE_TEXT:
		return read_text(q, a, e->text);
	case SEARCH_OR:
		return read_or(q, a, e);
	case SEARCH_CONVERSATION_ID:
		q->conversation = e->text;
		return 0;
	case SEARCH_GREATER_THAN:
		return read_date(q, a, e, true);
	case SEARCH_LESS_THAN:
		return read_date(q, a, e, false);
	case SEARCH_AND:
		return SEARCH_TOO_COMPLEX;
	default:
		return SEARCH_INVALID;
	}
}

unsigned search_query_read(const struct elem *store, struct arena *a, struct search_query *q)
{
	const struct elem *query = elem_child(store, SEARCH_QUERY);
	const struct elem *and = elem_child(query, SEARCH_AND), *e;
	bool classes = false;
	unsigned status = 0;

	*q = (struct search_query){.conversation = STR_NONE};
	q->deep = elem_has(elem_child(store, SEARCH_OPTIONS), SEARCH_DEEP_TRAVERSAL);
	q->term = ARENA_NEW(a, struct mail_term);
	q->term->kind = MAIL_TERM_AND;
	if (elem_count(query, SEARCH_AND) > 1)
		return SEARCH_TOO_COMPLEX;
	/* 12.0 has a text alone. Everything else stands in And. */
	e = and? and->child : query ? query->child : NULL;
	if (!e)
		return SEARCH_INVALID;
	if (!and&&e->tag != SEARCH_FREE_TEXT && e->tag != SEARCH_OR)
		return SEARCH_TOO_COMPLEX;
	for (q->conditions = e; e && !status; e = e->next)
		status = read_condition(q, a, e, &classes);
	q->any = !classes;
	q->email = q->email || q->any;
	q->hash = 14695981039346656037u;
	hash_elem(&q->hash, query->child);
	q->hash = (q->hash ^ q->deep) * 1099511628211u;
	return status;
}
