#include "core/map/contact_parts.h"

#include "core/base/base64.h"

/* classes.md 6: one row a property, in the order in which they are written. */
#define WHOLE  CONTACT_WHOLE
#define TEXT   &contact_text_kind
#define PHONE  &contact_phone_kind
#define EMAIL  &contact_email_kind
#define IM     &contact_im_kind
#define URI    &contact_uri_kind
#define DATE   &contact_date_kind
#define NAME   &contact_name_kind
#define PART   &contact_part_kind
#define STREET &contact_street_kind
const struct contact_property contact_properties[] = {
	{CONTACTS_FILE_AS,                      SLOT_FILE_AS,         WHOLE, TEXT  },
	{CONTACTS_LAST_NAME,                    SLOT_NAME,            0,     NAME  },
	{CONTACTS_FIRST_NAME,                   SLOT_NAME,            1,     NAME  },
	{CONTACTS_MIDDLE_NAME,                  SLOT_NAME,            2,     NAME  },
	{CONTACTS_TITLE,                        SLOT_NAME,            3,     NAME  },
	{CONTACTS_SUFFIX,                       SLOT_NAME,            4,     NAME  },
	{CONTACTS_COMPANY_NAME,                 SLOT_ORG,             0,     PART  },
	{CONTACTS_DEPARTMENT,                   SLOT_ORG,             1,     PART  },
	{CONTACTS_JOB_TITLE,                    SLOT_TITLE,           WHOLE, TEXT  },
	{CONTACTS_OFFICE_LOCATION,              SLOT_OFFICE,          WHOLE, TEXT  },
	{CONTACTS_EMAIL1_ADDRESS,               SLOT_EMAIL1,          WHOLE, EMAIL },
	{CONTACTS_EMAIL2_ADDRESS,               SLOT_EMAIL2,          WHOLE, EMAIL },
	{CONTACTS_EMAIL3_ADDRESS,               SLOT_EMAIL3,          WHOLE, EMAIL },
	{CONTACTS_BUSINESS_PHONE_NUMBER,        SLOT_BUSINESS,        WHOLE, PHONE },
	{CONTACTS_BUSINESS2_PHONE_NUMBER,       SLOT_BUSINESS2,       WHOLE, PHONE },
	{CONTACTS_BUSINESS_FAX_NUMBER,          SLOT_BUSINESS_FAX,    WHOLE, PHONE },
	{CONTACTS_HOME_PHONE_NUMBER,            SLOT_HOME,            WHOLE, PHONE },
	{CONTACTS_HOME2_PHONE_NUMBER,           SLOT_HOME2,           WHOLE, PHONE },
	{CONTACTS_HOME_FAX_NUMBER,              SLOT_HOME_FAX,        WHOLE, PHONE },
	{CONTACTS_MOBILE_PHONE_NUMBER,          SLOT_MOBILE,          WHOLE, PHONE },
	{CONTACTS_CAR_PHONE_NUMBER,             SLOT_CAR,             WHOLE, PHONE },
	{CONTACTS_PAGER_NUMBER,                 SLOT_PAGER,           WHOLE, PHONE },
	{CONTACTS_RADIO_PHONE_NUMBER,           SLOT_RADIO,           WHOLE, PHONE },
	{CONTACTS_ASSISTANT_NAME,               SLOT_ASSISTANT,       WHOLE, TEXT  },
	{CONTACTS_ASSISTANT_PHONE_NUMBER,       SLOT_ASSISTANT_PHONE, WHOLE, PHONE },
	{CONTACTS_BUSINESS_ADDRESS_STREET,      SLOT_WORK_ADDRESS,    2,     STREET},
	{CONTACTS_BUSINESS_ADDRESS_CITY,        SLOT_WORK_ADDRESS,    3,     PART  },
	{CONTACTS_BUSINESS_ADDRESS_STATE,       SLOT_WORK_ADDRESS,    4,     PART  },
	{CONTACTS_BUSINESS_ADDRESS_POSTAL_CODE, SLOT_WORK_ADDRESS,    5,     PART  },
	{CONTACTS_BUSINESS_ADDRESS_COUNTRY,     SLOT_WORK_ADDRESS,    6,     PART  },
	{CONTACTS_HOME_ADDRESS_STREET,          SLOT_HOME_ADDRESS,    2,     STREET},
	{CONTACTS_HOME_ADDRESS_CITY,            SLOT_HOME_ADDRESS,    3,     PART  },
	{CONTACTS_HOME_ADDRESS_STATE,           SLOT_HOME_ADDRESS,    4,     PART  },
	{CONTACTS_HOME_ADDRESS_POSTAL_CODE,     SLOT_HOME_ADDRESS,    5,     PART  },
	{CONTACTS_HOME_ADDRESS_COUNTRY,         SLOT_HOME_ADDRESS,    6,     PART  },
	{CONTACTS_OTHER_ADDRESS_STREET,         SLOT_OTHER_ADDRESS,   2,     STREET},
	{CONTACTS_OTHER_ADDRESS_CITY,           SLOT_OTHER_ADDRESS,   3,     PART  },
	{CONTACTS_OTHER_ADDRESS_STATE,          SLOT_OTHER_ADDRESS,   4,     PART  },
	{CONTACTS_OTHER_ADDRESS_POSTAL_CODE,    SLOT_OTHER_ADDRESS,   5,     PART  },
	{CONTACTS_OTHER_ADDRESS_COUNTRY,        SLOT_OTHER_ADDRESS,   6,     PART  },
	{CONTACTS_WEB_PAGE,                     SLOT_URL,             WHOLE, URI   },
	{CONTACTS_BIRTHDAY,                     SLOT_BIRTHDAY,        WHOLE, DATE  },
	{CONTACTS_ANNIVERSARY,                  SLOT_ANNIVERSARY,     WHOLE, DATE  },
	{CONTACTS_SPOUSE,                       SLOT_SPOUSE,          WHOLE, TEXT  },
	{CONTACTS_YOMI_FIRST_NAME,              SLOT_YOMI_FIRST,      WHOLE, TEXT  },
	{CONTACTS_YOMI_LAST_NAME,               SLOT_YOMI_LAST,       WHOLE, TEXT  },
	{CONTACTS_YOMI_COMPANY_NAME,            SLOT_YOMI_COMPANY,    WHOLE, TEXT  },
	{CONTACTS2_NICK_NAME,                   SLOT_NICKNAME,        WHOLE, TEXT  },
	{CONTACTS2_CUSTOMER_ID,                 SLOT_CUSTOMER,        WHOLE, TEXT  },
	{CONTACTS2_GOVERNMENT_ID,               SLOT_GOVERNMENT,      WHOLE, TEXT  },
	{CONTACTS2_ACCOUNT_NAME,                SLOT_ACCOUNT,         WHOLE, TEXT  },
	{CONTACTS2_MANAGER_NAME,                SLOT_MANAGER,         WHOLE, TEXT  },
	{CONTACTS2_COMPANY_MAIN_PHONE,          SLOT_COMPANY_PHONE,   WHOLE, PHONE },
	{CONTACTS2_MMS,			 SLOT_MMS,             WHOLE, TEXT  },
	{CONTACTS2_IM_ADDRESS,                  SLOT_IM1,             WHOLE, IM    },
	{CONTACTS2_IM_ADDRESS2,                 SLOT_IM2,             WHOLE, IM    },
	{CONTACTS2_IM_ADDRESS3,                 SLOT_IM3,             WHOLE, IM    },
};
const size_t contact_nproperties = ARRAY_LEN(contact_properties);

