#include "core/sync/item_class.h"

#include "core/base/clock.h"
#include "core/map/contact.h"
#include "core/map/contact_words.h"
#include "core/map/event.h"
#include "core/sync/folders.h"
#include "core/sync/recipients.h"

static enum rc write_contact(const struct item *it, struct str bytes,
	const struct email_options *o, struct arena *a, struct wbxml_writer *w, struct err *err)
{
	enum rc rc = contact_write(bytes, o, a, w, err);

	(void)it;
	return rc == RC_INVALID && contact_is_group(bytes, a) ? RC_ABSENT : rc;
}

static enum rc apply_contact(struct str bytes, const struct elem *data,
	const struct item_edit *e, struct arena *a, struct str *r, struct err *err)
{
	struct contact_patch p = {.version = e->version,
		.ghosts = e->ghosts,
		.keep_picture = e->keep_picture,
		.options = e->options,
		.uid = e->uid,
		.card4 = e->newer,
		.whole = e->whole};

	return contact_apply(bytes, data, &p, a, r, err);
}

static enum rc write_event(const struct item *it, struct str bytes,
	const struct email_options *o, struct arena *a, struct wbxml_writer *w, struct err *err)
{
	(void)it;
	return event_write(bytes, o, a, w, err);
}

static enum rc apply_event(struct str bytes, const struct elem *data, const struct item_edit *e,
	struct arena *a, struct str *r, struct err *err)
{
	struct event_patch p = {.version = e->version,
		.ghosts = e->ghosts,
		.options = e->options,
		.uid = e->uid,
		.whole = e->whole,
		.now = clock_now()};

	return event_apply(bytes, data, &p, a, r, err);
}

static struct str uid_of_event(const struct elem *data)
{
	return elem_text(data, CALENDAR_UID);
}

static const struct item_class classes[] = {
	{
         .kind = FOLDER_CALENDAR,
         .name = "Calendar",
         .dav = DAV_EVENTS,
         .type = "text/calendar; charset=utf-8",
         .suffix = ".ics",
         .default_type = TYPE_CALENDAR,
         .user_type = TYPE_USER_CALENDAR,
         .write = write_event,
         .apply = apply_event,
         .uid = event_uid,
         .data_uid = uid_of_event,
         .end = event_end,
         .says = event_says,
	 },
	{
         .kind = FOLDER_CONTACTS,
         .name = "Contacts",
         .dav = DAV_CARDS,
         .type = "text/vcard; charset=utf-8",
         .suffix = ".vcf",
         .default_type = TYPE_CONTACTS,
         .user_type = TYPE_USER_CONTACTS,
         .write = write_contact,
         .apply = apply_contact,
         .uid = contact_uid,
         .says = contact_says,
	 },
 /* No server behind it, and no device writes it. */
	{.kind = FOLDER_RECIPIENTS,    .name = "Contacts",              .write = recipients_write       },
};

const struct item_class *item_class_at(size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(classes); k++)
		if (classes[k].dav && i-- == 0)
			return &classes[k];
	return NULL;
}

const struct item_class *item_class_of(enum folder_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (classes[i].kind == kind)
			return &classes[i];
	return NULL;
}

const struct item_class *item_class_named(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (str_iis(name, classes[i].name))
			return &classes[i];
	return NULL;
}

const struct item_class *item_class_of_type(unsigned type)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (classes[i].dav &&
			(classes[i].default_type == type || classes[i].user_type == type))
			return &classes[i];
	return NULL;
}
