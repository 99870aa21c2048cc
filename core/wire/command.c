#include "core/wire/command.h"

#include "core/base/rc.h"

static const struct {
	const char *name;
	tag_t root, status;
} names[] = {
	[CMD_SYNC] = {"Sync",              AIRSYNC_SYNC,                         AIRSYNC_STATUS        },
	[CMD_SEND_MAIL] = {"SendMail",          COMPOSEMAIL_SEND_MAIL,                COMPOSEMAIL_STATUS    },
	[CMD_SMART_FORWARD] = {"SmartForward",      COMPOSEMAIL_SMART_FORWARD,            COMPOSEMAIL_STATUS    },
	[CMD_SMART_REPLY] = {"SmartReply",        COMPOSEMAIL_SMART_REPLY,              COMPOSEMAIL_STATUS    },
	[CMD_GET_ATTACHMENT] = {"GetAttachment",     0,                                    0                     },
	[CMD_GET_HIERARCHY] = {"GetHierarchy",      0,                                    0                     },
	[CMD_CREATE_COLLECTION] = {"CreateCollection",  0,                                    0                     },
	[CMD_DELETE_COLLECTION] = {"DeleteCollection",  0,                                    0                     },
	[CMD_MOVE_COLLECTION] = {"MoveCollection",    0,                                    0                     },
	[CMD_FOLDER_SYNC] = {"FolderSync",        FOLDERHIERARCHY_FOLDER_SYNC,          FOLDERHIERARCHY_STATUS},
	[CMD_FOLDER_CREATE] = {"FolderCreate",      FOLDERHIERARCHY_FOLDER_CREATE,
		      FOLDERHIERARCHY_STATUS							   },
	[CMD_FOLDER_DELETE] = {"FolderDelete",      FOLDERHIERARCHY_FOLDER_DELETE,
		      FOLDERHIERARCHY_STATUS							   },
	[CMD_FOLDER_UPDATE] = {"FolderUpdate",      FOLDERHIERARCHY_FOLDER_UPDATE,
		      FOLDERHIERARCHY_STATUS							   },
	[CMD_MOVE_ITEMS] = {"MoveItems",         MOVE_MOVE_ITEMS,                      MOVE_STATUS           },
	[CMD_GET_ITEM_ESTIMATE] = {"GetItemEstimate",   GETITEMESTIMATE_GET_ITEM_ESTIMATE,
		      GETITEMESTIMATE_STATUS							   },
	[CMD_MEETING_RESPONSE] = {"MeetingResponse",   MEETINGRESPONSE_MEETING_RESPONSE,
		      MEETINGRESPONSE_STATUS							   },
	[CMD_SEARCH] = {"Search",            SEARCH_SEARCH,                        SEARCH_STATUS         },
	[CMD_SETTINGS] = {"Settings",          SETTINGS_SETTINGS,                    SETTINGS_STATUS       },
	[CMD_PING] = {"Ping",              PING_PING,                            PING_STATUS           },
	[CMD_ITEM_OPERATIONS] = {"ItemOperations",    ITEMOPERATIONS_ITEM_OPERATIONS,
		      ITEMOPERATIONS_STATUS							    },
	[CMD_PROVISION] = {"Provision",         PROVISION_PROVISION,                  PROVISION_STATUS      },
	[CMD_RESOLVE_RECIPIENTS] = {"ResolveRecipients", RESOLVERECIPIENTS_RESOLVE_RECIPIENTS,
		      RESOLVERECIPIENTS_STATUS							 },
	[CMD_VALIDATE_CERT] = {"ValidateCert",      VALIDATECERT_VALIDATE_CERT,           VALIDATECERT_STATUS   },
	[CMD_FIND] = {"Find",              FIND_FIND,                            FIND_STATUS           },
};

const char *command_name(enum command_id id)
{
	return (unsigned)id < ARRAY_LEN(names) ? names[id].name : "?";
}

enum command_id command_of(struct str name)
{
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (str_iis(name, names[i].name))
			return (enum command_id)i;
	return CMD_UNKNOWN;
}

tag_t command_root(enum command_id id)
{
	return (unsigned)id < ARRAY_LEN(names) ? names[id].root : 0;
}

tag_t command_status(enum command_id id)
{
	return (unsigned)id < ARRAY_LEN(names) ? names[id].status : 0;
}
