/*
 * Contacts through nginx, easpool (one worker) and Radicale, in a small book and in a large
 * one: the first synchronisation, a Sync without changes, one that brings a changed card, one
 * in which the phone adds a hundred; a card with a photo of 20 MB; and what store/dav alone
 * takes at a server without sync-collection. Beside each Sync the same question is put to
 * Radicale alone (store/dav in this process): what is left is ours.
 *
 *     bench_contacts [CARDS [SMALL]]   10 000 and 100
 */
#include "core/base/base64.h"
#include "store/dav/dav.h"
#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIMES = 21, CHANGES = 7, WINDOW = 100 };

struct book {
	const char *user;
	unsigned cards, adds; /* adds: as many come at once */
	struct arena *a;
	/* Another client at Radicale */
	struct settings conf;
	struct dav_client *client;
	struct dav *dav;
	struct str path, token;
	/* A phone */
	struct phone *phone;
	struct device_folder *folder;
};

/* What one Sync told. */
struct told {
	unsigned added, changed, removed, accepted;
	size_t picture; /* octets of base64 of the last */
	bool more;
	int64_t us;
};

static struct err err;

static void ok(enum rc rc)
{
	if (rc)
		bench_die("%s", err.text);
}

static double ms(int64_t us)
{
	return (double)us / 1000;
}

/* --- the books */

/* A card of some 700 octets, of a person who can be reached in many ways. */
static void make_card(struct buf *b, unsigned i, unsigned edition)
{
	buf_reset(b);
	buf_addf(b,
		"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:card-%06u\r\nN:Person%06u;Anna;Maria;Dr.;\r\n"
		"FN:Dr. Anna Maria Person%06u\r\nNICKNAME:Anni\r\nORG:Example Ltd;Sales\r\n"
		"TITLE:Clerk of edition %u\r\nBDAY:1980-05-17\r\nCATEGORIES:Customers,Friends\r\n",
		i, i, i, edition);
	buf_addf(b,
		"EMAIL;TYPE=INTERNET,PREF:anna.person%06u@example.test\r\n"
		"EMAIL;TYPE=INTERNET:anna%06u@home.example.test\r\n"
		"TEL;TYPE=WORK,VOICE:+49 7121 %06u\r\nTEL;TYPE=CELL:+49 171 %06u\r\n"
		"TEL;TYPE=HOME,VOICE:+49 7071 %06u\r\n",
		i, i, i, i, i);
	buf_addf(b,
		"ADR;TYPE=WORK:;;Hauptstra\303\237e %u;Reutlingen;;72762;Germany\r\n"
		"ADR;TYPE=HOME:;;Am Markt %u;T\303\274bingen;;72070;Germany\r\n"
		"NOTE:Met at the fair\\, asked for an offer.\\nCalls back in the afternoon.\r\n"
		"X-LAB-OTHER:something that no phone knows\r\n",
		i % 200, i % 90);
}

static void make_path(char *path, size_t size, const char *user, const char *name)
{
	(void)snprintf(path, size, "%s/dav/collections/collection-root/%s/contacts/%s",
		lab_get("LAB_DIR"), user, name);
}

/* Straight into the folder of Radicale, for which ten thousand PUTs are minutes. */
static void put_file(const char *user, const char *name, struct str text)
{
	char path[1024];
	struct stat like;
	FILE *f;

	make_path(path, sizeof(path), user, "");
	if (stat(path, &like) != 0)
		bench_die("%s: %s", path, strerror(errno));
	make_path(path, sizeof(path), user, name);
	f = fopen(path, "w");
	if (!f || fwrite(text.p, 1, text.n, f) != text.n || fclose(f) != 0 ||
		chown(path, like.st_uid, like.st_gid) != 0)
		bench_die("%s: %s", path, strerror(errno));
}

static void fill(const struct book *book)
{
	char name[32];
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	for (unsigned i = 0; i < book->cards; i++) {
		(void)snprintf(name, sizeof(name), "card-%06u.vcf", i);
		make_card(&b, i, 0);
		buf_adds(&b, "END:VCARD\r\n");
		put_file(book->user, name, buf_str(&b));
	}
	buf_release(&b);
}

/* --- Radicale alone */

