/*
 * store/dav: how servers write hrefs and multistatus, and what they do that the lab's servers
 * never do. A server of ours says word for word what is in a test.
 */
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "store/dav/dav.h"
#include "store/dav/href.h"
#include "store/dav/multistatus.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define NS "xmlns:d=\"DAV:\" xmlns:card=\"urn:ietf:params:xml:ns:carddav\""

static struct arena *a;
static struct err err;

/* --- hrefs */

static void test_hrefs_have_one_form(void **state UNUSED)
{
	static const struct {
		const char *ref, *canonical; /* NULL: none */
	} cases[] = {
		{"/dav/ann/",				     "/dav/ann/"                },
		{" /dav/ann/\n",				  "/dav/ann/"                },
		{"/u%40example.test/a%20b.vcf",                   "/u@example.test/a%20b.vcf"},
		{"/u@example.test/a b.vcf",                       "/u@example.test/a%20b.vcf"},
		{"/%7eann/%c3%a4.vcf",                            "/~ann/%C3%A4.vcf"         },
		{"/~ann/\xc3\xa4.vcf",                            "/~ann/%C3%A4.vcf"         },
 /* A slash in a name stays one. */
		{"/a%2fb.vcf",				    "/a%2Fb.vcf"               },
		{"/100%",					 "/100%25"                  },
		{"/a%zz",					 "/a%25zz"                  },
		{"http://dav.example.test/x/",                    "/x/"                      },
		{"HTTPS://DAV.example.test:8443/x/",              "/x/"                      },
		{"http://dav.example.test",                       "/"                        },
		{"http://other.example.test/x/",                  NULL                       },
		{"http://dav.example.test@other.example.test/x/", NULL                       },
		{"//other.example.test/x/",                       NULL                       },
		{"mailto:ann@example.test",                       NULL                       },
		{"",					      NULL                       },
		{"one.vcf",				       "/home/one.vcf"            },
		{"./one.vcf",				     "/home/one.vcf"            },
		{"../up/./one.vcf",                               "/up/one.vcf"              },
		{"/../../one.vcf",                                "/one.vcf"                 },
		{"/a/b/..",				       "/a/"                      },
		{"/a//b/",					"/a/b/"                    },
		{"/a.vcf?x=1#y",				  "/a.vcf"                   },
		{"/a%00b",					NULL                       },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str s = href_canonical(
			str_of(cases[i].ref), STR("/home/of.vcf"), STR("dav.example.test"), a);

		if (!cases[i].canonical)
			assert_null(s.p);
		else
			assert_string_equal(s.p, cases[i].canonical);
		/* The form of the form is the same. */
		if (s.p)
			assert_string_equal(href_canonical(s, STR("/"), STR("x"), a).p, s.p);
	}
}

/* C56 */
static void test_a_template_is_filled_in(void **state UNUSED)
{
	struct str login = STR("ann b@example.test");

	assert_string_equal(
		href_template(STR("/dav/%u/"), login, a).p, "/dav/ann%20b@example.test/");
	assert_string_equal(href_template(STR("/%d/%n/%20/%d0%bf"), login, a).p,
		"/example.test/ann%20b/%20/%d0%bf");
	/* A login is no way to another place. */
	assert_string_equal(
		href_template(STR("/dav/%u/"), STR("../x/y"), a).p, "/dav/..%2Fx%2Fy/");
	assert_true(href_is_template(STR("/%u/")));
	assert_false(href_is_template(STR("/a%20b%d0/")));
	assert_string_equal(href_last(STR("/a/My%20%C3%A4/"), a).p, "My \xc3\xa4");
}

/* --- multistatus as servers write it */

static void read_text(const char *text, struct multistatus *r)
{
	if (ms_read(str_of(text), 1 << 20, a, r, &err))
		fail_msg("%s", err.text);
}

/* Radicale: its own prefixes, several types, tokens at the end. */
static void test_radicale_is_read(void **state UNUSED)
{
	struct multistatus r;

	read_text("<?xml version='1.0' encoding='utf-8'?>\n"
		  "<multistatus xmlns=\"DAV:\" xmlns:CR=\"urn:ietf:params:xml:ns:carddav\">"
		  "<response><href>/ann/</href><propstat><prop><resourcetype><principal />"
		  "<collection /></resourcetype></prop><status>HTTP/1.1 200 OK</status>"
		  "</propstat><propstat><prop><CR:supported-address-data /></prop>"
		  "<status>HTTP/1.1 404 Not Found</status></propstat></response>"
		  "<response><href>/ann/contacts/</href><propstat><prop><resourcetype>"
		  "<CR:addressbook /><collection /></resourcetype>"
		  "<displayname>People &amp; more</displayname>"
		  "<current-user-privilege-set><privilege><all /></privilege><privilege>"
		  "<write /></privilege></current-user-privilege-set>"
		  "<CR:supported-address-data>"
		  "<CR:address-data-type content-type=\"text/vcard\" version=\"3.0\" />"
		  "<CR:address-data-type content-type=\"text/vcard\" version=\"4.0\" />"
		  "</CR:supported-address-data></prop>"
		  "<status>HTTP/1.1 200 OK</status></propstat></response>"
		  "<sync-token>http://radicale.org/ns/sync/1</sync-token></multistatus>",
		&r);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.v[0].href.p, "/ann/");
	assert_int_equal(r.v[0].p.types, MS_COLLECTION);
	assert_false(r.v[0].p.found & MS_CARD_VERSIONS);
	assert_int_equal(r.v[1].p.types, MS_COLLECTION | MS_ADDRESSBOOK);
	assert_string_equal(r.v[1].p.name.p, "People & more");
	assert_int_equal(r.v[1].p.privileges, MS_MAY_ALL | MS_MAY_WRITE);
	assert_int_equal(r.v[1].p.versions, MS_CARD_3 | MS_CARD_4);
	assert_string_equal(r.token.p, "http://radicale.org/ns/sync/1");
}

/* Xandikos: prefixes by number, and a member that is gone. */
static void test_xandikos_is_read(void **state UNUSED)
{
	struct multistatus r;

	read_text("<ns0:multistatus xmlns:ns0=\"DAV:\"><ns0:response>"
		  "<ns0:href>/user/contacts/a.vcf</ns0:href>"
		  "<ns0:status>HTTP/1.1 404 Not Found</ns0:status></ns0:response>"
		  "<ns0:response><ns0:href>/user/contacts/b.vcf</ns0:href><ns0:propstat>"
		  "<ns0:status>HTTP/1.1 200 OK</ns0:status>"
		  "<ns0:prop><ns0:getetag>\"9b\"</ns0:getetag></ns0:prop></ns0:propstat>"
		  "</ns0:response><ns0:sync-token>9b2</ns0:sync-token></ns0:multistatus>",
		&r);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.v[0].status, 404);
	assert_string_equal(r.v[1].p.etag.p, "\"9b\"");
}

/* SOGo: HTTP/1.1 statuses, data in pieces with character references, CDATA elsewhere. */
static void test_sogo_is_read(void **state UNUSED)
{
	struct multistatus r;

	read_text("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		  "<D:multistatus xmlns:D=\"DAV:\" "
		  "xmlns:n1=\"urn:ietf:params:xml:ns:carddav\"><D:response>"
		  "<D:href>/SOGo/dav/ann/Contacts/personal/1.vcf</D:href><D:propstat><D:prop>"
		  "<D:getetag>\"gcs00000001\"</D:getetag>"
		  "<n1:address-data>BEGIN:VCARD&#13;\nFN:A &lt;b&gt;&#13;\nEND:VCARD&#13;\n"
		  "</n1:address-data></D:prop><D:status>HTTP/1.1 200 OK</D:status>"
		  "</D:propstat></D:response><D:response><D:href>/SOGo/2.vcf</D:href>"
		  "<D:propstat><D:prop><n1:address-data><![CDATA[BEGIN:VCARD\nFN:&<>\n"
		  "END:VCARD\n]]></n1:address-data></D:prop>"
		  "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
		  "</D:multistatus>\n",
		&r);
	assert_int_equal(r.n, 2);
	/* Either way the lines end as they did. */
	assert_string_equal(r.v[0].p.data.p, "BEGIN:VCARD\r\nFN:A <b>\r\nEND:VCARD\r\n");
	assert_string_equal(r.v[1].p.data.p, "BEGIN:VCARD\r\nFN:&<>\r\nEND:VCARD\r\n");
}

