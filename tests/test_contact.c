/*
 * Contacts as devices get them and what their changes make of a card: classes.md 6. S19, U14,
 * B19958, B19962, B20018, B20023, B20336, B20550, B20869, K3, K4, K7, K19, K25, K26, C131 to
 * C138, R3.19.
 */
#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/map/html.h"
#include "core/map/picture.h"
#include "core/map/vcard.h"
#include "tests/support_contact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gdk-pixbuf/gdk-pixbuf.h>

#include <cmocka.h>

static struct arena *a;

static int set_up(void **state UNUSED)
{
	a = arena_new();
	clock_set_fake(1772532000000);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	clock_set_fake(-1);
	arena_free(a);
	return 0;
}

/* A card with these lines, "\n" between them. */
static struct str card_of(const char *version, const char *lines)
{
	struct str rest = arena_printf(
			   a, "BEGIN:VCARD\nVERSION:%s\n%s\nEND:VCARD", version, lines),
		   one;
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	while (str_next(&rest, '\n', &one)) {
		buf_add_str(&b, one);
		buf_adds(&b, "\r\n");
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

static struct email_options plain(enum eas_version v)
{
	struct email_options o = {.version = v, .truncation = -1, .mime_truncation = -1};

	if (v < V120)
		return o;
	o.prefs[0] = (struct body_preference){.type = BODY_PLAIN};
	o.nprefs = 1;
	return o;
}

/* What a device is sent, as text. */
static struct str shown_with(struct str card, const struct email_options *o)
{
	struct err err = ERR_INIT;
	struct elem *e = contact_sent(card, o, a, &err);

	if (!e)
		fail_msg("%s\n%.*s", err.text, STR_FMT(card));
	return contact_text_of(e, a);
}

static struct str shown(struct str card)
{
	struct email_options o = plain(V141);

	return shown_with(card, &o);
}

static struct elem *data_of(const char *children)
{
	struct str rest = str_of(children), one;
	struct buf b;
	struct elem *e;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "airsync:ApplicationData\n");
	while (str_next(&rest, '\n', &one))
		buf_addf(&b, "  %.*s\n", STR_FMT(one));
	e = contact_tree(arena_str(a, buf_str(&b)), a);
	buf_release(&b);
	return e;
}

static struct str patched(struct str card, const char *children, const struct contact_patch *p)
{
	struct err err = ERR_INIT;
	struct str r = STR_NONE;

	if (contact_apply(card, data_of(children), p, a, &r, &err))
		fail_msg("%s\n%s\n%.*s", err.text, children, STR_FMT(card));
	return r;
}

static const struct ghosts all_ghosted = {GHOSTS_ALL, NULL, 0};

/* A change of what is named alone: the rest is ghosted. */
static struct str changed(struct str card, const char *children)
{
	struct contact_patch p = {.version = V141, .ghosts = &all_ghosted};

	return patched(card, children, &p);
}

static struct str made(const char *children)
{
	struct contact_patch p = {.version = V141, .uid = STR("new-1")};

