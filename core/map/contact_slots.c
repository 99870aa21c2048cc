#include "core/map/contact_parts.h"

#include <string.h>

/* The rows are gone through in order; each takes the first line that fits and that none has
 * taken, if its slot has none. Names: any of them. Types: all of them, none of those with '!'.
 */
#define X(name)   "X-EVOLUTION-" name " X-MS-" name " X-" name
#define KDE(name) " X-KADDRESSBOOK-X-" name
#define FAMILY    "X-ABRELATEDNAMES"
#define IM                                                                                     \
	"IMPP X-AIM X-ICQ X-MSN X-YAHOO X-JABBER X-SKYPE X-SKYPE-USERNAME X-GOOGLE-TALK "      \
	"X-GADUGADU X-GROUPWISE X-QQ X-MS-IMADDRESS" KDE("IMADDRESS")
#define VOICE "!FAX !PAGER !MODEM !X-EVOLUTION-TELEX"
static const struct place {
	enum slot slot;
	const char *names, *types, *label;
} places[] = {
	{SLOT_NAME,            "N",				  "",                      NULL         },
	{SLOT_FN,              "FN",				 "",                      NULL         },
	{SLOT_ORG,             "ORG",				"",                      NULL         },
	{SLOT_TITLE,           "TITLE",			      "",                      NULL         },
	{SLOT_NICKNAME,        "NICKNAME",                           "",                      NULL         },
	{SLOT_URL,             "URL",				"WORK",                  NULL         },
	{SLOT_URL,             "URL",				"",                      NULL         },
	{SLOT_BIRTHDAY,        "BDAY",                               "",                      NULL         },
	{SLOT_ANNIVERSARY,     "ANNIVERSARY",                        "",                      NULL         },
	{SLOT_ANNIVERSARY,     X("ANNIVERSARY") KDE("ANNIVERSARY"),  "",                      NULL         },
	{SLOT_ANNIVERSARY,     "X-ABDATE",                           "",                      "Anniversary"},
	{SLOT_SPOUSE,          "RELATED",                            "SPOUSE",                NULL         },
	{SLOT_SPOUSE,          X("SPOUSE") KDE("SPOUSESNAME"),       "",                      NULL         },
	{SLOT_SPOUSE,          FAMILY,			       "",                      "Spouse"     },
	{SLOT_OFFICE,          "X-OFFICE X-MS-OFFICE" KDE("OFFICE"), "",                      NULL         },
	{SLOT_ASSISTANT,       X("ASSISTANT") KDE("ASSISTANTSNAME"), "",                      NULL         },
	{SLOT_ASSISTANT,       FAMILY,                               "",                      "Assistant"  },
	{SLOT_MANAGER,         X("MANAGER") KDE("MANAGERSNAME"),     "",                      NULL         },
	{SLOT_MANAGER,         FAMILY,			       "",                      "Manager"    },
	{SLOT_YOMI_FIRST,      "X-PHONETIC-FIRST-NAME",              "",                      NULL         },
	{SLOT_YOMI_LAST,       "X-PHONETIC-LAST-NAME",               "",                      NULL         },
	{SLOT_YOMI_COMPANY,    "X-PHONETIC-ORG",                     "",                      NULL         },
	{SLOT_CUSTOMER,        "X-CUSTOMER-ID",                      "",                      NULL         },
	{SLOT_GOVERNMENT,      "X-GOVERNMENT-ID",                    "",                      NULL         },
	{SLOT_ACCOUNT,         "X-ACCOUNT-NAME",                     "",                      NULL         },
	{SLOT_MMS,             "X-MMS",			      "",                      NULL         },
	{SLOT_FILE_AS,         "X-EVOLUTION-FILE-AS X-FILE-AS",      "",                      NULL         },
	{SLOT_NOTE,            "NOTE",			       "",                      NULL         },
	{SLOT_PHOTO,           "PHOTO",			      "",                      NULL         },
	{SLOT_WORK_ADDRESS,    "ADR",                                "WORK",                  NULL         },
	{SLOT_HOME_ADDRESS,    "ADR",                                "HOME",                  NULL         },
	{SLOT_OTHER_ADDRESS,   "ADR",                                "!WORK !HOME",           NULL         },
	{SLOT_OTHER_ADDRESS,   "ADR",                                "",                      NULL         },
	{SLOT_EMAIL1,          "EMAIL",                              "",                      NULL         },
	{SLOT_EMAIL2,          "EMAIL",                              "",                      NULL         },
	{SLOT_EMAIL3,          "EMAIL",                              "",                      NULL         },
	{SLOT_IM1,             IM,				   "",                      NULL         },
	{SLOT_IM2,             IM,				   "",                      NULL         },
	{SLOT_IM3,             IM,				   "",                      NULL         },
	{SLOT_BUSINESS_FAX,    "TEL",                                "FAX WORK",              NULL         },
	{SLOT_HOME_FAX,        "TEL",				"FAX HOME",              NULL         },
	{SLOT_BUSINESS_FAX,    "TEL",                                "FAX !HOME",             NULL         },
	{SLOT_HOME_FAX,        "TEL",				"FAX !WORK",             NULL         },
	{SLOT_PAGER,           "TEL",				"PAGER",                 NULL         },
	{SLOT_CAR,             "TEL",				"CAR",                   NULL         },
	{SLOT_RADIO,           "TEL",				"X-RADIO",               NULL         },
	{SLOT_RADIO,           "TEL",				"X-EVOLUTION-RADIO",     NULL         },
	{SLOT_ASSISTANT_PHONE, "TEL",                                "X-ASSISTANT",           NULL         },
	{SLOT_ASSISTANT_PHONE, "TEL",                                "X-EVOLUTION-ASSISTANT", NULL         },
	{SLOT_ASSISTANT_PHONE, "X-ASSISTANT-PHONE",                  "",                      NULL         },
	{SLOT_COMPANY_PHONE,   "TEL",                                "X-MAIN",                NULL         },
	{SLOT_COMPANY_PHONE,   "TEL",                                "X-EVOLUTION-COMPANY",   NULL         },
	{SLOT_COMPANY_PHONE,   "TEL",                                "MAIN",                  NULL         },
	{SLOT_MOBILE,          "TEL",				"CELL !WORK " VOICE,     NULL         },
	{SLOT_MOBILE,          "TEL",				"CELL " VOICE,           NULL         },
	{SLOT_MOBILE,          "TEL",				"MOBILE " VOICE,         NULL         },
	{SLOT_BUSINESS,        "TEL",				"WORK " VOICE,           NULL         },
	{SLOT_BUSINESS2,       "TEL",				"WORK " VOICE,           NULL         },
	{SLOT_HOME,            "TEL",				"HOME " VOICE,           NULL         },
	{SLOT_HOME2,           "TEL",				"HOME " VOICE,           NULL         },
};

