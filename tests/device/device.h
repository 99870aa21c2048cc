/*
 * device: a scripted phone. It speaks ActiveSync over HTTP and keeps a model of the folders and
 * of the mail that it was sent; what a phone would choke on (an Add of what it has, a Delete of
 * what it has not) is an error. A request that fails in transport is sent again with the same
 * key, as phones do.
 */
#ifndef EASPOOL_TESTS_DEVICE_DEVICE_H
#define EASPOOL_TESTS_DEVICE_DEVICE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/wire/elem.h"

#define DEVICE_FOLDERS 200
#define DEVICE_ITEMS   20000

struct device_item {
	char id[72];
	char subject[256];
	bool read, flagged;
};

struct device_folder {
	char id[72], parent[72], name[256], key[32];
	unsigned type;
	struct device_item *v; /* DEVICE_ITEMS of them */
	size_t n;
};

struct phone {
	/*
	 * Instead of HTTP, when set: carries a request to a server in the same process. False:
	 * the answer got lost, the phone asks again.
	 */
	bool (*transport)(struct phone *p, const char *query, const char *type, struct str body,
		struct buf *answer);
	void *ctx;
	const char *url, *user, *password, *id, *version;
	const char *type; /* DeviceType; NULL: Scripted */
	const char *ca;   /* file of certificates to trust; NULL: the system's */
	unsigned policy_key;
	char hierarchy_key[32];
	struct device_folder folders[DEVICE_FOLDERS];
	size_t nfolders;
	struct arena *arena; /* of the last answer */
	char error[512];     /* what went wrong, "" if nothing */
	long http;
	bool multipart;      /* asks for MS-ASAcceptMultiPart */
	size_t answer_bytes; /* of the last answer, unpacked */
};

void phone_init(struct phone *p, const char *url, const char *user, const char *password,
	const char *id, const char *version);
void phone_release(struct phone *p);

/*
 * Posts a document in the readable form (core/wire/dump.h; "" for none); the answer's tree,
 * NULL when it has no body or the request failed (p->http, p->error).
 */
const struct elem *phone_post(struct phone *p, const char *command, const char *document);
/* The same with a raw body. extra: more query parameters, or "". */
const struct elem *phone_post_raw(struct phone *p, const char *command, const char *extra,
	const char *type, struct str body);

/* Each true when it worked; else p->error says why. */
bool phone_provision(struct phone *p);
bool phone_folder_sync(struct phone *p);
/* All changes of a folder, in windows of `window`; `commands`: children of airsync:Commands in
 * the readable form, indented by four levels, or "". */
bool phone_sync(
	struct phone *p, struct device_folder *f, unsigned window, const char *commands);
/* MoveItems; the model learns of it by the next phone_sync() of either folder. A message that
 * is gone already is no error. */
bool phone_move(
	struct phone *p, struct device_folder *from, const char *id, struct device_folder *to);
bool phone_send(struct phone *p, const char *to, const char *subject, const char *body);

/*
 * SmartReply or SmartForward about an item, in the form of the phone's version. Whether it went
 * out, now or (118) with an earlier try; *status_r, when not NULL: the Status, 0 for none.
 */
bool phone_smart(struct phone *p, const char *command, const struct device_folder *f,
	const char *id, bool replace_mime, struct str mime, unsigned *status_r);

/*
 * FolderCreate, FolderUpdate, FolderDelete; the model learns of it at once, as phones do. The
 * Status, 0 when there is none; the model changes with Status 1 only. parent: "0" or an id.
 */
unsigned phone_folder_create(struct phone *p, const char *parent, const char *name);
/* One of another FolderType than mail. */
unsigned phone_folder_create_type(
	struct phone *p, const char *parent, const char *name, unsigned type);
unsigned phone_folder_update(
	struct phone *p, const char *id, const char *parent, const char *name);
unsigned phone_folder_delete(struct phone *p, const char *id);

/* Whether the children of a Collection in an answer stand in the order that phones need. */
bool phone_valid_order(struct phone *p, const struct elem *collection);

struct device_folder *phone_folder(struct phone *p, unsigned type);
struct device_folder *phone_folder_by_id(struct phone *p, const char *id);
struct device_folder *phone_folder_named(struct phone *p, const char *name);
struct device_item *phone_item(struct device_folder *f, const char *subject);

#endif
