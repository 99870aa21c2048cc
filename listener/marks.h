/*
 * marks: the folders of a mailbox and how each stands, as the server last told it.
 */
#ifndef EASPOOL_LISTENER_MARKS_H
#define EASPOOL_LISTENER_MARKS_H

#include "core/model/mail.h"

struct marked {
	char *path; /* UTF-8, in memory of its own */
	struct mail_mark mark;
	unsigned round; /* when it was last there */
	bool ask;       /* its numbers are to be asked for */
};

/* By path. */
struct marks {
	struct marked *v;
	size_t n, cap;
};

void marks_release(struct marks *m);
struct marked *marks_find(const struct marks *m, struct str path);
/* The folder of that path; *new_r: it was not there. NULL: there are absurdly many. */
struct marked *marks_add(struct marks *m, struct str path, bool *new_r);
void marks_remove(struct marks *m, struct str path);
/* Drops those that were not there in that round; whether there were any. */
bool marks_sweep(struct marks *m, unsigned round);
/* Whether all of it is known. */
bool marks_whole(const struct mail_mark *m);

#endif
