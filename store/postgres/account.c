#include "store/postgres/pg_internal.h"

#include "core/base/clock.h"

/* Seconds between two notes of last_seen, by a device that does something, and by one that
 * only waits. */
enum { SEEN_EVERY = 60, WAITS_EVERY = 12 * 3600 };

/* $1 login, $2 DeviceId, $3 whether users must be listed. */
static const char find_sql[] =
	"SELECT a.id, a.ceiling, "
	" CASE WHEN a.enabled IS FALSE THEN 1"
	"  WHEN NOT $3::boolean THEN 0"
	"  WHEN a.enabled IS NULL THEN 2"
	"  WHEN e.expires IS NOT NULL AND e.expires < now() THEN 3"
	"  WHEN e.size IS NOT NULL AND (SELECT count(*) FROM account b WHERE b.enabled"
	"   AND (b.enabled_at, b.id) < (a.enabled_at, a.id)) >= e.size THEN 4"
	"  ELSE 0 END,"
	" d.id, d.type, d.user_agent, d.model, d.imei, d.friendly_name, d.os, d.os_language,"
	" d.phone_number, d.mobile_operator, d.outbound_sms, d.version, d.ceiling, d.access, d.wipe,"
	" d.policy_key, d.policy_pending, d.policy_hash, d.ping, d.sync_request,"
	" extract(epoch FROM d.first_seen)::bigint, extract(epoch FROM d.last_seen)::bigint,"
	" (SELECT count(*) FROM device n WHERE n.account_id = a.id), a.home,"
	" coalesce(extract(epoch FROM d.trace_until)::bigint, 0)"
	" FROM (SELECT 1) one LEFT JOIN account a ON a.login = $1"
	" LEFT JOIN entitlement e ON true"
	" LEFT JOIN device d ON d.account_id = a.id AND d.device_id = $2";

static const char add_account_sql[] =
	"INSERT INTO account (login) VALUES ($1) ON CONFLICT (login) DO NOTHING";

static const char add_device_sql[] =
	"INSERT INTO device (account_id, device_id, type, user_agent, version)"
	" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id, device_id) DO NOTHING";

static const char seen_sql[] =
	"UPDATE device SET last_seen = now(), type = $2, user_agent = $3, version = $4"
	" WHERE id = $1 AND " CONN_LOOSELY;

static void read_device(PGresult *r, struct arena *a, struct device *d)
{
	struct str *texts[] = {&d->type, &d->user_agent, &d->model, &d->imei, &d->friendly_name,
		&d->os, &d->os_language, &d->phone_number, &d->mobile_operator};

	d->id = conn_int(r, 0, 3);
	for (int i = 0; i < (int)ARRAY_LEN(texts); i++)
		*texts[i] = conn_text(r, 0, 4 + i, a);
	d->outbound_sms = conn_bool(r, 0, 13);
	d->version = (enum eas_version)conn_int(r, 0, 14);
	d->ceiling = (enum eas_version)conn_int(r, 0, 15);
	d->access = (enum device_access)conn_int(r, 0, 16);
	d->wipe = (unsigned)conn_int(r, 0, 17);
	d->policy_key = (uint32_t)conn_int(r, 0, 18);
	d->policy_pending = (uint32_t)conn_int(r, 0, 19);
	d->policy_hash = (uint32_t)conn_int(r, 0, 20);
	d->ping = conn_bytes(r, 0, 21, a);
	d->sync_request = conn_bytes(r, 0, 22, a);
	d->first_seen = conn_int(r, 0, 23);
	d->last_seen = conn_int(r, 0, 24);
	d->trace_until = conn_int(r, 0, 27);
}

static enum rc find(struct pg_state *s, struct str login, const struct device *seen,
	struct arena *a, PGresult **r, struct err *err)
{
	struct params p;

	params_init(&p, a);
	params_text(&p, login);
	params_text(&p, seen->device_id);
	params_text(&p,
		s->conn.conf->entitlement == ENTITLEMENT_LISTED ? STR("true") : STR("false"));
	return conn_run(&s->conn, find_sql, &p, CONN_REPEAT, r, err);
}

static enum rc change(
	struct pg_state *s, const char *sql, const struct params *p, struct err *err)
{
	PGresult *r;
	enum rc rc = conn_run(&s->conn, sql, p, CONN_REPEAT, &r, err);

	if (rc == RC_OK)
		PQclear(r);
	return rc;
}

static enum rc add_device(struct pg_state *s, int64_t account, const struct device *seen,
	struct arena *a, struct err *err)
{
	struct params p;

	params_init(&p, a);
	params_int(&p, account);
	params_text(&p, seen->device_id);
	params_text(&p, seen->type);
	params_text(&p, seen->user_agent);
	params_int(&p, seen->version);
	return change(s, add_device_sql, &p, err);
}

static enum rc note_seen(
	struct pg_state *s, const struct device *d, struct arena *a, struct err *err)
{
	struct params p;

	params_init(&p, a);
	params_int(&p, d->id);
	params_text(&p, d->type);
	params_text(&p, d->user_agent);
	params_int(&p, d->version);
	return change(s, seen_sql, &p, err);
}

static enum rc no_account(struct pg_state *s, struct str login, struct arena *a,
	struct account *ac, struct err *err)
{
	struct params p;