/* DAViCal: several homes, a default namespace that changes. */
static void test_davical_is_read(void **state UNUSED)
{
	struct multistatus r;

	read_text("<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n"
		  "<multistatus xmlns=\"DAV:\" xmlns:VC=\"urn:ietf:params:xml:ns:carddav\">\n"
		  " <response>\n  <href>/caldav.php/ann/</href>\n  <propstat>\n   <prop>\n"
		  "    <VC:addressbook-home-set>\n     <href>/caldav.php/ann/</href>\n"
		  "     <href>/caldav.php/team/</href>\n    </VC:addressbook-home-set>\n"
		  "    <calendar-home-set xmlns=\"urn:ietf:params:xml:ns:caldav\">"
		  "<href xmlns=\"DAV:\">/caldav.php/ann/</href></calendar-home-set>\n"
		  "   </prop>\n   <status>HTTP/1.1 200 OK</status>\n  </propstat>\n"
		  " </response>\n</multistatus>\n",
		&r);
	assert_int_equal(r.n, 1);
	assert_non_null(r.v[0].p.card_homes);
	assert_int_equal(r.v[0].p.card_homes->n, 2);
	assert_string_equal(r.v[0].p.card_homes->v[1].p, "/caldav.php/team/");
	assert_int_equal(r.v[0].p.calendar_homes->n, 1);
}

/* Nextcloud: elements of its own among ours, a limit on sizes, a read-only book. */
static void test_nextcloud_is_read(void **state UNUSED)
{
	struct multistatus r;

	read_text(
		"<?xml version=\"1.0\"?>\n<d:multistatus " NS
		" xmlns:s=\"http://sabredav.org/ns\" xmlns:oc=\"http://owncloud.org/ns\" "
		"xmlns:cs=\"http://calendarserver.org/ns/\"><d:response>"
		"<d:href>/remote.php/dav/addressbooks/users/ann/contacts/</d:href>"
		"<d:propstat><d:prop><d:resourcetype><d:collection/><card:addressbook/>"
		"</d:resourcetype><d:displayname>Kontakte</d:displayname>"
		"<card:max-resource-size>10000000</card:max-resource-size>"
		"<cs:getctag>17</cs:getctag><oc:owner><d:getetag>\"no\"</d:getetag></oc:owner>"
		"<d:current-user-privilege-set><d:privilege><d:read/></d:privilege>"
		"<d:privilege><d:write-properties/></d:privilege>"
		"</d:current-user-privilege-set>"
		"</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
		"<d:propstat><d:prop><d:getetag/></d:prop><d:status>HTTP/2 403 Forbidden"
		"</d:status></d:propstat></d:response></d:multistatus>",
		&r);
	assert_int_equal(r.v[0].p.max_size, 10000000);
	assert_string_equal(r.v[0].p.ctag.p, "17");
	assert_true(r.v[0].p.found & MS_PRIVILEGES);
	assert_int_equal(r.v[0].p.privileges, 0);
	assert_false(r.v[0].p.found & MS_ETAG);
	assert_int_equal(r.v[0].failed, 403);
	read_text("<d:error " NS " xmlns:s=\"http://sabredav.org/ns\"><s:message>x</s:message>"
		  "<d:valid-sync-token/></d:error>",
		&r);
	assert_int_equal(r.errors, MS_ERR_SYNC_TOKEN);
}

static void test_what_is_no_multistatus_is_refused(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum rc rc;
	} cases[] = {
		{"<html><body>Please log in</body></html>",                           RC_INVALID    },
		{"{\"ok\": true}",						    RC_INVALID    },
		{"<d:multistatus " NS "><d:response></d:multistatus>",                RC_INVALID    },
		{"<d:multistatus " NS "><d:response><d:href>/x</d:href>",             RC_UNAVAILABLE},
		{"<!DOCTYPE x [<!ENTITY a \"b\">]><d:multistatus " NS "/>",           RC_INVALID    },
		{"<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><d:multistatus " NS "/>",
                 RC_INVALID									 },
		{"<d:multistatus " NS ">&a;</d:multistatus>",                         RC_INVALID    },
	};
	struct multistatus r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (ms_read(str_of(cases[i].text), 1 << 20, a, &r, &err) != cases[i].rc)
			fail_msg("%s: %s", cases[i].text, err.text);
	read_text("<d:multistatus " NS "/>", &r);
	assert_int_equal(r.n, 0);
}

static void test_an_answer_is_bounded(void **state UNUSED)
{
	struct multistatus r;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "<d:multistatus " NS ">");
	for (unsigned i = 0; i < MS_MAX_DEPTH; i++)
		buf_adds(&b, "<x>");
	assert_int_equal(ms_read(buf_str(&b), 1 << 20, a, &r, &err), RC_LIMIT);
	buf_reset(&b);
	buf_adds(&b, "<d:multistatus " NS ">");
	for (unsigned i = 0; i <= MS_MAX_RESPONSES; i++)
		buf_adds(&b, "<d:response/>");
	assert_int_equal(ms_read(buf_str(&b), 1 << 24, a, &r, &err), RC_LIMIT);
	assert_int_equal(ms_read(buf_str(&b), 1000, a, &r, &err), RC_LIMIT);
	assert_int_equal(err.why, ERR_TOO_LARGE);
	buf_reset(&b);
	buf_adds(&b, "<d:multistatus " NS "><d:response><d:href>");
	for (unsigned i = 0; i < 70000; i++)
		buf_adds(&b, "/");
	buf_adds(&b, "</d:href></d:response></d:multistatus>");
	assert_int_equal(ms_read(buf_str(&b), 1 << 24, a, &r, &err), RC_LIMIT);
	buf_release(&b);
}

/* --- a server that says what it is told to */

/* An answer, given once in its turn when `method` and `has` are in the request. */
struct turn {
	const char *method, *path;
	const char *has;    /* somewhere in the request, "!": nowhere; NULL: anything */
	const char *answer; /* status line, headers, empty line, body */
	unsigned filler;    /* so many more KB of body */
};

static struct server {
	int fd;
	unsigned port;
	pthread_t thread;
	const struct turn *turns;
	size_t n, at;
	const char *wrong; /* what came in place of a turn */
	char request[65536];
	char users[1024]; /* Authorization of each request */
} server;

static size_t read_request(int fd)
{
	size_t n = 0, want = 0;

	server.request[0] = '\0';
	while (!want || n < want) {
		ssize_t got = recv(fd, server.request + n, sizeof(server.request) - 1 - n, 0);
		char *end, *length;

		if (got <= 0)
			return 0;
		n += (size_t)got;
		server.request[n] = '\0';
		end = strstr(server.request, "\r\n\r\n");
		length = strstr(server.request, "Content-Length: ");
		if (end)
			want = (size_t)(end + 4 - server.request) +
			       (length ? (size_t)strtol(length + 16, NULL, 10) : 0);
	}
	return n;
}

static void note_user(void)
{
	const char *at = strstr(server.request, "Authorization: Basic ");
	size_t n = strlen(server.users);

	(void)snprintf(server.users + n, sizeof(server.users) - n, "%.*s ",
		at ? (int)strcspn(at + 21, "\r") : 1, at ? at + 21 : "-");
}

static bool expected(const struct turn *t)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%s %s HTTP/1.1\r\n", t->method, t->path);
	return strncmp(server.request, line, strlen(line)) == 0 &&
	       (!t->has || (t->has[0] == '!' ? !strstr(server.request, t->has + 1)
					     : strstr(server.request, t->has) != NULL));
}

static void say(int fd, const struct turn *t)
{
	static char space[1024];
	const char *body = strstr(t->answer, "\n\n");
	char head[512];

	memset(space, ' ', sizeof(space));
	(void)snprintf(head, sizeof(head), "HTTP/1.1 %.*s\nContent-Length: %zu\n\n",
		(int)(body - t->answer), t->answer,
		strlen(body + 2) + (size_t)1024 * t->filler);
	(void)send(fd, head, strlen(head), MSG_NOSIGNAL);
	for (unsigned i = 0; i < t->filler; i++)
		if (send(fd, space, sizeof(space), MSG_NOSIGNAL) <= 0)
			return;
	(void)send(fd, body + 2, strlen(body + 2), MSG_NOSIGNAL);
}

/* One connection after the other; an answer "cut" ends it, "silent" says nothing. */
static void *serve(void *ctx UNUSED)
{
	for (;;) {
		int fd = accept(server.fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		while (read_request(fd)) {
			const struct turn *t = &server.turns[server.at];

			note_user();
			if (server.at == server.n || !expected(t)) {
				server.wrong = server.request;
				break;
			}
			server.at++;
			if (strcmp(t->answer, "cut") == 0)
				break;
			if (strcmp(t->answer, "silent") == 0) {
				char c;

				(void)recv(fd, &c, 1, 0);
				break;
			}
			say(fd, t);
		}
		close(fd);
	}
}

static void start_server(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(server.fd, 8), 0);
	assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &n), 0);
	server.port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static struct settings conf;
static struct dav_client *client;

static struct dav *user_of(struct dav_client *c, struct str login)
{
	struct secret password = {NULL, 0};
	struct dav *d;

	secret_set(&password, STR("pw"));
	d = dav_client_user(c, login, &password);
	secret_release(&password);
	return d;
}

