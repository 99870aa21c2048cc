/*
 * The WBXML writer against libwbxml: the same Sync answer of 100 mails, from what each of them
 * is given (calls; an XML text) to the bytes.
 */
#include "core/base/arena.h"
#include "core/wire/reader.h"
#include "core/wire/writer.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wbxml/wbxml_conv.h>

enum { MAILS = 100, ROUNDS = 200, TIMES = 7 };

static char body[2048];

static void write_mail(struct wbxml_writer *w, unsigned i)
{
	char id[32], subject[64];

	(void)snprintf(id, sizeof(id), "1:%u", i);
	(void)snprintf(subject, sizeof(subject), "Subject <%u> & more", i);
	wbxml_open(w, AIRSYNC_ADD);
	wbxml_cstr(w, AIRSYNC_SERVER_ID, id);
	wbxml_open(w, AIRSYNC_APPLICATION_DATA);
	wbxml_cstr(w, EMAIL_TO, "\"Ann\" <ann@example.test>");
	wbxml_cstr(w, EMAIL_FROM, "\"Bob\" <bob@example.test>");
	wbxml_cstr(w, EMAIL_SUBJECT, subject);
	wbxml_cstr(w, EMAIL_DATE_RECEIVED, "2026-03-03T10:00:00.000Z");
	wbxml_int(w, EMAIL_IMPORTANCE, 1);
	wbxml_bool(w, EMAIL_READ, false);
	wbxml_open(w, AIRSYNCBASE_BODY);
	wbxml_int(w, AIRSYNCBASE_TYPE, 1);
	wbxml_int(w, AIRSYNCBASE_ESTIMATED_DATA_SIZE, sizeof(body) - 1);
	wbxml_cstr(w, AIRSYNCBASE_DATA, body);
	wbxml_close(w, AIRSYNCBASE_BODY);
	wbxml_cstr(w, EMAIL_MESSAGE_CLASS, "IPM.Note");
	wbxml_close(w, AIRSYNC_APPLICATION_DATA);
	wbxml_close(w, AIRSYNC_ADD);
}

static void write_answer(struct wbxml_writer *w)
{
	wbxml_open(w, AIRSYNC_SYNC);
	wbxml_open(w, AIRSYNC_COLLECTIONS);
	wbxml_open(w, AIRSYNC_COLLECTION);
	wbxml_cstr(w, AIRSYNC_SYNC_KEY, "7");
	wbxml_cstr(w, AIRSYNC_COLLECTION_ID, "1");
	wbxml_int(w, AIRSYNC_STATUS, 1);
	wbxml_open(w, AIRSYNC_COMMANDS);
	for (unsigned i = 0; i < MAILS; i++)
		write_mail(w, i);
	wbxml_close(w, AIRSYNC_COMMANDS);
	wbxml_close(w, AIRSYNC_COLLECTION);
	wbxml_close(w, AIRSYNC_COLLECTIONS);
	wbxml_close(w, AIRSYNC_SYNC);
}

static size_t ours(void)
{
	struct wbxml_writer w;
	struct err err = ERR_INIT;
	size_t n;

	wbxml_init(&w, NULL, BUF_MAX_RESPONSE);
	write_answer(&w);
	if (wbxml_finish(&w, &err))
		bench_die("%s", err.text);
	n = w.out.n;
	wbxml_release(&w);
	return n;
}

/* --- the same as XML, for libwbxml */

static const char *space(tag_t tag)
{
	return TAG_PAGE(tag) == 0 ? "AirSync:" : TAG_PAGE(tag) == 2 ? "Email:" : "AirSyncBase:";
}

static void put_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			buf_adds(b, "&lt;");
		else if (s.p[i] == '&')
			buf_adds(b, "&amp;");
		else
			buf_addc(b, s.p[i]);
	}
}

static void put_elem(struct buf *b, const struct elem *e, unsigned page, bool top)
{
	const char *name = tag_info(e->tag)->name;

	if (top || TAG_PAGE(e->tag) != page)
		buf_addf(b, "<%s xmlns=\"%s\">", name, space(e->tag));
	else
		buf_addf(b, "<%s>", name);
	put_text(b, e->text);
	for (const struct elem *c = e->child; c; c = c->next)
		put_elem(b, c, TAG_PAGE(e->tag), false);
	buf_addf(b, "</%s>", name);
}

static void make_xml(struct buf *b, struct arena *a)
{
	struct err err = ERR_INIT;
	struct wbxml_writer w;
	struct elem *root;

	wbxml_init(&w, NULL, BUF_MAX_RESPONSE);
	write_answer(&w);
	if (wbxml_finish(&w, &err) || wbxml_read(buf_str(&w.out), WBXML_LIMITS, a, &root, &err))
		bench_die("%s", err.text);
	buf_adds(b, "<?xml version=\"1.0\" encoding=\"utf-8\"?><!DOCTYPE ActiveSync PUBLIC "
		    "\"-//MICROSOFT//DTD ActiveSync//EN\" \"http://www.microsoft.com/\">");
	put_elem(b, root, 0, true);
	wbxml_release(&w);
}

static size_t theirs(struct str xml)
{
	WBXMLConvXML2WBXML *conv = NULL;
	WB_UTINY *out = NULL;
	WB_ULONG n = 0;
	WBXMLError rc;

	if (wbxml_conv_xml2wbxml_create(&conv) != WBXML_OK)
		bench_die("libwbxml does not start");
	wbxml_conv_xml2wbxml_disable_string_table(conv);
	rc = wbxml_conv_xml2wbxml_run(
		conv, (WB_UTINY *)(uintptr_t)xml.p, (WB_ULONG)xml.n, &out, &n);
	if (rc != WBXML_OK)
		bench_die("libwbxml: error %d", (int)rc);
	free(out);
	wbxml_conv_xml2wbxml_destroy(conv);
	return n;
}

int main(void)
{
	struct arena *a = arena_new();
	int64_t us[2][TIMES];
	size_t n[2] = {0, 0};
	struct buf xml;
	double one, two;

	memset(body, 'x', sizeof(body) - 1);
	for (size_t i = 72; i < sizeof(body) - 1; i += 73)
		body[i] = '\n';
	buf_init(&xml, BUF_MAX_RESPONSE);
	make_xml(&xml, a);
	for (unsigned t = 0; t < TIMES; t++) {
		int64_t began = bench_us();

		for (unsigned i = 0; i < ROUNDS; i++)
			n[0] = ours();
		us[0][t] = bench_us() - began;
		began = bench_us();
		for (unsigned i = 0; i < ROUNDS; i++)
			n[1] = theirs(buf_str(&xml));
		us[1][t] = bench_us() - began;
	}
	one = (double)bench_median(us[0], TIMES) / ROUNDS;
	two = (double)bench_median(us[1], TIMES) / ROUNDS;
	(void)printf(
		"wbxml: %d mails: writer %.0f us (%zu bytes), libwbxml %.0f us (%zu bytes): "
		"%.1f times\n",
		MAILS, one, n[0], two, n[1], two / one);
	buf_release(&xml);
	arena_free(a);
	return 0;
}
