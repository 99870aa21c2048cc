/*
 * settings_file: the configuration from its file, for every program.
 */
#ifndef EASPOOL_STORE_SETTINGS_FILE_H
#define EASPOOL_STORE_SETTINGS_FILE_H

#include "core/settings.h"

/* Texts live in `a`. RC_INVALID or RC_ABSENT with a sentence that names the file. */
MUST_USE enum rc settings_file(
	const char *path, struct settings *s, struct arena *a, struct err *err);

/*
 * For a program that stays: reads the file into *r, at start and again. False, with a line in
 * the log: it cannot be read and *r is as it was. adjust: what is done to what was read, or
 * NULL. The texts live until the next call that works.
 */
bool settings_reload(
	const char *path, void (*adjust)(struct settings *conf), struct settings *r);
/* Lines of the log go to conf->log_file from now on, opened again, if there is one. */
void settings_open_log(const struct settings *conf);

#endif