static struct dav *play_with(
	enum dav_service service, const char *place, const struct turn *turns, size_t n)
{
	server.turns = turns;
	server.n = n;
	server.at = 0;
	server.wrong = NULL;
	server.users[0] = '\0';
	dav_client_free(client);
	conf = (struct settings){.dav_timeout = 1, .tls_verify = true};
	conf.carddav_url = arena_printf(a, "http://127.0.0.1:%u%s", server.port, place);
	conf.caldav_url = conf.carddav_url;
	client = dav_client_new(&conf, service, NULL);
	return user_of(client, STR("ann"));
}

static struct dav *play_at(const char *place, const struct turn *turns, size_t n)
{
	return play_with(DAV_CLIENT_CARDS, place, turns, n);
}

#define PLAY_AT(place, turns) play_at((place), (turns), ARRAY_LEN(turns))
#define PLAY(turns)           PLAY_AT("/", turns)
#define PLAY_CALENDARS(place, turns)                                                           \
	play_with(DAV_CLIENT_CALENDARS, (place), (turns), ARRAY_LEN(turns))

/* All turns were taken, and nothing else was asked. */
static void played(void)
{
	if (server.wrong)
		fail_msg("turn %zu: %s", server.at, server.wrong);
	assert_int_equal(server.at, server.n);
}

/* clang-format off: a line each. */
#define MS_(body)                                                                              \
	"207 Multi-Status\nContent-Type: text/xml\n\n<d:multistatus " NS ">" body              \
	"</d:multistatus>"
#define PROP(href, prop)                                                                       \
	"<d:response><d:href>" href "</d:href><d:propstat><d:prop>" prop                       \
	"</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
#define ETAG(href, etag) PROP(href, "<d:getetag>" etag "</d:getetag>")
#define GONE(href)                                                                             \
	"<d:response><d:href>" href "</d:href><d:status>HTTP/1.1 404 x</d:status></d:response>"
#define TOKEN(token) "<d:sync-token>" token "</d:sync-token>"
#define PRINCIPAL(at)                                                                          \
	PROP("/", "<d:current-user-principal><d:href>" at                                      \
		  "</d:href></d:current-user-principal>")
#define HOME(of, at)                                                                           \
	PROP(of, "<card:addressbook-home-set><d:href>" at                                      \
		 "</d:href></card:addressbook-home-set>")
#define BOOK(at) PROP(at, "<d:resourcetype><d:collection/><card:addressbook/></d:resourcetype>")
/* clang-format on */

static enum rc collections(struct dav *d, struct dav_collections *r)
{
	err_clear(&err);
	return dav_call(d, collections, DAV_CARDS, a, r, &err);
}

/* C56, RFC 6764: the root knows nothing, the well-known place leads on; the second time nobody
 * asks again. */
static void test_the_well_known_place_leads_to_the_books(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PROPFIND", "/", "Depth: 0", "405 Method Not Allowed\n\n", 0},
		{"PROPFIND", "/.well-known/carddav", NULL,
			"301 Moved\nLocation: http://127.0.0.1/dav/\n\n", 0},
		{"PROPFIND", "/dav/", NULL, MS_(PRINCIPAL("/p/ann/")), 0},
		{"PROPFIND", "/p/ann/", NULL, MS_(HOME("/p/ann/", "/home/%61nn")), 0},
		{"PROPFIND", "/home/ann/", "Depth: 1",
			MS_(BOOK("/home/ann/b/") BOOK("/home/ann/a/")), 0},
		{"PROPFIND", "/home/ann/", "Depth: 1", MS_(BOOK("/home/ann/b")), 0},
	};
	/* clang-format on */
	struct dav_collections r;
	struct dav *d = PLAY(turns);

	assert_int_equal(collections(d, &r), RC_OK);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.v[0].path.p, "/home/ann/a/");
	assert_string_equal(r.v[0].name.p, "a");
	assert_int_equal(collections(d, &r), RC_OK);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.v[0].path.p, "/home/ann/b/");
	assert_int_equal(dav_client_trips(client), 6);
	played();
}

/* The password is for this server alone. */
static void test_no_redirection_leads_to_another_host(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PROPFIND", "/dav/", NULL,
			"302 Found\nLocation: http://localhost/dav/\n\n", 0},
	};
	/* clang-format on */
	struct dav_collections r;
	struct dav *d = PLAY_AT("/dav/", turns);

	assert_int_equal(collections(d, &r), RC_UNAVAILABLE);
	assert_non_null(strstr(err.text, "localhost"));
	played();
}

/* What is remembered of one user is not for another, and neither is his password. */
static void test_users_are_kept_apart(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PROPFIND", "/", "Basic YW5uOnB3\r\n", MS_(PRINCIPAL("/p/ann/")), 0},
		{"PROPFIND", "/p/ann/", "Basic YW5uOnB3\r\n", MS_(HOME("/p/ann/", "/h/ann/")), 0},
		{"PROPFIND", "/h/ann/", "Basic YW5uOnB3\r\n", MS_(BOOK("/h/ann/b/")), 0},
		{"PROPFIND", "/", "Basic Ym9iOmI=\r\n", MS_(PRINCIPAL("/p/bob/")), 0},
		{"PROPFIND", "/p/bob/", "Basic Ym9iOmI=\r\n", MS_(HOME("/p/bob/", "/h/bob/")), 0},
		{"PROPFIND", "/h/bob/", "Basic Ym9iOmI=\r\n", MS_(BOOK("/h/bob/b/")), 0},
	};
	/* clang-format on */
	struct secret bobs = {NULL, 0};
	struct dav_collections r;

	assert_int_equal(collections(PLAY(turns), &r), RC_OK);
	dav_client_release(client);
	/* Nobody asks in the name of the one before. */
	assert_int_equal(collections(dav_client_user(client, STR("ann"), NULL), &r), RC_DENIED);
	secret_set(&bobs, STR("b"));
	assert_int_equal(collections(dav_client_user(client, STR("bob"), &bobs), &r), RC_OK);
	assert_string_equal(r.v[0].path.p, "/h/bob/b/");
	secret_release(&bobs);
	played();
}

#define X16     "xxxxxxxxxxxxxxxx"
#define X64     X16 X16 X16 X16
#define TOO_FAR "/far/" X64 X64 X64 X64 "/"
#define HOMES(a, more)                                                                         \
	PROP("/", "<d:current-user-principal><d:href>/</d:href></d:current-user-principal>"    \
		  "<card:addressbook-home-set><d:href>" a "</d:href>" more                     \
		  "</card:addressbook-home-set>")

static struct dav *login_as(const char *name, unsigned i)
{
	char login[32];

	(void)snprintf(login, sizeof(login), "%s%u", name, i);
	return user_of(client, str_of(login));
}

/* More users than a worker remembers, and one whose homes are too long to be remembered: none
 * of his is taken for another's. */
static void test_a_home_that_is_too_long_is_nobody_elses(void **state UNUSED)
{
	enum { USERS = 256 };
	/* clang-format off */
	static const struct turn asked[] = {
		{"PROPFIND", "/", NULL, MS_(HOMES("/h/", "")), 0},
		{"PROPFIND", "/h/", NULL, MS_(BOOK("/h/b/")), 0},
		{"PROPFIND", "/", NULL, MS_(HOMES("/near/", "<d:href>" TOO_FAR "</d:href>")), 0},
		{"PROPFIND", "/near/", NULL, MS_(BOOK("/near/b/")), 0},
		{"PROPFIND", TOO_FAR, NULL, MS_(BOOK(TOO_FAR "b/")), 0},
	};
	/* clang-format on */
	static struct turn turns[2 * USERS + 4];
	struct dav_collections r;
	struct dav *d;

	for (size_t i = 0; i < USERS; i++) {
		turns[2 * i] = asked[0];
		turns[2 * i + 1] = asked[1];
	}
	memcpy(&turns[2 * USERS], &asked[2], 3 * sizeof(asked[0]));
	turns[2 * USERS + 3] = asked[1];
	(void)PLAY(turns);
	for (unsigned i = 0; i < USERS; i++)
		assert_int_equal(collections(login_as("user", i), &r), RC_OK);
	assert_int_equal(collections(login_as("far", 0), &r), RC_OK);
	assert_int_equal(r.n, 2);
	/* The one whose place he would have got. */
	d = login_as("user", 0);
	assert_int_equal(collections(d, &r), RC_OK);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.v[0].path.p, "/h/b/");
	played();
}

/* A silent server is waited for once, by a request about many books and by those after it; a
 * while later it is asked again. */