	return patched(STR_NONE, children, &p);
}

/* Each line of `want` stands in the text, one that begins with '!' does not. */
static void expect(struct str text, const char *want, const char *what)
{
	struct str rest = str_of(want), line;

	while (str_next(&rest, '\n', &line)) {
		bool absent = str_starts(line, "!");
		struct str sought = str_sub(line, absent, line.n);
		bool there = str_search(text, sought) < text.n;

		if (sought.n && there == absent)
			fail_msg("%s: %s \"%.*s\" in\n%.*s", what, absent ? "there is" : "no",
				STR_FMT(sought), STR_FMT(text));
	}
}

/* From the card to the device. */
/* clang-format off */
static const struct {
	const char *name, *version, *lines, *want;
} outward[] = {
	{"B20550: names are fields of their own", "3.0",
		"N:Public;John;Quinlan,Paul;Mr.;Esq.\nFN:Mr. John Public",
		"contacts:LastName \"Public\"\ncontacts:FirstName \"John\"\n"
			"contacts:MiddleName \"Quinlan Paul\"\ncontacts:Title \"Mr.\"\n"
			"contacts:Suffix \"Esq.\"\ncontacts:FileAs \"Public, John\""},
	{"a name in FN alone is shown", "4.0", "FN:The Plumber",
		"contacts:LastName \"The Plumber\"\ncontacts:FileAs \"The Plumber\""},
	{"a number as FN is no name", "3.0", "N:;;;;\nFN:123\nTEL;TYPE=CELL:123",
		"contacts:MobilePhoneNumber \"123\"\ncontacts:FileAs \"123\"\n!LastName"},
	{"a company is filed under its name", "3.0", "N:;;;;\nFN:ACME\nORG:ACME;Sales;East",
		"contacts:FileAs \"ACME\"\ncontacts:CompanyName \"ACME\"\n"
			"contacts:Department \"Sales\"\n!LastName"},
	{"what Evolution files it under", "3.0",
		"N:A;B;;;\nFN:B A\nX-EVOLUTION-FILE-AS:The A\\, B",
		"contacts:FileAs \"The A, B\""},
	{"SORT-AS of 4.0", "4.0",
		"N;SORT-AS=\"Harten,Rene\":van der Harten;Rene;;;\nFN:Rene van der Harten",
		"contacts:FileAs \"Harten, Rene\"\ncontacts:LastName \"van der Harten\""},
	{"C135: three addresses, and each once", "3.0",
		"FN:x\nEMAIL:a@b\nEMAIL;TYPE=WORK:A@b\nEMAIL:c@d\nEMAIL:e@f\nEMAIL:g@h",
		"contacts:Email1Address \"a@b\"\ncontacts:Email2Address \"c@d\"\n"
			"contacts:Email3Address \"e@f\"\n!g@h\n!A@b"},
	{"K3: what is no SMTP address is not sent", "3.0",
		"FN:x\nEMAIL;TYPE=X400:c=de\\;a=dbp\\;p=x\\;s=ann\n"
			"EMAIL:/o=Org/ou=Site/cn=Recipients/cn=ann\nEMAIL:EX:/o=Org/cn=ann\n"
			"EMAIL:IMCEAEX-_O=ORG_CN=ann@example.test\nEMAIL:c=us\\;a= \\;p=x\\;s=y\n"
			"EMAIL:\"J\nEMAIL:@x.test\nEMAIL:ann@\nEMAIL:two words\n"
			"EMAIL:c=US\\;a= \\;p=x\\;dda:SMTP=ann@example.test\\;\n"
			"EMAIL:CN=Ann/O=Example@Net\nEMAIL:IMCEAX400-_C=US@x.test\n"
			"EMAIL:Ann/Example@Net/Org\nEMAIL:a b@x.test\nEMAIL:a@b@x.test\n"
			"EMAIL:\"Ann, E.\" <ann@example.test>",
		"contacts:Email1Address \"ann@example.test\"\n!Email2Address"},
	{"C135: several numbers of a type", "3.0",
		"FN:x\nTEL;TYPE=WORK,VOICE:1\nTEL;TYPE=WORK:2\nTEL;TYPE=HOME:3\nTEL;type=home:4\n"
			"TEL;TYPE=HOME,FAX:5\nTEL;TYPE=FAX;TYPE=WORK:6\nTEL;TYPE=CELL:7\nTEL;TYPE=CAR:8\n"
			"TEL;TYPE=PAGER:9\nTEL;TYPE=X-EVOLUTION-RADIO:10\n"
			"TEL;TYPE=X-EVOLUTION-ASSISTANT:11\nTEL;TYPE=X-EVOLUTION-COMPANY:12",
		"contacts:BusinessPhoneNumber \"1\"\ncontacts:Business2PhoneNumber \"2\"\n"
			"contacts:HomePhoneNumber \"3\"\ncontacts:Home2PhoneNumber \"4\"\n"
			"contacts:HomeFaxNumber \"5\"\ncontacts:BusinessFaxNumber \"6\"\n"
			"contacts:MobilePhoneNumber \"7\"\ncontacts:CarPhoneNumber \"8\"\n"
			"contacts:PagerNumber \"9\"\ncontacts:RadioPhoneNumber \"10\"\n"
			"contacts:AssistantPhoneNumber \"11\"\ncontacts2:CompanyMainPhone \"12\""},
	{"B20336: a number in the card twice is there once", "3.0",
		"FN:x\nTEL;TYPE=HOME:1\nTEL;TYPE=HOME,VOICE:1",
		"contacts:HomePhoneNumber \"1\"\n!Home2PhoneNumber"},
	{"B20336: and not once more without its type", "3.0",
		"FN:x\nTEL;TYPE=WORK:1\nTEL:1\nTEL:2",
		"contacts:BusinessPhoneNumber \"1\"\ncontacts:HomePhoneNumber \"2\"\n!Home2Phone"},
	{"more mobile numbers than the device has room for", "3.0",
		"FN:x\nTEL;TYPE=CELL,WORK:1\nTEL;TYPE=CELL:2\nTEL;TYPE=CELL:3",
		"contacts:MobilePhoneNumber \"2\"\ncontacts:BusinessPhoneNumber \"1\"\n"
			"contacts:HomePhoneNumber \"3\""},
	{"a number as URI", "4.0", "FN:x\nTEL;VALUE=uri;TYPE=\"voice,work\":tel:+1-555",
		"contacts:BusinessPhoneNumber \"+1-555\""},
	{"types of 2.1", "2.1", "N:x\nTEL;WORK;FAX:1\nTEL;CELL:2\nEMAIL;INTERNET:a@b",
		"contacts:BusinessFaxNumber \"1\"\ncontacts:MobilePhoneNumber \"2\"\n"
			"contacts:Email1Address \"a@b\""},
	{"quoted-printable and a charset of 2.1", "2.1",
		"N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Gr=FCn\\;;An=\nn\n"
			"NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0Atwo=3D",
		"contacts:LastName \"Grün;\"\ncontacts:FirstName \"Ann\"\n"
			"airsyncbase:Data \"one\\r\\ntwo=\""},
	{"a line of quoted-printable that goes on with a space", "2.1",
		"N:x\nNOTE;ENCODING=QUOTED-PRINTABLE:one=\n two\n  three", "Data \"one two three\""},
	{"addresses: a box stands below the street", "3.0",
		"FN:x\nADR;TYPE=WORK:Box 1;Floor 2;Street\\nDoor;City;State;Code;Land\n"
			"ADR;TYPE=HOME:;;H;;;;\nADR:;;O;;;;",
		"contacts:BusinessAddressStreet \"Street\\r\\nDoor\\r\\nFloor 2\\r\\nBox 1\"\n"
			"contacts:BusinessAddressCity \"City\"\ncontacts:BusinessAddressState \"State\"\n"
			"contacts:BusinessAddressPostalCode \"Code\"\n"
			"contacts:BusinessAddressCountry \"Land\"\ncontacts:HomeAddressStreet \"H\"\n"
			"contacts:OtherAddressStreet \"O\""},
	{"C136: Yomi, assistant, manager and the like", "3.0",
		"FN:x\nX-PHONETIC-FIRST-NAME:f\nX-PHONETIC-LAST-NAME:l\nX-PHONETIC-ORG:o\n"
			"X-EVOLUTION-ASSISTANT:as\nX-EVOLUTION-MANAGER:ma\nX-EVOLUTION-SPOUSE:sp\n"
			"NICKNAME:ni\nTITLE:ti\nURL:http\\://x.test/\nX-OFFICE:of",
		"contacts:YomiFirstName \"f\"\ncontacts:YomiLastName \"l\"\n"
			"contacts:YomiCompanyName \"o\"\ncontacts:AssistantName \"as\"\n"
			"contacts2:ManagerName \"ma\"\ncontacts:Spouse \"sp\"\ncontacts2:NickName \"ni\"\n"
			"contacts:JobTitle \"ti\"\ncontacts:WebPage \"http://x.test/\"\n"
			"contacts:OfficeLocation \"of\""},
	{"C136: what Apple labels", "3.0",
		"FN:x\nitem1.X-ABDATE;type=pref:2010-06-05\n"
			"item1.X-ABLabel:_$!<Anniversary>!$_\nitem2.X-ABRELATEDNAMES:Eve\n"
			"item2.X-ABLabel:_$!<Spouse>!$_\nitem3.X-ABRELATEDNAMES:Kim\n"
			"item3.X-ABLabel:_$!<Child>!$_\nitem4.X-ABRELATEDNAMES:Mum\n"
			"item4.X-ABLabel:_$!<Mother>!$_",
		"contacts:Anniversary \"2010-06-05T00:00:00.000Z\"\ncontacts:Spouse \"Eve\"\n"
			"contacts:Child \"Kim\"\n!Mum"},
	{"C136: relations of 4.0, but for other cards", "4.0",
		"FN:x\nRELATED;TYPE=spouse:urn:uuid:1\nRELATED;TYPE=spouse;VALUE=text:Eve\n"
			"RELATED;TYPE=child;VALUE=text:Kim\nRELATED;TYPE=child;VALUE=text:Sam",
		"contacts:Spouse \"Eve\"\ncontacts:Child \"Kim\"\ncontacts:Child \"Sam\"\n!urn"},
	{"C136: one account that Apple writes twice", "3.0",
		"FN:x\nIMPP;X-SERVICE-TYPE=Jabber:xmpp:b%40x.test\nX-JABBER:b@x.test\nX-AIM:c",
		"contacts2:IMAddress \"xmpp:b@x.test\"\ncontacts2:IMAddress2 \"c\"\n!IMAddress3"},
	{"a birthday", "3.0", "FN:x\nBDAY;VALUE=date:1985-04-12",
		"contacts:Birthday \"1985-04-12T00:00:00.000Z\""},
	{"a birthday with a time is its day", "3.0", "FN:x\nBDAY:1985-04-12T23:10:00-08:00",
		"contacts:Birthday \"1985-04-12T00:00:00.000Z\""},
	{"a birthday without a year is in 1604", "4.0", "FN:x\nBDAY:--0412",
		"contacts:Birthday \"1604-04-12T00:00:00.000Z\""},
	{"an empty line hides no other", "4.0", "FN:x\nANNIVERSARY:\nX-ANNIVERSARY:2001-02-03",
		"contacts:Anniversary \"2001-02-03T00:00:00.000Z\""},
	{"a birthday that is no day", "4.0", "FN:x\nBDAY:1985-04\nANNIVERSARY:20010230",
		"!Birthday\n!Anniversary"},
	{"C134, B20869: categories of several lines", "3.0",
		"FN:x\nCATEGORIES:one,two\\, three\nCATEGORIES:one,four",
		"contacts:Category \"one\"\ncontacts:Category \"two, three\"\n"
			"contacts:Category \"four\""},
	{"C133, K26: notes with their lines", "3.0",
		"FN:x\nNOTE:one\\ntwo\\, three\\; \\\\ fo\n ur",
		"airsyncbase:Type \"1\"\nairsyncbase:EstimatedDataSize \"23\"\n"
			"airsyncbase:Data \"one\\r\\ntwo, three; \\\\ four\"\n!Truncated"},
	{"control characters and broken UTF-8", "3.0",
		"FN:a\x01"
			"b\nNICKNAME:c\xff"
			"d\x1b", "contacts:FileAs \"ab\"\ncontacts2:NickName \"cÿd\""},
};
/* clang-format on */

static void test_devices_get_what_the_card_says(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(outward); i++)
		expect(shown(card_of(outward[i].version, outward[i].lines)), outward[i].want,
			outward[i].name);
}

