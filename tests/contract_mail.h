/*
 * contract_mail: what core/model/mail.h promises, checked over any mailbox that has an INBOX
 * and a Trash and nothing in them. The fake and the IMAP store have to pass the same checks.
 */
#ifndef EASPOOL_TESTS_CONTRACT_MAIL_H
#define EASPOOL_TESTS_CONTRACT_MAIL_H

#include "core/model/mail.h"

/* Fails the running test where a promise is broken. uidplus: new UIDs are told. Leaves INBOX
 * and Trash empty. */
void contract_mail(struct mail *m, bool uidplus);

#endif
