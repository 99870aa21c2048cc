/*
 * trace: the dialogue of one device, decoded, with bodies cut, in a file (easctl trace).
 */
#ifndef EASPOOL_FCGI_TRACE_H
#define EASPOOL_FCGI_TRACE_H

#include "core/cmd/request.h"

/* Appends request and answer to the device's file when its trace is switched on. */
void trace_dialogue(const struct request *rq, const struct reply *rp, struct str answer);

#endif
