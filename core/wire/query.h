/*
 * query: the query string of a POST, plain or base64 ([MS-ASHTTP] 2.2.1.1.1.1, http.md 3).
 */
#ifndef EASPOOL_CORE_WIRE_QUERY_H
#define EASPOOL_CORE_WIRE_QUERY_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/wire/command.h"

#define QUERY_DEVICE_ID_MAX 64

struct query {
	bool base64;
	enum command_id command;
	struct str command_name; /* as sent, for the log; STR_NONE in the base64 form */
	unsigned version_number; /* base64 form only: 121, 140, ...; else 0 */
	struct str user;         /* for the log; never an identity */
	struct str device_id;    /* lower-cased; of the base64 form: as hex unless it is text;
				    STR_NONE if absent */
	struct str device_type;  /* STR_NONE if absent */
	bool has_policy_key;     /* base64 form only (the plain form has a header) */
	uint32_t policy_key;
	unsigned locale; /* LCID, 0 if unknown */
	struct str attachment_name, collection_id, item_id, long_id,
		occurrence; /* STR_NONE if absent */
	bool save_in_sent, accept_multipart;
};

/*
 * Reads either form; strings live in `a`. An empty query gives an empty result (OPTIONS).
 * RC_INVALID for lengths past the end, broken escapes and ids with characters outside
 * 0x21-0x7e; unknown parameters are ignored, an unknown command gives CMD_UNKNOWN.
 */
MUST_USE enum rc query_parse(
	struct str text, struct arena *a, struct query *q_r, struct err *err);

/* Percent-decoding ('+' stays '+'); RC_INVALID on a broken escape. For paths and parameters. */
MUST_USE enum rc query_unescape(struct str text, struct arena *a, struct str *text_r);

/*
 * A login as phones write it: "user", "user@domain", "DOMAIN\user" ([MS-ASHTTP] 2.2.1.1.2.1;
 * D12: the domain of the last form is ignored). With `domain` not empty, a bare user gets
 * "@domain".
 */
struct str query_login(struct str user, struct str domain, struct arena *a);

#endif