/* From the device into a new card; '|' between what must stand there. */
/* clang-format off */
static const struct {
	const char *name, *children, *want;
} inward[] = {
	{"S19, C131: what a card must have",
		"contacts:FirstName \"Ann\"\ncontacts:LastName \"Example\"\ncontacts:Title \"Dr.\"",
		"BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//easpool//|\r\nUID:new-1\r\n"
			"REV:2026-03-03T10:00:00Z\r\n|\r\nFN:Dr. Ann Example\r\nN:Example;Ann;;Dr.;\r\n|"
			"!FILE-AS"},
	{"B19962: a number alone", "contacts:MobilePhoneNumber \"+1 555\"",
		"\r\nFN:+1 555\r\nN:;;;;\r\nTEL;TYPE=CELL:+1 555\r\n"},
	{"an address alone", "contacts:Email1Address \"ann@example.test\"",
		"\r\nFN:ann@example.test\r\n"},
	{"nothing at all", "contacts:Picture", "\r\nFN:Unnamed\r\n"},
	{"K3: names and quotes in addresses",
		"contacts:Email1Address \"\\\"Ann, E.\\\" <ann@example.test>\"\n"
			"contacts:Email2Address \"\\\"bob@example.test\\\"\"\n"
			"contacts:Email3Address \"/o=Org/cn=x\"",
		"\r\nEMAIL;TYPE=INTERNET:ann@example.test\r\n|"
			"\r\nEMAIL;TYPE=INTERNET:bob@example.test\r\n|!o=Org"},
	{"another FileAs than would be built is kept",
		"contacts:FirstName \"Ann\"\ncontacts:FileAs \"The boss\"",
		"\r\nFN:Ann\r\n|\r\nX-EVOLUTION-FILE-AS:The boss\r\n"},
	{"the FileAs that would be built is not",
		"contacts:FirstName \"Ann\"\ncontacts:LastName \"E\"\ncontacts:FileAs \"E, Ann\"",
		"!FILE-AS"},
	{"midnight of a zone east of Greenwich",
		"contacts:Birthday \"1985-04-11T22:00:00.000Z\"",
		"\r\nBDAY:1985-04-12\r\n"},
	{"midnight of a zone west of it", "contacts:Birthday \"1985-04-12T08:00:00.000Z\"",
		"\r\nBDAY:1985-04-12\r\n"},
	{"noon is of the day", "contacts:Anniversary \"20000312T120000Z\"",
		"\r\nX-ANNIVERSARY:2000-03-12\r\n"},
	{"structure in values is escaped",
		"contacts:LastName \"a;b,c\\\\d\"\n"
			"contacts:BusinessAddressStreet \"a\\r\\nb;c\"",
		"\r\nN:a\\;b\\,c\\\\d;;;;\r\n|\r\nADR;TYPE=WORK:;;a\\nb\\;c;;;;\r\n"},
	{"C133, K26: notes",
		"airsyncbase:Body\n  airsyncbase:Type \"1\"\n"
			"  airsyncbase:Data \"one\\r\\ntwo\\nthree, four\"",
		"\r\nNOTE:one\\ntwo\\nthree\\, four\r\n"},
	{"notes in HTML",
		"airsyncbase:Body\n  airsyncbase:Type \"2\"\n"
			"  airsyncbase:Data \"<p>one<br>two &amp; three</p>\"",
		"\r\nNOTE:one\\ntwo & three\r\n"},
	{"B20023: notes of 2.5", "contacts:Body \"one\\r\\ntwo\"", "\r\nNOTE:one\\ntwo\r\n"},
	{"B20018: empty notes are none",
		"contacts:FirstName \"a\"\nairsyncbase:Body\n"
			"  airsyncbase:Type \"1\"\n  airsyncbase:Data", "!NOTE"},
	{"K24: notes in RTF",
		"airsyncbase:Body\n  airsyncbase:Type \"3\"\n"
			"  airsyncbase:Data \"LQAAACsAAABMWkZ18cXHpwMACgByY3BnMTI1QjIK8yBoZWwJACBidwWwbGR9CoAPoA==\"", "\r\nNOTE:hello world\r\n"},
	{"C88: RTF of 2.5", "contacts:CompressedRTF \"LQAAACsAAABMWkZ18cXHpwMACgByY3BnMTI1QjIK8yBoZWwJACBidwWwbGR9CoAPoA==\"", "\r\nNOTE:hello world\r\n"},
	{"an empty one of a Nokia", "contacts:FirstName \"a\"\ncontacts:CompressedRTF \"\"",
		"!NOTE"},
	{"K24: notes in MIME",
		"airsyncbase:Body\n  airsyncbase:Type \"4\"\n  airsyncbase:Data \""
			"MIME-Version: 1.0\\r\\nContent-Type: text/plain; charset=utf-8\\r\\n"
			"Content-Transfer-Encoding: quoted-printable\\r\\n\\r\\nGr=C3=BC=C3=9Fe\\r\\n\"",
		"\r\nNOTE:Gr\xc3\xbc\xc3\x9f" "e\r\n"},
	{"notes that cannot be read",
		"airsyncbase:Body\n  airsyncbase:Type \"3\"\n"
			"  airsyncbase:Data \"AAAA\"", "!NOTE"},
	{"control characters stay outside", "contacts:FirstName \"a\\x01\\x1b b\\x0b\"",
		"\r\nN:;a b;;;\r\n"},
	{"B20869: categories",
		"contacts:Categories\n  contacts:Category \"one\"\n"
			"  contacts:Category \"two, three\"\n  contacts:Category \"one\"",
		"\r\nCATEGORIES:one,two\\, three\r\n"},
	{"addresses of messengers",
		"contacts2:IMAddress \"xmpp:ann@x.test\"\ncontacts2:IMAddress2 \"bob b\"",
		"\r\nIMPP:xmpp:ann@x.test\r\n|\r\nIMPP:im:bob%20b\r\n"},
};
/* clang-format on */

static void test_a_new_card_says_what_the_device_sent(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(inward); i++) {
		struct str card = made(inward[i].children), rest = str_of(inward[i].want), one;

		while (str_next(&rest, '|', &one)) {
			bool absent = str_starts(one, "!");
			struct str sought = str_sub(one, absent, one.n);

			if ((str_search(card, sought) < card.n) == absent)
				fail_msg("%s: %s \"%.*s\" in\n%.*s", inward[i].name,
					absent ? "there is" : "no", STR_FMT(sought),
					STR_FMT(card));
		}
	}
}