const struct body_tags contact_body_tags = {
	CONTACTS_BODY, CONTACTS_BODY_SIZE, CONTACTS_BODY_TRUNCATED, CONTACTS_COMPRESSED_RTF};

static bool is_group(const struct vcard *c)
{
	static const char *const names[] = {"KIND", "X-ADDRESSBOOKSERVER-KIND"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct vcard_line *l = vcard_find(c, NULL, names[i]);

		if (l && str_iis(str_trim(l->value), "group"))
			return true;
	}
	return false;
}

enum rc contact_read(struct str card, struct arena *a, struct contact *c, struct err *err)
{
	enum rc rc;

	*c = (struct contact){.a = a};
	rc = vcard_read(card, a, &c->card, err);
	if (rc)
		return err_set(err, RC_INVALID, "this cannot be read as a vCard");
	if (is_group(&c->card))
		return err_set(err, RC_INVALID, "not a person but a group");
	contact_place(c);
	return RC_OK;
}

bool contact_is_group(struct str card, struct arena *a)
{
	struct vcard c;

	return vcard_read(card, a, &c, NULL) == RC_OK && is_group(&c);
}

struct str contact_slot_text(const struct contact *c, enum slot slot)
{
	for (size_t i = 0; i < contact_nproperties; i++)
		if (contact_properties[i].slot == slot)
			return contact_shown(c, &contact_properties[i]);
	return vcard_text(&c->card, c->line[slot]);
}

