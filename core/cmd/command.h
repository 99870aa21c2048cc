/*
 * command: the table of handlers.
 */
#ifndef EASPOOL_CORE_CMD_COMMAND_H
#define EASPOOL_CORE_CMD_COMMAND_H

#include "core/cmd/request.h"

enum {
	CMD_NO_POLICY =
		1, /* runs without a valid policy key: Provision, Ping, Settings before it */
	CMD_EMPTY_BODY = 2, /* the body may be empty */
	CMD_RAW_BODY = 4,   /* up to 12.1 the body is no WBXML (message/rfc822) */
	CMD_NO_BODY = 8,    /* never has one */
};

struct command {
	enum command_id id;
	enum eas_version first, last;
	unsigned flags;
	enum rc (*handle)(
		struct request *rq, struct services *sv, struct reply *rp, struct err *err);
};

/* NULL when it is not built, or not in that version. */
const struct command *command_find(enum command_id id, enum eas_version v);
/* The comma-separated list for MS-ASProtocolCommands: what is built, at any version up to v. */
struct str command_list(enum eas_version v, struct arena *a);
/* The comma-separated, ascending list for MS-ASProtocolVersions, up to the ceiling. */
struct str version_list(enum eas_version ceiling, struct arena *a);

enum rc cmd_sync(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_get_item_estimate(
	struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_folder_sync(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_folder_create(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_folder_update(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_folder_delete(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_get_hierarchy(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_ping(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_provision(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_validate_cert(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_settings(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_send_mail(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_smart_forward(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_smart_reply(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_move_items(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_meeting_response(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_item_operations(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_resolve_recipients(
	struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_search(struct request *, struct services *, struct reply *, struct err *);
enum rc cmd_get_attachment(struct request *, struct services *, struct reply *, struct err *);

/* The highest version for this request: of the site, the user and the device. */
enum eas_version request_ceiling(const struct request *rq);

/* A number that changes when the device policy of the settings does; never 0. */
uint32_t policy_hash(const struct settings *conf);

/*
 * Answers one request: authentication, entitlement, version, command, device, policy key, body,
 * then the handler, in the order of http.md 6. Always fills in *rp. `failure` gets the sentence
 * for the request's log line, empty if all went well. No credentials: 401 with a challenge,
 * whatever the path.
 */
void dispatch(struct request *rq, struct services *sv, struct reply *rp, struct err *failure);

#endif
