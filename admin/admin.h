/*
 * admin: the commands of easctl. Each gives the exit code and prints a table, or JSON.
 */
#ifndef EASPOOL_ADMIN_ADMIN_H
#define EASPOOL_ADMIN_ADMIN_H

#include "core/settings.h"

struct admin {
	const char *path; /* of the configuration */
	bool json;
	const char *user; /* whom doctor looks for, too; NULL: nobody */
};

/* Shared: a complaint on standard error (gives 1), and the settings of the program. */
int admin_complain(const char *what);
bool admin_load(struct admin *ad, struct arena *a, struct settings *conf);
/* Prints what a query gives; n texts, at most ADMIN_ARGS_MAX, are its parameters. */
enum { ADMIN_ARGS_MAX = 8 };
int admin_show(struct admin *ad, const char *sql, char **args, int n);

int admin_schema_upgrade(struct admin *ad, char **args);
int admin_schema_status(struct admin *ad, char **args);
int admin_user_list(struct admin *ad, char **args);
int admin_user_show(struct admin *ad, char **args);
int admin_user_enable(struct admin *ad, char **args);
int admin_user_disable(struct admin *ad, char **args);
int admin_user_ceiling(struct admin *ad, char **args);
int admin_entitlement_show(struct admin *ad, char **args);
int admin_entitlement_set(struct admin *ad, char **args);
int admin_user_home(struct admin *ad, char **args);
int admin_item_retry(struct admin *ad, char **args);
int admin_listener_status(struct admin *ad, char **args);
int admin_trace(struct admin *ad, char **args);
int admin_item_list(struct admin *ad, char **args);
int admin_device_ceiling(struct admin *ad, char **args);
int admin_doctor(struct admin *ad, char **args);
int admin_waiting(struct admin *ad, char **args);
int admin_device_list(struct admin *ad, char **args);
int admin_device_show(struct admin *ad, char **args);
int admin_device_forget(struct admin *ad, char **args);
int admin_device_resync(struct admin *ad, char **args);
int admin_settings(struct admin *ad, char **args);
int admin_sample(struct admin *ad, char **args);

#endif