	if (s->conn.conf->entitlement == ENTITLEMENT_LISTED) {
		*ac = (struct account){.login = login, .entitlement = ENTITLEMENT_NOT_LISTED};
		return RC_OK;
	}
	params_init(&p, a);
	params_text(&p, login);
	return change(s, add_account_sql, &p, err);
}

/* What the request says of the device replaces what was known. */
static enum rc refresh(struct pg_state *s, const struct device *seen, struct device *d,
	struct arena *a, struct err *err)
{
	bool differs = !str_eq(d->type, seen->type) ||
		       !str_eq(d->user_agent, seen->user_agent) ||
		       (seen->version && d->version != seen->version);

	d->type = seen->type;
	d->user_agent = seen->user_agent;
	if (seen->version)
		d->version = seen->version;
	if (!differs && clock_now() - d->last_seen < (seen->waits ? WAITS_EVERY : SEEN_EVERY))
		return RC_OK;
	return note_seen(s, d, a, err);
}

enum rc pg_begin(struct state *state, struct str login, const struct device *seen,
	struct arena *a, struct account *ac, struct device *d, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;

	*d = *seen;
	d->id = 0;
	/* Once for what is there, once more for each of the two that had to be made. */
	for (unsigned round = 0; round < 3; round++) {
		int64_t limit = s->conn.conf->max_devices;
		PGresult *r;
		bool device;
		enum rc rc = find(s, login, seen, a, &r, err);

		if (rc)
			return rc;
		if (PQgetisnull(r, 0, 0)) {
			PQclear(r);
			rc = no_account(s, login, a, ac, err);
			if (rc || ac->entitlement)
				return rc;
			continue;
		}
		*ac = (struct account){conn_int(r, 0, 0), login,
			(enum entitlement)conn_int(r, 0, 2),
			(enum eas_version)conn_int(r, 0, 1), conn_text(r, 0, 26, a)};
		device = !PQgetisnull(r, 0, 3);
		if (device)
			read_device(r, a, d);
		else if (limit && conn_int(r, 0, 25) >= limit && seen->device_id.n)
			rc = err_set(err, RC_LIMIT, "the user has %lld devices already",
				(long long)limit);
		PQclear(r);
		/* clients.md 2: "validate" is a probe, not a device. */
		if (ac->entitlement || seen->device_id.n == 0 ||
			str_is(seen->device_id, "validate"))
			return RC_OK;
		if (rc)
			return rc;
		if (device)
			return refresh(s, seen, d, a, err);
		rc = add_device(s, ac->id, seen, a, err);
		if (rc)
			return rc;
	}
	return err_set(err, RC_UNAVAILABLE, "database: the device vanished while it was made");
}

static const char save_info_sql[] =
	"UPDATE device SET model = $2, imei = $3, friendly_name = $4, os = $5, os_language = $6,"
	" phone_number = $7, mobile_operator = $8, outbound_sms = $9::boolean WHERE id = $1";
static const char save_policy_sql[] =
	"UPDATE device SET policy_key = $2, policy_pending = $3, policy_hash = $4 WHERE id = $1";
static const char save_ping_sql[] =
	"UPDATE device SET ping = $2 WHERE id = $1 AND " CONN_LOOSELY;
static const char save_request_sql[] =
	"UPDATE device SET sync_request = $2 WHERE id = $1 AND " CONN_LOOSELY;

static enum rc save(
	struct pg_state *s, const char *sql, const struct params *p, struct err *err)
{
	PGresult *r;
	bool gone;
	enum rc rc = conn_run(&s->conn, sql, p, CONN_REPEAT, &r, err);

	if (rc)
		return rc;
	gone = PQcmdTuples(r)[0] == '0';
	PQclear(r);
	return gone ? err_set(err, RC_ABSENT, "the device was removed") : RC_OK;
}

enum rc pg_device_save(
	struct state *state, const struct device *d, unsigned what, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct arena *a;
	struct params p;
	enum rc rc = RC_OK;

	if (d->id == 0)
		return RC_OK;
	a = arena_new();
	if (what & DEVICE_INFO) {
		const struct str texts[] = {d->model, d->imei, d->friendly_name, d->os,
			d->os_language, d->phone_number, d->mobile_operator};

		params_init(&p, a);
		params_int(&p, d->id);
		for (size_t i = 0; i < ARRAY_LEN(texts); i++)
			params_text(&p, texts[i]);
		params_text(&p, d->outbound_sms ? STR("true") : STR("false"));
		rc = save(s, save_info_sql, &p, err);
	}
	if (rc == RC_OK && what & DEVICE_POLICY) {
		params_init(&p, a);
		params_int(&p, d->id);
		params_int(&p, d->policy_key);
		params_int(&p, d->policy_pending);
		params_int(&p, d->policy_hash);
		rc = save(s, save_policy_sql, &p, err);
	}
	if (rc == RC_OK && what & DEVICE_PING) {
		params_init(&p, a);
		params_int(&p, d->id);
		params_bytes(&p, d->ping);
		rc = save(s, save_ping_sql, &p, err);
	}
	if (rc == RC_OK && what & DEVICE_SYNC_REQUEST) {
		params_init(&p, a);
		params_int(&p, d->id);
		params_bytes(&p, d->sync_request);
		rc = save(s, save_request_sql, &p, err);
	}
	arena_free(a);
	return rc;
}