static void test_a_silence_is_waited_for_once(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PROPFIND", "/", NULL, "silent", 0},
		{"PROPFIND", "/", NULL, MS_(HOMES("/h/", "")), 0},
		{"PROPFIND", "/h/", NULL, MS_(BOOK("/h/b/")), 0},
	};
	/* clang-format on */
	struct dav_collections r;
	struct dav_changes ch;
	struct dav *d = PLAY(turns);

	assert_int_equal(collections(d, &r), RC_UNAVAILABLE);
	for (unsigned i = 0; i < 3; i++) {
		err_clear(&err);
		assert_int_equal(dav_call(d, changes, STR("/h/b/"), STR(""), a, &ch, &err),
			RC_UNAVAILABLE);
		assert_int_equal(err.why, ERR_TIMEOUT);
	}
	assert_int_equal(dav_client_trips(client), 1);
	clock_set_fake(clock_mono_ms());
	assert_int_equal(collections(login_as("user", 0), &r), RC_UNAVAILABLE);
	clock_set_fake(clock_mono_ms() + 11000);
	assert_int_equal(collections(login_as("user", 0), &r), RC_OK);
	clock_set_fake(-1);
	played();
}

/* What one worker has found out holds for all: two of them share a silence. */
static void test_a_silence_is_shared(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PROPFIND", "/", NULL, "silent", 0},
		{"PROPFIND", "/", NULL, "silent", 0},
		{"PROPFIND", "/", NULL, MS_(HOMES("/h/", "")), 0},
		{"PROPFIND", "/h/", NULL, MS_(BOOK("/h/b/")), 0},
	};
	/* clang-format on */
	struct silence shared = {0};
	struct dav_collections r;
	struct dav_client *first, *second;

	(void)PLAY(turns);
	first = dav_client_new(&conf, DAV_CLIENT_CARDS, &shared);
	second = dav_client_new(&conf, DAV_CLIENT_CARDS, &shared);
	clock_set_fake(clock_mono_ms());
	assert_int_equal(collections(user_of(first, STR("ann")), &r), RC_UNAVAILABLE);
	err_clear(&err);
	assert_int_equal(collections(user_of(second, STR("bob")), &r), RC_UNAVAILABLE);
	assert_int_equal(err.why, ERR_TIMEOUT);
	assert_int_equal(dav_client_trips(second), 0);
	/* It still is silent: twice as long. */
	clock_set_fake(clock_mono_ms() + 10000);
	assert_int_equal(collections(user_of(second, STR("bob")), &r), RC_UNAVAILABLE);
	assert_int_equal(dav_client_trips(second), 1);
	clock_set_fake(clock_mono_ms() + 19999);
	assert_int_equal(collections(user_of(first, STR("ann")), &r), RC_UNAVAILABLE);
	assert_int_equal(dav_client_trips(first), 0);
	clock_set_fake(clock_mono_ms() + 1);
	assert_int_equal(collections(user_of(first, STR("ann")), &r), RC_OK);
	clock_set_fake(-1);
	played();
	dav_client_free(first);
	dav_client_free(second);
}

/* While one asks whether the server has come back, the others do not; if it dies over that,
 * another one asks. Those who found the same out together have found it out once. */
static void test_one_asks_whether_the_server_is_back(void **state UNUSED)
{
	struct silence s = {0};
	int64_t now = clock_mono_ms();

	clock_set_fake(now);
	assert_true(silence_may_ask(&s, 5000) && silence_may_ask(&s, 5000));
	silence_note(&s, now, false);
	clock_set_fake(now + 3000);
	for (unsigned i = 0; i < 3; i++)
		silence_note(&s, now + i, true);
	assert_int_equal(s.ms, 10000);
	/* One who asked before that is answered: the server is slow for some. */
	silence_note(&s, now + 1, false);
	silence_note(&s, now + 2, true);
	assert_int_equal(s.ms, 0);
	clock_set_fake(now + 6000);
	silence_note(&s, now + 4000, true);
	assert_int_equal(s.ms, 10000);
	now += 3000;
	assert_false(silence_may_ask(&s, 5000));
	clock_set_fake(now + 13000);
	assert_true(silence_may_ask(&s, 5000));
	assert_false(silence_may_ask(&s, 5000));
	clock_set_fake(now + 18000);
	assert_true(silence_may_ask(&s, 5000));
	for (unsigned i = 0; i < 6; i++) {
		clock_set_fake(now + 30000 + i * 1000);
		silence_note(&s, now + 29999 + i * 1000, true);
	}
	assert_int_equal(s.ms, 120000);
	silence_note(&s, now + 30000, false);
	assert_true(silence_may_ask(&s, 5000) && silence_may_ask(&s, 5000));
	clock_set_fake(-1);
}

/* A home that moved is looked for once more; a user without one has none. */
static void test_a_home_that_moved_is_found_again(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PROPFIND", "/", NULL, MS_(PRINCIPAL("/p/")), 0},
		{"PROPFIND", "/p/", NULL, MS_(HOME("/p/", "/old/")), 0},
		{"PROPFIND", "/old/", NULL, MS_(BOOK("/old/b/")), 0},
		{"PROPFIND", "/old/", NULL, "404 Not Found\n\n", 0},
		{"PROPFIND", "/", NULL, MS_(PRINCIPAL("/p/")), 0},
		{"PROPFIND", "/p/", NULL, MS_(HOME("/p/", "/new/")), 0},
		{"PROPFIND", "/new/", NULL, MS_(BOOK("/new/b/")), 0},
	};
	/* clang-format on */
	/* clang-format off */
	static const struct turn without[] = {
		{"PROPFIND", "/", NULL, MS_(PRINCIPAL("/p/")), 0},
		{"PROPFIND", "/p/", NULL,
			MS_(PROP("/p/", "<card:addressbook-home-set/>")), 0},
	};
	/* clang-format on */
	struct dav_collections r;
	struct dav *d = PLAY(turns);

	assert_int_equal(collections(d, &r), RC_OK);
	assert_int_equal(collections(d, &r), RC_OK);
	assert_string_equal(r.v[0].path.p, "/new/b/");
	played();
	assert_int_equal(collections(PLAY(without), &r), RC_OK);
	assert_true(r.none);
	played();
}

/* Trouble is never an empty list. */
static void test_trouble_is_told_as_such(void **state UNUSED)
{
	/* clang-format off */
	static const struct {
		struct turn turn;
		enum rc rc;
	} cases[] = {
		{{"PROPFIND", "/h/ann/", NULL, "503 Later\n\n", 0}, RC_UNAVAILABLE},
		{{"PROPFIND", "/h/ann/", NULL, "429 Too Many\n\n", 0}, RC_UNAVAILABLE},
		{{"PROPFIND", "/h/ann/", NULL, "500 Oops\n\n", 0}, RC_UNAVAILABLE},
		{{"PROPFIND", "/h/ann/", NULL, "401 Who\n\n", 0}, RC_DENIED},
		{{"PROPFIND", "/h/ann/", NULL, "403 No\n\n", 0}, RC_DENIED},
		{{"PROPFIND", "/h/ann/", NULL, "302 Found\nLocation: /login\n\n", 0},
			RC_UNAVAILABLE},
		{{"PROPFIND", "/h/ann/", NULL, "200 OK\n\n<html>Log in</html>", 0}, RC_INVALID},
		{{"PROPFIND", "/h/ann/", NULL, "207 OK\n\n<html>Log in</html>", 0}, RC_INVALID},
		{{"PROPFIND", "/h/ann/", NULL, "207 OK\n\n<d:multistatus " NS ">", 0},
			RC_UNAVAILABLE},
		{{"PROPFIND", "/h/ann/", NULL, "207 OK\n\n", 0}, RC_UNAVAILABLE},
		{{"PROPFIND", "/h/ann/", NULL, "silent", 0}, RC_UNAVAILABLE},
		{{"PROPFIND", "/h/ann/", NULL,
			 MS_(BOOK("/h/ann/a/") "<d:response><d:href>/h/ann/b/</d:href>"
					       "<d:status>HTTP/1.1 503 x</d:status>"
					       "</d:response>"),
			 0},
			RC_UNAVAILABLE},
		{{"PROPFIND", "/h/ann/", NULL, MS_(""), 60 * 1024}, RC_LIMIT},
	};
	/* clang-format on */
	struct dav_collections r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum rc rc = collections(play_at("/h/%u/", &cases[i].turn, 1), &r);

		if (rc != cases[i].rc)
			fail_msg("%s: %s, %s", cases[i].turn.answer, rc_name(rc), err.text);
		played();
	}
	/* A connection that ends is tried once more by libcurl only when it had been used. */
	/* clang-format off */
	static const struct turn cut[] = {{"PROPFIND", "/h/ann/", NULL, "cut", 0}};
	assert_int_equal(collections(PLAY_AT("/h/%u/", cut), &r), RC_UNAVAILABLE);
	played();
}

static enum rc changes(struct dav *d, const char *token, struct dav_changes *r)
{
	err_clear(&err);
	return dav_call(d, changes, STR("/b/"), str_of(token), a, r, &err);
}

#define CUT "<d:response><d:href>/b/</d:href><d:status>HTTP/1.1 507 x</d:status></d:response>"

