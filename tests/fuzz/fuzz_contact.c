/* A card of anybody's making, as a phone gets it; what the phone sends back unchanged leaves
 * the card as it was, and so it is with what an edit makes of the card. */
#include "core/wire/dump.h"
#include "tests/support_contact.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char edit[] = "airsync:ApplicationData\n"
			   "  contacts:LastName \"Grün\"\n"
			   "  contacts:FirstName \"Ann\"\n"
			   "  contacts:Email1Address \"ann@example.test\"\n"
			   "  contacts:Email2Address \"bob@example.test\"\n"
			   "  contacts:HomePhoneNumber \"1\"\n"
			   "  contacts:Home2PhoneNumber \"2\"\n"
			   "  contacts:MobilePhoneNumber \"3\"\n"
			   "  contacts:BusinessAddressStreet \"a\\nb\"\n"
			   "  contacts:Birthday \"1985-04-12T00:00:00.000Z\"\n"
			   "  contacts2:IMAddress \"xmpp:ann\"\n"
			   "  contacts:Categories\n"
			   "    contacts:Category \"a, b\"\n"
			   "  airsyncbase:Body\n"
			   "    airsyncbase:Type \"1\"\n"
			   "    airsyncbase:Data \"one\\ntwo\"\n";

static void fail_with(const char *what, struct str card, struct str got)
{
	(void)fprintf(stderr, "%s\n%.*s\n---\n%.*s\n", what, STR_FMT(card), STR_FMT(got));
	abort();
}

static bool echo(struct str card, const struct email_options *o, struct arena *a)
{
	struct contact_patch p = {.version = o->version, .options = o};
	struct elem *sent = contact_sent(card, o, a, NULL);
	struct str again;

	if (!sent)
		return false;
	if (contact_apply(card, sent, &p, a, &again, NULL))
		fail_with("an echo was refused", card, contact_text_of(sent, a));
	if (!str_eq(card, again))
		fail_with("an echo changed the card", card, again);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str card = {(const char *)data, size}, got;
	struct email_options o = {
		.version = V141, .truncation = -1, .mime_truncation = -1, .nprefs = 1};
	struct contact_patch p = {.version = V141};
	struct elem *tree;

	o.prefs[0] = (struct body_preference){.type = BODY_PLAIN, .has_size = true, .size = 20};
	if (echo(card, &o, a)) {
		if (dump_parse(str_of(edit), a, &tree, NULL))
			abort();
		if (contact_apply(card, tree, &p, a, &got, NULL))
			fail_with("an edit was refused", card, STR_NONE);
		if (!echo(got, &o, a))
			fail_with("what an edit made cannot be shown", card, got);
		o.version = V25;
		(void)echo(card, &o, a);
	}
	arena_free(a);
	return 0;
}
