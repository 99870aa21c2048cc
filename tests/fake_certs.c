#include "tests/fake_certs.h"

#include "core/base/clock.h"

#include <assert.h>
#include <stdlib.h>

enum { CERTS_MAX = 512 };

struct entry {
	struct str bytes, needs;
	enum cert_verdict verdict;
	int64_t until;
	bool unknown;
};

struct fake_certs {
	struct certs certs; /* first */
	struct arena *arena;
	struct entry v[CERTS_MAX];
	size_t n;
	bool mini;
	unsigned calls, fail_after;
};

static struct entry *find(struct fake_certs *fc, struct str bytes)
{
	for (size_t i = 0; i < fc->n; i++)
		if (str_eq(fc->v[i].bytes, bytes))
			return &fc->v[i];
	return NULL;
}

static bool holds(const struct str *chain, size_t n, struct str what)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(chain[i], what))
			return true;
	return false;
}

static enum rc fake_check(struct certs *c, struct str certificate, const struct str *chain,
	size_t nchain, bool revocation, enum cert_verdict *r, struct err *err)
{
	struct fake_certs *fc = (struct fake_certs *)c;
	const struct entry *e = find(fc, certificate);

	fc->calls++;
	if (fc->fail_after && --fc->fail_after == 0)
		return err_set(err, RC_UNAVAILABLE, "the fake was told not to answer");
	if (!e)
		*r = CERT_INCORRECT;
	else if (e->verdict != CERT_VALID)
		*r = e->verdict;
	else if (e->needs.p && !holds(chain, nchain, e->needs))
		*r = CERT_UNTRUSTED;
	else if (e->until < clock_now())
		*r = CERT_EXPIRED;
	else
		*r = revocation && e->unknown ? CERT_REVOCATION_UNKNOWN : CERT_VALID;
	return RC_OK;
}

static bool good(struct fake_certs *fc, struct str bytes)
{
	const struct entry *e = find(fc, bytes);

	return e && e->verdict == CERT_VALID && e->until >= clock_now();
}

static size_t fake_usable(struct certs *c, struct str *v, size_t n)
{
	struct fake_certs *fc = (struct fake_certs *)c;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct str s = v[i];
		size_t at = kept;

		if (!good(fc, s))
			continue;
		for (; at > 0 && find(fc, v[at - 1])->until < find(fc, s)->until; at--)
			v[at] = v[at - 1];
		v[at] = s;
		kept++;
	}
	return kept;
}

static struct str fake_mini(struct certs *c, struct str certificate, struct arena *a)
{
	struct fake_certs *fc = (struct fake_certs *)c;

	if (!fc->mini || !find(fc, certificate))
		return STR_NONE;
	return arena_printf(a, "mini:%.*s", STR_FMT(certificate));
}

static const struct certs_ops ops = {
	.check = fake_check, .usable = fake_usable, .mini = fake_mini};

struct fake_certs *fake_certs_new(void)
{
	struct fake_certs *fc = calloc(1, sizeof(*fc));

	assert(fc);
	fc->certs.ops = &ops;
	fc->arena = arena_new();
	return fc;
}

void fake_certs_free(struct fake_certs *fc)
{
	if (!fc)
		return;
	arena_free(fc->arena);
	free(fc);
}

struct certs *fake_certs_certs(struct fake_certs *fc)
{
	return &fc->certs;
}

void fake_certs_add(
	struct fake_certs *fc, struct str certificate, enum cert_verdict verdict, int64_t until)
{
	struct entry *e = find(fc, certificate);

	if (!e) {
		assert(fc->n < CERTS_MAX);
		e = &fc->v[fc->n++];
		e->bytes = arena_str(fc->arena, certificate);
	}
	e->verdict = verdict;
	e->until = until;
}

void fake_certs_needs(struct fake_certs *fc, struct str certificate, struct str issuer)
{
	struct entry *e = find(fc, certificate);

	assert(e);
	e->needs = arena_str(fc->arena, issuer);
}

void fake_certs_unknown(struct fake_certs *fc, struct str certificate)
{
	struct entry *e = find(fc, certificate);

	assert(e);
	e->unknown = true;
}

void fake_certs_mini(struct fake_certs *fc)
{
	fc->mini = true;
}

void fake_certs_fail_after(struct fake_certs *fc, unsigned n)
{
	fc->fail_after = n;
}

unsigned fake_certs_calls(const struct fake_certs *fc)
{
	return fc->calls;
}
