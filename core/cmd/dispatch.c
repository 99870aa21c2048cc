#include "core/base/log.h"
#include "core/cmd/autodiscover.h"
#include "core/cmd/command.h"
#include "core/cmd/quirks.h"
#include "core/cmd/status.h"
#include "core/wire/dump.h"
#include "core/wire/reader.h"

/* Refuses the whole request: the status for the device, the sentence for the log. */
static bool refuse(struct request *rq, struct reply *rp, unsigned status)
{
	status_fail(rq, rp, status);
	return false;
}

static void challenge(struct request *rq, struct reply *rp)
{
	reply_reset(rp);
	rp->http = 401;
	reply_header(rp, "WWW-Authenticate",
		arena_printf(rq->arena, "Basic realm=\"%.*s\", charset=\"UTF-8\"",
			STR_FMT(rq->conf->auth_realm)));
}

static bool authenticate(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	enum rc rc;

	if (rq->certificate)
		return true;
	/* Requirements 3.13: whatever the path, no credentials get a challenge. */
	if (!rq->user.n || !rq->password.p) {
		(void)err_set(err, RC_DENIED, "no credentials");
		challenge(rq, rp);
		return false;
	}
	rc = sv->auth->check(sv->auth, rq->user, &rq->password, err);
	if (rc == RC_OK)
		return true;
	if (rc == RC_DENIED) {
		(void)err_wrap(err, "authentication failed");
		challenge(rq, rp);
	} else {
		/* A backend that is down is no reason to ask the user for a password. */
		status_fail(rq, rp, STATUS_RETRY_LATER);
	}
	return false;
}

/* Requirements 3.7, C28, C29: a device that has run away waits. */
static bool not_too_often(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	int64_t wait = sv->rate ? sv->rate(sv, rq) : 0;

	if (!wait)
		return true;
	(void)err_set(err, RC_LIMIT,
		"too many requests (device_rate, user_rate): the device is to wait %lld s",
		(long long)wait);
	reply_reset(rp);
	rp->http = 503;
	rp->status = STATUS_RETRY_LATER;
	reply_header(rp, "Retry-After", arena_printf(rq->arena, "%lld", (long long)wait));
	reply_header(rp, "X-MS-ASThrottle", STR("DeviceRate"));
	return false;
}

/* U2, C27, D2: [MS-ASHTTP] 3.1.5.2.2. */
static bool is_here(struct request *rq, struct reply *rp, struct err *err)
{
	if (!rq->account.home.n || str_ieq(rq->account.home, rq->conf->public_url))
		return true;
	(void)err_set(err, RC_ABSENT, "the user's server is another one (easctl user home)");
	reply_reset(rp);
	rp->http = 451;
	reply_header(rp, "X-MS-Location", rq->account.home);
	return false;
}

static bool entitled(struct request *rq, struct reply *rp, struct err *err)
{
	static const char *const reasons[] = {
		[ENTITLEMENT_DISABLED] = "the user is disabled (easctl user enable)",
		[ENTITLEMENT_NOT_LISTED] = "the user is not enabled (easctl user enable)",
		[ENTITLEMENT_EXPIRED] = "the entitlement has expired (easctl entitlement)",
		[ENTITLEMENT_FULL] = "the entitlement has no free place (easctl entitlement)",
	};

	if (rq->account.entitlement == ENTITLED)
		return true;
	(void)err_set(err, RC_DENIED, "%s", reasons[rq->account.entitlement]);
	return refuse(rq, rp, STATUS_USER_DISABLED);
}

enum eas_version request_ceiling(const struct request *rq)
{
	enum eas_version v = version_of(rq->conf->max_version);

	if (rq->account.ceiling && rq->account.ceiling < v)
		v = rq->account.ceiling;
	if (rq->device.ceiling && rq->device.ceiling < v)
		v = rq->device.ceiling;
	return v;
}

static void answer_options(struct request *rq, struct reply *rp)
{
	enum eas_version v = request_ceiling(rq);

	reply_header(rp, "MS-ASProtocolVersions", version_list(v, rq->arena));
	reply_header(rp, "MS-ASProtocolCommands", command_list(v, rq->arena));
	reply_header(rp, "MS-Server-ActiveSync", STR("14.2"));
	reply_header(rp, "Public", STR("OPTIONS,POST"));
	reply_header(rp, "Allow", STR("OPTIONS,POST"));
}

