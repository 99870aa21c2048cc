/*
 * easdevice: a phone on the command line.
 *
 *     easdevice --url URL --user USER --password P [--device ID] [--version V] [--ca FILE]
 *               folders
 *     easdevice ... sync                                    what is in the inbox
 *     easdevice ... send --to A --subject S --body B
 *     easdevice ... wait                                    a Ping of a minute for the inbox
 *     easdevice ... contacts                                who is in the address book
 *     easdevice ... people --name N                         who is in the company's
 */
#include "tests/device/device.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int usage(void)
{
	(void)fprintf(stderr,
		"usage: easdevice --url U --user U --password P [--device ID] "
		"[--version V] [--ca FILE] folders|sync|wait|contacts|people --name N|"
		"send --to A --subject S --body B\n");
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

static void print_person(struct str name, struct str address)
{
	(void)printf("%-30.*s %.*s\n", STR_FMT(name), STR_FMT(address));
}

/* The Collection of a Sync of that folder; NULL: the answer is empty. */
static const struct elem *sync_once(struct phone *p, const struct device_folder *f)
{
	char document[512];

	(void)snprintf(document, sizeof(document),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n%s"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n",
		strcmp(p->version, "2.5") == 0 ? "      airsync:Class \"Contacts\"\n" : "",
		f->key, f->id);
	return elem_child(elem_child(phone_post(p, "Sync", document), AIRSYNC_COLLECTIONS),
		AIRSYNC_COLLECTION);
}

static bool print_contacts(struct phone *p)
{
	struct device_folder *book = phone_folder(p, 9);
	const struct elem *c = book ? sync_once(p, book) : NULL;

	while (c && elem_u32(c, AIRSYNC_STATUS, 0) == 1) {
		const struct elem *all = elem_child(c, AIRSYNC_COMMANDS);
		bool more = strcmp(book->key, "0") == 0 || elem_has(c, AIRSYNC_MORE_AVAILABLE);

		for (const struct elem *e = elem_child(all, AIRSYNC_ADD); e; e = elem_again(e))
			print_person(elem_text(elem_child(e, AIRSYNC_APPLICATION_DATA),
					     CONTACTS_FILE_AS),
				elem_text(elem_child(e, AIRSYNC_APPLICATION_DATA),
					CONTACTS_EMAIL1_ADDRESS));
		(void)snprintf(book->key, sizeof(book->key), "%.*s",
			STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
		if (!more)
			return true;
		c = sync_once(p, book);
	}
	if (!book)
		(void)snprintf(p->error, sizeof(p->error), "there is no address book");
	return book && !c && !p->error[0];
}

static bool print_people(struct phone *p, const char *name)
{
	char document[512];
	const struct elem *store;

	(void)snprintf(document, sizeof(document),
		"search:Search\n  search:Store\n    search:Name \"GAL\"\n    search:Query \"%s\"\n"
		"    search:Options\n      search:Range \"0-49\"\n",
		name);
	store = elem_child(
		elem_child(phone_post(p, "Search", document), SEARCH_RESPONSE), SEARCH_STORE);
	for (const struct elem *e = elem_child(store, SEARCH_RESULT); e; e = elem_again(e))
		print_person(elem_text(elem_child(e, SEARCH_PROPERTIES), GAL_DISPLAY_NAME),
			elem_text(elem_child(e, SEARCH_PROPERTIES), GAL_EMAIL_ADDRESS));
	return elem_u32(store, SEARCH_STATUS, 0) == 1;
}

struct wish {
	const char *command, *to, *subject, *body, *name;
};

static bool run(struct phone *p, const struct wish *w)
{
	const char *command = w->command;
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
		return phone_send(p, w->to, w->subject, w->body);
	if (strcmp(command, "contacts") == 0)
		return print_contacts(p);
	if (strcmp(command, "people") == 0)
		return print_people(p, w->name);
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
		{"name",     1, NULL, 'm'},
                {NULL,       0, NULL, 0  }
        };
	const char *value[256] = {NULL};
	static struct phone p;
	bool ok;
	int c;

	value['d'] = "easdevice";
	value['v'] = "14.1";
	value['t'] = value['s'] = value['b'] = value['m'] = "";
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return usage();
		value[c] = optarg;
	}
	if (optind + 1 != argc || !value['u'] || !value['n'] || !value['p'])
		return usage();
	phone_init(&p, value['u'], value['n'], value['p'], value['d'], value['v']);
	p.ca = value['c'];
	ok = run(&p,
		&(struct wish){argv[optind], value['t'], value['s'], value['b'], value['m']});
	if (!ok)
		(void)fprintf(stderr, "easdevice: %s\n", p.error);
	phone_release(&p);
	return !ok;
}
