/*
 * conversation: the messages of a ConversationId. The id is a hash, so the first message of it
 * is looked for by reading headers, the newest first; then the server searches for the others.
 */
#ifndef EASPOOL_CORE_SYNC_CONVERSATION_H
#define EASPOOL_CORE_SYNC_CONVERSATION_H

#include "core/map/email.h"

/* What finds the messages of the conversation in any folder; RC_ABSENT: there is no message of
 * it in these folders (of each, only the newest thousands are looked at). */
MUST_USE enum rc conversation_term(struct mail *m, const struct str *folders, size_t n,
	struct str id, struct arena *a, struct mail_term **term_r, struct err *err);

#endif
