/*
 * contract_dav: what core/model/dav.h promises, checked over any server that lets the user make
 * address books, or calendars. The fake and the store have to pass the same checks.
 */
#ifndef EASPOOL_TESTS_CONTRACT_DAV_H
#define EASPOOL_TESTS_CONTRACT_DAV_H

#include "core/model/dav.h"

/* What a server cannot do. */
enum {
	CONTRACT_DAV_NO_RENAME = 1, /* names of collections stay as they are */
	CONTRACT_DAV_NO_SERIES = 4, /* to find appointments that come again by their times */
	CONTRACT_DAV_NO_FIND = 2,   /* addressbook-query, calendar-query */
};

/* Fails the running test where a promise is broken. Leaves what was there as it was. */
void contract_dav(struct dav *d, unsigned without);
/* The same of calendars. */
void contract_calendars(struct dav *d, unsigned without);

#endif
