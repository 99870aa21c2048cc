/*
 * sync_part: what the engine of Sync (cmd_sync.c) and the classes of items have in common. The
 * engine keeps keys, rounds and answers; a class knows its options, its state, and what the
 * commands of a device mean.
 */
#ifndef EASPOOL_CORE_CMD_SYNC_PART_H
#define EASPOOL_CORE_CMD_SYNC_PART_H

#include "core/cmd/request.h"
#include "core/cmd/sync_request.h"
#include "core/map/email.h"
#include "core/sync/commands.h"
#include "core/sync/sync_key.h"

/* What a client command came to, if there is something to tell. */
struct sync_answer {
	tag_t what;           /* AIRSYNC_ADD, AIRSYNC_CHANGE, AIRSYNC_DELETE */
	struct str id;        /* ServerId, of an Add the ClientId */
	struct str server_id; /* of an Add that succeeded */
	unsigned status;
};

struct sync {
	struct request *rq;
	struct services *sv;
	struct wbxml_writer *w;
	size_t ncollections;
	unsigned left;    /* of the global window */
	bool reported;    /* something is worth a body */
	unsigned refused; /* Status of the whole, which throws away what was written; 0: none */
	struct watch watch; /* of a request that wants to wait: what is known of its folders */
};

struct sync_class;

/* One collection of the request. */
struct sync_part {
	const struct elem *e;
	struct str key, id;
	const struct sync_class *class;
	struct folder folder;
	struct collection c;
	enum sync_key_fit fit;
	struct email_options options;
	const struct watched_folder *known; /* how the folder stands now; NULL: not known */
	struct sync_answer *answers;
	size_t nanswers, max_answers;
	uint64_t *done; /* the commands that were carried out; NULL: not known */
	size_t ndone;
	bool new_options;
	struct str before;   /* state bytes that the answer starts from */
	bool commanded;      /* client commands were carried out */
	void *round;         /* of the class */
	struct commands out; /* how much fits, and how much was sent */
	/* What came of the round */
	bool reset; /* the device must start over */
	bool more;  /* MoreAvailable */
};

struct sync_class {
	/* Makes the round; nothing is asked of a server yet. */
	enum rc (*begin)(struct sync *s, struct sync_part *p, struct err *err);
	/* The Options that hold for this round, into p->options and p->c.options; o NULL: the
	 * stored ones. *status_r: the Status of a refusal, else 0. */
	enum rc (*options)(struct sync *s, struct sync_part *p, const struct elem *o,
		unsigned *status_r, struct err *err);
	/* The state that the round starts from; STR_NONE: that of a new relationship. */
	enum rc (*load)(struct sync_part *p, struct str bytes, struct arena *a);
	struct str (*state)(const struct sync_part *p, struct arena *a);
	/* Carries out the commands; sync_answer() for what there is to tell. RC_CONFLICT: the
	 * device must start over. */
	enum rc (*commands)(struct sync *s, struct sync_part *p, const struct elem *commands,
		struct err *err);
	/* What changed; p->reset. */
	enum rc (*look)(struct sync *s, struct sync_part *p, struct err *err);
	uint32_t (*count)(const struct sync_part *p);
	/* airsync:Commands, into p->out; p->more. */
	enum rc (*write)(struct sync_part *p, struct err *err);
	/* One whole item as ApplicationData. */
	enum rc (*fetch)(struct sync *s, struct sync_part *p, struct str id, struct err *err);
	/* Where the round left the device, for the wait that may follow. */
	void (*stands)(const struct sync_part *p, struct watched_folder *watched);
};

extern const struct sync_class sync_mail_class, sync_item_class;

/* `round` of a collection: before, answers and done. RC_INVALID. */
struct str sync_round_encode(const struct sync_part *p, struct arena *a);
MUST_USE enum rc sync_round_decode(struct str bytes, struct sync_part *p, struct arena *a);
/*
 * The commands that are to be carried out: all of a request, or with the previous key those
 * that its first try did not have. They are noted in p->done, and there is room for their
 * answers. commands may be NULL; never NULL itself.
 */
const struct elem *sync_round_commands(
	struct sync_part *p, const struct elem *commands, struct arena *a);

void sync_answer(struct sync_part *p, tag_t what, struct str id, unsigned status);
/* The number (of mail, the UID) in a ServerId of this collection; 0: not of ours. */
uint32_t sync_number_of(const struct sync_part *p, struct str id);

#endif
