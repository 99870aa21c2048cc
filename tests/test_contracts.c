/*
 * The fakes keep the contracts that the real stores keep (lab_contracts.c).
 */
#include "core/base/clock.h"
#include "tests/contract_dav.h"
#include "tests/contract_directory.h"
#include "tests/contract_mail.h"
#include "tests/contract_state.h"
#include "tests/fake_dav.h"
#include "tests/fake_directory.h"
#include "tests/fake_mail.h"
#include "tests/fake_state.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_fake_mail_keeps_the_contract(void **state UNUSED)
{
	struct fake_mail *fm = fake_mail_new();

	contract_mail(fake_mail_mail(fm), true);
	fake_mail_free(fm);
}

static void test_fake_state_keeps_the_contract(void **state UNUSED)
{
	struct fake_state *fs = fake_state_new();

	contract_state(fake_state_state(fs), "ann@example.test");
	contract_items(fake_state_state(fs), "items@example.test");
	fake_state_free(fs);
}

static void a_month_passes(void *ctx UNUSED)
{
	clock_set_fake(clock_now_ms() + INT64_C(31) * 86400 * 1000);
}

static void test_fake_state_forgets_what_is_gone_for_long(void **state UNUSED)
{
	struct fake_state *fs = fake_state_new();

	contract_items_forgotten(
		fake_state_state(fs), "forgets@example.test", a_month_passes, NULL);
	clock_set_fake(-1);
	fake_state_free(fs);
}

/* A server without sync-collection, one that tells little at a time: the same promises. */
static void test_fake_dav_keeps_the_contract(void **state UNUSED)
{
	struct fake_dav *fd = fake_dav_new();

	contract_dav(fake_dav_dav(fd), 0);
	fake_dav_page(fd, 1);
	contract_dav(fake_dav_dav(fd), 0);
	fake_dav_without_sync(fd, true);
	contract_dav(fake_dav_dav(fd), 0);
	fake_dav_cannot_find(fd, true);
	contract_dav(fake_dav_dav(fd), CONTRACT_DAV_NO_FIND);
	contract_calendars(fake_dav_dav(fd), CONTRACT_DAV_NO_FIND);
	fake_dav_cannot_find(fd, false);
	contract_calendars(fake_dav_dav(fd), 0);
	fake_dav_without_sync(fd, false);
	contract_calendars(fake_dav_dav(fd), 0);
	fake_dav_free(fd);
}

static void test_fake_directory_keeps_the_contract(void **state UNUSED)
{
	struct fake_directory *fd = fake_directory_new();

	fake_directory_load(fd, "lab/people.ldif");
	contract_directory(fake_directory_directory(fd));
	fake_directory_free(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fake_dav_keeps_the_contract),
		cmocka_unit_test(test_fake_mail_keeps_the_contract),
		cmocka_unit_test(test_fake_state_keeps_the_contract),
		cmocka_unit_test(test_fake_state_forgets_what_is_gone_for_long),
		cmocka_unit_test(test_fake_directory_keeps_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
