#include "core/settings.h"

#include "core/wire/version.h"

const struct conf_row settings_rows[] = {
#define SET(field, type, fallback, min, max, choices, help)                                    \
	{#field, CONF_##type, fallback, min, max, choices, help,                               \
		offsetof(struct settings, field)},
#include "core/settings.def"
#undef SET
#undef NO_MAX
};

const size_t settings_nrows = ARRAY_LEN(settings_rows);

/* Or nothing. */
static bool is_url(struct str s)
{
	return !s.n || str_istarts(s, "http://") || str_istarts(s, "https://");
}

enum rc settings_read(
	struct str text, const char *name, struct settings *s, struct arena *a, struct err *err)
{
	enum rc rc = conf_read(settings_rows, settings_nrows, text, name, s, a, err);

	if (rc)
		return rc;
	if (version_of(s->max_version) == V_NONE)
		return err_set(
			err, RC_INVALID, "%s: max_version: no such protocol version", name);
	if (s->heartbeat_min > s->heartbeat_max)
		return err_set(
			err, RC_INVALID, "%s: heartbeat_min is above heartbeat_max", name);
	if (s->client_certificate && !s->imap_master_user.n)
		return err_set(
			err, RC_INVALID, "%s: client_certificate needs imap_master_user", name);
	if (s->listener_source == LISTENER_URL && !s->listener_secret.n)
		return err_set(err, RC_INVALID,
			"%s: listener_source = url needs listener_secret", name);
	if (s->policy_password_failures > 0 && s->policy_password_failures < 4)
		return err_set(
			err, RC_INVALID, "%s: policy_password_failures: 0, or 4 to 16", name);
	if (!is_url(s->carddav_url))
		return err_set(err, RC_INVALID,
			"%s: carddav_url begins with neither http:// nor https://", name);
	if (!is_url(s->caldav_url))
		return err_set(err, RC_INVALID,
			"%s: caldav_url begins with neither http:// nor https://", name);
	return RC_OK;
}
