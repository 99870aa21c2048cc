#include "core/sync/mail_changes.h"

#include "core/map/category.h"
#include "core/sync/mail_notes.h"

struct job {
	struct mail_round *r;
	struct mail_change *v;
	struct email_change *c;
	struct mail_flag_change *flags; /* those of c that have something to set */
	size_t *back;                   /* from flags to v */
	size_t n, nflags;
};

static void read_all(struct job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		j->c[i].flags.uid = j->v[i].uid;
		j->v[i].rc =
			email_read_change(j->v[i].data, j->r->options->version, &j->c[i], NULL);
	}
}

/* A Flag changes the flag of IMAP, and what there is noted of it. */
static enum rc read_flags(struct job *j, struct note *notes, size_t *nnotes, struct err *err)
{
	struct mail_round *r = j->r;
	struct mail_notes known;
	struct uidset uids;
	enum rc rc;

	uidset_init(&uids, r->a);
	for (size_t i = 0; i < j->n; i++)
		if (j->v[i].rc == RC_OK && j->c[i].flag)
			uidset_add(&uids, j->v[i].uid);
	rc = mail_notes_load(r->state, r->folder, &uids, r->a, &known, err);
	for (size_t i = 0; i < j->n && rc == RC_OK; i++) {
		const struct email_note *old = mail_notes_of(&known, j->v[i].uid);
		struct email_note note = {0};

		if (j->v[i].rc || !j->c[i].flag)
			continue;
		if (old)
			note = *old;
		j->v[i].rc = email_note_read_flag(j->c[i].flag, &note, NULL);
		if (j->v[i].rc)
			continue;
		if (note.flag_status == FLAG_SET)
			j->c[i].flags.set |= MAIL_FLAGGED;
		else
			j->c[i].flags.clear |= MAIL_FLAGGED;
		notes[(*nnotes)++] = (struct note){j->v[i].uid, email_note_encode(&note, r->a)};
	}
	return rc;
}

/* A list of categories replaces what the message has: that is asked for first. */
static enum rc read_categories(struct job *j, struct err *err)
{
	struct mail_round *r = j->r;
	struct mail_flag_list now;
	struct uidset uids;
	enum rc rc;

	uidset_init(&uids, r->a);
	for (size_t i = 0; i < j->n; i++)
		if (j->v[i].rc == RC_OK && j->c[i].categories)
			uidset_add(&uids, j->v[i].uid);
	if (uidset_empty(&uids))
		return RC_OK;
	rc = mail_call(r->mail, flags, r->folder->path, &uids, r->a, &now, err);
	for (size_t i = 0; i < j->n && rc == RC_OK; i++) {
		struct str keywords = STR_NONE;

		if (j->v[i].rc || !j->c[i].categories)
			continue;
		for (size_t k = 0; k < now.n; k++)
			if (now.v[k].uid == j->v[i].uid)
				keywords = now.v[k].keywords;
		/* C155: somebody else changed them since the device last heard. A flag that is
		 * set or not cannot differ: who changes it, changes it to the same. */
		if (!r->options->client_wins &&
			category_hash(keywords) != mail_state_label(&r->st, j->v[i].uid)) {
			j->v[i].rc = RC_CONFLICT;
			continue;
		}
		email_change_categories(&j->c[i], keywords, r->a);
	}
	return rc;
}

static void choose_flags(struct job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct mail_flag_change *f = &j->c[i].flags;

		if (j->v[i].rc || !(f->set || f->clear || f->add.n || f->remove.n))
			continue;
		j->back[j->nflags] = i;
		j->flags[j->nflags++] = *f;
	}
}

static void know(struct job *j)
{
	struct mail_state *st = &j->r->st;

	for (size_t i = 0; i < j->nflags; i++) {
		const struct mail_flag_change *f = &j->flags[i];
		unsigned flags = mail_state_flags(st, f->uid);

		/* A message that is gone is reported as deleted by the round. */
		if (!f->absent)
			mail_state_know(st, f->uid, (flags | f->set) & ~f->clear);
	}
	for (size_t i = 0; i < j->n; i++) {
		struct buf words;

		if (j->v[i].rc || !j->c[i].categories)
			continue;
		buf_init(&words, BUF_MAX_LINE);
		for (const struct elem *e = elem_child(j->c[i].categories, EMAIL_CATEGORY); e;
			e = elem_again(e)) {
			if (words.n)
				buf_addc(&words, ' ');
			buf_add_str(&words, category_keyword(e->text, j->r->a));
		}
		mail_state_know_label(st, j->v[i].uid, category_hash(buf_str(&words)));
		buf_release(&words);
	}
}

/* C174: in a folder that may only be read the device gets back what it changed. */
static enum rc revert(struct job *j, struct err *err)
{
	struct mail_round *r = j->r;
	struct uidset uids;
	enum rc rc;

	uidset_init(&uids, r->a);
	know(j);
	for (size_t i = 0; i < j->nflags; i++) {
		uidset_add(&uids, j->flags[i].uid);
		j->v[j->back[i]].rc = RC_DENIED;
	}
	rc = mail_call(r->mail, flags, r->folder->path, &uids, r->a, &r->reverted, err);
	return rc;
}

enum rc mail_changes_apply(
	struct mail_round *r, struct mail_change *v, size_t n, struct err *err)
{
	struct job j = {.r = r,
		.v = v,
		.n = n,
		.c = ARENA_ARRAY(r->a, struct email_change, n + 1),
		.flags = ARENA_ARRAY(r->a, struct mail_flag_change, n + 1),
		.back = ARENA_ARRAY(r->a, size_t, n + 1)};
	struct note *notes = ARENA_ARRAY(r->a, struct note, n + 1);
	size_t nnotes = 0;
	enum rc rc;

	read_all(&j);
	rc = read_flags(&j, notes, &nnotes, err);
	if (rc == RC_OK)
		rc = read_categories(&j, err);
	if (rc)
		return rc;
	choose_flags(&j);
	if (j.nflags)
		rc = mail_call(r->mail, store, r->folder->path, r->st.mark.uidvalidity, j.flags,
			j.nflags, err);
	if (rc == RC_DENIED)
		return revert(&j, err);
	if (rc == RC_OK && nnotes)
		rc = state_call(r->state, notes_store, r->folder, notes, nnotes, err);
	if (rc == RC_OK)
		know(&j);
	return rc;
}
