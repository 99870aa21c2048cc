#include "core/base/base64.h"
#include "core/base/log.h"
#include "core/cmd/command.h"

#include <string.h>

/* [MS-ASCMD] 2.2.3.177.18; the Status of a certificate is its enum cert_verdict. */
enum { VALIDATE_OK = 1, VALIDATE_PROTOCOL = 2, VALIDATE_SERVER = 17 };
/* [MS-ASCMD] 3.1.5.10 has 100 certificates in a request; the chain is held to the same. A text
 * that is longer is no certificate that anybody sends. */
enum { CERTIFICATES_MAX = 100, TEXT_MAX = 128 * 1024 };

struct questions {
	struct str *v, *chain; /* DER; empty: not to be read */
	size_t n, nchain;
	bool revocation;
};

/* Without line breaks: what makes base64 often puts them in. */
static struct str joined(struct str text, struct arena *a)
{
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		if (!strchr(" \t\r\n", text.p[i]))
			p[n++] = text.p[i];
	return (struct str){p, n};
}

static struct str certificate_of(const struct elem *e, struct arena *a)
{
	struct str der;

	if (!e->text.n || e->text.n > TEXT_MAX || base64_decode(joined(e->text, a), a, &der))
		return STR_NONE;
	return der;
}

static struct str *certificates_of(const struct elem *all, struct arena *a, size_t *n_r)
{
	size_t n = elem_count(all, VALIDATECERT_CERTIFICATE), i = 0;
	struct str *v = ARENA_ARRAY(a, struct str, n + 1);

	for (const struct elem *e = elem_child(all, VALIDATECERT_CERTIFICATE); e;
		e = elem_again(e))
		v[i++] = certificate_of(e, a);
	*n_r = n;
	return v;
}

/* False: not a request of [MS-ASCMD] 2.2.1.22. */
static bool read_questions(const struct request *rq, struct questions *q)
{
	const struct elem *chain = elem_child(rq->doc, VALIDATECERT_CERTIFICATE_CHAIN);
	const struct elem *all = elem_child(rq->doc, VALIDATECERT_CERTIFICATES);
	size_t n = elem_count(all, VALIDATECERT_CERTIFICATE);

	if (n == 0 || n > CERTIFICATES_MAX ||
		elem_count(chain, VALIDATECERT_CERTIFICATE) > CERTIFICATES_MAX)
		return false;
	q->revocation = elem_bool(rq->doc, VALIDATECERT_CHECK_CRL, false);
	/* Neither 0 nor 1: both fallbacks come back. */
	if (elem_has(rq->doc, VALIDATECERT_CHECK_CRL) && !q->revocation &&
		elem_bool(rq->doc, VALIDATECERT_CHECK_CRL, true))
		return false;
	q->v = certificates_of(all, rq->arena, &q->n);
	q->chain = certificates_of(chain, rq->arena, &q->nchain);
	return true;
}

static enum rc ask(
	struct services *sv, const struct questions *q, enum cert_verdict *r, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < q->n && rc == RC_OK; i++)
		rc = certs_call(sv->certs, check, q->v[i], q->chain, q->nchain, q->revocation,
			&r[i], err);
	return rc;
}

static enum rc answer(
	struct reply *rp, unsigned status, const enum cert_verdict *verdicts, size_t n)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	rp->status = status;
	wbxml_open(w, VALIDATECERT_VALIDATE_CERT);
	wbxml_int(w, VALIDATECERT_STATUS, status);
	for (size_t i = 0; i < n; i++) {
		wbxml_open(w, VALIDATECERT_CERTIFICATE);
		wbxml_int(w, VALIDATECERT_STATUS, verdicts[i]);
		wbxml_close(w, VALIDATECERT_CERTIFICATE);
	}
	wbxml_close(w, VALIDATECERT_VALIDATE_CERT);
	return RC_OK;
}

/* [MS-ASCMD] 2.2.1.22: one Certificate in the answer for each in the request, in its order. */
enum rc cmd_validate_cert(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct questions q = {.n = 0};
	enum cert_verdict *verdicts;

	if (!read_questions(rq, &q))
		return answer(rp, VALIDATE_PROTOCOL, NULL, 0);
	verdicts = ARENA_ARRAY(rq->arena, enum cert_verdict, q.n);
	if (ask(sv, &q, verdicts, err)) {
		log_error("certificates cannot be checked: %s", err->text);
		return answer(rp, VALIDATE_SERVER, NULL, 0);
	}
	return answer(rp, VALIDATE_OK, verdicts, q.n);
}
