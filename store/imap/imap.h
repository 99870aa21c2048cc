/*
 * imap: mail and authentication by IMAP. One struct imap a worker; it keeps a few idle sessions
 * by user, so that a request of the same user costs no login.
 */
#ifndef EASPOOL_STORE_IMAP_IMAP_H
#define EASPOOL_STORE_IMAP_IMAP_H

#include "core/model/auth.h"
#include "core/model/mail.h"
#include "core/settings.h"

struct imap;

/* conf is borrowed. */
struct imap *imap_new(const struct settings *conf);
void imap_free(struct imap *im);

/* A login, remembered for auth_cache seconds as a keyed hash in memory. */
struct auth *imap_auth(struct imap *im);

/* The user's mailbox for this request; connects when first used; borrowed until imap_release().
 * password NULL: the master user acts for him. */
struct mail *imap_mail(struct imap *im, struct str login, const struct secret *password);
/* The request is over: the session goes back to the cache, expired ones are closed. */
void imap_release(struct imap *im);
/* Round trips since imap_mail(). */
unsigned imap_trips(const struct imap *im);

/* Tests: do as if the server lacked these (enum imap_capability). */
void imap_set_mask(struct imap *im, unsigned without);

#endif