/* Asks what changed. Microseconds, without those that this process computed. */
static int64_t ask_radicale(struct book *book, size_t changes)
{
	struct arena *a = arena_new();
	int64_t began = bench_us() - bench_own_cpu_us(), took;
	struct dav_changes ch;
	struct dav_object o;

	ok(dav_call(book->dav, changes, book->path, book->token, a, &ch, &err));
	if (book->token.n && ch.n != changes)
		bench_die("Radicale tells of %zu changes, not %zu", ch.n, changes);
	if (book->token.n && ch.n) {
		o = (struct dav_object){.href = ch.v[0].href};
		ok(dav_call(book->dav, get, book->path, &o, 1, a, &err));
	}
	took = bench_us() - bench_own_cpu_us() - began;
	if (!book->token.n || ch.n)
		book->token = arena_str(book->a, ch.token);
	arena_free(a);
	return took;
}

/* Changes one card as any client does, and so that Radicale has no more to do for the first who
 * asks than for the second. */
static void change_one(struct book *book, unsigned edition)
{
	struct arena *a = arena_new();
	struct dav_object o;
	struct str etag;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	make_card(&b, 7, edition);
	buf_adds(&b, "END:VCARD\r\n");
	o.href = dav_call(book->dav, join, book->path, STR("card-000007.vcf"), a);
	ok(dav_call(book->dav, get, book->path, &o, 1, a, &err));
	ok(dav_call(book->dav, put, o.href, o.etag, "text/vcard; charset=utf-8", buf_str(&b), a,
		&etag, &err));
	buf_release(&b);
	arena_free(a);
}

static void open_book(struct book *book)
{
	struct secret password = {NULL, 0};
	struct dav_collections c;
	int64_t began = bench_us();

	book->a = arena_new();
	ok(settings_read(arena_printf(book->a, "carddav_url = %s\ndav_timeout = 600\n",
				 lab_get("CARDDAV_URL")),
		"bench", &book->conf, book->a, &err));
	book->client = dav_client_new(&book->conf, DAV_CLIENT_CARDS, NULL);
	secret_set(&password, str_of(lab_get("LAB_PASSWORD")));
	book->dav = dav_client_user(book->client, str_of(book->user), &password);
	secret_release(&password);
	ok(dav_call(book->dav, collections, DAV_CARDS, book->a, &c, &err));
	if (c.n != 1)
		bench_die("%zu address books", c.n);
	book->path = c.v[0].path;
	book->token = STR("");
	(void)ask_radicale(book, 0);
	began = bench_us() - began;
	book->token = STR("");
	(void)printf(
		"contacts: Radicale reads %u cards for the first time: %.0f ms, then lists "
		"them in %.0f ms\n",
		book->cards, ms(began), ms(ask_radicale(book, 0)));
	(void)fflush(stdout);
}

static void close_book(struct book *book)
{
	phone_release(book->phone);
	free(book->phone);
	dav_client_free(book->client);
	arena_free(book->a);
}

/* --- a phone */

static void open_phone(struct book *book)
{
	book->phone = calloc(1, sizeof(*book->phone));
	if (!book->phone)
		abort();
	bench_phone(book->phone, book->user, "contacts", "14.1");
	book->folder = phone_folder(book->phone, 9);
	if (!book->folder)
		bench_die("no address book");
}

static void sync_document(struct buf *b, const struct device_folder *f, const char *commands)
{
	buf_addf(b,
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n",
		f->key, f->id);
	if (strcmp(f->key, "0") != 0)
		buf_addf(b,
			"      airsync:GetChanges \"1\"\n      airsync:WindowSize \"%d\"\n"
			"      airsync:Options\n        airsyncbase:BodyPreference\n"
			"          airsyncbase:Type \"1\"\n",
			WINDOW);
	buf_adds(b, commands);
}

static unsigned accepted(const struct elem *responses)
{
	unsigned n = 0;

	for (const struct elem *e = elem_child(responses, AIRSYNC_ADD); e; e = elem_again(e))
		n += elem_u32(e, AIRSYNC_STATUS, 0) == 1;
	return n;
}

static size_t picture_of(const struct elem *commands)
{
	size_t n = 0;

	for (const struct elem *e = elem_child(commands, AIRSYNC_ADD); e; e = elem_again(e)) {
		const struct elem *data = elem_child(e, AIRSYNC_APPLICATION_DATA);

		n = elem_has(data, CONTACTS_PICTURE) ? elem_text(data, CONTACTS_PICTURE).n : n;
	}
	return n;
}