/* Numbers that are left, and in no other slot: better under the wrong label than not on the
 * phone at all. */
static const struct place leftovers[] = {
	{SLOT_HOME,      "TEL", VOICE, NULL},
	{SLOT_HOME2,     "TEL", VOICE, NULL},
	{SLOT_BUSINESS,  "TEL", VOICE, NULL},
	{SLOT_BUSINESS2, "TEL", VOICE, NULL},
	{SLOT_MOBILE,    "TEL", VOICE, NULL},
};

/* What a new line begins with; 4.0 NULL: the same. */
static const struct {
	const char *head3, *head4;
} heads[SLOTS] = {
	[SLOT_NAME] = {"N",                         NULL                            },
	[SLOT_FN] = {"FN",                        NULL                            },
	[SLOT_ORG] = {"ORG",                       NULL                            },
	[SLOT_TITLE] = {"TITLE",                     NULL                            },
	[SLOT_NICKNAME] = {"NICKNAME",                  NULL                            },
	[SLOT_URL] = {"URL",                       NULL                            },
	[SLOT_BIRTHDAY] = {"BDAY",                      NULL                            },
	[SLOT_ANNIVERSARY] = {"X-ANNIVERSARY",             "ANNIVERSARY"                   },
	[SLOT_SPOUSE] = {"X-SPOUSE",                  "RELATED;TYPE=spouse;VALUE=text"},
	[SLOT_OFFICE] = {"X-OFFICE",                  NULL                            },
	[SLOT_ASSISTANT] = {"X-ASSISTANT",               NULL                            },
	[SLOT_MANAGER] = {"X-MANAGER",                 NULL                            },
	[SLOT_YOMI_FIRST] = {"X-PHONETIC-FIRST-NAME",     NULL                            },
	[SLOT_YOMI_LAST] = {"X-PHONETIC-LAST-NAME",      NULL                            },
	[SLOT_YOMI_COMPANY] = {"X-PHONETIC-ORG",            NULL                            },
	[SLOT_CUSTOMER] = {"X-CUSTOMER-ID",             NULL                            },
	[SLOT_GOVERNMENT] = {"X-GOVERNMENT-ID",           NULL                            },
	[SLOT_ACCOUNT] = {"X-ACCOUNT-NAME",            NULL                            },
	[SLOT_MMS] = {"X-MMS",                     NULL                            },
	[SLOT_FILE_AS] = {"X-EVOLUTION-FILE-AS",       NULL                            },
	[SLOT_NOTE] = {"NOTE",                      NULL                            },
	[SLOT_PHOTO] = {"PHOTO",                     NULL                            },
	[SLOT_WORK_ADDRESS] = {"ADR;TYPE=WORK",             NULL                            },
	[SLOT_HOME_ADDRESS] = {"ADR;TYPE=HOME",             NULL                            },
	[SLOT_OTHER_ADDRESS] = {"ADR",                       NULL                            },
	[SLOT_EMAIL1] = {"EMAIL;TYPE=INTERNET",       "EMAIL"                         },
	[SLOT_EMAIL2] = {"EMAIL;TYPE=INTERNET",       "EMAIL"                         },
	[SLOT_EMAIL3] = {"EMAIL;TYPE=INTERNET",       "EMAIL"                         },
	[SLOT_IM1] = {"IMPP",                      NULL                            },
	[SLOT_IM2] = {"IMPP",                      NULL                            },
	[SLOT_IM3] = {"IMPP",                      NULL                            },
	[SLOT_BUSINESS] = {"TEL;TYPE=WORK;TYPE=VOICE",  NULL                            },
	[SLOT_BUSINESS2] = {"TEL;TYPE=WORK;TYPE=VOICE",  NULL                            },
	[SLOT_HOME] = {"TEL;TYPE=HOME;TYPE=VOICE",  NULL                            },
	[SLOT_HOME2] = {"TEL;TYPE=HOME;TYPE=VOICE",  NULL                            },
	[SLOT_MOBILE] = {"TEL;TYPE=CELL",             NULL                            },
	[SLOT_BUSINESS_FAX] = {"TEL;TYPE=WORK;TYPE=FAX",    NULL                            },
	[SLOT_HOME_FAX] = {"TEL;TYPE=HOME;TYPE=FAX",    NULL                            },
	[SLOT_CAR] = {"TEL;TYPE=CAR",              NULL                            },
	[SLOT_PAGER] = {"TEL;TYPE=PAGER",            NULL                            },
	[SLOT_RADIO] = {"TEL;TYPE=X-RADIO",          NULL                            },
	[SLOT_ASSISTANT_PHONE] = {"TEL;TYPE=X-ASSISTANT",      NULL                            },
	[SLOT_COMPANY_PHONE] = {"TEL;TYPE=WORK;TYPE=X-MAIN", NULL                            },
};

