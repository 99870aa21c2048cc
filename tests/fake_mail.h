/*
 * fake_mail: a mailbox in memory behind core/model/mail.h, for unit tests. It keeps UIDs,
 * UIDVALIDITY, MODSEQ and the order of changes like an IMAP server with QRESYNC. The same
 * contract (contract_mail.h) runs over it and over the real store.
 */
#ifndef EASPOOL_TESTS_FAKE_MAIL_H
#define EASPOOL_TESTS_FAKE_MAIL_H

#include "core/model/mail.h"

struct fake_mail;

struct fake_mail *fake_mail_new(void); /* with an empty INBOX, Trash, Sent and Drafts */
void fake_mail_free(struct fake_mail *fm);
struct mail *fake_mail_mail(struct fake_mail *fm);

/* What another client does. Paths are UTF-8; '/' is the delimiter. */
void fake_mail_folder(struct fake_mail *fm, const char *path, enum mail_use use);
void fake_mail_folder_delete(struct fake_mail *fm, const char *path);
void fake_mail_folder_rename(struct fake_mail *fm, const char *path, const char *to);
/* A message as RFC 5322 text (LF or CRLF); its UID. received: Unix seconds. */
uint32_t fake_mail_add(struct fake_mail *fm, const char *path, unsigned flags, int64_t received,
	const char *text);
/* A small text message with that subject. */
uint32_t fake_mail_add_simple(struct fake_mail *fm, const char *path, unsigned flags,
	int64_t received, const char *subject);
void fake_mail_expunge(struct fake_mail *fm, const char *path, uint32_t uid);
void fake_mail_set_flags(struct fake_mail *fm, const char *path, uint32_t uid, unsigned flags);
void fake_mail_keywords(
	struct fake_mail *fm, const char *path, uint32_t uid, const char *keywords);
/* Flags cannot be stored there (a shared folder without that right). */
void fake_mail_read_only(struct fake_mail *fm, const char *path, bool read_only);
void fake_mail_new_uidvalidity(struct fake_mail *fm, const char *path);
/* BODYSTRUCTURE of this message is nonsense from now on: it cannot be mapped. */
void fake_mail_poison(struct fake_mail *fm, const char *path, uint32_t uid, bool poisoned);

/* What is there. Flags of a message, or ~0u when it is gone; the i-th uid, 0 past the end. */
unsigned fake_mail_flags(struct fake_mail *fm, const char *path, uint32_t uid);
uint32_t fake_mail_uid(struct fake_mail *fm, const char *path, size_t i);
size_t fake_mail_count(struct fake_mail *fm, const char *path);
/* The raw text of a message, STR_NONE when gone. */
struct str fake_mail_text(struct fake_mail *fm, const char *path, uint32_t uid);

/* The n-th call of an op from now (1: the next) returns RC_UNAVAILABLE once, before it does
 * anything, or with `after` only after its work was done (an answer that got lost). 0: never.
 */
void fake_mail_fail_after(struct fake_mail *fm, unsigned n, bool after);
/* Calls of ops so far: stands for round trips. */
unsigned fake_mail_calls(struct fake_mail *fm);

#endif
