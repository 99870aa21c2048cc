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