/* http.md 4: a request without the header is one of 2.5; the base64 form has its own. */
static enum eas_version asked_version(const struct request *rq)
{
	if (rq->query.base64)
		return version_of_number(rq->query.version_number);
	return rq->version_header.p ? version_of(str_trim(rq->version_header)) : V25;
}

static bool check_command(struct request *rq, struct reply *rp, struct err *err)
{
	enum eas_version v = asked_version(rq);

	rq->version = v ? v : V25;
	if (!v || v > request_ceiling(rq)) {
		(void)err_set(err, RC_INVALID, "protocol version %.*s is not offered",
			STR_FMT(rq->version_header));
		return refuse(rq, rp, STATUS_VERSION_NOT_SUPPORTED);
	}
	rq->command = command_find(rq->query.command, v);
	if (rq->command)
		return true;
	(void)err_set(err, RC_INVALID, "command %.*s is not supported in version %s",
		STR_FMT(rq->query.command_name), version_name(v));
	return refuse(rq, rp, STATUS_COMMAND_NOT_SUPPORTED);
}

static bool check_device(struct request *rq, struct reply *rp, struct err *err)
{
	if (!rq->query.device_id.n) {
		(void)err_set(err, RC_INVALID, "no DeviceId");
		return refuse(rq, rp, STATUS_DEVICE_ID_INVALID);
	}
	if (!rq->query.device_type.n) {
		(void)err_set(err, RC_INVALID, "no DeviceType");
		return refuse(rq, rp, STATUS_DEVICE_TYPE_INVALID);
	}
	if (rq->device.access == DEVICE_ALLOWED)
		return true;
	(void)err_set(err, RC_DENIED, "the device is blocked");
	return refuse(rq, rp, STATUS_DEVICE_BLOCKED);
}

static bool check_policy(struct request *rq, struct reply *rp, struct err *err)
{
	const struct device *d = &rq->device;

	if (!rq->conf->provision || rq->command->flags & CMD_NO_POLICY ||
		quirks_of(rq->query.device_type) & QUIRK_NO_PROVISIONING)
		return true;
	/* clients.md 2: the probe of a phone that sets up an account. */
	if (d->id == 0 && rq->command->id == CMD_FOLDER_SYNC)
		return true;
	if (d->policy_key && rq->policy_key == d->policy_key &&
		d->policy_hash == policy_hash(rq->conf))
		return true;
	if (!d->policy_key && rq->conf->provision_loose && !rq->policy_key)
		return true;
	if (!d->policy_key) {
		(void)err_set(err, RC_DENIED, "the device has to accept the policy first");
		return refuse(rq, rp, STATUS_NOT_PROVISIONED);
	}
	(void)err_set(err, RC_DENIED, "the policy key is not the current one");
	return refuse(rq, rp,
		rq->policy_key == d->policy_key ? STATUS_POLICY_REFRESH
						: STATUS_INVALID_POLICY_KEY);
}

static bool is_wbxml(struct str type)
{
	return !type.p || str_is(type, "application/vnd.ms-sync.wbxml") ||
	       str_is(type, "application/vnd.ms-sync") ||
	       str_is(type, "application/octet-stream");
}

/* http.md 6: phones know what to make of a full mailbox or a Status, and little of 413. */
static bool too_large(struct request *rq, struct reply *rp)
{
	if (!(rq->command->flags & CMD_RAW_BODY)) {
		rp->http = 413;
		return false;
	}
	(void)refuse(rq, rp, STATUS_SEND_QUOTA_EXCEEDED);
	if (rq->version < V140)
		rp->http = 507;
	return false;
}

static bool take_body(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	enum rc rc = sv->read_body ? sv->read_body(sv, rq, err) : RC_OK;

	if (rc == RC_OK)
		return true;
	if (rc == RC_LIMIT)
		return too_large(rq, rp);
	if (rc == RC_INVALID) {
		rp->http = 400;
		return false;
	}
	return refuse(rq, rp, STATUS_RETRY_LATER);
}

