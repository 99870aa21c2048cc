/*
 * Searches in the company address book among 10 000 people: through nginx and easpool, and
 * beside each the same question put to slapd alone (same filter, attributes and pages), whose
 * entries are thrown away as they come. What is left is ours.
 *
 *     bench_directory
 */
#include "store/ldap/filter.h"
#include "store/ldap/ldap_session.h"
#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEOPLE = 10000, TIMES = 51 };

#define USER "user01@example.test"

struct raw {
	struct settings conf;
	struct ldap_session *session;
	struct attributes attributes;
	const char *const *names;
	struct arena *a;
	size_t n;
};

static struct raw raw;

static void raw_open(void)
{
	struct err err = ERR_INIT;

	raw.a = arena_new();
	if (settings_read(arena_printf(raw.a, "ldap_url = %s\nldap_base = \"%s\"\n",
				  lab_get("LDAP_URL"), lab_get("LDAP_BASE")),
		    "bench", &raw.conf, raw.a, &err) ||
		attributes_read(raw.conf.ldap_attributes, raw.a, &raw.attributes, &err))
		bench_die("%s", err.text);
	raw.names = attributes_names(
		&raw.attributes, PROPERTY_DISPLAY_NAME, PROPERTIES_OF_TEXT, raw.a);
	raw.session = ldap_session_new(&raw.conf);
}

static void throw_away(struct ldap_taker *t UNUSED, LDAP *ld UNUSED, LDAPMessage *entry)
{
	raw.n++;
	(void)ldap_msgfree(entry);
}

static void restart(struct ldap_taker *t UNUSED)
{
	bench_die("slapd went away");
}

static void ask_slapd(const char *text)
{
	struct ldap_taker taker = {throw_away, restart};
	struct err err = ERR_INIT;
	struct ldap_question q = {.base = raw.conf.ldap_base.p,
		.filter = filter_of_query(&raw.attributes, raw.conf.ldap_filter, str_of(text),
			DIRECTORY_BEGINS, raw.a)
				  .p,
		.attributes = raw.names,
		.most = (size_t)raw.conf.ldap_search_max};

	raw.n = 0;
	if (ldap_session_search(raw.session, &q, &taker, &err))
		bench_die("%s", err.text);
}

static void ask_easpool(struct phone *p, const char *text)
{
	char document[512];
	const struct elem *store;

	(void)snprintf(document, sizeof(document),
		"search:Search\n  search:Store\n    search:Name \"GAL\"\n"
		"    search:Query \"%s\"\n    search:Options\n      search:Range \"0-49\"\n",
		text);
	store = phone_post(p, "Search", document);
	if (!store)
		bench_die("%s", p->error);
	store = elem_child(elem_child(store, SEARCH_RESPONSE), SEARCH_STORE);
	if (elem_u32(store, SEARCH_TOTAL, UINT32_MAX) != raw.n)
		bench_die(
			"easpool finds %u, slapd %zu", elem_u32(store, SEARCH_TOTAL, 0), raw.n);
}

static void compare(struct phone *p, const char *text)
{
	int64_t slapd[TIMES], whole[TIMES], ours[TIMES], cpu, raw_cpu = 0, began;

	ask_slapd(text);
	ask_easpool(p, text);
	cpu = bench_cpu_us();
	for (size_t i = 0; i < TIMES; i++) {
		raw_cpu -= bench_own_cpu_us();
		began = bench_us();
		ask_slapd(text);
		slapd[i] = bench_us() - began;
		raw_cpu += bench_own_cpu_us();
		began = bench_us();
		ask_easpool(p, text);
		whole[i] = bench_us() - began;
		ours[i] = whole[i] - slapd[i];
	}
	cpu = (bench_cpu_us() - cpu) / TIMES;
	(void)printf(
		"directory: \"%s\" finds %zu: slapd alone %.1f ms, a Search %.1f ms, "
		"beyond slapd %.1f ms; CPU of the worker %.1f ms, of libldap alone %.1f ms\n",
		text, raw.n, (double)bench_median(slapd, TIMES) / 1000,
		(double)bench_median(whole, TIMES) / 1000,
		(double)bench_median(ours, TIMES) / 1000, (double)cpu / 1000,
		(double)raw_cpu / TIMES / 1000);
}

int main(void)
{
	static const char *const texts[] = {
		"nobody", "person00999", "anna", "anna person", "person"};
	struct phone *p = calloc(1, sizeof(*p));
	char people[16];

	if (!p)
		abort();
	(void)snprintf(people, sizeof(people), "%d", PEOPLE);
	(void)setenv("EASPOOL_LAB_LDAP_PEOPLE", people, 1);
	bench_lab(1, 1);
	raw_open();
	bench_phone(p, USER, "directory", "14.1");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		compare(p, texts[i]);
	phone_release(p);
	free(p);
	ldap_session_free(raw.session);
	arena_free(raw.a);
	lab_down();
	return 0;
}