static const enum slot families[][2] = {
	{SLOT_EMAIL1,   SLOT_EMAIL3   },
	{SLOT_IM1,      SLOT_IM3      },
	{SLOT_BUSINESS, SLOT_BUSINESS2},
	{SLOT_HOME,     SLOT_HOME2    },
};

void contact_family(enum slot slot, enum slot *first_r, enum slot *last_r)
{
	*first_r = *last_r = slot;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (slot >= families[i][0] && slot <= families[i][1]) {
			*first_r = families[i][0];
			*last_r = families[i][1];
		}
}

struct str contact_head(const struct contact *c, enum slot slot)
{
	const char *head4 = heads[slot].head4;

	return str_of(c->card.version == VCARD_40 && head4 ? head4 : heads[slot].head3);
}

static bool is_named(const struct vcard_line *l, const char *names)
{
	char begins = l->name.n ? (char)(l->name.p[0] & ~0x20) : '\0';
	struct str rest, name;

	/* Most rows are passed by: every name begins as the first does, or with X. */
	if (begins != names[0] && begins != 'X')
		return false;
	rest = str_of(names);
	while (str_next(&rest, ' ', &name))
		if (str_ieq(l->name, name))
			return true;
	return false;
}

static bool types_fit(const struct vcard_line *l, const char *types)
{
	struct str rest = str_of(types), type;

	while (str_next(&rest, ' ', &type)) {
		bool no = str_starts(type, "!");

		if (type.n && vcard_is_type(l, str_sub(type, no, type.n)) == no)
			return false;
	}
	return true;
}