/* A change of one thing: these lines come, these go, and no other. */
/* clang-format off */
static const struct {
	const char *name, *version, *lines, *children, *want;
} patches[] = {
	{"K25: the last name changes FN and what it is filed under", "3.0",
		"N:Example;Ann;;;\nFN:Ann Example\nX-EVOLUTION-FILE-AS:Example\\, Ann\nX-A:b",
		"contacts:LastName \"Miller\"\ncontacts:FileAs \"Example, Ann\"",
		"N:Miller;Ann;;;\nFN:Ann Miller\nX-A:b\nX-EVOLUTION-FILE-AS:Miller\\, Ann"},
	{"K25: in the form that it had", "3.0",
		"N:Example;Ann;;;\nFN:Ann Example\nX-EVOLUTION-FILE-AS:Ann Example",
		"contacts:LastName \"Miller\"",
		"N:Miller;Ann;;;\nFN:Ann Miller\nX-EVOLUTION-FILE-AS:Ann Miller"},
	{"K25: unless the device says what it is to be", "3.0",
		"N:Example;Ann;;;\nFN:Ann Example\nX-EVOLUTION-FILE-AS:Example\\, Ann",
		"contacts:LastName \"Miller\"\ncontacts:FileAs \"Boss\"",
		"N:Miller;Ann;;;\nFN:Ann Miller\nX-EVOLUTION-FILE-AS:Boss"},
	{"K25: SORT-AS of the old name goes", "4.0",
		"N;SORT-AS=\"Example,Ann\";LANGUAGE=en:Example;Ann;;;\nFN;PREF=1:Ann Example",
		"contacts:FirstName \"Eve\"",
		"N;LANGUAGE=en:Example;Eve;;;\nFN;PREF=1:Eve Example"},
	{"a name in FN alone becomes one when the other is set", "3.0", "FN:Plumber\nN:;;;;",
		"contacts:FirstName \"Joe\"\ncontacts:LastName \"Plumber\"",
		"FN:Joe Plumber\nN:Plumber;Joe;;;"},
	{"B19962: FN follows the number", "3.0", "N:;;;;\nFN:1\nTEL;TYPE=CELL:1",
		"contacts:MobilePhoneNumber \"2\"", "N:;;;;\nFN:2\nTEL;TYPE=CELL:2"},
	{"a component that did not change stays as it is written", "3.0",
		"FN:x\nN:a;b;c,d;e,f;\nTITLE:x", "contacts:FirstName \"B\"",
		"FN:e f B c d a\nN:a;B;c,d;e,f;\nTITLE:x"},
	{"REV in the form that it has", "3.0", "FN:x\nN:x;;;;\nREV:20200101T000000Z\nTITLE:y",
		"contacts:JobTitle \"z\"",
		"FN:x\nN:x;;;;\nREV:20260303T100000Z\nTITLE:z"},
	{"REV with dashes", "4.0", "FN:x\nN:x;;;;\nREV:2020-01-01T00:00:00Z\nTITLE:y",
		"contacts:JobTitle \"z\"",
		"FN:x\nN:x;;;;\nREV:2026-03-03T10:00:00Z\nTITLE:z"},
	{"a birthday in words stays while no other is said", "4.0",
		"FN:x\nN:x;;;;\nBDAY;VALUE=text:circa 1800\nTITLE:y",
		"contacts:JobTitle \"z\"\ncontacts:Birthday",
		"FN:x\nN:x;;;;\nBDAY;VALUE=text:circa 1800\nTITLE:z"},
	{"and gives way to one that is: a card has one", "4.0",
		"FN:x\nN:x;;;;\nBDAY;VALUE=text:circa 1800\nTITLE:y",
		"contacts:Birthday \"1604-03-21T00:00:00.000Z\"",
		"FN:x\nN:x;;;;\nBDAY:--0321\nTITLE:y"},
	{"parameters and groups stay", "3.0",
		"FN:x\nN:x;;;;\nitem1.EMAIL;type=INTERNET;type=pref:a@b\nitem1.X-ABLabel:Club",
		"contacts:Email1Address \"c@d\"",
		"FN:x\nN:x;;;;\nitem1.EMAIL;type=INTERNET;type=pref:c@d\nitem1.X-ABLabel:Club"},
	{"a label goes with its line", "3.0",
		"FN:x\nN:x;;;;\nitem1.EMAIL:a@b\nitem1.X-ABLabel:Club\nitem2.URL:u\n"
			"item2.X-ABLabel:Club", "contacts:Email1Address",
		"FN:x\nN:x;;;;\nitem2.URL:u\nitem2.X-ABLabel:Club"},
	{"and so does what else is about it", "3.0",
		"FN:x\nN:x;;;;\nitem1.ADR;type=HOME:;;a;;;;\nitem1.X-ABLabel:b\nitem1.X-ABADR:de",
		"contacts:HomeAddressStreet",
		"FN:x\nN:x;;;;"},
	{"an address that moves up stays the line that it is", "3.0",
		"FN:x\nN:x;;;;\nEMAIL;TYPE=HOME:a@b\nEMAIL;TYPE=WORK;X-P=1:c@d",
		"contacts:Email1Address \"c@d\"\ncontacts:Email2Address",
		"FN:x\nN:x;;;;\nEMAIL;TYPE=WORK;X-P=1:c@d"},
	{"a second one without the first is the same line", "3.0",
		"FN:x\nN:x;;;;\nEMAIL;TYPE=WORK;X-P=1:c@d",
		"contacts:Email1Address\ncontacts:Email2Address \"c@d\"",
		"FN:x\nN:x;;;;\nEMAIL;TYPE=WORK;X-P=1:c@d"},
	{"a new first one comes in front", "3.0", "FN:x\nN:x;;;;\nEMAIL;X-P=1:c@d",
		"contacts:Email1Address \"a@b\"\ncontacts:Email2Address \"c@d\"",
		"FN:x\nN:x;;;;\nEMAIL;TYPE=INTERNET:a@b\nEMAIL;X-P=1:c@d"},
	{"two that change places", "3.0", "FN:x\nN:x;;;;\nEMAIL;X-P=1:a@b\nX-Q:r\nEMAIL:c@d",
		"contacts:Email1Address \"c@d\"\ncontacts:Email2Address \"a@b\"",
		"FN:x\nN:x;;;;\nEMAIL:c@d\nX-Q:r\nEMAIL;X-P=1:a@b"},
	{"the fourth address of a card stays", "3.0",
		"FN:x\nN:x;;;;\nEMAIL:a@1\nEMAIL:a@2\nEMAIL:a@3\nEMAIL:a@4",
		"contacts:Email3Address \"b@3\"",
		"FN:x\nN:x;;;;\nEMAIL:a@1\nEMAIL:a@2\nEMAIL:b@3\nEMAIL:a@4"},
	{"B20336: a number that stood there twice is gone when it goes", "3.0",
		"FN:x\nN:x;;;;\nTEL;TYPE=HOME:1\nTEL;TYPE=HOME,VOICE:1",
		"contacts:HomePhoneNumber", "FN:x\nN:x;;;;"},
	{"a number of the wrong label is changed in its line", "3.0",
		"FN:x\nN:x;;;;\nitem1.TEL:1\nitem1.X-ABLabel:Hut",
		"contacts:HomePhoneNumber \"2\"",
		"FN:x\nN:x;;;;\nitem1.TEL:2\nitem1.X-ABLabel:Hut"},
	{"a URI that becomes text", "4.0", "FN:x\nN:x;;;;\nTEL;VALUE=uri;TYPE=cell:tel:1",
		"contacts:MobilePhoneNumber \"2\"", "FN:x\nN:x;;;;\nTEL;TYPE=cell:2"},
	{"the scheme of a messenger stays", "3.0",
		"FN:x\nN:x;;;;\nIMPP;X-SERVICE-TYPE=Jabber:xmpp:a@b\nX-JABBER:a@b\nX-AIM:c",
		"contacts2:IMAddress \"xmpp:d@e\"\ncontacts2:IMAddress2 \"f\"",
		"FN:x\nN:x;;;;\nIMPP;X-SERVICE-TYPE=Jabber:xmpp:d@e\nX-AIM:f"},
	{"a box that is only moved around stays", "3.0",
		"FN:x\nN:x;;;;\nADR;TYPE=HOME:Box;;Street;City;;;",
		"contacts:HomeAddressCity \"Town\"\n"
			"contacts:HomeAddressStreet \"Street\\r\\nBox\"",
		"FN:x\nN:x;;;;\nADR;TYPE=HOME:Box;;Street;Town;;;"},
	{"a street that changes takes it along", "4.0",
		"FN:x\nN:x;;;;\nADR;LABEL=\"old\";TYPE=home:Box;;Street;City;;;",
		"contacts:HomeAddressStreet \"Road\\r\\nBox\"",
		"FN:x\nN:x;;;;\nADR;TYPE=home:;;Road\\nBox;City;;;"},
	{"an address without anything goes", "3.0", "FN:x\nN:x;;;;\nADR;TYPE=HOME:;;;City;;;",
		"contacts:HomeAddressCity", "FN:x\nN:x;;;;"},
	{"a birthday that is the same keeps its form", "3.0",
		"FN:x\nN:x;;;;\nBDAY:1985-04-12T23:10:00Z\nTITLE:x",
		"contacts:Birthday \"1985-04-11T22:00:00.000Z\"\ncontacts:JobTitle \"y\"",
		"FN:x\nN:x;;;;\nBDAY:1985-04-12T23:10:00Z\nTITLE:y"},
	{"another is a date", "3.0",
		"FN:x\nN:x;;;;\nBDAY;X-APPLE-OMIT-YEAR=1604;VALUE=date:1604-04-12",
		"contacts:Birthday \"1985-04-12T00:00:00.000Z\"",
		"FN:x\nN:x;;;;\nBDAY:1985-04-12"},
	{"without a year, in 4.0", "4.0", "FN:x\nN:x;;;;\nBDAY:19850412",
		"contacts:Birthday \"1604-04-12T00:00:00.000Z\"",
		"FN:x\nN:x;;;;\nBDAY:--0412"},
	{"C134: one category comes and one goes", "3.0",
		"FN:x\nN:x;;;;\nCATEGORIES:a,b\\, c\nCATEGORIES;X-P=1:d",
		"contacts:Categories\n  contacts:Category \"b, c\"\n  contacts:Category \"d\"\n"
			"  contacts:Category \"e\"",
		"FN:x\nN:x;;;;\nCATEGORIES:b\\, c,e\nCATEGORIES;X-P=1:d"},
	{"C134: the order of categories is no change", "3.0", "FN:x\nN:x;;;;\nCATEGORIES:a,b",
		"contacts:Categories\n  contacts:Category \"b\"\n  contacts:Category \"a\"",
		"FN:x\nN:x;;;;\nCATEGORIES:a,b"},
	{"C134: no categories", "3.0", "FN:x\nN:x;;;;\nCATEGORIES:a,b", "contacts:Categories",
		"FN:x\nN:x;;;;"},
	{"C136: a child in 4.0", "4.0", "FN:x\nN:x;;;;\nRELATED;VALUE=text;TYPE=child:Kim",
		"contacts:Children\n  contacts:Child \"Kim\"\n  contacts:Child \"Sam\"",
		"FN:x\nN:x;;;;\nRELATED;VALUE=text;TYPE=child:Kim\n"
			"RELATED;TYPE=child;VALUE=text:Sam"},
	{"K4: a body that is not there is no change", "3.0", "FN:x\nN:x;;;;\nNOTE:n\nTITLE:t",
		"contacts:JobTitle \"u\"", "FN:x\nN:x;;;;\nNOTE:n\nTITLE:u"},
	{"K4: nor is one without Data", "3.0", "FN:x\nN:x;;;;\nNOTE:n",
		"airsyncbase:Body\n  airsyncbase:Type \"1\"", "FN:x\nN:x;;;;\nNOTE:n"},
	{"K4: nor one that says that it is cut", "3.0", "FN:x\nN:x;;;;\nNOTE:note",
		"airsyncbase:Body\n  airsyncbase:Type \"1\"\n  airsyncbase:Truncated \"1\"\n"
			"  airsyncbase:Data \"no\"", "FN:x\nN:x;;;;\nNOTE:note"},
	{"B20018: an empty one clears", "3.0", "FN:x\nN:x;;;;\nNOTE:n",
		"airsyncbase:Body\n  airsyncbase:Type \"1\"\n  airsyncbase:Data \"\"",
		"FN:x\nN:x;;;;"},
	{"K4: a second note stays", "3.0", "FN:x\nN:x;;;;\nNOTE:n\nNOTE;LANGUAGE=fr:m",
		"airsyncbase:Body\n  airsyncbase:Type \"1\"\n  airsyncbase:Data \"o\"",
		"FN:x\nN:x;;;;\nNOTE:o\nNOTE;LANGUAGE=fr:m"},
	{"2.1 is written as 2.1", "2.1", "N:x\nNOTE;ENCODING=QUOTED-PRINTABLE:=FC\nTEL;CELL:1",
		"contacts:MobilePhoneNumber \"2\"\nairsyncbase:Body\n  airsyncbase:Type \"1\"\n"
			"  airsyncbase:Data \"a\\nü=\"",
		"N:x\nNOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:a=0D=0A=C3=BC=3D\nTEL;CELL:2\nFN:x"},
	{"R3.19: what no device knows stays", "3.0",
		"X-A:1\nFN:x\nN:x;;;;\nKEY;ENCODING=b:AAAA\nGEO:1;2\nX-B;C=\"d:e\":f\\,g\nno line\n"
			"LABEL:z\nROLE:r\nTITLE:t", "contacts:JobTitle \"u\"",
		"X-A:1\nFN:x\nN:x;;;;\nKEY;ENCODING=b:AAAA\nGEO:1;2\nX-B;C=\"d:e\":f\\,g\nno line\n"
			"LABEL:z\nROLE:r\nTITLE:u"},
};
/* clang-format on */

