#include "fcgi/held.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A wheel of seconds; longer than the longest heartbeat, so that a round is enough. */
enum { SECONDS = 4096 };

struct held_table {
	GHashTable *accounts; /* account to the first of its list */
	GHashTable *devices;
	struct held *wheel[SECONDS];
	int64_t second; /* up to which the wheel was looked at */
	struct held *dead;
};

struct held_table *held_table_new(int64_t now_ms)
{
	struct held_table *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->accounts = g_hash_table_new(g_int64_hash, g_int64_equal);
	t->devices = g_hash_table_new(g_int64_hash, g_int64_equal);
	t->second = now_ms / 1000;
	return t;
}

static void drop_it(void *ctx, struct held *h)
{
	held_drop(ctx, h);
}

void held_table_free(struct held_table *t)
{
	if (!t)
		return;
	held_each(t, drop_it, t);
	held_sweep(t);
	g_hash_table_unref(t->accounts);
	g_hash_table_unref(t->devices);
	free(t);
}

size_t held_count(const struct held_table *t)
{
	return g_hash_table_size(t->devices);
}

static void unschedule(struct held *h)
{
	if (!h->due)
		return;
	*h->due = h->later;
	if (h->later)
		h->later->due = h->due;
	h->due = NULL;
	h->later = NULL;
}

void held_schedule(struct held_table *t, struct held *h)
{
	int64_t at = h->poll_at && h->poll_at < h->until ? h->poll_at : h->until;
	int64_t second = (at + 999) / 1000;
	struct held **slot;

	unschedule(h);
	if (second <= t->second)
		second = t->second + 1;
	slot = &t->wheel[second % SECONDS];
	h->later = *slot;
	if (h->later)
		h->later->due = &h->later;
	h->due = slot;
	*slot = h;
}

struct held *held_due(struct held_table *t, int64_t now_ms)
{
	while (t->second < now_ms / 1000) {
		for (struct held *h = t->wheel[(t->second + 1) % SECONDS]; h; h = h->later) {
			if (h->until > now_ms && (!h->poll_at || h->poll_at > now_ms))
				continue;
			unschedule(h);
			return h;
		}
		t->second++;
	}
	return NULL;
}

static void link_account(struct held_table *t, struct held *h)
{
	struct held *first = g_hash_table_lookup(t->accounts, &h->account);

	if (first) {
		h->next = first->next;
		h->back = &first->next;
		if (h->next)
			h->next->back = &h->next;
		first->next = h;
	} else {
		(void)g_hash_table_insert(t->accounts, &h->account, h);
	}
}

static void unlink_account(struct held_table *t, struct held *h)
{
	if (h->back) {
		*h->back = h->next;
		if (h->next)
			h->next->back = h->back;
	} else if (h->next) {
		/* The key is a member of the first one. */
		h->next->back = NULL;
		(void)g_hash_table_replace(t->accounts, &h->next->account, h->next);
	} else {
		(void)g_hash_table_remove(t->accounts, &h->account);
	}
	h->next = NULL;
	h->back = NULL;
}

struct held *held_add(struct held_table *t, struct str packet, int fd, struct arena *scratch)
{
	struct link_wait w;
	struct held *h;

	if (fd < 0)
		return NULL;
	if (link_wait_decode(packet, scratch, &w)) {
		(void)close(fd);
		return NULL;
	}
	h = malloc(sizeof(*h) + packet.n);
	if (!h)
		abort();
	*h = (struct held){
		.polled = {POLLED_HELD, fd},
		.n = (uint32_t)packet.n,
		.account = w.account,
		.device = w.device,
		.began = w.began,
		.until = w.until,
		.looked = w.looked,
		.request_id = w.request_id,
		.poll = (unsigned)w.wait.poll,
		.covered = w.wait.covered,
		.additions = w.wait.additions,
		.sync = w.wait.kind == WAIT_SYNC
        };
	memcpy(h->bytes, packet.p, packet.n);
	link_account(t, h);
	(void)g_hash_table_replace(t->devices, &h->device, h);
	return h;
}

void held_drop(struct held_table *t, struct held *h)
{
	if (h->polled.fd < 0)
		return;
	(void)close(h->polled.fd);
	h->polled.fd = -1;
	unschedule(h);
	unlink_account(t, h);
	if (g_hash_table_lookup(t->devices, &h->device) == h)
		(void)g_hash_table_remove(t->devices, &h->device);
	h->next = t->dead;
	t->dead = h;
}

void held_sweep(struct held_table *t)
{
	while (t->dead) {
		struct held *h = t->dead;

		t->dead = h->next;
		explicit_bzero(h->bytes, h->n);
		free(h);
	}
}

struct held *held_of_account(struct held_table *t, int64_t account)
{
	return g_hash_table_lookup(t->accounts, &account);
}

struct held *held_of_device(struct held_table *t, int64_t device)
{
	return g_hash_table_lookup(t->devices, &device);
}

void held_each(struct held_table *t, void (*each)(void *ctx, struct held *h), void *ctx)
{
	GList *all = g_hash_table_get_values(t->devices);

	for (GList *i = all; i; i = i->next)
		each(ctx, i->data);
	g_list_free(all);
}

struct link_wait held_wait(const struct held *h, struct arena *a)
{
	struct link_wait w = {0};

	/* It was readable when it came. */
	if (link_wait_decode((struct str){h->bytes, h->n}, a, &w))
		abort();
	return w;
}
