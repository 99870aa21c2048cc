/*
 * quirks: what some programs need beyond the protocol, by their DeviceType; clients.md.
 */
#ifndef EASPOOL_CORE_CMD_QUIRKS_H
#define EASPOOL_CORE_CMD_QUIRKS_H

#include "core/base/str.h"

enum {
	/* Never asks for a policy. */
	QUIRK_NO_PROVISIONING = 1,
	/* Has a message in its new folder as soon as it was moved: an Add of it would double
	   it. */
	QUIRK_KNOWS_MOVES = 2,
	/* Is confused by the Status of a collection that is gone; FolderSync tells it. */
	QUIRK_NO_GONE_COLLECTIONS = 4,
	/* Leaves out the picture of a contact, or sends it empty, whenever it changes something
	   else: the picture stays. */
	QUIRK_LOOSE_PICTURE = 8,
	/* Up to 14.1 does not tell the organizer what its user answered to an invitation. */
	QUIRK_NO_REPLY = 16,
};

unsigned quirks_of(struct str device_type);
/* Those of some versions of a program, by its User-Agent. */
unsigned quirks_of_program(struct str user_agent);

#endif
