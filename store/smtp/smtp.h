/*
 * smtp: submission with the user's own credentials.
 */
#ifndef EASPOOL_STORE_SMTP_SMTP_H
#define EASPOOL_STORE_SMTP_SMTP_H

#include "core/base/secret.h"
#include "core/model/submit.h"
#include "core/settings.h"

struct smtp;

/* conf is borrowed. */
struct smtp *smtp_new(const struct settings *conf);
void smtp_free(struct smtp *s);
/* For this request; borrowed until the next call. password NULL: the master user acts for him.
 */
struct submit *smtp_submit(struct smtp *s, struct str login, const struct secret *password);

#endif
