/*
 * bench: what the benchmarks share. Everything ends the process when it fails: a benchmark
 * that goes on after a failure measures nothing.
 */
#ifndef EASPOOL_TESTS_BENCH_BENCH_H
#define EASPOOL_TESTS_BENCH_BENCH_H

#include "tests/device/device.h"

#include <stdint.h>

_Noreturn void bench_die(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Microseconds of a clock that only goes forward. */
int64_t bench_us(void);
/* Microseconds that this process has spent computing. */
int64_t bench_own_cpu_us(void);

/* A lab in which nobody is slowed down for asking often. workers: 0 for the usual four. */
void bench_lab(unsigned users, unsigned workers);
/* The only worker of a lab. */
long bench_worker(void);
/* Microseconds that it has spent computing so far. */
int64_t bench_cpu_us(void);
/* The most memory (VmHWM) that it had since the peak was forgotten last. */
long bench_peak_kb(void);
void bench_forget_peak(void);

/* The median; sorts v. */
int64_t bench_median(int64_t *v, size_t n);

/* Puts messages of some 2 KB into a user's INBOX, by IMAP APPEND, pipelined. */
void bench_fill(const char *user, unsigned messages);
/* Makes folders "Archive 000/Folder 1" and so on, a hundred below each of the first level. */
void bench_folders(const char *user, unsigned folders);
/* Puts one message into a user's INBOX. */
void bench_append(const char *user, struct str message);

/* A phone of that user and version with its folders, not yet synchronised. */
void bench_phone(struct phone *p, const char *user, const char *id, const char *version);
/* One Sync of the inbox: whether there is more to ask for. Arguments as of bench_sync. */
bool bench_sync_once(struct phone *p, unsigned window, char *keep, size_t size);
/* Messages that were added on phones since the last call. */
unsigned bench_added(void);
/*
 * Brings the inbox up to date without keeping a model of it: the number of requests.
 * window: WindowSize. keep (may be NULL): the ServerId of the last message that came.
 */
unsigned bench_sync(struct phone *p, unsigned window, char *keep, size_t size);

/* The round trips (to IMAP, DAV, LDAP) of the last request of that command, as the log has it.
 */
unsigned bench_trips(const char *command);
/* The same for all requests, so many, since the last call of either. */
unsigned bench_trips_all(const char *command, unsigned requests);

#endif
