#include "fcgi/wake.h"

#include "core/base/log.h"

#include <glib.h>
#include <stdlib.h>

enum { OWN_MS = 60000 };

/* What a notice says: 'c' of a folder, 'h' of the account's folders, 'u' of the account, that
 * nobody watches it any more, 'd' of a device. */
struct notice {
	char what;
	char how; /* 'n' delivered, 'a' perhaps added, 'f' anything else */
	int64_t id, row;
	uint64_t seq;
	uint32_t uidnext;
};

/* The last of a folder, or of the folders of an account. */
struct memory {
	int64_t key; /* the row of a folder; of an account its id, negative */
	int64_t at;
	struct notice n;
	GList place; /* in the order of age */
};

struct wake {
	struct wake_ops ops;
	GHashTable *memory;
	GQueue order; /* of struct memory, the oldest first */
	struct arena *a;
};

struct wake *wake_new(const struct wake_ops *ops)
{
	struct wake *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->ops = *ops;
	w->memory = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_queue_init(&w->order);
	w->a = arena_new();
	return w;
}

/* All that is older. */
static void forget(struct wake *w, int64_t than)
{
	GList *first;

	while ((first = g_queue_peek_head_link(&w->order)) != NULL) {
		struct memory *m = first->data;

		if (m->at >= than)
			break;
		g_queue_unlink(&w->order, first);
		(void)g_hash_table_remove(w->memory, &m->key);
		free(m);
	}
}

void wake_free(struct wake *w)
{
	if (!w)
		return;
	forget(w, INT64_MAX);
	g_hash_table_unref(w->memory);
	arena_free(w->a);
	free(w);
}

/* The next number of a payload. */
static bool number(struct str *rest, uint64_t *n_r)
{
	struct str word;

	return str_next(rest, ' ', &word) && str_u64(word, n_r);
}

static bool parse(const char *payload, struct notice *n)
{
	struct str rest = str_of(payload), what, how;
	uint64_t id = 0, row = 0, uidnext = 0;
	bool good = str_next(&rest, ' ', &what) && what.n == 1 && number(&rest, &id);

	*n = (struct notice){.what = good ? what.p[0] : '\0', .id = (int64_t)id};
	switch (n->what) {
	case 'c':
		good = number(&rest, &row) && number(&rest, &n->seq) &&
		       number(&rest, &uidnext) && str_next(&rest, ' ', &how) && how.n == 1;
		n->row = (int64_t)row;
		n->uidnext = (uint32_t)uidnext;
		n->how = good ? how.p[0] : '\0';
		return good;
	case 'h':
		return number(&rest, &n->seq);
	case 'u':
	case 'd':
		return true;
	default:
		return false;
	}
}

static int64_t key_of(const struct notice *n)
{
	return n->what == 'c' ? n->row : -n->id;
}

/* Of two that were heard lately. A delivery and something else is not a mere delivery, which a
 * device may know already. */
static char both(char x, char y)
{
	return x == y ? x : 'a';
}

static void remember(struct wake *w, const struct notice *n, int64_t now)
{
	int64_t key = key_of(n);
	struct memory *m = g_hash_table_lookup(w->memory, &key);
	char how = n->how;

	if (m) {
		how = both(how, m->n.how);
		g_queue_unlink(&w->order, &m->place);
	} else {
		m = calloc(1, sizeof(*m));
		if (!m)
			abort();
		m->key = key;
		m->place.data = m;
		(void)g_hash_table_insert(w->memory, &m->key, m);
	}
	m->n = *n;
	m->n.how = how;
	m->at = now;
	g_queue_push_tail_link(&w->order, &m->place);
}

void wake_tick(struct wake *w, int64_t now)
{
	forget(w, now - WAKE_MEMORY_MS);
}

/* A change of a folder that this request waits for. */
static void apply_folder(struct wake *w, struct held *h, const struct notice *n,
	const struct wait_folder *f, uint32_t place, int64_t now)
{
	bool known = n->uidnext && f->uidnext && n->uidnext <= f->uidnext;
	bool own = now < h->own_until;

	if (n->seq <= f->seq || (n->how == 'f' && h->additions))
		return;
	/* The mail that was delivered is one that the device has. */
	if (n->how == 'n' && known)
		return;
	if (n->how == 'n' && !h->sync && !own)
		w->ops.tell(w->ops.ctx, h, place);
	else
		w->ops.look(w->ops.ctx, h, n->how != 'f' && !h->sync && !known && !own, place);
}

static void apply(struct wake *w, struct held *h, const struct notice *n, int64_t now)
{
	struct arena_mark mark = arena_mark(w->a);
	struct link_wait wait = held_wait(h, w->a);

	if (n->what == 'h') {
		if (n->seq > wait.wait.hierarchy_seq)
			w->ops.look(w->ops.ctx, h, false, 0);
	} else {
		for (uint32_t i = 0; i < wait.wait.n; i++)
			if (wait.wait.v[i].row == n->row) {
				apply_folder(w, h, n, &wait.wait.v[i], i, now);
				break;
			}
	}
	arena_rewind(w->a, mark);
}

void wake_event(struct wake *w, struct held_table *t, const char *payload, int64_t now)
{
	struct notice n;
	struct held *next;

	if (!parse(payload, &n)) {
		log_debug("a notice that says nothing: %s", payload);
		return;
	}
	if (n.what == 'd') {
		struct held *h = held_of_device(t, n.id);

		if (h)
			h->own_until = now + OWN_MS;
		return;
	}
	if (n.what != 'u')
		remember(w, &n, now);
	for (struct held *h = held_of_account(t, n.id); h; h = next) {
		next = h->next;
		if (n.what == 'u')
			w->ops.uncover(w->ops.ctx, h);
		else
			apply(w, h, &n, now);
	}
}

void wake_check(struct wake *w, struct held *h, int64_t now)
{
	struct arena_mark mark = arena_mark(w->a);
	struct link_wait wait = held_wait(h, w->a);
	int64_t key = -h->account;
	struct memory *m = g_hash_table_lookup(w->memory, &key);

	if (m && m->n.seq > wait.wait.hierarchy_seq)
		w->ops.look(w->ops.ctx, h, false, 0);
	for (uint32_t i = 0; i < wait.wait.n && h->polled.fd >= 0; i++) {
		m = g_hash_table_lookup(w->memory, &wait.wait.v[i].row);
		if (m)
			apply_folder(w, h, &m->n, &wait.wait.v[i], i, now);
	}
	arena_rewind(w->a, mark);
}
