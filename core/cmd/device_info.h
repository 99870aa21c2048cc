/*
 * device_info: settings:DeviceInformation, as Settings and Provision carry it.
 */
#ifndef EASPOOL_CORE_CMD_DEVICE_INFO_H
#define EASPOOL_CORE_CMD_DEVICE_INFO_H

#include "core/cmd/request.h"

/* Stores what the element says of the device, [MS-ASCMD] 2.2.3.45. */
MUST_USE enum rc device_info_save(
	struct request *rq, struct services *sv, const struct elem *info, struct err *err);

#endif