/* A name that stands in FN alone has to be shown somewhere: as last name. */
static struct str lone_name(const struct contact *c)
{
	struct str fn;

	if (contact_has_name(c) || !c->line[SLOT_FN])
		return STR_NONE;
	fn = str_trim(vcard_text(&c->card, c->line[SLOT_FN]));
	return str_eq(fn, contact_full_name(c)) ? STR_NONE : fn;
}

struct str contact_shown(const struct contact *c, const struct contact_property *p)
{
	const struct vcard_line *l = c->line[p->slot];
	struct str r = STR_NONE;

	if (p->slot == SLOT_FILE_AS)
		r = contact_file_as(c);
	else if (l)
		r = p->kind->out(c, l, p->part);
	if (!r.n && p->tag == CONTACTS_LAST_NAME)
		r = lone_name(c);
	r = str_trim(r);
	return r.n ? r : (struct str){"", 0};
}

static void write_properties(const struct contact *c, unsigned page, struct wbxml_writer *w)
{
	for (size_t i = 0; i < contact_nproperties; i++) {
		const struct contact_property *p = &contact_properties[i];

		if (TAG_PAGE(p->tag) == page)
			wbxml_text_if(w, p->tag, body_crlf(contact_shown(c, p), c->a));
	}
}

static void write_list(
	const struct contact *c, const struct contact_list *list, struct wbxml_writer *w)
{
	struct str *v = ARENA_ARRAY(c->a, struct str, CONTACT_LIST_MAX);
	size_t n = contact_list_shown(c, list, v);

	if (n == 0)
		return;
	wbxml_open(w, list->list);
	for (size_t i = 0; i < n; i++)
		wbxml_text(w, list->item, v[i]);
	wbxml_close(w, list->list);
}

static void write_picture(const struct contact *c, struct wbxml_writer *w)
{
	struct str picture = contact_picture(c);
	struct buf b;

	if (!picture.n)
		return;
	buf_init(&b, 2 * CONTACT_PICTURE_MAX);
	base64_encode(picture, &b);
	wbxml_text(w, CONTACTS_PICTURE, buf_str(&b));
	buf_release(&b);
}

enum rc contact_write(struct str card, const struct email_options *o, struct arena *a,
	struct wbxml_writer *w, struct err *err)
{
	struct contact c;
	enum rc rc = contact_read(card, a, &c, err);

	if (rc)
		return rc;
	write_properties(&c, TAG_PAGE(CONTACTS_FILE_AS), w);
	for (size_t i = 0; i < ARRAY_LEN(contact_lists); i++)
		write_list(&c, &contact_lists[i], w);
	write_picture(&c, w);
	write_properties(&c, TAG_PAGE(CONTACTS2_NICK_NAME), w);
	body_write(contact_slot_text(&c, SLOT_NOTE), o, &contact_body_tags, a, w);
	return RC_OK;
}

struct str contact_uid(struct str card, struct arena *a)
{
	const struct vcard_line *l = NULL;
	struct vcard c;
	struct str uid;

	if (vcard_read(card, a, &c, NULL) == RC_OK)
		l = vcard_find(&c, NULL, "UID");
	uid = l ? str_trim(vcard_text(&c, l)) : STR_NONE;
	return uid.n ? uid : STR_NONE;
}
