/*
 * contact_parts: what contact*.c know of a card together. Not for others.
 *
 * A slot is a line of the card that a property, or a few, of a device stands for: "the second
 * e-mail address", "the work address". Which line it is follows from the card alone.
 */
#ifndef EASPOOL_CORE_MAP_CONTACT_PARTS_H
#define EASPOOL_CORE_MAP_CONTACT_PARTS_H

#include "core/map/body.h"
#include "core/map/contact.h"
#include "core/map/vcard.h"

enum slot {
	SLOT_NAME,
	SLOT_FN,
	SLOT_ORG,
	SLOT_TITLE,
	SLOT_NICKNAME,
	SLOT_URL,
	SLOT_BIRTHDAY,
	SLOT_ANNIVERSARY,
	SLOT_SPOUSE,
	SLOT_OFFICE,
	SLOT_ASSISTANT,
	SLOT_MANAGER,
	SLOT_YOMI_FIRST,
	SLOT_YOMI_LAST,
	SLOT_YOMI_COMPANY,
	SLOT_CUSTOMER,
	SLOT_GOVERNMENT,
	SLOT_ACCOUNT,
	SLOT_MMS,
	SLOT_FILE_AS,
	SLOT_NOTE,
	SLOT_PHOTO,
	SLOT_WORK_ADDRESS,
	SLOT_HOME_ADDRESS,
	SLOT_OTHER_ADDRESS,
	SLOT_EMAIL1,
	SLOT_EMAIL2,
	SLOT_EMAIL3,
	SLOT_IM1,
	SLOT_IM2,
	SLOT_IM3,
	SLOT_BUSINESS,
	SLOT_BUSINESS2,
	SLOT_HOME,
	SLOT_HOME2,
	SLOT_MOBILE,
	SLOT_BUSINESS_FAX,
	SLOT_HOME_FAX,
	SLOT_CAR,
	SLOT_PAGER,
	SLOT_RADIO,
	SLOT_ASSISTANT_PHONE,
	SLOT_COMPANY_PHONE,
	SLOTS,
};

struct contact {
	struct arena *a;
	struct vcard card;
	struct vcard_line *line[SLOTS]; /* NULL: the card has none */
};

/* RC_INVALID: it is no card, or a group of persons. */
MUST_USE enum rc contact_read(
	struct str card, struct arena *a, struct contact *c, struct err *err);
/* Which line is which, anew. */
void contact_place(struct contact *c);
/* B20336: other lines that say the same as the one in a slot, and so were not shown, go. */
void contact_remove_repeats(struct contact *c, enum slot slot);
/* "NAME;PARAMS" of a new line. */
struct str contact_head(const struct contact *c, enum slot slot);
/* The first and the last slot of those that may change places with this one, maybe itself. */
void contact_family(enum slot slot, enum slot *first_r, enum slot *last_r);

/* A property and where its text stands. */
struct contact_property {
	tag_t tag;
	enum slot slot;
	int part; /* component of a structured value; CONTACT_WHOLE */
	const struct contact_kind *kind;
};
enum { CONTACT_WHOLE = -1, CONTACT_PARTS = 7 };

/* How a text stands in a line. */
struct contact_kind {
	/* The text of a line, or of a component; clean, LF. */
	struct str (*out)(const struct contact *c, const struct vcard_line *l, int part);
	/* What a device sent, as `out` would give it; RC_INVALID: it cannot be stored. A text
	 * that says nothing becomes STR_NONE: unchanged. NULL: it stays as it is. */
	enum rc (*normal)(const struct contact *c, struct str *text, struct err *err);
	/* Raw value for it; l NULL: of a new line. NULL: escaped text. */
	struct str (*in)(const struct contact *c, const struct vcard_line *l, struct str text);
	/* Parameters that would no longer be true. */
	const char *const *drop;
};
extern const struct contact_kind contact_text_kind, contact_part_kind, contact_name_kind,
	contact_street_kind, contact_email_kind, contact_phone_kind, contact_im_kind,
	contact_uri_kind, contact_date_kind;

extern const struct contact_property contact_properties[];
extern const size_t contact_nproperties;

/* Text as it is compared and stored: clean, LF, without white space around. */
struct str contact_clean(struct str text, struct arena *a);
/* What the device is shown; empty: nothing. */
struct str contact_shown(const struct contact *c, const struct contact_property *p);
/* The text in a slot as its property shows it. */
struct str contact_slot_text(const struct contact *c, enum slot slot);

/* K3: an address that may be shown to a device. */
bool contact_is_smtp(struct str address);
/* The account without the scheme in front. */
struct str contact_im_account(struct str text);

/* FN of a card that had none; never empty. */
struct str contact_full_name(const struct contact *c);
/* "Last, First", and what stands for it when there are no names. */
struct str contact_built_file_as(const struct contact *c);
struct str contact_file_as(const struct contact *c);
/* Whether the card has any component of a name. */
bool contact_has_name(const struct contact *c);

/* Properties that are lists of names. */
struct contact_list {
	tag_t list, item;
	struct {
		const char *name, *type, *label;
		bool several; /* with commas between them */
	} sources[4];
	const char *head3, *head4;
};
extern const struct contact_list contact_lists[2];
enum { CONTACT_LIST_MAX = 300 };
/* At most CONTACT_LIST_MAX, each once. */
size_t contact_list_shown(
	const struct contact *c, const struct contact_list *list, struct str *v);
/* wanted: clean, each once. */
void contact_list_set(
	struct contact *c, const struct contact_list *list, const struct str *wanted, size_t n);
/* Whether a line has all of these types and not those with '!', and that label if any. */
bool contact_line_is(const struct contact *c, const struct vcard_line *l, const char *types,
	const char *label);

/* The SMTP address of a line; STR_NONE: it is of another kind. */
struct str contact_address(const struct contact *c, const struct vcard_line *l);

/* The picture that the device is shown; STR_NONE: none. */
struct str contact_picture(const struct contact *c);
enum { CONTACT_PICTURE_MAX = 48 * 1024 }; /* [MS-ASCNTC] 2.2.2.58: base64 text */
/* What the device sent; empty: the picture goes. */
MUST_USE enum rc contact_picture_set(struct contact *c, struct str base64, struct err *err);

extern const struct body_tags contact_body_tags;

#endif