static void test_a_change_patches_its_lines(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(patches); i++) {
		struct str got = changed(
			card_of(patches[i].version, patches[i].lines), patches[i].children);
		struct str want = card_of(patches[i].version, patches[i].want);

		if (!str_eq(got, want))
			fail_msg("%s:\n%.*s\nwanted\n%.*s", patches[i].name, STR_FMT(got),
				STR_FMT(want));
	}
}

/* K19, C137: [MS-ASCMD] 2.2.3.178. */
static void test_what_is_left_out_is_cleared_unless_it_is_ghosted(void **state UNUSED)
{
	static const char lines[] = "FN:x\nN:x;y;;;\nTITLE:t\nNICKNAME:n\nEMAIL:a@b\n"
				    "CATEGORIES:c\nNOTE:o\nX-CHILD:k\nTEL;TYPE=HOME:1";
	static const struct {
		const char *name, *supported, *want;
	} cases[] = {
		{"nothing is ghosted",                 NULL,                            "FN:x\nN:x;;;;\nNOTE:o"                                              },
		{"everything is",                      "airsync:Supported",             lines								},
		{"all but the title and children are",
                 "airsync:Supported\n  contacts:JobTitle\n  contacts:Children",         "FN:x\nN:x;y;;;\nNICKNAME:n\nEMAIL:a@b\nCATEGORIES:c\nNOTE:o\n"
			"TEL;TYPE=HOME:1"                                     },
		{"all but page 12 and a number",
                 "airsync:Supported\n  contacts2:NickName\n  contacts:HomePhoneNumber", "FN:x\nN:x;y;;;\nTITLE:t\nEMAIL:a@b\nCATEGORIES:c\nNOTE:o\nX-CHILD:k"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct elem *supported =
			cases[i].supported ? contact_tree(str_of(cases[i].supported), a) : NULL;
		struct ghosts g, again;
		struct contact_patch p = {.version = V141, .ghosts = &again};
		struct buf b;
		struct str bytes, got;

		ghosts_read(supported, a, &g);
		buf_init(&b, BUF_MAX_LINE);
		ghosts_encode(&g, &b);
		buf_adds(&b, "rest");
		bytes = buf_str(&b);
		assert_int_equal(ghosts_decode(&bytes, a, &again), RC_OK);
		assert_true(str_is(bytes, "rest"));
		got = patched(card_of("3.0", lines), "contacts:LastName \"x\"", &p);
		/* FN is custom here and follows the name. */
		expect(got, cases[i].want, cases[i].name);
		assert_int_equal(got.n, card_of("3.0", cases[i].want).n);
		buf_release(&b);
	}
}

static void test_ghosts_of_odd_bytes_are_refused(void **state UNUSED)
{
	static const struct str bad[] = {
		{"",                 0},
                {"\x03",             1},
                {"\x02",             1},
                {"\x02\x02\x01",     3},
		{"\x02\xff\xff\x7f", 4}
        };
	struct ghosts g;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct str in = bad[i];

		assert_int_equal(ghosts_decode(&in, a, &g), RC_INVALID);
	}
	assert_false(ghosted(NULL, CONTACTS_TITLE));
}