/* RFC 6578 section 3.6: changes come in pieces; a whole list is put together. */
static void test_a_cut_list_is_asked_on(void **state UNUSED)
{
	static const struct turn turns[] = {
		{"REPORT", "/b/", "<D:sync-token></D:sync-token>",
			MS_(ETAG("/b/1.vcf", "\"1\"") ETAG("/b/2.vcf", "\"2\"") CUT TOKEN("t1")), 0},
		{"REPORT", "/b/", "<D:sync-token>t1</D:sync-token>",
			MS_(GONE("/b/1.vcf") ETAG("/b/2.vcf", "\"2b\"") ETAG("/b/3.vcf", "\"3\"")
					TOKEN("t2")), 0},
		{"REPORT", "/b/", "<D:sync-token>t2</D:sync-token>",
			MS_(ETAG("/b/4.vcf", "\"4\"") CUT TOKEN("t3")), 0},
		{"REPORT", "/b/", "<D:sync-token>t3</D:sync-token>",
			MS_(GONE("http://127.0.0.1/b/%34.vcf") TOKEN("t4")), 0},
	};
	/* clang-format on */
	struct dav_changes r;
	struct dav *d = PLAY(turns);

	assert_int_equal(changes(d, "", &r), RC_OK);
	assert_true(r.whole && !r.more);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.v[0].href.p, "/b/2.vcf");
	assert_string_equal(r.v[0].etag.p, "\"2b\"");
	assert_string_equal(r.v[1].href.p, "/b/3.vcf");
	assert_int_equal(changes(d, r.token.p, &r), RC_OK);
	assert_true(!r.whole && r.more);
	assert_int_equal(r.n, 1);
	assert_int_equal(changes(d, r.token.p, &r), RC_OK);
	assert_true(!r.whole && !r.more && r.n == 1 && r.v[0].gone);
	assert_string_equal(r.v[0].href.p, "/b/4.vcf");
	played();
}

static void test_a_token_that_is_not_known_gives_a_whole_list(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"REPORT", "/b/", "old&amp;1",
			"403 Forbidden\nContent-Type: application/xml\n\n<d:error " NS
			"><d:valid-sync-token/></d:error>", 0},
		{"REPORT", "/b/", "<D:sync-token></D:sync-token>",
			MS_(ETAG("/b/1.vcf", "\"1\"") TOKEN("t1")), 0},
		/* In trouble nobody says that the token is not known. */
		{"REPORT", "/b/", "t1", "503 Later\n\n", 0},
		{"REPORT", "/b/", "t1", MS_("<d:response><d:href>/b/1.vcf</d:href>"
			"<d:status>HTTP/1.1 503 x</d:status></d:response>" TOKEN("t2")), 0},
	};
	/* clang-format on */
	struct dav_changes r;
	struct dav *d = PLAY(turns);

	assert_int_equal(changes(d, "s:old&1", &r), RC_OK);
	assert_true(r.whole && r.n == 1);
	assert_int_equal(changes(d, "s:t1", &r), RC_UNAVAILABLE);
	assert_int_equal(changes(d, "s:t1", &r), RC_UNAVAILABLE);
	played();
}

/* A list is whole or it is none. */
static void test_half_a_list_is_none(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		/* The names that a server behind a proxy has for itself do not matter. */
		{"REPORT", "/b/", NULL, MS_(ETAG("http://inside:8080/b/1.vcf", "\"1\"") TOKEN("t1")), 0},
		{"REPORT", "/b/", NULL, MS_(ETAG("/elsewhere/1.vcf", "\"1\"") TOKEN("t1")), 0},
		{"PROPFIND", "/b/", "Depth: 0", MS_(PROP("/b/", "<d:getetag/>")), 0},
		{"PROPFIND", "/b/", "Depth: 1", MS_(""), 0},
	};
	/* clang-format on */
	struct dav_changes r;
	struct dav *d = PLAY(turns);

	assert_int_equal(changes(d, "", &r), RC_OK);
	assert_string_equal(r.v[0].href.p, "/b/1.vcf");
	assert_int_equal(changes(d, "", &r), RC_INVALID);
	assert_int_equal(changes(d, "e:", &r), RC_INVALID);
	played();
}

#define CTAG(tag)                                                                              \
	PROP("/b/", "<s:getctag xmlns:s=\"http://calendarserver.org/ns/\">" tag "</s:getctag>")

/* A server without sync-collection, until it has learned it. */
static void test_ctags_stand_in_for_sync_collection(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"REPORT", "/b/", NULL, "501 Not Implemented\n\n", 0},
		{"PROPFIND", "/b/", "Depth: 0", MS_(CTAG("c1")), 0},
		{"PROPFIND", "/b/", "Depth: 1",
			MS_(PROP("/b/", "<d:resourcetype><d:collection/></d:resourcetype>")
					ETAG("/b/1.vcf", "\"1\"")), 0},
		{"PROPFIND", "/b/", "Depth: 0", MS_(CTAG("c1")), 0},
		{"PROPFIND", "/b/", "Depth: 0", MS_(CTAG("c2")), 0},
		{"PROPFIND", "/b/", "Depth: 1", MS_(ETAG("/b/2.vcf", "\"2\"")), 0},
		{"PROPFIND", "/b/", "Depth: 0", MS_(PROP("/b/", TOKEN("t1"))), 0},
		{"REPORT", "/b/", NULL, MS_(ETAG("/b/2.vcf", "\"2\"") TOKEN("t1")), 0},
	};
	/* clang-format on */
	struct dav_changes r;
	struct dav *d = PLAY(turns);

	assert_int_equal(changes(d, "", &r), RC_OK);
	assert_true(r.whole && r.n == 1);
	assert_string_equal(r.token.p, "c:c1");
	assert_int_equal(changes(d, "c:c1", &r), RC_OK);
	assert_true(!r.whole && r.n == 0);
	assert_string_equal(r.token.p, "c:c1");
	assert_int_equal(changes(d, "c:c1", &r), RC_OK);
	assert_true(r.whole && r.n == 1);
	assert_int_equal(changes(d, "c:c2", &r), RC_OK);
	assert_string_equal(r.token.p, "s:t1");
	played();
}

#define DATA(href, data)                                                                       \
	PROP(href,                                                                             \
		"<d:getetag>\"e\"</d:getetag><card:address-data>" data "</card:address-data>")

/* A lot that is too large is read one by one; what is too large alone is refused, and so is
 * what the server fails at. What it does not mention is asked for. */
static void test_large_objects_do_not_stop_the_others(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"REPORT", "/b/", "<D:href>/b/3.vcf</D:href>", MS_(DATA("/b/1.vcf", "x")),
			50 * 1024},
		{"GET", "/b/1.vcf", NULL, "200 OK\nETag: \"g1\"\n\nONE", 0},
		{"GET", "/b/2.vcf", NULL, "200 OK\nETag: \"g2\"\n\nTWO", 33 * 1024},
		{"GET", "/b/3.vcf", NULL, "404 Not Found\n\n", 0},
		{"REPORT", "/b/", NULL, MS_(DATA("/b/1.vcf", "ONE") GONE("/b/3.vcf")), 0},
		{"GET", "/b/2.vcf", NULL, "500 Oops\n\n", 0},
		{"REPORT", "/b/", NULL, MS_(""), 0},
		{"GET", "/b/1.vcf", NULL, "503 Later\n\n", 0},
	};
	/* clang-format on */
	struct dav_object v[] = {{.href = STR("/b/1.vcf")}, {.href = STR("/b/2.vcf")},
		{.href = STR("/b/3.vcf")}};
	struct dav *d = PLAY(turns);

	assert_int_equal(dav_call(d, get, STR("/b/"), v, 3, a, &err), RC_OK);
	assert_string_equal(v[0].bytes.p, "ONE");
	assert_string_equal(v[0].etag.p, "\"g1\"");
	assert_true(v[1].refused && !v[1].bytes.p);
	assert_true(!v[2].refused && !v[2].bytes.p);
	assert_int_equal(dav_call(d, get, STR("/b/"), v, 3, a, &err), RC_OK);
	assert_string_equal(v[0].bytes.p, "ONE");
	assert_true(v[1].refused && !v[2].refused);
	assert_int_equal(dav_call(d, get, STR("/b/"), v, 3, a, &err), RC_UNAVAILABLE);
	played();
}

/* Xandikos fails at a whole list because of one object. A server that fails at everything is
 * not one that refuses each of them. */