/* Apple writes "item1.X-ABDATE:..." and "item1.X-ABLabel:_$!<Anniversary>!$_". */
static bool label_fits(const struct contact *c, const struct vcard_line *l, const char *label)
{
	const struct vcard_line *o = NULL;

	if (!label)
		return true;
	if (!l->group.n)
		return false;
	while ((o = vcard_find(&c->card, o, "X-ABLABEL")) != NULL)
		if (str_ieq(o->group, l->group))
			return str_isearch(o->value, str_of(label)) < o->value.n;
	return false;
}

bool contact_line_is(const struct contact *c, const struct vcard_line *l, const char *types,
	const char *label)
{
	return types_fit(l, types) && label_fits(c, l, label);
}

static bool is_taken(const struct contact *c, const struct vcard_line *l)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (c->line[i] == l)
			return true;
	return false;
}

/* Whether two lines of one family say the same. */
static bool same_value(const struct contact *c, enum slot slot, const struct vcard_line *l,
	const struct vcard_line *o)
{
	const struct contact_kind *kind = slot >= SLOT_BUSINESS ? &contact_phone_kind
					  : slot >= SLOT_IM1    ? &contact_im_kind
								: &contact_email_kind;
	struct str x = kind->out(c, l, CONTACT_WHOLE), y = kind->out(c, o, CONTACT_WHOLE);

	if (kind == &contact_im_kind)
		return str_ieq(contact_im_account(x), contact_im_account(y));
	return str_ieq(x, y);
}

/* B20336: the same number, address or account is shown once in its family. */
static bool is_repeated(
	const struct contact *c, enum slot first, enum slot last, const struct vcard_line *l)
{
	for (enum slot i = first; i <= last && first < last; i++)
		if (c->line[i] && same_value(c, first, l, c->line[i]))
			return true;
	return false;
}

/* [MS-ASCNTC] has names there: what points to another card is left alone. */
static bool is_reference(const struct vcard_line *l)
{
	return str_iis(l->name, "RELATED") &&
	       (str_istarts(l->value, "urn:") || str_search(l->value, STR("://")) < l->value.n);
}

static bool is_empty(const struct vcard_line *l)
{
	return str_trim(l->value).n == 0;
}

static bool fits(const struct contact *c, const struct place *s, const struct vcard_line *l)
{
	if (!l->name.n || !is_named(l, s->names) || is_taken(c, l))
		return false;
	if (!contact_line_is(c, l, s->types, s->label) || is_reference(l))
		return false;
	if (s->slot >= SLOT_EMAIL1 && s->slot <= SLOT_EMAIL3 &&
		(vcard_is_type(l, STR("X400")) ||
			!contact_is_smtp(contact_email_kind.out(c, l, CONTACT_WHOLE))))
		return false;
	return true;
}

static void place(struct contact *c, const struct place *s, enum slot first, enum slot last)
{
	for (struct vcard_line *l = c->card.first; l && !c->line[s->slot]; l = l->next)
		if (fits(c, s, l) && !is_empty(l) && !is_repeated(c, first, last, l))
			c->line[s->slot] = l;
}

/* Of what there is one only, a line without a value is the one to be set. */
static void place_empty(struct contact *c)
{
	for (size_t i = 0; i < ARRAY_LEN(places) && places[i].slot < SLOT_PHOTO; i++) {
		enum slot slot = places[i].slot;

		for (struct vcard_line *l = c->card.first; l && !c->line[slot]; l = l->next)
			if (is_empty(l) && fits(c, &places[i], l))
				c->line[slot] = l;
	}
}

void contact_place(struct contact *c)
{
	for (size_t i = 0; i < SLOTS; i++)
		c->line[i] = NULL;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		enum slot first, last;

		contact_family(places[i].slot, &first, &last);
		place(c, &places[i], first, last);
	}
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
		place(c, &leftovers[i], SLOT_BUSINESS, SLOTS - 1);
	place_empty(c);
}

/* A line that none took because another of its family says the same. */
static bool repeats(const struct contact *c, enum slot slot, const struct vcard_line *l)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].slot == slot && !is_empty(l) && fits(c, &places[i], l))
			return same_value(c, slot, l, c->line[slot]);
	return false;
}

void contact_remove_repeats(struct contact *c, enum slot slot)
{
	struct vcard_line *l, *next;
	enum slot first, last;

	contact_family(slot, &first, &last);
	for (l = c->card.first; l && first < last; l = next) {
		next = l->next;
		if (repeats(c, slot, l))
			vcard_remove(&c->card, l);
	}
}
