/*
 * settings_file: the configuration from its file, for every program.
 */
#ifndef EASPOOL_STORE_SETTINGS_FILE_H
#define EASPOOL_STORE_SETTINGS_FILE_H

#include "core/settings.h"

/* Texts live in `a`. RC_INVALID or RC_ABSENT with a sentence that names the file. */
MUST_USE enum rc settings_file(
	const char *path, struct settings *s, struct arena *a, struct err *err);

#endif