static void test_one_object_does_not_spoil_a_list(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"REPORT", "/b/", NULL, "500 Oops\n\n", 0},
		{"GET", "/b/1.vcf", NULL, "200 OK\nETag: \"g1\"\n\nONE", 0},
		{"GET", "/b/2.vcf", NULL, "500 Oops\n\n", 0},
		{"REPORT", "/b/", NULL, "500 Oops\n\n", 0},
		{"GET", "/b/1.vcf", NULL, "500 Oops\n\n", 0},
		{"GET", "/b/2.vcf", NULL, "500 Oops\n\n", 0},
		{"REPORT", "/b/", NULL, "502 Oops\n\n", 0},
	};
	/* clang-format on */
	struct dav_object v[] = {{.href = STR("/b/1.vcf")}, {.href = STR("/b/2.vcf")}};
	struct dav *d = PLAY(turns);

	assert_int_equal(dav_call(d, get, STR("/b/"), v, 2, a, &err), RC_OK);
	assert_string_equal(v[0].bytes.p, "ONE");
	assert_true(v[1].refused && !v[1].bytes.p);
	assert_int_equal(dav_call(d, get, STR("/b/"), v, 2, a, &err), RC_UNAVAILABLE);
	assert_int_equal(dav_call(d, get, STR("/b/"), v, 2, a, &err), RC_UNAVAILABLE);
	played();
}

/* What servers say to a write. */
static void test_writes_are_answered_by_table(void **state UNUSED)
{
	/* clang-format off */
	static const struct {
		const char *answer;
		enum rc rc;
		enum err_why why;
	} cases[] = {
		{"201 Created\nETag: \"1\"\n\n", RC_OK, ERR_PLAIN},
		{"400 Bad\n\n", RC_INVALID, ERR_REFUSED},
		{"415 Media\n\n", RC_INVALID, ERR_REFUSED},
		{"403 No\n\n", RC_DENIED, ERR_PLAIN},
		{"403 No\nContent-Type: text/xml\n\n<d:error " NS "><card:valid-address-data/></d:error>",
			RC_INVALID, ERR_REFUSED},
		{"403 No\nContent-Type: text/xml\n\n<d:error " NS "><card:max-resource-size/></d:error>",
			RC_LIMIT, ERR_TOO_LARGE},
		{"409 No\nContent-Type: text/xml\n\n<d:error " NS "><card:no-uid-conflict/></d:error>",
			RC_INVALID, ERR_REFUSED},
		{"409 No\nContent-Type: text/xml\n\n<d:error", RC_ABSENT, ERR_PLAIN},
		{"412 No\n\n", RC_CONFLICT, ERR_PLAIN},
		{"413 No\n\n", RC_LIMIT, ERR_TOO_LARGE},
		{"423 Locked\n\n", RC_UNAVAILABLE, ERR_PLAIN},
		{"507 Full\n\n", RC_LIMIT, ERR_QUOTA},
		{"502 Gate\n\n", RC_UNAVAILABLE, ERR_PLAIN},
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct turn turn = {"PUT", "/b/1.vcf", "If-None-Match: *", cases[i].answer, 0};
		struct dav *d = play_at("/", &turn, 1);
		struct str etag;
		enum rc rc;

		err_clear(&err);
		rc = dav_call(d, put, STR("/b/1.vcf"), STR(""), "text/vcard", STR("x"), a,
			&etag, &err);
		if (rc != cases[i].rc || err.why != cases[i].why)
			fail_msg("%s: %s %d", cases[i].answer, rc_name(rc), (int)err.why);
		played();
	}
}

/* The ETag is never empty; and a server that cannot MOVE copies and removes. */
static void test_what_the_answer_lacks_is_asked_for(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PUT", "/b/1.vcf", "If-Match: \"1\"\r\n", "204 No Content\n\n", 0},
		{"PROPFIND", "/b/1.vcf", "Depth: 0", MS_(ETAG("/b/1.vcf", "\"2\"")), 0},
		{"MOVE", "/b/1.vcf", "Overwrite: F\r\n", "405 No\n\n", 0},
		{"GET", "/b/1.vcf", NULL,
			"200 OK\nETag: \"2\"\nContent-Type: text/vcard\n\nONE", 0},
		{"PUT", "/c/1.vcf", "\r\n\r\nONE", "201 Created\nETag: \"3\"\n\n", 0},
		{"DELETE", "/b/1.vcf", "If-Match: \"2\"\r\n", "204 No Content\n\n", 0},
		/* It was changed in between: the copy goes, and nothing has happened. */
		{"MOVE", "/b/1.vcf", NULL, "501 No\n\n", 0},
		{"GET", "/b/1.vcf", NULL, "200 OK\nETag: \"2\"\n\nONE", 0},
		{"PUT", "/c/1.vcf", "If-None-Match: *", "201 Created\nETag: \"3\"\n\n", 0},
		{"DELETE", "/b/1.vcf", NULL, "412 No\n\n", 0},
		{"PROPFIND", "/b/1.vcf", NULL, MS_(ETAG("/b/1.vcf", "\"4\"")), 0},
		{"DELETE", "/c/1.vcf", "If-Match: \"3\"\r\n", "204 No Content\n\n", 0},
	};
	/* clang-format on */
	struct dav *d = PLAY(turns);
	struct str etag;

	assert_int_equal(dav_call(d, put, STR("/b/1.vcf"), STR("\"1\""), "text/vcard", STR("x"),
				 a, &etag, &err),
		RC_OK);
	assert_string_equal(etag.p, "\"2\"");
	assert_int_equal(
		dav_call(d, move, STR("/b/1.vcf"), STR("/c/1.vcf"), a, &etag, &err), RC_OK);
	assert_string_equal(etag.p, "\"3\"");
	assert_int_equal(dav_call(d, move, STR("/b/1.vcf"), STR("/c/1.vcf"), a, &etag, &err),
		RC_UNAVAILABLE);
	played();
}

/* One form of an ETag, whoever writes it; a weak one is no condition. */
static void test_etags_of_careless_servers(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PUT", "/b/1.vcf", NULL, "204 No Content\nETag: bare\n\n", 0},
		{"REPORT", "/b/", NULL, MS_(PROP("/b/1.vcf",
			"<d:getetag>bare</d:getetag><card:address-data>x</card:address-data>")), 0},
		{"PUT", "/b/1.vcf", "!If-Match", "204 No Content\nETag: W/\"2\"\n\n", 0},
		{"DELETE", "/b/1.vcf", "!If-Match", "204 No Content\n\n", 0},
	};
	/* clang-format on */
	struct dav *d = PLAY(turns);
	struct dav_object o = {.href = STR("/b/1.vcf")};
	struct str etag;

	assert_int_equal(
		dav_call(d, put, o.href, STR("\"1\""), "text/vcard", STR("x"), a, &etag, &err),
		RC_OK);
	assert_string_equal(etag.p, "\"bare\"");
	assert_int_equal(dav_call(d, get, STR("/b/"), &o, 1, a, &err), RC_OK);
	assert_string_equal(o.etag.p, "\"bare\"");
	assert_int_equal(dav_call(d, put, o.href, STR("W/\"1\""), "text/vcard", STR("x"), a,
				 &etag, &err),
		RC_OK);
	assert_string_equal(etag.p, "W/\"2\"");
	assert_int_equal(dav_call(d, remove, o.href, etag, &err), RC_OK);
	played();
}

/* RFC 5689, and servers before it. */
static void test_a_collection_is_made_the_old_way(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"MKCOL", "/h/ann/new/", "<R:addressbook/>", "415 No\n\n", 0},
		{"PROPFIND", "/h/ann/new/", NULL, "404 No\n\n", 0},
		{"MKCOL", "/h/ann/new/", NULL, "201 Created\n\n", 0},
		{"PROPPATCH", "/h/ann/new/", "<D:displayname>A &amp; B</D:displayname>",
			MS_(PROP("/h/ann/new/", "<d:displayname/>")), 0},
		{"PROPFIND", "/h/ann/new/", NULL, MS_(BOOK("/h/ann/new/")), 0},
		/* One that is none after all does not stay. */
		{"MKCOL", "/h/ann/new/", "<R:addressbook/>", "403 No\n\n", 0},
		{"PROPFIND", "/h/ann/new/", NULL, "404 No\n\n", 0},
		{"MKCOL", "/h/ann/new/", NULL, "201 Created\n\n", 0},
		{"PROPPATCH", "/h/ann/new/", NULL,
			MS_("<d:response><d:href>/h/ann/new/</d:href><d:propstat><d:prop>"
			    "<d:resourcetype/></d:prop><d:status>HTTP/1.1 403 x</d:status>"
			    "</d:propstat></d:response>"), 0},
		{"DELETE", "/h/ann/new/", NULL, "204 No Content\n\n", 0},
	};
	/* clang-format on */
	struct dav *d = PLAY_AT("/h/%u/", turns);
	struct str path;

	assert_int_equal(
		dav_call(d, create, DAV_CARDS, STR("new"), STR("A & B"), a, &path, &err),
		RC_OK);
	assert_string_equal(path.p, "/h/ann/new/");
	assert_int_equal(
		dav_call(d, create, DAV_CARDS, STR("new"), STR("A & B"), a, &path, &err),
		RC_DENIED);
	played();
}

/* --- calendars */

#define CAL          " xmlns:c=\"urn:ietf:params:xml:ns:caldav\""
#define CALENDAR_SET "<c:supported-calendar-component-set" CAL ">"
#define CALENDAR(at, more)                                                                     \
	PROP(at, "<d:resourcetype><d:collection/><c:calendar" CAL "/></d:resourcetype>" more)

