/*
 * A reply as it leaves the house: its header block, and gzip.
 */
#include "fcgi/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

static void test_a_header_cannot_be_smuggled_in(void **state UNUSED)
{
	struct reply rp = {.http = 200, .content_type = STR("text/plain")};
	struct buf head;

	reply_header(&rp, "X-Name", STR("a\r\nSet-Cookie: b"));
	buf_init(&head, BUF_MAX_LINE);
	answer_head(&rp, 12, "gzip", &head);
	assert_string_equal(head.p,
		"Status: 200\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
		"Cache-Control: private\r\nContent-Encoding: gzip\r\n"
		"X-Name: aSet-Cookie: b\r\n\r\n");
	buf_release(&head);
}

static size_t most; /* how far reading was said to have come */

static void passed(void *ctx, const char *upto)
{
	most = (size_t)(upto - (const char *)ctx);
}

/* C14 */
static void test_gzip_is_the_same_when_unpacked(void **state UNUSED)
{
	enum { N = 1000000 };
	char *text = malloc(N), *again = malloc(N);
	struct buf_sink sink;
	struct err err = ERR_INIT;
	z_stream z = {0};
	struct buf b;

	assert_true(text && again);
	for (size_t i = 0; i < N; i++)
		text[i] = (char)('a' + i * i / 1000 % 26);
	buf_init(&b, BUF_MAX_TEXT);
	buf_sink_init(&sink, &b);
	assert_int_equal(
		answer_gzip((struct str){text, N}, passed, text, &sink.sink, &err), RC_OK);
	assert_true(b.n < N / 2);
	assert_true(most > N / 2 && most <= N);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (Bytef *)b.p;
	z.avail_in = (uInt)b.n;
	z.next_out = (Bytef *)again;
	z.avail_out = N;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, N);
	assert_memory_equal(text, again, N);
	assert_int_equal(inflateEnd(&z), Z_OK);
	buf_release(&b);
	free(text);
	free(again);
}

static void test_what_is_not_worth_it_stays_as_it_is(void **state UNUSED)
{
	unsigned char noise[5000];
	struct buf_sink sink;
	struct err err = ERR_INIT;
	uint32_t x = 1;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	buf_sink_init(&sink, &b);
	assert_int_equal(answer_gzip(STR("short"), passed, NULL, &sink.sink, &err), RC_ABSENT);
	for (size_t i = 0; i < sizeof(noise); i++) {
		x = x * 1664525u + 1013904223u;
		noise[i] = (unsigned char)(x >> 24);
	}
	assert_int_equal(answer_gzip((struct str){(char *)noise, sizeof(noise)}, passed, noise,
				 &sink.sink, &err),
		RC_ABSENT);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_header_cannot_be_smuggled_in),
		cmocka_unit_test(test_gzip_is_the_same_when_unpacked),
		cmocka_unit_test(test_what_is_not_worth_it_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
