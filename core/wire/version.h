/*
 * version: protocol versions as the number times ten, so that they compare.
 */
#ifndef EASPOOL_CORE_WIRE_VERSION_H
#define EASPOOL_CORE_WIRE_VERSION_H

#include "core/base/str.h"

enum eas_version {
	V_NONE = 0,
	V25 = 25,
	V120 = 120,
	V121 = 121,
	V140 = 140,
	V141 = 141,
	V160 = 160,
	V161 = 161,
};

/* "2.5" ... "16.1"; NULL when there is no such version. */
const char *version_name(enum eas_version v);
/* V_NONE when the text names no version of ours. */
enum eas_version version_of(struct str text);
/* The same for the byte of the base64 query; V_NONE likewise. */
enum eas_version version_of_number(unsigned n);
/* The i-th version, ascending; V_NONE past the end. */
enum eas_version version_at(unsigned i);

#endif
