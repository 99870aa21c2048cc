/*
 * href: the path of a URL in one canonical way, so that equal texts mean the same thing.
 * Servers write the same resource with and without host, with more or fewer characters
 * percent-encoded, and answer in other ways than they were asked.
 *
 * Canonical is: absolute, no "." or ".." segments, no query; the characters that RFC 3986
 * section 3.3 allows in a segment as they are, all others as %XX with capital digits.
 */
#ifndef EASPOOL_STORE_DAV_HREF_H
#define EASPOOL_STORE_DAV_HREF_H

#include "core/base/arena.h"

/*
 * ref: an absolute URL or a reference relative to `base`, a canonical path; white space around
 * it is not counted. host: that of the server; a URL of another host gives STR_NONE, as does
 * what cannot be a path. STR_NONE: any host will do. (Scheme and port are not compared: servers
 * behind a proxy do not know them, and we never leave those of the setting.)
 */
struct str href_canonical(struct str ref, struct str base, struct str host, struct arena *a);
/* One segment made of any text; '/' is encoded. */
struct str href_segment(struct str text, struct arena *a);
/* The last component of a canonical path, decoded; without the '/' at the end. */
struct str href_last(struct str path, struct arena *a);
/* The same path with one '/' at the end. */
struct str href_folder(struct str path, struct arena *a);

/* Scheme and authority of an http or https URL ("https://host:8443"), its host, and the rest
 * ("" or from '/' on). False: it is none, or names a user. Slices of url. */
bool href_split(struct str url, struct str *origin_r, struct str *host_r, struct str *path_r);
/* The URL of the setting with %u, %n and %d filled in. A %d before a hexadecimal digit is a
 * character that is percent-encoded. */
struct str href_template(struct str path, struct str login, struct arena *a);
/* Whether href_template() has something to fill in. */
bool href_is_template(struct str path);

#endif