static bool read_document(struct request *rq, struct reply *rp, struct err *err)
{
	const struct command *c = rq->command;
	struct elem *doc;

	if (c->flags & CMD_NO_BODY || (c->flags & CMD_RAW_BODY && rq->version < V140))
		return true;
	if (rq->body.n == 0) {
		if (c->flags & CMD_EMPTY_BODY)
			return true;
		/* An empty Provision is a device that asks about a wipe. */
		if (c->id == CMD_PROVISION)
			return true;
		(void)err_set(err, RC_INVALID, "the request has no body");
		return refuse(rq, rp, STATUS_INVALID_CONTENT);
	}
	if (!is_wbxml(rq->content_type)) {
		(void)err_set(
			err, RC_INVALID, "Content-Type is %.*s", STR_FMT(rq->content_type));
		return refuse(rq, rp, STATUS_INVALID_CONTENT);
	}
	if (wbxml_read(rq->body, WBXML_LIMITS, rq->arena, &doc, err))
		return refuse(rq, rp, STATUS_INVALID_WBXML);
	if (doc->tag != command_root(c->id)) {
		(void)err_set(err, RC_INVALID, "the document is not a %s", command_name(c->id));
		return refuse(rq, rp, STATUS_INVALID_XML);
	}
	rq->doc = doc;
	return true;
}

static void log_document(const char *what, const struct elem *doc)
{
	struct dump_options o = {.max_text = 200, .hide_bodies = true};
	struct buf b;

	if (!log_wants(LOG_LEVEL_DEBUG) || !doc)
		return;
	buf_init(&b, BUF_MAX_LINE / 2);
	dump_elem(doc, &o, &b);
	log_debug("%s\n%.*s", what, STR_FMT(buf_str(&b)));
	buf_release(&b);
}

static bool begin(struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct device seen = {.device_id = rq->query.device_id,
		.type = rq->query.device_type,
		.user_agent = rq->user_agent,
		.version = asked_version(rq),
		.waits = rq->query.command == CMD_PING && !rq->options};
	enum rc rc;

	if (rq->options || rq->discover)
		seen.device_id = STR_NONE;
	rc = state_call(
		sv->state, begin, rq->user, &seen, rq->arena, &rq->account, &rq->device, err);
	rq->version = asked_version(rq) ? asked_version(rq) : V25;
	if (rc == RC_OK)
		return true;
	return refuse(rq, rp, rc == RC_LIMIT ? STATUS_TOO_MANY_DEVICES : STATUS_RETRY_LATER);
}

static void run(struct request *rq, struct services *sv, struct reply *rp, struct err *failure)
{
	enum rc rc;

	log_document("request", rq->doc);
	rc = rq->command->handle(rq, sv, rp, failure);
	if (rc)
		status_fail(rq, rp, status_of(rc, failure));
	else
		err_clear(failure);
}

/* Where the JSON form may be asked by anybody, it is answered as to a user of this server. */
static bool anonymous(const struct request *rq)
{
	return rq->discover == DISCOVER_JSON && !rq->user.n && rq->conf->autodiscover_anonymous;
}

static void discover(
	struct request *rq, struct services *sv, struct reply *rp, struct err *failure)
{
	enum rc rc = autodiscover(rq, sv, rp, failure);

	if (rc) {
		reply_reset(rp);
		rp->http = rc == RC_LIMIT ? 413 : rc == RC_INVALID ? 400 : 503;
	}
}

void dispatch(struct request *rq, struct services *sv, struct reply *rp, struct err *failure)
{
	err_clear(failure);
	rp->http = 200;
	rq->version = asked_version(rq) ? asked_version(rq) : V25;
	log_context("user", rq->user);
	if (rq->query.device_id.n)
		log_context("device", rq->query.device_id);
	if (anonymous(rq)) {
		discover(rq, sv, rp, failure);
		return;
	}
	if (!authenticate(rq, sv, rp, failure) || !not_too_often(rq, sv, rp, failure))
		return;
	if (begin(rq, sv, rp, failure) && entitled(rq, rp, failure)) {
		if (rq->discover)
			discover(rq, sv, rp, failure);
		else if (is_here(rq, rp, failure) && rq->options)
			answer_options(rq, rp);
		else if (rp->http == 200 && check_command(rq, rp, failure) &&
			 check_device(rq, rp, failure) && check_policy(rq, rp, failure) &&
			 take_body(rq, sv, rp, failure) && read_document(rq, rp, failure))
			run(rq, sv, rp, failure);
	}
	state_call0(sv->state, end);
}