/* C133, K7, C135 of 2.5 */
static void test_notes_are_cut_as_the_device_asks(void **state UNUSED)
{
	static const struct {
		const char *name;
		enum eas_version v;
		int truncation;
		struct body_preference prefs[2];
		const char *want;
	} cases[] = {
		{"whole",			    V120, -1, {{.type = 1}},
                 "airsyncbase:Type \"1\"\nEstimatedDataSize \"8\"\nData \"ab\\r\\ncdü\"\n"
			"!Truncated"													  },
		{"just fits",                        V141, -1, {{.type = 1, .has_size = true, .size = 8}},
                 "Data \"ab\\r\\ncdü\"\n!Truncated"											  },
		{"not in the middle of a character", V141, -1,
                 {{.type = 1, .has_size = true, .size = 7}},
                 "EstimatedDataSize \"8\"\nTruncated \"1\"\nData \"ab\\r\\ncd\""                                                              },
		{"nothing",                          V141, -1, {{.type = 1, .has_size = true}},
                 "EstimatedDataSize \"8\"\nTruncated \"1\"\n!Data \"a"                                                                        },
		{"all or none",                      V141, -1,
                 {{.type = 1, .has_size = true, .size = 5, .all_or_none = true}},
                 "EstimatedDataSize \"8\"\nTruncated \"1\"\n!Data \"a"                                                                        },
		{"all or none, and HTML in part",    V141, -1,
                 {{.type = 1, .has_size = true, .size = 5, .all_or_none = true},
				{.type = 2, .has_size = true, .size = 80}},
                 "Type \"2\"\nTruncated \"1\"\nData \"<html>"										 },
		{"HTML alone",                       V141, -1, {{.type = 2, .preview = 3}},
                 "Type \"2\"\nab\\r\\ncdü</pre>\nPreview \"ab\\n\"\n!Truncated"                                                              },
		{"a preview of what is left out",    V141, -1,
                 {{.type = 1, .has_size = true, .preview = 2}},                                            "Preview \"ab\""                   },
		{"MIME alone",                       V141, -1, {{.type = 4}},                              "Type \"1\"\nData \"ab\\r\\ncdü\""},
		{"no preference",                    V121, -1, {{.type = 0}},                              "Type \"1\"\nData \"ab\\r\\ncdü\""},
		{"2.5",			      V25,  -1, {{.type = 0}},
                 "contacts:Body \"ab\\r\\ncdü\"\n!BodySize\n!BodyTruncated\n!airsyncbase"                                                    },
		{"2.5 in part",                      V25,  0,  {{.type = 0}},
                 "contacts:BodySize \"7\"\ncontacts:BodyTruncated \"1\"\n!contacts:Body \""                                                   },
		{"2.5, more than there is",          V25,  1,  {{.type = 0}},
                 "contacts:Body \"ab\\r\\ncdü\"\n!BodyTruncated"									     },
	};
	struct str card = card_of("3.0", "FN:x\nNOTE:ab\\ncdü");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct email_options o = {.version = cases[i].v,
			.truncation = cases[i].truncation,
			.mime_truncation = -1};

		for (size_t k = 0; k < 2 && cases[i].prefs[k].type; k++)
			o.prefs[o.nprefs++] = cases[i].prefs[k];
		expect(shown_with(card, &o), cases[i].want, cases[i].name);
	}
}

/* K4: a device that was given a part of the notes sends that part back. */
static void test_cut_notes_that_come_back_are_unchanged(void **state UNUSED)
{
	struct email_options o = plain(V141);
	struct contact_patch p = {.version = V141, .options = &o, .ghosts = &all_ghosted};
	struct str card = card_of("3.0", "FN:x\nN:x;;;;\nNOTE:one\\ntwo three\nTITLE:t"), html;
	static const char part[] = "contacts:JobTitle \"u\"\nairsyncbase:Body\n"
				   "  airsyncbase:Type \"1\"\n  airsyncbase:Data \"one\\ntwo\"";

	o.prefs[0].has_size = true;
	o.prefs[0].size = 8;
	expect(patched(card, part, &p), "NOTE:one\\ntwo three\nTITLE:u", "the part");
	o.prefs[0].size = 10;
	expect(patched(card, part, &p), "NOTE:one\\ntwo\r", "another part is an edit");
	/* And a device that wants HTML alone. */
	o.prefs[0] = (struct body_preference){.type = BODY_HTML, .has_size = true, .size = 60};
	html = html_cut(html_from_text(STR("one\r\ntwo three"), a), 60);
	assert_true(str_search(html, STR("three")) == html.n);
	expect(patched(card,
		       arena_printf(a,
			       "contacts:JobTitle \"u\"\nairsyncbase:Body\n"
			       "  airsyncbase:Type \"2\"\n  airsyncbase:Data \"%.*s\"",
			       STR_FMT(html))
			       .p,
		       &p),
		"NOTE:one\\ntwo three\nTITLE:u", "the part, as HTML");
}

/* B19958, B20023 */
static void test_a_note_added_leaves_a_card_that_can_be_read(void **state UNUSED)
{
	struct str card = changed(card_of("4.0", "FN:Ann\nN:;Ann;;;\nUID:u"),
		"airsyncbase:Body\n  airsyncbase:Type \"1\"\n"
		"  airsyncbase:Data \"a: b; c, d\\r\\n\\\"e\\\" \\\\ END:VCARD\"");
	struct vcard c;

	assert_int_equal(vcard_read(card, a, &c, NULL), RC_OK);
	assert_true(str_is(vcard_text(&c, vcard_find(&c, NULL, "NOTE")),
		"a: b; c, d\n\"e\" \\ END:VCARD"));
	assert_true(str_is(contact_uid(card, a), "u"));
}

static void test_lines_are_folded_between_characters(void **state UNUSED)
{
	struct str card = made("contacts:JobTitle \"" /* 40 of two bytes */
			       "üüüüüüüüüüüüüüüüüüüü"
			       "üüüüüüüüüüüüüüüüüüüü\""),
		   line;
	size_t longest = 0;

	while (str_next(&card, '\n', &line)) {
		longest = line.n > longest ? line.n : longest;
		assert_true(utf8_is_clean(line));
	}
	/* RFC 6350 3.2: 75 without the line end, of which the CR is in it here. */
	assert_in_range(longest, 70, 76);
}

/* A group, and what is no card, in the words of the log. */
static void test_what_is_no_person_is_refused(void **state UNUSED)
{
	static const struct {
		const char *lines, *sentence;
		bool group;
	} cases[] = {
		{"KIND:group\nFN:Friends\nMEMBER:urn:uuid:1",  "not a person but a group", true},
		{"FN:Friends\nX-ADDRESSBOOKSERVER-KIND:group", "not a person but a group",
                 true									  },
	};
	struct email_options o = plain(V141);
	struct contact_patch p = {.version = V141};
	struct str card, r;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		card = card_of("3.0", cases[i].lines);
		assert_null(contact_sent(card, &o, a, &err));
		assert_int_equal(err.rc, RC_INVALID);
		assert_string_equal(err.text, cases[i].sentence);
		assert_true(contact_is_group(card, a));
		assert_int_equal(contact_apply(card, data_of(""), &p, a, &r, &err), RC_INVALID);
	}
	assert_false(contact_is_group(card_of("4.0", "KIND:individual\nFN:x"), a));
	assert_null(contact_sent(STR("BEGIN:VCARD\r\nFN:x\r\n"), &o, a, &err));
	assert_int_equal(err.rc, RC_INVALID);
	assert_null(contact_sent(STR("<html>"), &o, a, &err));
	assert_null(contact_sent(STR(""), &o, a, &err));
}

