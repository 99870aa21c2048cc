/*
 * directory: the company address book. Implemented by store/ldap and by
 * tests/fake_directory.c; tests/contract_directory.c runs over both.
 *
 * Texts are UTF-8 without control characters; a value that is not there is STR_NONE. Results
 * live in the caller's arena. RC_UNAVAILABLE: the directory cannot answer now; RC_DENIED: it
 * does not let us in; RC_LIMIT: it refuses to search that much, and what it gave is in the
 * result.
 */
#ifndef EASPOOL_CORE_MODEL_DIRECTORY_H
#define EASPOOL_CORE_MODEL_DIRECTORY_H

#include "core/base/arena.h"
#include "core/base/err.h"

struct person {
	struct str display_name; /* never empty: the address when nothing else is known */
	struct str first_name, last_name, alias, email, phone, home_phone, mobile_phone;
	struct str office, title, company;
	struct str *addresses; /* SMTP addresses, the main one first; X.400 and the like are not
				  among them */
	size_t naddresses;
	struct str picture;       /* the image as it is stored, when asked for */
	struct str *certificates; /* X.509, DER, when asked for */
	size_t ncertificates;
};

struct people {
	struct person *v; /* by display name, without regard to case */
	size_t n;
	size_t total; /* that match, as far as the directory counts; at least n */
};

/* How a text must be found. */
enum directory_match {
	/* It begins the display name, a word of it, the first or last name, the alias or an
	 * address; several words: each of them does (S5). */
	DIRECTORY_BEGINS,
	/* It is an address or the alias, or the whole display name. */
	DIRECTORY_IS,
};

struct directory_query {
	struct str text; /* as the user typed it; any bytes */
	enum directory_match match;
	size_t first, count; /* which of the sorted matches: at most `count` from `first` */
	bool pictures, certificates;
	bool addressed; /* only people who have an address */
};

struct directory {
	const struct directory_ops *ops;
};

struct directory_ops {
	enum rc (*search)(struct directory *d, const struct directory_query *q, struct arena *a,
		struct people *r, struct err *err);
	/* The user of that login; RC_ABSENT. */
	enum rc (*self)(struct directory *d, struct str login, struct arena *a,
		struct person *r, struct err *err);
};

#define directory_call(d, op, ...) ((d)->ops->op((d), __VA_ARGS__))

#endif
