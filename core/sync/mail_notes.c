#include "core/sync/mail_notes.h"

#include "core/base/clock.h"

enum rc mail_notes_load(struct state *s, const struct folder *f, const struct uidset *uids,
	struct arena *a, struct mail_notes *r, struct err *err)
{
	struct notes notes;
	enum rc rc;

	*r = (struct mail_notes){NULL, NULL, 0};
	if (uidset_empty(uids))
		return RC_OK;
	rc = state_call(s, notes_load, f, uids, a, &notes, err);
	if (rc)
		return rc;
	r->uids = ARENA_ARRAY(a, uint32_t, notes.n + 1);
	r->v = ARENA_ARRAY(a, struct email_note, notes.n + 1);
	for (; r->n < notes.n; r->n++) {
		r->uids[r->n] = notes.v[r->n].uid;
		email_note_decode(notes.v[r->n].bytes, &r->v[r->n]);
	}
	return RC_OK;
}

const struct email_note *mail_notes_of(const struct mail_notes *n, uint32_t uid)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->uids[i] == uid)
			return &n->v[i];
	return NULL;
}

enum rc mail_notes_verb(struct state *s, const struct folder *f, uint32_t uid, unsigned verb,
	struct arena *a, struct err *err)
{
	struct email_note note = {0};
	struct note one = {.uid = uid};
	struct mail_notes r;
	struct uidset uids;
	enum rc rc;

	uidset_init(&uids, a);
	uidset_add(&uids, uid);
	rc = mail_notes_load(s, f, &uids, a, &r, err);
	if (rc)
		return rc;
	if (r.n)
		note = r.v[0];
	note.verb = verb;
	note.verb_time = clock_now();
	one.bytes = email_note_encode(&note, a);
	return state_call(s, notes_store, f, &one, 1, err);
}