static enum rc refusal(struct str card, const char *children)
{
	struct contact_patch p = {.version = V141, .uid = STR("u")};
	struct str r;

	return contact_apply(card, data_of(children), &p, a, &r, NULL);
}

static void test_what_cannot_be_stored_is_refused(void **state UNUSED)
{
	struct buf b;

	assert_int_equal(refusal(STR_NONE, "contacts:Birthday \"soon\""), RC_INVALID);
	assert_int_equal(refusal(STR_NONE, "contacts:Birthday \"2001-02-30T00:00:00.000Z\""),
		RC_INVALID);
	assert_int_equal(refusal(STR_NONE, "contacts:Picture \"%%%\""), RC_INVALID);
	assert_int_equal(refusal(STR_NONE, "contacts:Picture \"AAAA\""), RC_INVALID);
	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "contacts:Categories");
	for (unsigned i = 0; i <= 300; i++)
		buf_addf(&b, "\n  contacts:Category \"%u\"", i);
	assert_int_equal(refusal(STR_NONE, buf_str(&b).p), RC_INVALID);
	buf_reset(&b);
	/* [MS-ASCNTC] 2.2.2.58 */
	buf_adds(&b, "contacts:Picture \"/9j/");
	for (unsigned i = 0; i < 48 * 1024; i += 4)
		buf_adds(&b, "AAAA");
	buf_adds(&b, "\"");
	assert_int_equal(refusal(STR_NONE, buf_str(&b).p), RC_LIMIT);
	buf_release(&b);
}

static void test_a_card_without_a_uid_has_none(void **state UNUSED)
{
	assert_null(contact_uid(card_of("3.0", "FN:x\nUID:"), a).p);
	assert_null(contact_uid(STR("no card"), a).p);
	assert_true(str_is(contact_uid(card_of("3.0", "FN:x\nUID: u1 "), a), "u1"));
}

/* Pictures */

static GdkPixbuf *noise(int width, int height, bool alpha)
{
	GdkPixbuf *image = gdk_pixbuf_new(GDK_COLORSPACE_RGB, alpha, 8, width, height);
	struct chance r = chance_of(7);
	guchar *p = gdk_pixbuf_get_pixels(image);
	size_t row = (size_t)gdk_pixbuf_get_rowstride(image);

	for (int y = 0; y < height; y++)
		for (size_t x = 0; x < (size_t)width * (alpha ? 4 : 3); x++)
			p[(size_t)y * row + x] = (guchar)chance(&r, 256);
	return image;
}

static struct str image_of(const char *type, int width, int height, bool alpha)
{
	GdkPixbuf *image = noise(width, height, alpha);
	gchar *p = NULL;
	gsize n = 0;
	struct str r;

	assert_true(gdk_pixbuf_save_to_buffer(image, &p, &n, type, NULL, NULL));
	r = arena_str(a, (struct str){p, n});
	g_free(p);
	g_object_unref(image);
	return r;
}

static void size_of(struct str image, int *width_r, int *height_r)
{
	GdkPixbufLoader *loader = gdk_pixbuf_loader_new();
	GdkPixbuf *got;

	assert_true(gdk_pixbuf_loader_write(loader, (const guchar *)image.p, image.n, NULL));
	assert_true(gdk_pixbuf_loader_close(loader, NULL));
	got = gdk_pixbuf_loader_get_pixbuf(loader);
	*width_r = gdk_pixbuf_get_width(got);
	*height_r = gdk_pixbuf_get_height(got);
	g_object_unref(loader);
}

enum { FITS = 36 * 1024 };

static void test_pictures_are_made_to_fit(void **state UNUSED)
{
	struct str small = image_of("jpeg", 40, 30, false), got, again;
	static const struct {
		const char *type;
		bool alpha;
	} kinds[] = {
		{"jpeg", false},
                {"png",  false},
                {"png",  true }
        };
	int width, height;

	assert_int_equal(picture_fit(small, FITS, a, &got, NULL), RC_OK);
	assert_true(got.p == small.p && got.n == small.n);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct str large = image_of(kinds[i].type, 1200, 900, kinds[i].alpha);

		assert_true(large.n > FITS);
		assert_int_equal(picture_fit(large, FITS, a, &got, NULL), RC_OK);
		assert_true(got.n <= FITS);
		assert_string_equal(picture_type(got), "image/jpeg");
		size_of(got, &width, &height);
		/* The shape stays. */
		assert_in_range(width * 3, height * 4 - 6, height * 4 + 6);
		assert_true(width >= 100);
		assert_int_equal(picture_fit(large, FITS, a, &again, NULL), RC_OK);
		assert_true(str_eq(got, again));
	}
}

/* A JPEG with an EXIF segment that says: turn it by 90 degrees. */
static struct str turned(struct str jpeg)
{
	static const char exif[] =
		"\xff\xe1\x00\x22"
		"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
		"\0\0\0\0";
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	buf_add(&b, jpeg.p, 2);
	buf_add(&b, exif, 36);
	buf_add(&b, jpeg.p + 2, jpeg.n - 2);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

static void test_pictures_are_the_right_way_up(void **state UNUSED)
{
	struct str got;
	int width, height;

	assert_int_equal(
		picture_fit(turned(image_of("jpeg", 900, 600, false)), FITS, a, &got, NULL),
		RC_OK);
	size_of(got, &width, &height);
	assert_true(height > width);
}

static void put(void *to, struct str bytes)
{
	memcpy(to, bytes.p, bytes.n);
}

static uint32_t crc_of(const unsigned char *p, size_t n)
{
	uint32_t c = 0xffffffffu;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
	}
	return ~c;
}