/* C56, RFC 6764, RFC 4791 section 6.2.1, RFC 6638: of the collections in the home those for
 * appointments, the one first that the inbox names, and no inbox. */
static void test_the_well_known_place_leads_to_the_calendars(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PROPFIND", "/", "Depth: 0", "405 Method Not Allowed\n\n", 0},
		{"PROPFIND", "/.well-known/caldav", NULL,
			"301 Moved\nLocation: /dav/\n\n", 0},
		{"PROPFIND", "/dav/", NULL, MS_(PRINCIPAL("/p/ann/")), 0},
		{"PROPFIND", "/p/ann/", "<C:calendar-home-set/>",
			MS_(PROP("/p/ann/", "<c:calendar-home-set" CAL "><d:href>/cal/ann/</d:href>"
				"</c:calendar-home-set><card:addressbook-home-set><d:href>/books/ann/"
				"</d:href></card:addressbook-home-set>")), 0},
		{"PROPFIND", "/cal/ann/", "<C:schedule-default-calendar-URL/>",
			MS_(CALENDAR("/cal/ann/a/", "<d:current-user-privilege-set><d:privilege><d:read/>"
				"</d:privilege></d:current-user-privilege-set>")
			    CALENDAR("/cal/ann/tasks/",
				CALENDAR_SET "<c:comp name=\"VTODO\"/></c:supported-calendar-component-set>")
			    CALENDAR("/cal/ann/z/", CALENDAR_SET "<c:comp name=\"VEVENT\"/>"
				"<c:comp name=\"VTODO\"/></c:supported-calendar-component-set>")
			    PROP("/cal/ann/in/", "<d:resourcetype><d:collection/><c:calendar" CAL "/>"
				"<c:schedule-inbox" CAL "/></d:resourcetype>"
				"<c:schedule-default-calendar-URL" CAL "><d:href>/cal/ann/z</d:href>"
				"</c:schedule-default-calendar-URL>")
			    PROP("/cal/ann/out/", "<d:resourcetype><d:collection/><c:calendar" CAL "/>"
				"<c:schedule-outbox" CAL "/></d:resourcetype>")), 0},
	};
	/* clang-format on */
	struct dav_collections r;
	struct dav *d = PLAY_CALENDARS("/", turns);

	assert_int_equal(dav_call(d, collections, DAV_EVENTS, a, &r, &err), RC_OK);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.v[0].path.p, "/cal/ann/z/");
	assert_true(r.v[0].is_default && !r.v[0].read_only);
	assert_int_equal(r.v[0].kinds, DAV_EVENTS | DAV_TODOS);
	assert_string_equal(r.v[1].path.p, "/cal/ann/a/");
	assert_true(!r.v[1].is_default && r.v[1].read_only);
	assert_int_equal(r.v[1].kinds, DAV_EVENTS | DAV_TODOS | DAV_JOURNALS);
	played();
}

/* Each of the services has its own setting, and names it. */
static void test_a_service_is_that_of_its_setting(void **state UNUSED)
{
	struct settings c = {.dav_timeout = 1, .carddav_url = STR("http://127.0.0.1:1/")};
	struct dav_collections r;

	assert_null(dav_client_new(&c, DAV_CLIENT_CALENDARS, NULL));
	assert_null(dav_client_user(NULL, STR("ann"), NULL));
	assert_int_equal(dav_client_trips(NULL), 0);
	dav_client_release(NULL);
	dav_client_free(client);
	c = (struct settings){.dav_timeout = 1, .caldav_url = STR("nonsense")};
	assert_null(dav_client_new(&c, DAV_CLIENT_CARDS, NULL));
	client = dav_client_new(&c, DAV_CLIENT_CALENDARS, NULL);
	assert_int_equal(
		dav_call(user_of(client, STR("ann")), collections, DAV_EVENTS, a, &r, &err),
		RC_UNAVAILABLE);
	assert_non_null(strstr(err.text, "caldav_url"));
	err_clear(&err);
	assert_int_equal(dav_call(dav_client_user(client, STR("ann"), NULL), collections,
				 DAV_EVENTS, a, &r, &err),
		RC_UNAVAILABLE);
	assert_int_equal(dav_client_for(DAV_CARDS), DAV_CLIENT_CARDS);
	assert_int_equal(dav_client_for(DAV_EVENTS), DAV_CLIENT_CALENDARS);
	assert_int_equal(dav_client_for(DAV_TODOS), DAV_CLIENT_CALENDARS);
}

/* RFC 4791 section 5.3.1: a server that has no extended MKCOL. */
static void test_a_calendar_is_made_the_old_way(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"MKCOL", "/h/ann/new/", "<C:comp name=\"VEVENT\"/>", "415 No\n\n", 0},
		{"PROPFIND", "/h/ann/new/", NULL, "404 No\n\n", 0},
		{"MKCALENDAR", "/h/ann/new/", "<D:displayname>A &amp; B</D:displayname>",
			"201 Created\n\n", 0},
		{"MKCOL", "/h/ann/new/", NULL, "405 No\n\n", 0},
		{"PROPFIND", "/h/ann/new/", NULL, MS_(CALENDAR("/h/ann/new/", "")), 0},
		{"MKCOL", "/h/ann/new/", NULL, "403 No\n\n", 0},
		{"PROPFIND", "/h/ann/new/", NULL, "404 No\n\n", 0},
		{"MKCALENDAR", "/h/ann/new/", "!resourcetype", "403 No\n\n", 0},
	};
	/* clang-format on */
	static const enum rc results[] = {RC_OK, RC_CONFLICT, RC_DENIED};
	struct dav *d = PLAY_CALENDARS("/h/%u/", turns);
	struct str path;

	for (size_t i = 0; i < ARRAY_LEN(results); i++) {
		assert_int_equal(dav_call(d, create, DAV_EVENTS, STR("new"), STR("A & B"), a,
					 &path, &err),
			results[i]);
		assert_string_equal(path.p, "/h/ann/new/");
	}
	played();
}

/* RFC 6638 section 8.1: the server is to send no answers by itself; a server of cards is told
 * nothing of that. */
static void test_the_server_is_not_to_answer_invitations(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"PUT", "/c/1.ics", "Schedule-Reply: F\r\n", "201 Created\nETag: \"1\"\n\n", 0},
		{"MOVE", "/c/1.ics", "Schedule-Reply: F\r\n", "201 Created\nETag: \"1\"\n\n", 0},
		{"DELETE", "/d/1.ics", "Schedule-Reply: F\r\n", "204 No Content\n\n", 0},
		{"DELETE", "/c/", "Schedule-Reply: F\r\n", "204 No Content\n\n", 0},
	};
	static const struct turn cards[] = {
		{"DELETE", "/c/1.vcf", "!Schedule-Reply", "204 No Content\n\n", 0},
	};
	/* clang-format on */
	struct dav *d = PLAY_CALENDARS("/", turns);
	struct str etag;

	assert_int_equal(dav_call(d, put, STR("/c/1.ics"), STR(""), "text/calendar", STR("x"),
				 a, &etag, &err),
		RC_OK);
	assert_int_equal(
		dav_call(d, move, STR("/c/1.ics"), STR("/d/1.ics"), a, &etag, &err), RC_OK);
	assert_int_equal(dav_call(d, remove, STR("/d/1.ics"), STR("\"1\""), &err), RC_OK);
	assert_int_equal(dav_call(d, erase, STR("/c/"), &err), RC_OK);
	played();
	d = PLAY(cards);
	assert_int_equal(dav_call(d, remove, STR("/c/1.vcf"), STR("\"1\""), &err), RC_OK);
	played();
}

static void test_appointments_are_read_by_their_report(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn turns[] = {
		{"REPORT", "/c/", "<C:calendar-multiget",
			MS_(PROP("/c/1.ics", "<d:getetag>\"1\"</d:getetag><c:calendar-data" CAL
				">ONE</c:calendar-data>")), 0},
	};
	/* clang-format on */
	struct dav_object o = {.href = STR("/c/1.ics")};

	assert_int_equal(
		dav_call(PLAY_CALENDARS("/", turns), get, STR("/c/"), &o, 1, a, &err), RC_OK);
	assert_string_equal(o.bytes.p, "ONE");
	played();
}

#define DENIED(why)                                                                            \
	"403 No\nContent-Type: text/xml\n\n<d:error " NS "><c:" why CAL "/></d:error>"

