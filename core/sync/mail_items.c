#include "core/sync/mail_items.h"

#include "core/map/server_id.h"
#include "core/sync/mail_notes.h"

enum rc mail_items_parts(struct mail *m, struct str folder, struct email_plan *v, size_t n,
	struct arena *a, struct err *err)
{
	struct mail_part_request *q =
		ARENA_ARRAY(a, struct mail_part_request, n * EMAIL_PLAN_PARTS + 1);
	size_t nq = 0;
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i].nparts; k++)
			if (!v[i].parts[k].bytes.p)
				q[nq++] = v[i].parts[k];
	if (nq == 0)
		return RC_OK;
	rc = mail_call(m, parts, folder, q, nq, a, err);
	nq = 0;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		for (size_t k = 0; k < v[i].nparts; k++)
			if (!v[i].parts[k].bytes.p)
				v[i].parts[k] = q[nq++];
	return rc;
}

enum rc mail_items_read(const struct mail_reader *r, const struct uidset *uids,
	struct mail_items *items, struct err *err)
{
	struct mail_summaries s = {NULL, 0};
	struct mail_notes notes;
	struct mail_guess guess;
	bool guesses = email_guess(r->options, &guess);
	enum rc rc;

	*items = (struct mail_items){NULL, 0};
	rc = mail_call(r->mail, summaries, r->folder->path, uids, guesses ? &guess : NULL, r->a,
		&s, err);
	if (rc == RC_OK)
		rc = mail_notes_load(r->state, r->folder, uids, r->a, &notes, err);
	if (rc)
		return rc;
	items->v = ARENA_ARRAY(r->a, struct email_plan, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		struct email_plan *plan = &items->v[items->n];

		if (s.v[i].flags.flags & MAIL_DELETED)
			continue;
		email_plan(&s.v[i], r->options, r->a, plan);
		plan->note = mail_notes_of(&notes, s.v[i].flags.uid);
		if (guesses)
			email_use_guesses(plan, &guess);
		items->n++;
	}
	for (size_t i = 0; i < items->n && rc == RC_OK; i += MAIL_ITEMS_AT_ONCE)
		rc = mail_items_parts(r->mail, r->folder->path, items->v + i,
			items->n - i < MAIL_ITEMS_AT_ONCE ? items->n - i : MAIL_ITEMS_AT_ONCE,
			r->a, err);
	return rc;
}

enum rc mail_fetch(const struct mail_reader *r, uint32_t uid, tag_t container,
	struct wbxml_writer *w, struct err *err)
{
	struct mail_items items;
	struct uidset one;
	enum rc rc;

	uidset_init(&one, r->a);
	uidset_add(&one, uid);
	rc = mail_items_read(r, &one, &items, err);
	if (rc)
		return rc;
	if (items.n == 0)
		return err_set(err, RC_ABSENT, "message %u is gone", uid);
	wbxml_open(w, container);
	rc = email_write(&items.v[0], r->options, server_id_format(r->a, r->folder->id, uid),
		r->a, w, err);
	if (rc == RC_OK)
		wbxml_close(w, container);
	return rc;
}