/* One Sync of the book; commands: as phone_post() takes them, or "". */
static struct told sync_once(struct book *book, const char *commands)
{
	struct device_folder *f = book->folder;
	bool first = strcmp(f->key, "0") == 0;
	const struct elem *e, *said;
	struct told told = {.more = first};
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	sync_document(&b, f, commands);
	told.us = bench_us();
	e = phone_post(book->phone, "Sync", buf_str(&b).p);
	told.us = bench_us() - told.us;
	buf_release(&b);
	if (book->phone->error[0])
		bench_die("%s", book->phone->error);
	if (!e)
		return told;
	e = elem_child(elem_child(e, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	if (elem_u32(e, AIRSYNC_STATUS, 0) != 1)
		bench_die("Sync: Status %u", elem_u32(e, AIRSYNC_STATUS, 0));
	(void)snprintf(f->key, sizeof(f->key), "%.*s", STR_FMT(elem_text(e, AIRSYNC_SYNC_KEY)));
	said = elem_child(e, AIRSYNC_COMMANDS);
	told.added = elem_count(said, AIRSYNC_ADD);
	told.picture = picture_of(said);
	told.changed = elem_count(said, AIRSYNC_CHANGE);
	told.removed = elem_count(said, AIRSYNC_DELETE);
	told.accepted = accepted(elem_child(e, AIRSYNC_RESPONSES));
	told.more = first || elem_has(e, AIRSYNC_MORE_AVAILABLE);
	return told;
}

/* --- what is measured */

/* The whole book for the first time: octets of the last picture that came with it. */
static size_t first(struct book *book)
{
	struct told told = {.more = true};
	unsigned requests = 0, added = 0;
	size_t picture = 0;
	int64_t all, longest = 0, cpu, its_cpu = 0;
	long before;

	open_phone(book);
	(void)bench_trips("FolderSync");
	bench_forget_peak();
	before = bench_peak_kb();
	cpu = bench_cpu_us();
	all = bench_us();
	for (; told.more; requests++) {
		int64_t before_it = bench_cpu_us();

		told = sync_once(book, "");
		added += told.added;
		picture = told.picture ? told.picture : picture;
		if (told.us > longest) {
			longest = told.us;
			its_cpu = bench_cpu_us() - before_it;
		}
	}
	all = bench_us() - all;
	cpu = bench_cpu_us() - cpu;
	if (added != book->cards)
		bench_die("%u of %u cards came", added, book->cards);
	(void)printf(
		"contacts: first Sync of %u cards: %u requests, %u round trips, %.1f s, "
		"the longest %.0f ms (%.0f ms of the worker's CPU); worker: %.1f ms of CPU a window, %ld KB before, "
		"%ld KB at most\n",
		book->cards, requests, bench_trips_all("Sync", requests), ms(all) / 1000,
		ms(longest), ms(its_cpu), ms(cpu) / requests, before, bench_peak_kb());
	(void)fflush(stdout);
	return picture;
}

/* In turn, easpool and Radicale alone, so that both meet the same machine. */
struct pairs {
	int64_t whole[TIMES], radicale[TIMES], ours[TIMES], cpu[TIMES];
	size_t n;
};

static void note(struct pairs *p, int64_t whole, int64_t radicale, int64_t cpu)
{
	p->whole[p->n] = whole;
	p->radicale[p->n] = radicale;
	p->cpu[p->n] = cpu;
	p->ours[p->n++] = whole - radicale;
}

static void print(struct pairs *p, const char *what, const struct book *book)
{
	int64_t cpu = bench_median(p->cpu, p->n);

	(void)printf("contacts: %s of %u: %.1f ms, Radicale alone %.1f ms, beyond it %.1f ms; "
		     "worker: %.2f ms of CPU, %.2f at least; %u round trips, %zu octets\n",
		what, book->cards, ms(bench_median(p->whole, p->n)),
		ms(bench_median(p->radicale, p->n)), ms(bench_median(p->ours, p->n)), ms(cpu),
		ms(p->cpu[0]), bench_trips_all("Sync", (unsigned)p->n) / (unsigned)p->n,
		book->phone->answer_bytes);
	(void)fflush(stdout);
}

/* other: a book that Radicale is asked of before each Sync, after which no cache holds anything
 * of ours; may be NULL. */
static void empty(struct book *book, struct book *other)
{
	struct pairs p = {.n = 0};

	(void)sync_once(book, "");
	(void)bench_trips("Sync");
	while (p.n < TIMES) {
		int64_t radicale = ask_radicale(book, 0), cpu;
		struct told told;

		if (other)
			(void)ask_radicale(other, 0);
		cpu = bench_cpu_us();
		told = sync_once(book, "");
		if (told.added + told.changed + told.removed)
			bench_die("a Sync that should be empty is not");
		note(&p, told.us, radicale, bench_cpu_us() - cpu);
	}
	print(&p, other ? "empty Sync, the other book looked through before," : "empty Sync",
		book);
}

static void changed(struct book *book)
{
	struct pairs p = {.n = 0};

	while (p.n < CHANGES) {
		bool radicale_first = p.n & 1;
		int64_t radicale = 0, cpu;
		struct told told;

		change_one(book, (unsigned)p.n + 1);
		if (radicale_first)
			radicale = ask_radicale(book, 1);
		cpu = bench_cpu_us();
		told = sync_once(book, "");
		cpu = bench_cpu_us() - cpu;
		if (!radicale_first)
			radicale = ask_radicale(book, 1);
		if (told.changed != 1 || told.added + told.removed)
			bench_die("a Sync with one change has %u", told.changed);
		note(&p, told.us, radicale, cpu);
	}
	print(&p, "Sync with one changed card", book);
}

static void add_commands(struct buf *b, unsigned adds)
{
	buf_adds(b, "      airsync:Commands\n");
	for (unsigned i = 0; i < adds; i++)
		buf_addf(b,
			"        airsync:Add\n          airsync:ClientId \"new-%u\"\n"
			"          airsync:ApplicationData\n            contacts:FileAs \"Added, Otto %u\"\n"
			"            contacts:FirstName \"Otto\"\n            contacts:LastName \"Added %u\"\n"
			"            contacts:Email1Address \"otto%u@example.test\"\n"
			"            contacts:MobilePhoneNumber \"+49 172 %u\"\n"
			"            contacts:BusinessAddressCity \"Reutlingen\"\n",
			i, i, i, i, i);
}

/* A hundred cards by another client, and the Sync that brings them. */
static void added(struct book *book)
{
	char name[32];
	int64_t us = bench_us(), cpu;
	struct told told;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	for (unsigned i = 0; i < book->adds; i++) {
		struct arena *a = arena_new();
		struct str etag;

		(void)snprintf(name, sizeof(name), "more-%06u.vcf", i);
		make_card(&b, 500000 + i, 0);
		buf_adds(&b, "END:VCARD\r\n");
		ok(dav_call(book->dav, put,
			dav_call(book->dav, join, book->path, str_of(name), a), STR(""),
			"text/vcard; charset=utf-8", buf_str(&b), a, &etag, &err));
		arena_free(a);
	}
	us = bench_us() - us;
	buf_release(&b);
	cpu = bench_cpu_us();
	told = sync_once(book, "");
	if (told.added != book->adds)
		bench_die("%u of %u new cards came", told.added, book->adds);
	(void)printf(
		"contacts: %u new cards in a book of %u, which Radicale alone takes in %.0f ms: "
		"Sync %.0f ms, worker %.1f ms of CPU, %u round trips\n",
		book->adds, book->cards, ms(us), ms(told.us), ms(bench_cpu_us() - cpu),
		bench_trips("Sync"));
	(void)fflush(stdout);
	book->cards += book->adds;
	(void)ask_radicale(book, book->adds);
}

/* A phone adds a hundred; the server's answer to the next question names them all, and that is
 * no news for the phone. */
static void add(struct book *book)
{
	int64_t cpu = bench_cpu_us();
	struct told told, next;
	unsigned trips;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	add_commands(&b, book->adds);
	told = sync_once(book, buf_str(&b).p);
	buf_release(&b);
	cpu = bench_cpu_us() - cpu;
	trips = bench_trips("Sync");
	if (told.accepted != book->adds)
		bench_die("%u of %u contacts were taken", told.accepted, book->adds);
	next = sync_once(book, "");
	if (next.added + next.changed + next.removed)
		bench_die("a phone is told of what it did");
	(void)printf(
		"contacts: a phone adds %u to %u: %.0f ms, %u round trips; worker: %.1f ms of "
		"CPU; the next Sync: %.1f ms, %u round trips\n",
		book->adds, book->cards, ms(told.us), trips, ms(cpu), ms(next.us),
		bench_trips("Sync"));
	(void)fflush(stdout);
	book->cards += book->adds;
	(void)ask_radicale(book, book->adds);
}

/* store/dav, told that the server has no sync-collection: by ctag, in this process. */
static void etags(struct book *book)
{
	struct arena *a = arena_new();
	struct str token = STR("");
	struct dav_changes ch;

	dav_client_set_mask(book->client, DAV_LACKS_SYNC);
	for (unsigned i = 0; i < 3; i++) {
		unsigned trips;
		int64_t cpu, us;

		if (i == 2)
			change_one(book, 1000);
		trips = dav_client_trips(book->client);
		cpu = bench_own_cpu_us();
		us = bench_us();
		ok(dav_call(book->dav, changes, book->path, token, a, &ch, &err));
		(void)printf("contacts: no sync-collection, %s of %u: %.0f ms, %u round trips, "
			     "%zu members listed; store/dav: %.1f ms of CPU\n",
			i == 0   ? "first list"
			: i == 1 ? "nothing changed"
				 : "one changed",
			book->cards, ms(bench_us() - us),
			dav_client_trips(book->client) - trips, ch.n,
			ms(bench_own_cpu_us() - cpu));
		token = ch.token;
	}
	(void)fflush(stdout);
	dav_client_set_mask(book->client, 0);
	arena_free(a);
}

/* A photo as cameras make them, of noise: nothing can be saved on it. */
static struct str make_photo(struct arena *a)
{
	int side = 3280;
	GdkPixbuf *picture = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, side, side);
	guchar *p = picture ? gdk_pixbuf_get_pixels(picture) : NULL;
	uint32_t noise = 1;
	struct str photo;
	gchar *jpeg;
	gsize n;

	if (!p)
		abort();
	for (gsize i = 0; i < gdk_pixbuf_get_byte_length(picture); i++) {
		noise = noise * 1664525 + 1013904223;
		p[i] = (guchar)(noise >> 24);
	}
	if (!gdk_pixbuf_save_to_buffer(
		    picture, &jpeg, &n, "jpeg", NULL, "quality", "100", NULL))
		bench_die("no JPEG could be made");
	g_object_unref(picture);
	photo = arena_str(a, (struct str){jpeg, n});
	g_free(jpeg);
	return photo;
}

/* Among others, which have to come whatever becomes of it. */
static void photo(struct book *book)
{
	struct arena *a = arena_new();
	struct str picture = make_photo(a);
	struct buf b;

	fill(book);
	buf_init(&b, 2 * picture.n);
	make_card(&b, 999999, 0);
	buf_adds(&b, "PHOTO;ENCODING=b;TYPE=JPEG:");
	base64_encode(picture, &b);
	buf_adds(&b, "\r\nEND:VCARD\r\n");
	put_file(book->user, "photo.vcf", buf_str(&b));
	(void)printf("contacts: a photo of %zu KB, its card has %zu KB\n", picture.n >> 10,
		b.n >> 10);
	buf_release(&b);
	arena_free(a);
	book->cards++;
	open_book(book);
	(void)printf("contacts: the picture that came: %zu octets of base64\n", first(book));
	bench_forget_peak();
	(void)printf("contacts: memory of the worker afterwards: %ld KB\n", bench_peak_kb());
	close_book(book);
}

int main(int argc, char **argv)
{
	unsigned cards = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	unsigned small = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;
	struct book books[] = {
		{.user = "user01@example.test", .cards = small, .adds = 100},
		{.user = "user02@example.test", .cards = cards, .adds = 20 },
	};
	struct book with_photo = {.user = "user03@example.test", .cards = 99};

	if (cards < 10 || small < 10)
		bench_die("usage: bench_contacts [CARDS [SMALL]], at least 10");
	bench_lab(3, 1);
	for (size_t i = 0; i < ARRAY_LEN(books); i++) {
		fill(&books[i]);
		open_book(&books[i]);
		(void)first(&books[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(books); i++) {
		empty(&books[i], NULL);
		if (i == 0)
			empty(&books[0], &books[1]);
		changed(&books[i]);
		added(&books[i]);
		add(&books[i]);
		etags(&books[i]);
		close_book(&books[i]);
	}
	photo(&with_photo);
	lab_down();
	return 0;
}