/* What a server cannot is told apart from what the user may not, and from trouble. */
static void test_a_query_is_answered_by_table(void **state UNUSED)
{
	/* clang-format off */
	static const struct {
		const char *answer;
		enum rc rc;
	} cases[] = {
		{MS_(ETAG("/c/1.ics", "\"1\"")), RC_OK},
		{DENIED("supported-filter"), RC_INVALID},
		{DENIED("valid-filter"), RC_INVALID},
		{DENIED("supported-collation"), RC_INVALID},
		{"403 No\n\n", RC_DENIED},
		{"401 No\n\n", RC_DENIED},
		{"400 No\n\n", RC_INVALID},
		{"501 No\n\n", RC_INVALID},
		{"500 Oops\n\n", RC_INVALID},
		{"200 OK\n\n", RC_INVALID},
		{"404 No\n\n", RC_ABSENT},
		{"503 Later\n\n", RC_UNAVAILABLE},
		{"silent", RC_UNAVAILABLE},
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct turn turn = {"REPORT", "/c/",
			"<C:prop-filter name=\"UID\"><C:text-match collation=\"i;octet\">&lt;a&amp;b&gt;<",
			cases[i].answer, 0};
		struct dav *d = play_with(DAV_CLIENT_CALENDARS, "/", &turn, 1);
		struct dav_entry *v;
		size_t n;
		enum rc rc;

		err_clear(&err);
		rc = dav_call(d, with_uid, STR("/c/"), STR("<a\x01&b>"), a, &v, &n, &err);
		if (rc != cases[i].rc)
			fail_msg("%s: %s", cases[i].answer, rc_name(rc));
		assert_int_equal(n, rc == RC_OK);
		played();
	}
}

#define NOON  "<C:time-range start=\"20300615T120000Z\"/>"
#define LATER "<C:time-range start=\"20350619T120000Z\"/>"
#define E(n)  ETAG("/c/" n ".ics", "\"" n "\"")

static enum rc since(struct dav *d, size_t *n)
{
	struct dav_entry *v;

	err_clear(&err);
	return dav_call(d, since, STR("/c/"), 1907755200, a, &v, n, &err);
}

/* Whether a server understands series is found out once; one that does not is not believed when
 * it leaves some out. */
static void test_series_are_left_out_by_some_servers(void **state UNUSED)
{
	/* clang-format off */
	static const struct turn knows[] = {
		/* All of them go on: that is right, whatever it knows. */
		{"REPORT", "/c/", NOON, MS_(E("1") E("2")), 0},
		{"REPORT", "/c/", "<C:prop-filter name=\"RRULE\"/>", MS_(E("2")), 0},
		/* One is over, and the other goes on for years. */
		{"REPORT", "/c/", NOON, MS_(E("1") E("2")), 0},
		{"REPORT", "/c/", "RRULE", MS_(E("2") E("3")), 0},
		{"REPORT", "/c/", LATER, MS_(E("2")), 0},
		{"REPORT", "/c/", NOON, MS_(E("1")), 0},
	};
	static const struct turn does_not[] = {
		{"REPORT", "/c/", NOON, MS_(E("1")), 0},
		{"REPORT", "/c/", "RRULE", MS_(E("2")), 0},
		/* One begins late enough, and what is there in some years is no series. */
		{"REPORT", "/c/", NOON, MS_(E("1") E("3")), 0},
		{"REPORT", "/c/", "RRULE", MS_(E("2") E("3")), 0},
		{"REPORT", "/c/", LATER, MS_(E("1")), 0},
		{"REPORT", "/c/", NOON, MS_(E("1") E("3")), 0},
		{"REPORT", "/c/", "RRULE", "503 Later\n\n", 0},
	};
	/* clang-format on */
	struct dav *d = PLAY_CALENDARS("/", knows);
	size_t n;

	assert_int_equal(since(d, &n), RC_OK);
	assert_int_equal(n, 2);
	assert_int_equal(since(d, &n), RC_OK);
	assert_int_equal(n, 2);
	assert_int_equal(since(d, &n), RC_OK);
	assert_int_equal(n, 1);
	played();
	d = PLAY_CALENDARS("/", does_not);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(since(d, &n), i < 2 ? RC_INVALID : RC_UNAVAILABLE);
		assert_int_equal(n, 0);
	}
	played();
}

/* Nobody is asked what he cannot know. */
static void test_each_service_is_asked_its_own_questions(void **state UNUSED)
{
	struct str word = STR("x");
	struct dav_entry *v;
	struct dav *d;
	size_t n;

	d = play_with(DAV_CLIENT_CALENDARS, "/", NULL, 0);
	assert_int_equal(dav_call(d, find, STR("/c/"), &word, 1, a, &v, &n, &err), RC_INVALID);
	d = play_with(DAV_CLIENT_CARDS, "/", NULL, 0);
	assert_int_equal(since(d, &n), RC_INVALID);
	assert_int_equal(dav_call(d, with_uid, STR("/c/"), word, a, &v, &n, &err), RC_INVALID);
	assert_int_equal(dav_client_trips(client), 0);
	err_clear(&err);
	played();
}

/* What an answer does not name would be taken for something that is over. */
static void test_half_an_answer_to_a_query_is_none(void **state UNUSED)
{
	static const char no_etag[] =
		MS_("<d:response><d:href>/c/1</d:href><d:propstat><d:prop>"
		    "<d:getetag/></d:prop><d:status>HTTP/1.1 404 Not Found"
		    "</d:status></d:propstat></d:response>");
	static const char cut[] =
		MS_(E("1") "<d:response><d:href>/c/</d:href><d:status>HTTP/1.1"
			   " 507 Insufficient Storage</d:status></d:response>");
	static const char elsewhere[] =
		MS_("<d:response><d:href>/other/1</d:href><d:propstat><d:prop><d:getetag>\"1\""
		    "</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
		    "</d:response>");
	static const struct turn turns[] = {
		{"REPORT", "/c/", NOON,    no_etag,   0},
		{"REPORT", "/c/", "RRULE", MS_(""),   0},
		{"REPORT", "/c/", NOON,    cut,       0},
		{"REPORT", "/c/", NOON,    elsewhere, 0},
	};
	struct dav *d = PLAY_CALENDARS("/", turns);
	size_t n;

	assert_int_equal(since(d, &n), RC_OK);
	assert_int_equal(n, 1);
	assert_int_equal(since(d, &n), RC_INVALID);
	assert_int_equal(since(d, &n), RC_INVALID);
	played();
}

static int setup(void **state UNUSED)
{
	a = arena_new();
	start_server();
	return 0;
}

static int teardown(void **state UNUSED)
{
	dav_client_free(client);
	(void)shutdown(server.fd, SHUT_RDWR);
	(void)pthread_join(server.thread, NULL);
	close(server.fd);
	arena_free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hrefs_have_one_form),
		cmocka_unit_test(test_a_template_is_filled_in),
		cmocka_unit_test(test_radicale_is_read),
		cmocka_unit_test(test_xandikos_is_read),
		cmocka_unit_test(test_sogo_is_read),
		cmocka_unit_test(test_davical_is_read),
		cmocka_unit_test(test_nextcloud_is_read),
		cmocka_unit_test(test_what_is_no_multistatus_is_refused),
		cmocka_unit_test(test_an_answer_is_bounded),
		cmocka_unit_test(test_the_well_known_place_leads_to_the_books),
		cmocka_unit_test(test_no_redirection_leads_to_another_host),
		cmocka_unit_test(test_users_are_kept_apart),
		cmocka_unit_test(test_a_home_that_is_too_long_is_nobody_elses),
		cmocka_unit_test(test_a_silence_is_waited_for_once),
		cmocka_unit_test(test_a_silence_is_shared),
		cmocka_unit_test(test_one_asks_whether_the_server_is_back),
		cmocka_unit_test(test_a_home_that_moved_is_found_again),
		cmocka_unit_test(test_trouble_is_told_as_such),
		cmocka_unit_test(test_a_cut_list_is_asked_on),
		cmocka_unit_test(test_a_token_that_is_not_known_gives_a_whole_list),
		cmocka_unit_test(test_half_a_list_is_none),
		cmocka_unit_test(test_ctags_stand_in_for_sync_collection),
		cmocka_unit_test(test_large_objects_do_not_stop_the_others),
		cmocka_unit_test(test_one_object_does_not_spoil_a_list),
		cmocka_unit_test(test_writes_are_answered_by_table),
		cmocka_unit_test(test_what_the_answer_lacks_is_asked_for),
		cmocka_unit_test(test_etags_of_careless_servers),
		cmocka_unit_test(test_a_collection_is_made_the_old_way),
		cmocka_unit_test(test_the_well_known_place_leads_to_the_calendars),
		cmocka_unit_test(test_a_service_is_that_of_its_setting),
		cmocka_unit_test(test_a_calendar_is_made_the_old_way),
		cmocka_unit_test(test_the_server_is_not_to_answer_invitations),
		cmocka_unit_test(test_appointments_are_read_by_their_report),
		cmocka_unit_test(test_a_query_is_answered_by_table),
		cmocka_unit_test(test_series_are_left_out_by_some_servers),
		cmocka_unit_test(test_each_service_is_asked_its_own_questions),
		cmocka_unit_test(test_half_an_answer_to_a_query_is_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
