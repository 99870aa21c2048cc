/*
 * easctl: the administrator's tool.
 */
#include "admin/admin.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *group, *verb;
	int least, most; /* arguments behind the verb */
	int (*run)(struct admin *ad, char **args);
	const char *help;
} commands[] = {
	{"schema",      "upgrade", 0, 0, admin_schema_upgrade,   "bring the database up to date"            },
	{"schema",      "status",  0, 0, admin_schema_status,    "where the database stands"                },
	{"user",        "list",    0, 0, admin_user_list,        "users and whether they may sync"          },
	{"user",        "show",    1, 1, admin_user_show,        "one user"                                 },
	{"user",        "enable",  1, 1, admin_user_enable,      "USER: let a user sync"                    },
	{"user",        "disable", 1, 1, admin_user_disable,     "USER: keep a user from syncing"           },
	{"user",        "ceiling", 2, 2, admin_user_ceiling,
         "USER VERSION|none: highest protocol version"                                                      },
	{"user",        "home",    2, 2, admin_user_home,
         "USER URL|none: devices are sent to that server"                                                   },
	{"device",      "ceiling", 3, 3, admin_device_ceiling,   "USER DEVICE VERSION|none: likewise"       },
	{"entitlement", "show",    0, 0, admin_entitlement_show,
         "places for enabled users, and until when"                                                         },
	{"entitlement", "set",     1, 2, admin_entitlement_set,
         "PLACES|unlimited [YYYY-MM-DD|never]"							      },
	{"item",        "list",    0, 1, admin_item_list,
         "[USER]: items that cannot be shown to devices"                                                    },
	{"item",        "retry",   0, 1, admin_item_retry,       "[USER]: try them again at the next Sync"  },
	{"waiting",     "",        0, 0, admin_waiting,          "devices that wait for news on this host"  },
	{"trace",       "",        2, 3, admin_trace,
         "USER DEVICE [MINUTES|off]: write down its dialogue, 60 minutes"                                   },
	{"doctor",      "",        0, 0, admin_doctor,
         "check configuration, database, IMAP, SMTP, LDAP, TLS; say what to mend"                           },
	{"doctor",      "web",     1, 1, admin_doctor,           "FILE: also the web server's configuration"},
	{"device",      "list",    0, 1, admin_device_list,      "[USER]: devices"                          },
	{"device",      "show",    2, 2, admin_device_show,      "USER DEVICE"                              },
	{"device",      "forget",  2, 2, admin_device_forget,    "USER DEVICE: as if it had never been"     },
	{"device",      "resync",  2, 2, admin_device_resync,
         "USER DEVICE: it gets everything afresh"							   },
	{"listener",    "status",  0, 0, admin_listener_status,
         "who listens for mail events, and to how many accounts"                                            },
	{"settings",    "",        0, 0, admin_settings,         "the settings in force"                    },
	{"settings",    "sample",  0, 0, admin_sample,           "a sample configuration file"              },
};

static int usage(void)
{
	(void)fprintf(stderr, "usage: easctl [-c FILE] [--json] [--user USER] COMMAND\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(stderr, "  %s %s  %s\n", commands[i].group, commands[i].verb,
			commands[i].help);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"json",   no_argument,       NULL, 'j'},
		{"user",   required_argument, NULL, 'u'},
		{NULL,     0,                 NULL, 0  },
	};
	struct admin ad = {.path = "/etc/easpool/easpool.conf"};
	int c;

	while ((c = getopt_long(argc, argv, "c:ju:", options, NULL)) != -1) {
		if (c == 'c')
			ad.path = optarg;
		else if (c == 'j')
			ad.json = true;
		else if (c == 'u')
			ad.user = optarg;
		else
			return usage();
	}
	argc -= optind;
	argv += optind;
	for (size_t i = 0; i < ARRAY_LEN(commands) && argc > 0; i++) {
		/* A group without verbs takes its arguments at once. */
		int words = commands[i].verb[0] ? 2 : 1, n = argc - words;

		if (n < 0 || strcmp(commands[i].group, argv[0]) != 0 ||
			(words == 2 && strcmp(commands[i].verb, argv[1]) != 0) ||
			n < commands[i].least || n > commands[i].most)
			continue;
		return commands[i].run(&ad, argv + words);
	}
	return usage();
}
