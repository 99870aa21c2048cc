#include "core/cmd/quirks.h"

#include "core/base/rc.h"

/* By the beginning of the DeviceType, in any letter case. */
static const struct {
	const char *type;
	unsigned quirks;
} rows[] = {
	{"WindowsOutlook",
         QUIRK_NO_PROVISIONING | QUIRK_KNOWS_MOVES | QUIRK_NO_GONE_COLLECTIONS},
	{"MicrosoftOutlook",
         QUIRK_NO_PROVISIONING | QUIRK_KNOWS_MOVES | QUIRK_NO_GONE_COLLECTIONS},
	{"TestActiveSyncConnectivity", QUIRK_NO_PROVISIONING                  },
	{"iPhone",		     QUIRK_LOOSE_PICTURE                    },
	{"iPad",		       QUIRK_LOOSE_PICTURE                    },
	{"iPod",		       QUIRK_LOOSE_PICTURE                    },
};

unsigned quirks_of(struct str device_type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_istarts(device_type, rows[i].type))
			return rows[i].quirks;
	return 0;
}

/*
 * "Apple-iPhone11C2/1607.77": 1607 is the 16G of build 16G77, iOS 12.4; 1707 is 17G, 13.6. From
 * one to the other the reply is left to the server whatever the version of the protocol.
 */
enum { IOS_SILENT_FROM = 1607, IOS_SILENT_TO = 1707 };

unsigned quirks_of_program(struct str user_agent)
{
	struct str rest = user_agent, device, build;
	uint32_t n;

	if (!str_istarts(user_agent, "Apple-iP") || !str_next(&rest, '/', &device) ||
		!str_next(&rest, '.', &build) || !str_u32(build, &n))
		return 0;
	return n >= IOS_SILENT_FROM && n <= IOS_SILENT_TO ? QUIRK_NO_REPLY : 0;
}
