/*
 * The fakes keep the contracts that the real stores keep (lab_contracts.c).
 */
#include "tests/contract_directory.h"
#include "tests/contract_mail.h"
#include "tests/contract_state.h"
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
	fake_state_free(fs);
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
		cmocka_unit_test(test_fake_mail_keeps_the_contract),
		cmocka_unit_test(test_fake_state_keeps_the_contract),
		cmocka_unit_test(test_fake_directory_keeps_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
