#include "core/cmd/search_items.h"

#include "core/map/server_id.h"
#include "core/sync/item_find.h"

struct words {
	struct str v[DAV_WORDS_MAX];
	size_t n;
};

/* Words of a text without the signs that a query may have around them. */
static void add_words(struct words *r, struct str text)
{
	struct str word;

	while (str_next(&text, ' ', &word)) {
		while (word.n && (word.p[0] == '"' || word.p[0] == '('))
			word = str_sub(word, 1, word.n);
		while (word.n && (word.p[word.n - 1] == '"' || word.p[word.n - 1] == ')' ||
					 word.p[word.n - 1] == '*'))
			word.n--;
		if (word.n && r->n < DAV_WORDS_MAX)
			r->v[r->n++] = word;
	}
}

static bool read_words(const struct elem *conditions, struct words *r)
{
	r->n = 0;
	for (const struct elem *e = conditions; e; e = e->next)
		if (e->tag == SEARCH_FREE_TEXT)
			add_words(r, e->text);
		else if (e->tag != AIRSYNC_CLASS && e->tag != AIRSYNC_COLLECTION_ID)
			return false;
	return r->n > 0;
}

struct finding {
	struct item_finder finder; /* first */
	struct items_search *s;
	const struct folder *folder;
};

static bool take(struct item_finder *finder, const struct item *it, struct str bytes UNUSED)
{
	struct finding *f = (struct finding *)finder;
	struct item_hit *h = &f->s->v[f->s->n++];

	*h = (struct item_hit){f->folder, *it};
	h->item.href = arena_str(f->s->rq->arena, it->href);
	h->item.etag = arena_str(f->s->rq->arena, it->etag);
	return true;
}

static enum rc find_in(struct items_search *s, const struct folder *folder,
	const struct words *words, struct err *err)
{
	struct finding f = {
		{.words = words->v,
                 .n = words->n,
                 .most = s->most - s->n,
                 .reads = SIZE_MAX,
                 .take = take},
		s, folder
        };
	struct item_source src;
	enum rc rc = servers_items(s->rq, s->sv, folder, &src, err);

	if (rc == RC_OK)
		rc = item_find(&src, &f.finder, err);
	/* One that is gone, or closed to the user, takes its hits with it. */
	if (rc == RC_ABSENT || rc == RC_DENIED) {
		err_clear(err);
		return RC_OK;
	}
	return rc;
}

enum rc search_items_find(struct items_search *s, struct err *err)
{
	struct words words;
	enum rc rc = RC_OK;

	s->n = 0;
	s->v = ARENA_ARRAY(s->rq->arena, struct item_hit, s->most + 1);
	if (!read_words(s->conditions, &words))
		return RC_OK;
	for (size_t i = 0; i < s->nfolders && rc == RC_OK && s->n < s->most; i++)
		rc = find_in(s, s->folders[i], &words, err);
	return rc;
}

static void write_hit(const struct item_hit *h, const struct item_source *src,
	const struct dav_object *object, const struct email_options *o, struct wbxml_writer *w)
{
	struct wbxml_mark mark = wbxml_mark(w);
	struct err why = ERR_INIT;

	wbxml_open(w, SEARCH_RESULT);
	wbxml_cstr(w, AIRSYNC_CLASS, src->class->name);
	wbxml_text(w, SEARCH_LONG_ID, long_id_format(src->a, h->folder->id, h->item.number, 0));
	wbxml_text(w, AIRSYNC_COLLECTION_ID, h->folder->id);
	wbxml_open(w, SEARCH_PROPERTIES);
	/* One that cannot be shown is none. */
	if (!object->bytes.p ||
		src->class->write(&h->item, object->bytes, o, src->a, w, &why)) {
		wbxml_rollback(w, mark);
		return;
	}
	wbxml_close(w, SEARCH_PROPERTIES);
	wbxml_close(w, SEARCH_RESULT);
	wbxml_keep(w, mark);
}

/* Hits of one folder, which stand together. */
static enum rc write_lot(const struct items_search *s, const struct item_hit *v, size_t n,
	const struct email_options *o, struct wbxml_writer *w, struct err *err)
{
	struct item_source src;
	struct item *items = ARENA_ARRAY(s->rq->arena, struct item, n + 1);
	struct dav_object *read;
	enum rc rc = servers_items(s->rq, s->sv, v->folder, &src, err);

	for (size_t i = 0; i < n; i++)
		items[i] = v[i].item;
	for (size_t i = 0; i < n && rc == RC_OK;) {
		struct arena_mark memory = arena_mark(s->rq->arena);
		size_t done = 0;

		read = ARENA_ARRAY(s->rq->arena, struct dav_object, n - i);
		rc = item_source_read(&src, items + i, n - i, src.a, read, err);
		for (; rc == RC_OK && i + done < n && !read[done].left; done++)
			write_hit(&v[i + done], &src, &read[done], o, w);
		i += done;
		arena_rewind(s->rq->arena, memory);
	}
	return rc;
}

enum rc search_items_write(struct items_search *s, size_t from, size_t n,
	const struct email_options *o, struct wbxml_writer *w, struct err *err)
{
	enum rc rc = RC_OK;

	while (n > 0 && rc == RC_OK) {
		size_t lot = 0;

		while (lot < n && s->v[from + lot].folder == s->v[from].folder)
			lot++;
		rc = write_lot(s, &s->v[from], lot, o, w, err);
		from += lot;
		n -= lot;
	}
	return rc;
}
