/*
 * contacts: the address books of a scripted phone, and its calendars, which go alike ("card" is
 * an appointment then). A book is a model of what the phone was sent
 * and of what it changed itself; like device.h, what a phone would choke on is an error.
 */
#ifndef EASPOOL_TESTS_DEVICE_CONTACTS_H
#define EASPOOL_TESTS_DEVICE_CONTACTS_H

#include "tests/device/device.h"

/*
 * data: the children of ApplicationData in the readable form of core/wire/dump.h, one text for
 * whatever order and version they came in: sorted; notes as contacts:Body, whatever they were;
 * without FileAs, which servers make up, without DtStamp, organizer and
 * answer of an appointment, and
 * without the sizes of bodies.
 */
struct phone_card {
	char id[72];
	char *data;
};

/* One command of the phone, and what came of it. */
struct phone_edit {
	tag_t what;         /* AIRSYNC_ADD, AIRSYNC_CHANGE, AIRSYNC_DELETE */
	char client_id[40]; /* of an Add */
	char id[72];        /* ServerId; of an Add it comes out when there was an answer */
	const char *data;   /* of an Add and a Change: children of ApplicationData */
	unsigned status;    /* out: 1 it was done */
};

struct phone_book {
	char id[72], key[32];
	const char *class;     /* "Contacts", "Calendar" */
	const char *conflict;  /* Options Conflict; NULL: none is sent */
	const char *filter;    /* FilterType; NULL: none is sent */
	const char *supported; /* children of Supported, with the first key; NULL: none */
	struct phone_card *v;
	size_t n, cap;
	unsigned rounds; /* requests of the last phone_book_sync() */
	unsigned status; /* of the Collection in the last answer; 0: the answer had none */
};

/* The model of a folder that the phone knows, empty and never synchronised. */
void phone_book_init(struct phone_book *b, const struct device_folder *f);
void phone_book_release(struct phone_book *b);
/* The relationship begins anew: key 0, and nothing is known. */
void phone_book_restart(struct phone_book *b);

/*
 * All changes, in windows of `window`; the n commands go with the first round that takes any.
 * What is refused (edit.status) is no error: the model follows what the server says.
 */
bool phone_book_sync(
	struct phone *p, struct phone_book *b, unsigned window, struct phone_edit *v, size_t n);
/* One round, of a book that is past its first key; *more_r: there is more to come. */
bool phone_book_round(struct phone *p, struct phone_book *b, unsigned window,
	struct phone_edit *v, size_t n, bool *more_r);

struct phone_card *phone_book_card(const struct phone_book *b, const char *id);
/* The first card whose data has that text; NULL. */
struct phone_card *phone_book_find(const struct phone_book *b, const char *text);
/* Whether both have the same cards under the same ids, and each says the same. why: the first
 * difference, for people. */
bool phone_book_equal(
	const struct phone_book *x, const struct phone_book *y, char *why, size_t size);
/* Children of ApplicationData as the model keeps them; the caller frees it. */
char *phone_book_canonical(const char *data);

#endif
