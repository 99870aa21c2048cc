/*
 * kql: what a user types into a search field, as Keyword Query Language ([MS-KQL], the part
 * that phones use): words and "phrases", which must all be there; from:, to:, cc:, subject:,
 * body:, participants:, isread:, isflagged: in front of one; AND, OR, NOT, - and parentheses.
 */
#ifndef EASPOOL_CORE_MAP_KQL_H
#define EASPOOL_CORE_MAP_KQL_H

#include "core/model/mail.h"

/* Any input; what is no query of this language is searched for as text. NULL: there is nothing
 * to search for. */
struct mail_term *kql_parse(struct str text, struct arena *a);

#endif
