/*
 * easdevice: a phone on the command line.
 *
 *     easdevice --url URL --user USER --password P [--device ID] [--version V] [--ca FILE]
 *               folders
 *     easdevice ... sync                                    what is in the inbox
 *     easdevice ... send --to A --subject S --body B
 *     easdevice ... wait                                    a Ping of a minute for the inbox
 */
#include "tests/device/device.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int usage(void)
{
	(void)fprintf(stderr,
		"usage: easdevice --url U --user U --password P [--device ID] "
		"[--version V] [--ca FILE] folders|sync|wait|send --to A --subject S --body B\n");
	return 2;
}

static bool wait_for_mail(struct phone *p, const struct device_folder *inbox)
{
	char document[256];
	uint32_t status;

	(void)snprintf(document, sizeof(document),
		"ping:Ping\n  ping:HeartbeatInterval \"60\"\n  ping:Folders\n    ping:Folder\n"
		"      ping:Id \"%s\"\n      ping:Class \"Email\"\n",
		inbox->id);
	(void)printf("waits\n");
	(void)fflush(stdout);
	status = elem_u32(phone_post(p, "Ping", document), PING_STATUS, 0);
	(void)printf("%s\n", status == 1   ? "nothing new"
			     : status == 2 ? "changes"
					   : "an error");
	return status == 1 || status == 2;
}

static bool run(struct phone *p, const char *command, const char *to, const char *subject,
	const char *body)
{
	struct device_folder *inbox;

	if (!phone_provision(p) || !phone_folder_sync(p))
		return false;
	if (strcmp(command, "folders") == 0) {
		for (size_t i = 0; i < p->nfolders; i++)
			(void)printf("%-6s type %-3u %s\n", p->folders[i].id,
				p->folders[i].type, p->folders[i].name);
		return true;
	}
	if (strcmp(command, "send") == 0)
		return phone_send(p, to, subject, body);
	inbox = phone_folder(p, 2);
	if (!inbox || !phone_sync(p, inbox, 100, ""))
		return false;
	if (strcmp(command, "wait") == 0)
		return wait_for_mail(p, inbox);
	for (size_t i = 0; i < inbox->n; i++)
		(void)printf("%-10s %s %s\n", inbox->v[i].id,
			inbox->v[i].read ? "read  " : "unread", inbox->v[i].subject);
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"url",      1, NULL, 'u'},
                {"user",     1, NULL, 'n'},
                {"password", 1, NULL, 'p'},
		{"device",   1, NULL, 'd'},
                {"version",  1, NULL, 'v'},
                {"to",       1, NULL, 't'},
		{"subject",  1, NULL, 's'},
                {"body",     1, NULL, 'b'},
                {"ca",       1, NULL, 'c'},
		{NULL,       0, NULL, 0  }
        };
	const char *value[256] = {NULL};
	static struct phone p;
	bool ok;
	int c;

	value['d'] = "easdevice";
	value['v'] = "14.1";
	value['t'] = value['s'] = value['b'] = "";
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return usage();
		value[c] = optarg;
	}
	if (optind + 1 != argc || !value['u'] || !value['n'] || !value['p'])
		return usage();
	phone_init(&p, value['u'], value['n'], value['p'], value['d'], value['v']);
	p.ca = value['c'];
	ok = run(&p, argv[optind], value['t'], value['s'], value['b']);
	if (!ok)
		(void)fprintf(stderr, "easdevice: %s\n", p.error);
	phone_release(&p);
	return !ok;
}
