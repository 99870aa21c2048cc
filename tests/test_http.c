/*
 * What the web server hands over, read: credentials, paths, methods, encodings.
 */
#include "fcgi/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const *given; /* name, value, ..., NULL */

static const char *param(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; given[i]; i += 2)
		if (strcmp(given[i], name) == 0)
			return given[i + 1];
	return NULL;
}

/* C14 */
static void test_gzip_is_sent_to_those_who_take_it(void **state UNUSED)
{
	static const struct {
		const char *header;
		bool gzip;
	} cases[] = {
		{NULL,                  false},
		{"",                    false},
		{"gzip",                true },
		{"gzip, deflate",       true },
		{"deflate, GZIP;q=0.5", true },
		{"gzip;q=0",            false},
		{"gzip; q=0.000",       false},
		{"*",                   true },
		{"*;q=0",               false},
		{"*;q=0, gzip",         true },
		{"gzip;q=0, *",         false},
		{"xgzip",               false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const v[] = {"HTTP_ACCEPT_ENCODING", cases[i].header, NULL};

		given = v;
		if (http_accepts_gzip(param, NULL) != cases[i].gzip)
			fail_msg("Accept-Encoding: %s", cases[i].header);
	}
}

struct read {
	struct request rq;
	int code;
};

static void read_request(struct read *r, const char *const *v)
{
	static struct settings conf;
	struct err err = ERR_INIT;

	conf.login_domain = STR("example.test");
	memset(r, 0, sizeof(*r));
	r->rq.arena = arena_new();
	given = v;
	r->code = http_read(param, NULL, &conf, &r->rq, &err);
}

static void release(struct read *r)
{
	secret_release(&r->rq.password);
	arena_free(r->rq.arena);
}

/* D12, http.md 2; the password is "p:w"; S1, C31, D12 */
static void test_logins_are_read_in_every_form(void **state UNUSED)
{
	static const struct {
		const char *header, *login;
	} cases[] = {
		{"Basic QW5uOnA6dw==",                 "ann@example.test"       },
		{"basic QW5uQEV4YW1wbGUub3JnOnA6dw==", "ann@example.org"        },
		{"Basic RE9NQUlOXGFubjpwOnc=",         "ann@example.test"       },
 /* Outlook encodes in ISO-8859-1, phones in UTF-8. */
		{"Basic auRuOnA6dw==",                 "j\xc3\xa4n@example.test"},
		{"Basic !!!!",                         NULL                     },
		{"Basic OnA6dw==",                     NULL                     },
		{"Bearer QW5uOnA6dw==",                NULL                     },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const v[] = {"HTTP_AUTHORIZATION", cases[i].header,
			"REQUEST_METHOD", "OPTIONS", "REQUEST_URI",
			"/Microsoft-Server-ActiveSync", NULL};
		struct read r;

		read_request(&r, v);
		assert_int_equal(r.code, 0);
		if (cases[i].login) {
			if (!str_is(r.rq.user, cases[i].login))
				fail_msg("%s is %.*s", cases[i].header, STR_FMT(r.rq.user));
			assert_string_equal(r.rq.password.p, "p:w");
		} else if (r.rq.user.n) {
			fail_msg("%s is a user", cases[i].header);
		}
		release(&r);
	}
}

/* B14617 */
static void test_what_is_not_ours_is_refused(void **state UNUSED)
{
	static const struct {
		const char *method, *uri;
		int code;
	} cases[] = {
		{"POST",    "/Microsoft-Server-ActiveSync?Cmd=Sync",  0  },
		{"POST",    "/microsoft-server-activesync/?Cmd=Sync", 0  },
		{"OPTIONS", "/Microsoft-Server-ActiveSync",           0  },
		{"POST",    "/elsewhere",                             404},
		{"GET",     "/Microsoft-Server-ActiveSync",           501},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const v[] = {"HTTP_AUTHORIZATION",
			"Basic QW5uOnA6dw==", "REQUEST_METHOD", cases[i].method, "REQUEST_URI",
			cases[i].uri, "QUERY_STRING", "Cmd=Sync", NULL};
		struct read r;

		read_request(&r, v);
		if (r.code != cases[i].code)
			fail_msg("%s %s: %d", cases[i].method, cases[i].uri, r.code);
		release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gzip_is_sent_to_those_who_take_it),
		cmocka_unit_test(test_logins_are_read_in_every_form),
		cmocka_unit_test(test_what_is_not_ours_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
