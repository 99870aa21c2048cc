/*
 * rc: the one result type of every fallible function, and the few attributes
 * that go with it. What went wrong in words travels in `struct err` (err.h).
 */
#ifndef EASPOOL_CORE_BASE_RC_H
#define EASPOOL_CORE_BASE_RC_H

enum rc {
	RC_OK = 0,
	RC_ABSENT,      /* no such folder, item, device, ... */
	RC_CONFLICT,    /* changed under us, or the key was already spent */
	RC_DENIED,      /* the backend refused these credentials or this right */
	RC_INVALID,     /* the peer sent something malformed */
	RC_LIMIT,       /* a configured limit was reached */
	RC_UNAVAILABLE, /* the backend cannot answer now: try again later */
	RC_INTERNAL,    /* our fault */
};

/* The name of a result for logs and tests: "ok", "absent", ... */
const char *rc_name(enum rc rc);

#define MUST_USE          __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define UNUSED            __attribute__((unused))

/* CLEANUP(buf_release) struct buf b; calls buf_release(&b) when b leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
