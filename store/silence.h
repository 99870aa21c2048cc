/*
 * silence: a server that took a request and never answered is not asked again for a while, so
 * that not every worker waits for it, and mail does not wait for contacts. After that one asks
 * whether it has come back, and the others go on without it until it has.
 */
#ifndef EASPOOL_STORE_SILENCE_H
#define EASPOOL_STORE_SILENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero: nothing is known against the server. Processes may share it. */
struct silence {
	_Atomic int64_t ms;              /* for how long it is left alone; 0: it answers */
	_Atomic int64_t until;           /* clock_mono_ms(), from when on it may be asked */
	_Atomic int64_t noted, answered; /* when it was found silent last, and when not */
};

/* Whether to ask the server now. A silence is found after `patience_ms`, and until then nobody
 * else asks whether it has come back. */
bool silence_may_ask(struct silence *s, int64_t patience_ms);
/*
 * What came of a question asked at that time (clock_mono_ms()): the server is left alone for
 * 10 s, and twice as long each time that it still is silent, two minutes at most. That it was
 * silent to one means nothing when it has answered another since the question.
 */
void silence_note(struct silence *s, int64_t asked_ms, bool silent);
/* It may be another server now. */
void silence_forget(struct silence *s);

#endif
