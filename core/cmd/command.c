#include "core/cmd/command.h"

/* In the order in which MS-ASProtocolCommands lists them. */
static const struct command commands[] = {
	{CMD_SYNC,               V25,  V161, CMD_EMPTY_BODY,                 cmd_sync              },
	{CMD_SEND_MAIL,          V25,  V161, CMD_RAW_BODY,                   cmd_send_mail         },
	{CMD_SMART_FORWARD,      V25,  V161, CMD_RAW_BODY,                   cmd_smart_forward     },
	{CMD_SMART_REPLY,        V25,  V161, CMD_RAW_BODY,                   cmd_smart_reply       },
	{CMD_GET_ATTACHMENT,     V25,  V121, CMD_NO_BODY,                    cmd_get_attachment    },
	{CMD_GET_HIERARCHY,      V25,  V121, CMD_NO_BODY,                    cmd_get_hierarchy     },
	{CMD_FOLDER_SYNC,        V25,  V161, 0,                              cmd_folder_sync       },
	{CMD_FOLDER_CREATE,      V25,  V161, 0,                              cmd_folder_create     },
	{CMD_FOLDER_DELETE,      V25,  V161, 0,                              cmd_folder_delete     },
	{CMD_FOLDER_UPDATE,      V25,  V161, 0,                              cmd_folder_update     },
	{CMD_MOVE_ITEMS,         V25,  V161, 0,                              cmd_move_items        },
	{CMD_GET_ITEM_ESTIMATE,  V25,  V161, 0,                              cmd_get_item_estimate },
	{CMD_MEETING_RESPONSE,   V25,  V141, 0,                              cmd_meeting_response  },
	{CMD_SEARCH,             V25,  V161, 0,                              cmd_search            },
	{CMD_SETTINGS,           V120, V161, CMD_NO_POLICY,                  cmd_settings          },
	{CMD_PING,               V25,  V161, CMD_NO_POLICY | CMD_EMPTY_BODY, cmd_ping              },
	{CMD_ITEM_OPERATIONS,    V120, V161, 0,                              cmd_item_operations   },
	{CMD_PROVISION,          V25,  V161, CMD_NO_POLICY,                  cmd_provision         },
	{CMD_RESOLVE_RECIPIENTS, V25,  V161, 0,                              cmd_resolve_recipients},
	{CMD_VALIDATE_CERT,      V25,  V161, 0,                              cmd_validate_cert     },
};

const struct command *command_find(enum command_id id, enum eas_version v)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].id == id && commands[i].first <= v && v <= commands[i].last)
			return &commands[i];
	return NULL;
}

struct str command_list(enum eas_version v, struct arena *a)
{
	struct str list = {"", 0};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].first <= v)
			list = arena_printf(a, "%.*s%s%s", STR_FMT(list), list.n ? "," : "",
				command_name(commands[i].id));
	return list;
}

struct str version_list(enum eas_version ceiling, struct arena *a)
{
	struct str list = {"", 0};

	for (unsigned i = 0; version_at(i) && version_at(i) <= ceiling; i++)
		list = arena_printf(a, "%.*s%s%s", STR_FMT(list), list.n ? "," : "",
			version_name(version_at(i)));
	return list;
}
