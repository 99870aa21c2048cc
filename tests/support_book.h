/*
 * support_book: a phone with an address book over the fakes (support_eas.h), and another client
 * of the same book.
 */
#ifndef EASPOOL_TESTS_SUPPORT_BOOK_H
#define EASPOOL_TESTS_SUPPORT_BOOK_H

#include "tests/device/contacts.h"
#include "tests/support_eas.h"

enum { TYPE_OF_CALENDAR = 8, TYPE_OF_CONTACTS = 9, TYPE_OF_MORE_CONTACTS = 14 };

struct scene {
	struct eas e;
	struct phone p;
	struct phone_book b;  /* the default book as the phone has it */
	struct fake_dav *dav; /* where that is, and its path */
	const char *path;
};

/* A card as another client writes it, with a line that no device has an element for. */
#define CARD(uid, name)                                                                        \
	"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" uid "\r\nFN:" name "\r\nN:" name                  \
	";;;;\r\nX-FOREIGN;X-P=\"a b\":kept as it is\r\nEND:VCARD\r\n"
#define FOREIGN            "\r\nX-FOREIGN;X-P=\"a b\":kept as it is\r\n"
#define FIELD(name, value) "contacts:" name " \"" value "\"\n"
#define LAST(value)        FIELD("LastName", value)

/* All of these fail the running test when something does not work. */

/* The server with an empty book, a phone that knows its folders; nothing is synchronised. */
void scene_begin(struct scene *s, const char *version, const char *conf);
/* The same with a calendar, and without address books. */
void scene_begin_calendar(struct scene *s, const char *version, const char *conf);
void scene_end(struct scene *s);
/* Another phone of the user; phone_release() when done. */
void scene_phone(struct scene *s, struct phone *p, const char *id);

void scene_must(bool ok, const struct phone *p);
/* Everything, in windows of 100. */
void scene_sync(struct scene *s);
/* With these commands. */
void scene_send(struct scene *s, struct phone_edit *v, size_t n);
/* One command, and its Status. */
unsigned scene_add(struct scene *s, const char *client_id, const char *data);
unsigned scene_change(struct scene *s, const char *id, const char *data);
unsigned scene_delete(struct scene *s, const char *id);
/* The ServerId of the card with that text. */
const char *scene_id(struct scene *s, const char *text);

/* The name, in the default book, of the object with that text; NULL. In the scene's memory
 * until the next call. */
const char *scene_name(struct scene *s, const char *text);
/* How many objects of a book have that text. */
size_t scene_count(struct scene *s, const char *path, const char *text);
/*
 * The phone synchronises until nothing is left, and then has what a phone has that begins
 * anew; and that is as many cards as the collections at these paths (NULL at the end) hold.
 */
void scene_equal(struct scene *s, struct phone_book *b, const char *const *paths);
/* The same of the default book. */
void scene_settled(struct scene *s);

/* The Collection of the answer to a Sync with these lines in its Collection, six spaces deep,
 * after SyncKey and CollectionId of the book; NULL when the answer is empty. The key is not
 * taken over. */
const struct elem *scene_raw(struct scene *s, const struct phone_book *b, const char *lines);

#endif
