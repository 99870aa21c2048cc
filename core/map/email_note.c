#include "core/map/email_note.h"

#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/base/varint.h"

enum { FORMAT = 1, FIELD_MAX = 512 };

/* The place of a tag is its number in the stored bytes: new ones go to the end. */
static const tag_t fields[EMAIL_FLAG_FIELDS] = {
	EMAIL_FLAG_TYPE,
	EMAIL_COMPLETE_TIME,
	TASKS_DATE_COMPLETED,
	TASKS_START_DATE,
	TASKS_UTC_START_DATE,
	TASKS_DUE_DATE,
	TASKS_UTC_DUE_DATE,
	TASKS_REMINDER_SET,
	TASKS_REMINDER_TIME,
	TASKS_ORDINAL_DATE,
	TASKS_SUB_ORDINAL_DATE,
	TASKS_SUBJECT,
};

enum {
	FIELD_TYPE = 0,
	FIELD_START = 3,
	FIELD_DUE = 5,
	FIELD_REMINDER = 7,
	FIELD_REMIND_AT = 8
};

void email_note_decode(struct str in, struct email_note *r)
{
	uint32_t format, n, at;
	uint64_t time;

	*r = (struct email_note){0};
	if (varint_get32(&in, &format) || format != FORMAT || varint_get32(&in, &r->verb) ||
		varint_get(&in, &time) || varint_get32(&in, &r->flag_status) ||
		varint_get32(&in, &n)) {
		*r = (struct email_note){0};
		return;
	}
	r->verb_time = (int64_t)time;
	for (uint32_t i = 0; i < n; i++) {
		struct str text;

		if (varint_get32(&in, &at) || varint_get_str(&in, &text))
			return;
		if (at < EMAIL_FLAG_FIELDS)
			r->flag[at] = text;
	}
}

struct str email_note_encode(const struct email_note *n, struct arena *a)
{
	uint64_t count = 0;
	struct buf b;
	struct str r;

	for (size_t i = 0; i < EMAIL_FLAG_FIELDS; i++)
		count += n->flag[i].p != NULL;
	if (!n->verb && !n->flag_status && !count)
		return (struct str){"", 0};
	buf_init(&b, BUF_MAX_LINE);
	varint_put(&b, FORMAT);
	varint_put(&b, n->verb);
	varint_put(&b, (uint64_t)n->verb_time);
	varint_put(&b, n->flag_status);
	varint_put(&b, count);
	for (size_t i = 0; i < EMAIL_FLAG_FIELDS; i++)
		if (n->flag[i].p) {
			varint_put(&b, i);
			varint_put_str(&b, n->flag[i]);
		}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

static enum rc check_dates(const struct email_note *n, bool update, struct err *err)
{
	unsigned present = 0;
	int64_t start = 0, due = 0;

	for (size_t i = FIELD_START; i < FIELD_START + 4; i++)
		present += n->flag[i].n > 0;
	if (!update && present != 0 && present != 4)
		return err_set(err, RC_INVALID, "a Flag with some of its four dates");
	if (n->flag[FIELD_START].n && clock_parse(n->flag[FIELD_START], &start))
		return err_set(err, RC_INVALID, "StartDate is no date");
	if (n->flag[FIELD_DUE].n && clock_parse(n->flag[FIELD_DUE], &due))
		return err_set(err, RC_INVALID, "DueDate is no date");
	if (start && due && due < start)
		return err_set(err, RC_INVALID, "a Flag is due before it starts");
	if (str_is(n->flag[FIELD_REMINDER], "1") && !n->flag[FIELD_REMIND_AT].n)
		return err_set(err, RC_INVALID, "ReminderSet without ReminderTime");
	return RC_OK;
}

/* classes.md 1.2, leniently: HTC and Nine send an empty Flag, or only its Status. */
enum rc email_note_read_flag(const struct elem *flag, struct email_note *n, struct err *err)
{
	uint32_t status = elem_u32(flag, EMAIL_STATUS, flag->child ? n->flag_status : 0);
	bool update = !elem_has(flag, EMAIL_STATUS);

	if (status > FLAG_SET)
		return err_set(err, RC_INVALID, "a Flag Status of %u", status);
	if (!update || status == FLAG_CLEAR)
		for (size_t i = 0; i < EMAIL_FLAG_FIELDS; i++)
			n->flag[i] = STR_NONE;
	n->flag_status = status;
	if (status == FLAG_CLEAR)
		return RC_OK;
	for (size_t i = 0; i < EMAIL_FLAG_FIELDS; i++)
		if (elem_has(flag, fields[i]))
			n->flag[i] = utf8_cut(elem_text(flag, fields[i]), FIELD_MAX);
	return check_dates(n, update, err);
}

void email_note_write_flag(bool flagged, const struct email_note *note, struct wbxml_writer *w)
{
	/* Another client has the last word: a note that does not go with the flag is old. */
	bool complete = !flagged && note && note->flag_status == FLAG_COMPLETE;
	bool noted = complete || (flagged && note && note->flag_status == FLAG_SET);

	if (!flagged && !complete) {
		wbxml_empty(w, EMAIL_FLAG);
		return;
	}
	wbxml_open(w, EMAIL_FLAG);
	wbxml_int(w, EMAIL_STATUS, complete ? FLAG_COMPLETE : FLAG_SET);
	if (!noted || !note->flag[FIELD_TYPE].n)
		wbxml_cstr(w, EMAIL_FLAG_TYPE, "Flag for follow up");
	for (size_t i = 0; i < EMAIL_FLAG_FIELDS && noted; i++)
		wbxml_text_if(w, fields[i], note->flag[i]);
	wbxml_close(w, EMAIL_FLAG);
}
