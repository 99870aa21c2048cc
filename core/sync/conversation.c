#include "core/sync/conversation.h"

#include <string.h>

enum { AT_ONCE = 500, MOST = 5000 };

/* The root of the conversation, if one of these messages belongs to it. */
static struct str root_among(const struct mail_summaries *s, struct str id, struct arena *a)
{
	for (size_t i = 0; i < s->n; i++) {
		unsigned char has[EMAIL_CONVERSATION_ID];

		email_conversation_id(s->v[i].header, a, has);
		if (memcmp(has, id.p, sizeof(has)) == 0)
			return email_conversation_root(s->v[i].header, a);
	}
	return STR_NONE;
}

static enum rc root_in(struct mail *m, struct str folder, struct str id, struct arena *a,
	struct str *root_r, struct err *err)
{
	struct mail_look l = {.search = true};
	struct mail_delta d;
	struct uidset left;
	enum rc rc = mail_call(m, look, folder, &l, a, &d, err);

	if (rc)
		return rc;
	left = uidset_greatest(&d.scope, MOST, a);
	while (!uidset_empty(&left)) {
		struct uidset some = uidset_greatest(&left, AT_ONCE, a);
		struct mail_summaries s;

		rc = mail_call(m, summaries, folder, &some, NULL, a, &s, err);
		if (rc)
			return rc;
		*root_r = root_among(&s, id, a);
		if (root_r->p)
			return RC_OK;
		uidset_subtract(&left, &some);
	}
	return RC_OK;
}

static struct mail_term *in_field(const char *field, struct str text, struct arena *a)
{
	struct mail_term *t = ARENA_NEW(a, struct mail_term);

	*t = (struct mail_term){.kind = MAIL_TERM_HEADER, .field = field, .text = text};
	return t;
}

enum rc conversation_term(struct mail *m, const struct str *folders, size_t n, struct str id,
	struct arena *a, struct mail_term **term_r, struct err *err)
{
	struct str root = STR_NONE;
	struct mail_term *any;

	/* clients.md 1: some send a NUL more. */
	while (id.n > EMAIL_CONVERSATION_ID && id.p[id.n - 1] == '\0')
		id.n--;
	if (id.n != EMAIL_CONVERSATION_ID)
		return err_set(err, RC_ABSENT, "no ConversationId of ours");
	for (size_t i = 0; i < n && !root.p; i++) {
		enum rc rc = root_in(m, folders[i], id, a, &root, err);

		if (rc && rc != RC_ABSENT && rc != RC_DENIED)
			return rc;
	}
	if (!root.n)
		return err_set(err, RC_ABSENT, "there is no message of that conversation");
	any = ARENA_NEW(a, struct mail_term);
	if (root.p[0] == '<') {
		any->kind = MAIL_TERM_OR;
		any->child = in_field("Message-ID", root, a);
		any->child->next = in_field("References", root, a);
		any->child->next->next = in_field("In-Reply-To", root, a);
	} else {
		/* Mails without any identity are held together by their topic. */
		*any = (struct mail_term){.kind = MAIL_TERM_SUBJECT, .text = root};
	}
	*term_r = any;
	return RC_OK;
}
