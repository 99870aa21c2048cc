#include "listener/owner.h"

/* FNV-1a, and the finish of MurmurHash3 so that neighbours differ in all bits. */
static uint64_t weight(struct str listener, int64_t account)
{
	uint64_t h = 14695981039346656037ULL, id = (uint64_t)account;

	for (size_t i = 0; i < listener.n; i++)
		h = (h ^ (unsigned char)listener.p[i]) * 1099511628211ULL;
	for (unsigned i = 0; i < 8; i++)
		h = (h ^ ((id >> (8 * i)) & 0xff)) * 1099511628211ULL;
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
	return h ^ (h >> 33);
}

bool owner_is(const struct str *listeners, size_t n, struct str own, int64_t account)
{
	uint64_t mine = weight(own, account);

	for (size_t i = 0; i < n; i++) {
		uint64_t its = weight(listeners[i], account);

		if (its > mine || (its == mine && str_cmp(listeners[i], own) > 0))
			return false;
	}
	return true;
}
