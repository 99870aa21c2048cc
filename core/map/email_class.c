#include "core/map/email_parts.h"

#include "core/map/charset.h"
#include "core/map/decode.h"
#include "core/map/header.h"

void email_read_extra(const struct email_plan *plan, struct arena *a, struct email_extra *r)
{
	struct tnef *t;

	*r = (struct email_extra){.part = NULL};
	if (plan->extra == EMAIL_PLAN_NONE || !plan->parts[plan->extra].bytes.p)
		return;
	r->part = plan->part[plan->extra];
	r->bytes = decode_bytes(plan->parts[plan->extra].bytes, r->part->encoding, a);
	if (str_is(r->part->type, "text")) {
		r->bytes = charset_to_utf8(
			r->bytes, r->part->charset.n ? r->part->charset : STR("utf-8"), a);
		r->meeting = meeting_kind(r->bytes, r->part->method);
	} else if (email_part_is_tnef(r->part)) {
		t = ARENA_NEW(a, struct tnef);
		if (tnef_read(r->bytes, a, t))
			r->tnef = t;
	}
}

/* RFC 3464 2.3.3, RFC 8098 3.2.6: the first line of that name. */
static struct str report_field(struct str report, const char *name, struct arena *a)
{
	while (report.n) {
		struct str v = header_raw(report, name, a);
		size_t end = str_search(report, STR("\n\r\n"));

		if (v.p)
			return v;
		/* Fields about the message stand first, then those about each recipient. */
		if (end == report.n)
			end = str_search(report, STR("\n\n"));
		report = str_sub(report, end + 2, report.n);
	}
	return STR_NONE;
}

static const char *report_class(const struct email_extra *x, struct str type, struct arena *a)
{
	struct str report = x->part ? x->bytes : (struct str){"", 0}, v;

	if (str_iis(type, "disposition-notification")) {
		v = report_field(report, "Disposition", a);
		return str_isearch(v, STR("deleted")) < v.n ? "REPORT.IPM.NOTE.IPNNRN"
							    : "REPORT.IPM.NOTE.IPNRN";
	}
	v = report_field(report, "Action", a);
	if (str_istarts(v, "delayed"))
		return "REPORT.IPM.NOTE.DELAYED";
	if (str_istarts(v, "delivered") || str_istarts(v, "relayed") ||
		str_istarts(v, "expanded"))
		return "REPORT.IPM.NOTE.DR";
	return "REPORT.IPM.NOTE.NDR";
}

/* B20124, B20192: types come in lower case from the store. */
const char *email_message_class(
	const struct mail_summary *m, const struct email_extra *x, struct arena *a)
{
	static const char *const meetings[] = {
		[MEETING_REQUEST] = "IPM.Schedule.Meeting.Request",
		[MEETING_CANCELED] = "IPM.Schedule.Meeting.Canceled",
		[MEETING_ACCEPTED] = "IPM.Schedule.Meeting.Resp.Pos",
		[MEETING_DECLINED] = "IPM.Schedule.Meeting.Resp.Neg",
		[MEETING_TENTATIVE] = "IPM.Schedule.Meeting.Resp.Tent",
	};
	const struct mail_part *root = m->root;
	bool multipart = str_is(root->type, "multipart");

	if (x->meeting != MEETING_NONE)
		return meetings[x->meeting];
	if (email_is_smime(root))
		return multipart ? "IPM.Note.SMIME.MultipartSigned" : "IPM.Note.SMIME";
	if (multipart && str_is(root->subtype, "report") &&
		(str_iis(root->report_type, "delivery-status") ||
			str_iis(root->report_type, "disposition-notification")))
		return report_class(x, root->report_type, a);
	/* RFC 3801, RFC 3458 */
	if ((multipart && str_is(root->subtype, "voice-message")) ||
		str_iis(header_raw(m->header, "Message-Context", a), "voice-message"))
		return "IPM.Octel.Voice";
	return "IPM.Note";
}
