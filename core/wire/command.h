/*
 * command: the names and codes of the commands, [MS-ASHTTP] 2.2.1.1.1.1.2, http.md 3.3.
 */
#ifndef EASPOOL_CORE_WIRE_COMMAND_H
#define EASPOOL_CORE_WIRE_COMMAND_H

#include "core/wire/tags.h"

enum command_id {
	CMD_SYNC = 0,
	CMD_SEND_MAIL,
	CMD_SMART_FORWARD,
	CMD_SMART_REPLY,
	CMD_GET_ATTACHMENT,
	CMD_GET_HIERARCHY,
	CMD_CREATE_COLLECTION,
	CMD_DELETE_COLLECTION,
	CMD_MOVE_COLLECTION,
	CMD_FOLDER_SYNC,
	CMD_FOLDER_CREATE,
	CMD_FOLDER_DELETE,
	CMD_FOLDER_UPDATE,
	CMD_MOVE_ITEMS,
	CMD_GET_ITEM_ESTIMATE,
	CMD_MEETING_RESPONSE,
	CMD_SEARCH,
	CMD_SETTINGS,
	CMD_PING,
	CMD_ITEM_OPERATIONS,
	CMD_PROVISION,
	CMD_RESOLVE_RECIPIENTS,
	CMD_VALIDATE_CERT,
	CMD_FIND,
	CMD_UNKNOWN,
};

/* "Sync", ...; "?" for CMD_UNKNOWN. */
const char *command_name(enum command_id id);
/* ASCII case ignored; CMD_UNKNOWN when there is none. */
enum command_id command_of(struct str name);
/* The document element and the Status element of its answers, 0 where the command has no WBXML.
 */
tag_t command_root(enum command_id id);
tag_t command_status(enum command_id id);

#endif
