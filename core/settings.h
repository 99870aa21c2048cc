/*
 * settings: what the administrator decides, core/settings.def. Read once at start and on
 * SIGHUP.
 */
#ifndef EASPOOL_CORE_SETTINGS_H
#define EASPOOL_CORE_SETTINGS_H

#include "core/base/conf.h"

enum { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT };         /* imap_tls, smtp_tls */
enum { ENTITLEMENT_EVERYONE, ENTITLEMENT_LISTED };     /* entitlement */
enum { FOLDERS_ALL, FOLDERS_SUBSCRIBED };              /* folders */
enum { WAKE_CHANGES, WAKE_ADDITIONS };                 /* wake */
enum { LISTENER_URL, LISTENER_NOTIFY, LISTENER_IDLE }; /* listener_source */

#define SETTING_TYPE_TEXT    struct str
#define SETTING_TYPE_SECRET  struct str
#define SETTING_TYPE_NUMBER  int64_t
#define SETTING_TYPE_SECONDS int64_t
#define SETTING_TYPE_BYTES   int64_t
#define SETTING_TYPE_BOOL    bool
#define SETTING_TYPE_CHOICE  int

struct settings {
#define SET(field, type, fallback, min, max, choices, help) SETTING_TYPE_##type field;
#include "core/settings.def"
#undef SET
#undef NO_MAX
};

extern const struct conf_row settings_rows[];
extern const size_t settings_nrows;

/* conf_read() over the rows, plus what no single row can check. Texts live in `a`. */
MUST_USE enum rc settings_read(struct str text, const char *name, struct settings *s,
	struct arena *a, struct err *err);

#endif