/* A PNG that says it is so large. */
static struct str png_of(uint32_t width, uint32_t height)
{
	static const char head[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
	static const char end[] = "\0\0\0\x0bIDAT\x78\x9c\x63\0\0\0\1\0\1\0\0\0\0\0\0\0";
	unsigned char *p = arena_zalloc(a, 1, 128);
	uint32_t crc;

	put(p, (struct str){head, 16});
	for (int i = 0; i < 4; i++) {
		p[16 + i] = (unsigned char)(width >> (24 - 8 * i));
		p[20 + i] = (unsigned char)(height >> (24 - 8 * i));
	}
	p[24] = 8;
	p[25] = 2;
	crc = crc_of(p + 12, 17);
	for (int i = 0; i < 4; i++)
		p[29 + i] = (unsigned char)(crc >> (24 - 8 * i));
	put(p + 33, (struct str){end, sizeof(end)});
	return (struct str){(const char *)p, 128};
}

static void test_pictures_out_of_bounds_are_refused(void **state UNUSED)
{
	struct str got, cut = image_of("png", 60, 40, false);
	char *large = arena_zalloc(a, 1, PICTURE_BYTES_MAX + 1);

	put(large, STR("\xff\xd8\xff"));
	assert_int_equal(
		picture_fit((struct str){large, PICTURE_BYTES_MAX + 1}, FITS, a, &got, NULL),
		RC_LIMIT);
	assert_int_equal(picture_fit(png_of(9000, 8000), FITS, a, &got, NULL), RC_LIMIT);
	assert_int_equal(picture_fit(png_of(4097, 4096), FITS, a, &got, NULL), RC_LIMIT);
	assert_int_equal(
		picture_fit(png_of(0x7fffffff, 0x7fffffff), FITS, a, &got, NULL), RC_INVALID);
	assert_int_equal(
		picture_fit(image_of("jpeg", 200, 200, false), 100, a, &got, NULL), RC_LIMIT);
	assert_int_equal(picture_fit(str_sub(cut, 0, 40), FITS, a, &got, NULL), RC_INVALID);
	assert_int_equal(picture_fit(STR("no image"), FITS, a, &got, NULL), RC_INVALID);
	assert_int_equal(picture_fit(STR("<svg xmlns='http://www.w3.org/2000/svg'/>"), FITS, a,
				 &got, NULL),
		RC_INVALID);
	assert_int_equal(picture_fit(STR(""), FITS, a, &got, NULL), RC_INVALID);
}

static struct str base64_text(struct str bytes)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	base64_encode(bytes, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

/* U14, C132: what the phone has is smaller than what the card has, and the card keeps its own
 * until the phone sends another one. */
static void test_the_original_of_a_picture_survives(void **state UNUSED)
{
	struct contact_patch p = {.version = V141, .ghosts = &all_ghosted};
	struct email_options o = plain(V141);
	struct str large = base64_text(image_of("png", 700, 500, false)), sent, got, small;
	struct str card = card_of(
		"4.0", arena_printf(a, "FN:x\nN:x;;;;\nPHOTO;PREF=1:data:image/png;base64,%.*s",
			       STR_FMT(large))
			       .p);
	struct elem *data = contact_sent(card, &o, a, NULL);

	sent = elem_text(data, CONTACTS_PICTURE);
	assert_in_range(sent.n, 1000, 48 * 1024);
	got = patched(card, arena_printf(a, "contacts:Picture \"%.*s\"", STR_FMT(sent)).p, &p);
	assert_true(str_eq(got, card));
	small = base64_text(image_of("jpeg", 20, 20, false));
	got = patched(card, arena_printf(a, "contacts:Picture \"%.*s\"", STR_FMT(small)).p, &p);
	assert_true(str_search(got, large) == got.n);
	data = contact_sent(got, &o, a, NULL);
	assert_true(str_eq(elem_text(data, CONTACTS_PICTURE), small));
	expect(got, "PHOTO:data:image/jpeg;base64,/9j/", "4.0");
}

static void test_pictures_come_and_go(void **state UNUSED)
{
	static const char in[] = "FN:x\nN:x;;;;\nPHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\nTITLE:t";
	static const char remote[] =
		"FN:x\nN:x;;;;\nPHOTO;VALUE=uri:https://x.test/p.jpg\nTITLE:t";
	struct contact_patch all = {.version = V141};
	struct contact_patch ios = {.version = V141, .keep_picture = true};
	static const char rest[] = "contacts:LastName \"x\"\ncontacts:JobTitle \"t\"";
	const char *empty = arena_printf(a, "%s\ncontacts:Picture", rest).p;
	struct str gone = card_of("3.0", "FN:x\nN:x;;;;\nTITLE:t");

	/* Absent is unchanged, empty is not, but for iOS. */
	assert_true(str_eq(patched(card_of("3.0", in), rest, &all), card_of("3.0", in)));
	assert_true(str_eq(patched(card_of("3.0", in), empty, &ios), card_of("3.0", in)));
	assert_true(str_eq(patched(card_of("3.0", in), empty, &all), gone));
	/* What was never shown is not removed, nor fetched. */
	assert_true(
		str_eq(patched(card_of("3.0", remote), empty, &all), card_of("3.0", remote)));
	expect(shown(card_of("3.0", remote)), "!Picture", "a picture elsewhere");
	expect(shown(card_of("3.0", in)), "contacts:Picture \"/9j/4AAQ\"", "3.0");
	expect(shown(card_of("4.0", "FN:x\nPHOTO:data:image/jpeg;base64\\,/9j/4AAQ")),
		"contacts:Picture \"/9j/4AAQ\"", "an escaped comma");
	expect(shown(card_of("2.1", "N:x\nPHOTO;JPEG;BASE64:\n /9j/\n   4AAQ\n")),
		"contacts:Picture \"/9j/4AAQ\"", "2.1");
	expect(shown(card_of("3.0", "FN:x\nPHOTO;ENCODING=b:broken!")), "!Picture", "broken");
	expect(made("contacts:Picture \"/9j/4AAQ\""), "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ",
		"new");
	expect(changed(card_of("3.0",
			       "FN:x\nitem1.PHOTO;X-ABCROP-RECTANGLE=a:/9j/4AAQ\nitem1.X-ABLabel:q"),
		       "contacts:Picture \"iVBORw0KGgo=\""),
		"item1.PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\nitem1.X-ABLabel:q", "another");
}

/* The lines themselves */
static void test_untouched_lines_keep_their_bytes(void **state UNUSED)
{
	static const char text[] =
		"\xef\xbb\xbf"
		"begin:vcard\nVERSION:3.0\r\nFN:fol\n ded\r\n\t here\n"
		"no colon\n\nAGENT:\nBEGIN:VCARD\nFN:inner\nEND:VCARD\n"
		"X;a=\"b:c\";d=e:f\nend:VCARD\nbehind:1\nBEGIN:VCARD\nFN:second";
	struct vcard c;
	struct vcard_line *l;

	assert_int_equal(vcard_read(str_of(text), a, &c, NULL), RC_OK);
	assert_true(str_is(vcard_write(&c), text));
	l = vcard_find(&c, NULL, "fn");
	assert_true(str_is(vcard_text(&c, l), "folded here"));
	/* Neither the card inside nor the one behind is looked at. */
	assert_null(vcard_find(&c, l, "FN"));
	assert_null(vcard_find(&c, NULL, "BEHIND"));
	assert_true(str_is(vcard_param(vcard_find(&c, NULL, "X"), "A", a), "b:c"));
	(void)vcard_add(&c, NULL, STR("NEW"), STR("1"));
	vcard_remove(&c, l);
	assert_true(str_is(vcard_write(&c),
		"\xef\xbb\xbf"
		"begin:vcard\nVERSION:3.0\r\n"
		"no colon\n\nAGENT:\nBEGIN:VCARD\nFN:inner\nEND:VCARD\n"
		"X;a=\"b:c\";d=e:f\nNEW:1\r\nend:VCARD\nbehind:1\nBEGIN:VCARD\nFN:second"));
}

static void test_cards_have_bounds(void **state UNUSED)
{
	struct buf b;
	struct vcard c;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "BEGIN:VCARD\r\n");
	for (unsigned i = 0; i < VCARD_LINES_MAX; i++)
		buf_adds(&b, "X:\r\n");
	buf_adds(&b, "END:VCARD\r\n");
	assert_int_equal(vcard_read(buf_str(&b), a, &c, NULL), RC_LIMIT);
	buf_release(&b);
	assert_int_equal(
		vcard_read((struct str){"BEGIN", VCARD_SIZE_MAX + 1u}, a, &c, NULL), RC_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_devices_get_what_the_card_says),
		TEST(test_a_new_card_says_what_the_device_sent),
		TEST(test_a_change_patches_its_lines),
		TEST(test_what_is_left_out_is_cleared_unless_it_is_ghosted),
		TEST(test_ghosts_of_odd_bytes_are_refused),
		TEST(test_notes_are_cut_as_the_device_asks),
		TEST(test_cut_notes_that_come_back_are_unchanged),
		TEST(test_a_note_added_leaves_a_card_that_can_be_read),
		TEST(test_lines_are_folded_between_characters),
		TEST(test_what_is_no_person_is_refused),
		TEST(test_what_cannot_be_stored_is_refused),
		TEST(test_a_card_without_a_uid_has_none),
		TEST(test_pictures_are_made_to_fit),
		TEST(test_pictures_are_the_right_way_up),
		TEST(test_pictures_out_of_bounds_are_refused),
		TEST(test_the_original_of_a_picture_survives),
		TEST(test_pictures_come_and_go),
		TEST(test_untouched_lines_keep_their_bytes),
		TEST(test_cards_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
