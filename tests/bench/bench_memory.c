/*
 * The memory of a worker while a phone fetches an attachment of 50 MB, in all three ways,
 * sends a mail of 50 MB, in both, and has one of 40 MB forwarded by the server. One worker, its
 * peak (VmHWM) after each.
 */
#include "core/base/base64.h"
#include "core/wire/writer.h"
#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTACHMENT = 50 * 1024 * 1024, FORWARDED = 40 * 1024 * 1024 };

#define USER  "user01@example.test"
#define OTHER "user02@example.test"

static void report(const char *what, size_t bytes)
{
	(void)printf("memory: %s, %zu MB: at most %ld MB\n", what, bytes >> 20,
		bench_peak_kb() >> 10);
	(void)fflush(stdout);
	bench_forget_peak();
}

static void make_mail(struct buf *b, size_t attachment)
{
	struct str piece;
	char raw[57];

	buf_adds(b, "From: <" OTHER ">\r\nTo: <" USER ">\r\nSubject: large\r\n"
		    "Message-ID: <large@bench.example.test>\r\nMIME-Version: 1.0\r\n"
		    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		    "Content-Type: text/plain\r\n\r\nSee the attachment.\r\n--b\r\n"
		    "Content-Type: application/octet-stream; name=large.bin\r\n"
		    "Content-Disposition: attachment; filename=large.bin\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n");
	for (size_t i = 0; i < attachment; i += sizeof(raw)) {
		for (size_t k = 0; k < sizeof(raw); k++)
			raw[k] = (char)(i * 31 + k * k);
		piece = (struct str){raw, sizeof(raw)};
		base64_encode(piece, b);
		buf_adds(b, "\r\n");
	}
	buf_adds(b, "--b--\r\n");
}

static void fetch(struct phone *p, const char *reference, bool multipart)
{
	char text[512];
	const struct elem *e;

	(void)snprintf(text, sizeof(text),
		"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
		"    itemoperations:Store \"Mailbox\"\n    airsyncbase:FileReference \"%s\"\n",
		reference);
	p->multipart = multipart;
	e = phone_post(p, "ItemOperations", text);
	p->multipart = false;
	if (p->error[0])
		bench_die("%s", p->error);
	e = elem_child(elem_child(e, ITEMOPERATIONS_RESPONSE), ITEMOPERATIONS_FETCH);
	if (!multipart &&
		elem_text(elem_child(e, ITEMOPERATIONS_PROPERTIES), ITEMOPERATIONS_DATA).n <
			ATTACHMENT / 3 * 4)
		bench_die("the attachment did not come: Status %u",
			elem_u32(e, ITEMOPERATIONS_STATUS, 0));
	if (multipart && p->answer_bytes < ATTACHMENT)
		bench_die("the attachment did not come: %zu bytes", p->answer_bytes);
	report(multipart ? "ItemOperations, multipart" : "ItemOperations, inline",
		p->answer_bytes);
}

static void send(struct phone *p, const char *version, struct str mail)
{
	const struct elem *e;
	struct wbxml_writer w;
	struct err err = ERR_INIT;

	p->version = version;
	if (strcmp(version, "12.1") == 0) {
		e = phone_post_raw(p, "SendMail", "&SaveInSent=T", "message/rfc822", mail);
	} else {
		wbxml_init(&w, NULL, 2 * mail.n);
		wbxml_open(&w, COMPOSEMAIL_SEND_MAIL);
		wbxml_cstr(&w, COMPOSEMAIL_CLIENT_ID, "large");
		wbxml_empty(&w, COMPOSEMAIL_SAVE_IN_SENT_ITEMS);
		wbxml_opaque(&w, COMPOSEMAIL_MIME, mail);
		wbxml_close(&w, COMPOSEMAIL_SEND_MAIL);
		if (wbxml_finish(&w, &err))
			bench_die("%s", err.text);
		e = phone_post_raw(
			p, "SendMail", "", "application/vnd.ms-sync.wbxml", buf_str(&w.out));
		wbxml_release(&w);
	}
	if (e || p->error[0])
		bench_die("SendMail: %s, Status %u", p->error,
			elem_u32(e, COMPOSEMAIL_STATUS, 0));
	report(version[1] == '2' ? "SendMail, a mail as the body" : "SendMail, a mail in WBXML",
		mail.n);
}

/* The server takes the attachments of the original along. */
static void forward(struct phone *p, const char *version, const char *id, size_t bytes)
{
	static const char note[] = "To: <" OTHER ">\r\nSubject: Fwd: large\r\n"
				   "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
				   "Look at this.\r\n";
	unsigned status;

	p->version = version;
	if (!phone_smart(
		    p, "SmartForward", phone_folder(p, 2), id, false, str_of(note), &status))
		bench_die("SmartForward: %s, Status %u", p->error, status);
	report(version[1] == '2' ? "SmartForward, a mail as the body"
				 : "SmartForward, a mail in WBXML",
		bytes);
}

int main(void)
{
	struct phone *p = calloc(1, sizeof(*p));
	char id[72] = "", forwarded[72] = "", reference[128], extra[256];
	struct buf mail;

	if (!p)
		abort();
	bench_lab(2, 1);
	buf_init(&mail, 100 * 1024 * 1024);
	make_mail(&mail, ATTACHMENT);
	bench_append(USER, buf_str(&mail));
	bench_phone(p, USER, "memory", "14.1");
	(void)bench_sync(p, 100, id, sizeof(id));
	(void)snprintf(reference, sizeof(reference), "%s:2", id);
	report("a Sync of that mail, truncated", p->answer_bytes);
	fetch(p, reference, false);
	fetch(p, reference, true);
	p->version = "12.1";
	(void)snprintf(extra, sizeof(extra), "&AttachmentName=%s", reference);
	(void)phone_post_raw(p, "GetAttachment", extra, "", STR_NONE);
	if (p->error[0] || p->answer_bytes < ATTACHMENT)
		bench_die("GetAttachment: %s, %zu bytes", p->error, p->answer_bytes);
	report("GetAttachment", p->answer_bytes);
	buf_reset(&mail);
	make_mail(&mail, ATTACHMENT / 78 * 57);
	send(p, "14.1", buf_str(&mail));
	send(p, "12.1", buf_str(&mail));
	buf_reset(&mail);
	make_mail(&mail, FORWARDED / 78 * 57);
	bench_append(USER, buf_str(&mail));
	p->version = "14.1";
	(void)bench_sync(p, 100, forwarded, sizeof(forwarded));
	bench_forget_peak();
	forward(p, "14.1", forwarded, mail.n);
	forward(p, "12.1", forwarded, mail.n);
	buf_release(&mail);
	phone_release(p);
	free(p);
	return 0;
}
