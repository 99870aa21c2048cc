#include "core/map/contact_parts.h"

#include <string.h>

enum {
	MAY_BE_EMPTY = 1, /* a line without a value is taken too */
	ONLY_NEW = 2,     /* not a number that stands in another slot already */
};

/* The rows are gone through in order; each takes the first line that fits and that none has
 * taken, if its slot has none. Names: any of them. Types: all of them, none of those with '!'.
 */
#define VOICE "!FAX !PAGER !MODEM !X-EVOLUTION-TELEX"
#define IM_NAMES                                                                               \
	"IMPP X-AIM X-ICQ X-MSN X-YAHOO X-JABBER X-SKYPE X-SKYPE-USERNAME X-GOOGLE-TALK "      \
	"X-GADUGADU X-GROUPWISE X-QQ X-MS-IMADDRESS X-KADDRESSBOOK-X-IMADDRESS"
#define X(name) "X-EVOLUTION-" name " X-MS-" name " X-" name
static const struct place {
	enum slot slot;
	const char *names, *types, *label;
	unsigned flags;
} sources[] = {
	{SLOT_NAME,            "N",					       "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_FN,              "FN",					      "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_ORG,             "ORG",					     "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_TITLE,           "TITLE",					   "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_NICKNAME,        "NICKNAME",					"",                      NULL,          MAY_BE_EMPTY},
	{SLOT_URL,             "URL",					     "WORK",                  NULL,          0           },
	{SLOT_URL,             "URL",					     "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_BIRTHDAY,        "BDAY",					    "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_ANNIVERSARY,     "ANNIVERSARY",                                     "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_ANNIVERSARY,     X("ANNIVERSARY") " X-KADDRESSBOOK-X-ANNIVERSARY",  "",                      NULL,
         MAY_BE_EMPTY														 },
	{SLOT_ANNIVERSARY,     "X-ABDATE",					"",                      "Anniversary", 0           },
	{SLOT_SPOUSE,          "RELATED",					 "SPOUSE",                NULL,          0           },
	{SLOT_SPOUSE,          X("SPOUSE") " X-KADDRESSBOOK-X-SPOUSESNAME",       "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_SPOUSE,          "X-ABRELATEDNAMES",                                "",                      "Spouse",      0           },
	{SLOT_OFFICE,          "X-OFFICE X-MS-OFFICE X-KADDRESSBOOK-X-OFFICE",    "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_ASSISTANT,       X("ASSISTANT") " X-KADDRESSBOOK-X-ASSISTANTSNAME", "",                      NULL,
         MAY_BE_EMPTY														 },
	{SLOT_ASSISTANT,       "X-ABRELATEDNAMES",                                "",                      "Assistant",   0           },
	{SLOT_MANAGER,         X("MANAGER") " X-KADDRESSBOOK-X-MANAGERSNAME",     "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_MANAGER,         "X-ABRELATEDNAMES",                                "",                      "Manager",     0           },
	{SLOT_YOMI_FIRST,      "X-PHONETIC-FIRST-NAME",                           "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_YOMI_LAST,       "X-PHONETIC-LAST-NAME",                            "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_YOMI_COMPANY,    "X-PHONETIC-ORG",                                  "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_CUSTOMER,        "X-CUSTOMER-ID",                                   "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_GOVERNMENT,      "X-GOVERNMENT-ID",                                 "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_ACCOUNT,         "X-ACCOUNT-NAME",                                  "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_MMS,             "X-MMS",					   "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_FILE_AS,         "X-EVOLUTION-FILE-AS X-FILE-AS",                   "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_NOTE,            "NOTE",					    "",                      NULL,          MAY_BE_EMPTY},
	{SLOT_PHOTO,           "PHOTO",					   "",                      NULL,          0           },
	{SLOT_WORK_ADDRESS,    "ADR",					     "WORK",                  NULL,          0           },
	{SLOT_HOME_ADDRESS,    "ADR",					     "HOME",                  NULL,          0           },
	{SLOT_OTHER_ADDRESS,   "ADR",					     "!WORK !HOME",           NULL,          0           },
	{SLOT_OTHER_ADDRESS,   "ADR",					     "",                      NULL,          0           },
	{SLOT_EMAIL1,          "EMAIL",					   "",                      NULL,          0           },
	{SLOT_EMAIL2,          "EMAIL",					   "",                      NULL,          0           },
	{SLOT_EMAIL3,          "EMAIL",					   "",                      NULL,          0           },
	{SLOT_IM1,             IM_NAMES,					  "",                      NULL,          0           },
	{SLOT_IM2,             IM_NAMES,					  "",                      NULL,          0           },
	{SLOT_IM3,             IM_NAMES,					  "",                      NULL,          0           },
	{SLOT_BUSINESS_FAX,    "TEL",					     "FAX WORK",              NULL,          0           },
	{SLOT_HOME_FAX,        "TEL",					     "FAX HOME",              NULL,          0           },
	{SLOT_BUSINESS_FAX,    "TEL",					     "FAX !HOME",             NULL,          0           },
	{SLOT_HOME_FAX,        "TEL",					     "FAX !WORK",             NULL,          0           },
	{SLOT_PAGER,           "TEL",					     "PAGER",                 NULL,          0           },
	{SLOT_CAR,             "TEL",					     "CAR",                   NULL,          0           },
	{SLOT_RADIO,           "TEL",					     "X-RADIO",               NULL,          0           },
	{SLOT_RADIO,           "TEL",					     "X-EVOLUTION-RADIO",     NULL,          0           },
	{SLOT_ASSISTANT_PHONE, "TEL",					     "X-ASSISTANT",           NULL,          0           },
	{SLOT_ASSISTANT_PHONE, "TEL",					     "X-EVOLUTION-ASSISTANT", NULL,          0           },
	{SLOT_ASSISTANT_PHONE, "X-ASSISTANT-PHONE",                               "",                      NULL,          0           },
	{SLOT_COMPANY_PHONE,   "TEL",					     "X-MAIN",                NULL,          0           },
	{SLOT_COMPANY_PHONE,   "TEL",					     "X-EVOLUTION-COMPANY",   NULL,          0           },
	{SLOT_COMPANY_PHONE,   "TEL",					     "MAIN",                  NULL,          0           },
	{SLOT_MOBILE,          "TEL",					     "CELL !WORK " VOICE,     NULL,          0           },
	{SLOT_MOBILE,          "TEL",					     "CELL " VOICE,           NULL,          0           },
	{SLOT_MOBILE,          "TEL",					     "MOBILE " VOICE,         NULL,          0           },
	{SLOT_BUSINESS,        "TEL",					     "WORK " VOICE,           NULL,          0           },
	{SLOT_BUSINESS2,       "TEL",					     "WORK " VOICE,           NULL,          0           },
	{SLOT_HOME,            "TEL",					     "HOME " VOICE,           NULL,          0           },
	{SLOT_HOME2,           "TEL",					     "HOME " VOICE,           NULL,          0           },
 /* Better under the wrong label than not on the phone at all. */
	{SLOT_HOME,            "TEL",					     VOICE,                   NULL,          ONLY_NEW    },
	{SLOT_HOME2,           "TEL",					     VOICE,                   NULL,          ONLY_NEW    },
	{SLOT_BUSINESS,        "TEL",					     VOICE,                   NULL,          ONLY_NEW    },
	{SLOT_BUSINESS2,       "TEL",					     VOICE,                   NULL,          ONLY_NEW    },
	{SLOT_MOBILE,          "TEL",					     VOICE,                   NULL,          ONLY_NEW    },
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
	[SLOT_CAR] = {"TEL;TYPE=CAR",              NULL                },
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
	struct str rest = str_of(names), name;

	while (str_next(&rest, ' ', &name))
		if (str_ieq(l->name, name))
			return true;
	return false;
}

static bool types_fit(const struct vcard_line *l, const char *types)
{
	struct str rest = str_of(types), type;

	while (str_next(&rest, ' ', &type)) {
		bool not = str_starts(type, "!");

		if (type.n && vcard_is_type(l, str_sub(type, not, type.n)) == not )
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
	const struct contact *c, const struct place *s, const struct vcard_line *l)
{
	enum slot first, last;

	if (s->flags & ONLY_NEW) {
		first = SLOT_BUSINESS;
		last = SLOTS - 1;
	} else {
		contact_family(s->slot, &first, &last);
	}
	if (first == last)
		return false;
	for (enum slot i = first; i <= last; i++)
		if (c->line[i] && same_value(c, s->slot, l, c->line[i]))
			return true;
	return false;
}

/* [MS-ASCNTC] has names there: what points to another card is left alone. */
static bool is_reference(const struct vcard_line *l)
{
	return str_iis(l->name, "RELATED") &&
	       (str_istarts(l->value, "urn:") || str_search(l->value, STR("://")) < l->value.n);
}

static bool fits(const struct contact *c, const struct place *s, const struct vcard_line *l)
{
	if (!l->name.n || !is_named(l, s->names) || is_taken(c, l))
		return false;
	if (!(s->flags & MAY_BE_EMPTY) && str_trim(l->value).n == 0)
		return false;
	if (!contact_line_is(c, l, s->types, s->label) || is_reference(l))
		return false;
	if (s->slot >= SLOT_EMAIL1 && s->slot <= SLOT_EMAIL3 &&
		(vcard_is_type(l, STR("X400")) ||
			!contact_is_smtp(contact_email_kind.out(c, l, CONTACT_WHOLE))))
		return false;
	return !is_repeated(c, s, l);
}

void contact_place(struct contact *c)
{
	for (size_t i = 0; i < SLOTS; i++)
		c->line[i] = NULL;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		const struct place *s = &sources[i];

		for (struct vcard_line *l = c->card.first; l && !c->line[s->slot]; l = l->next)
			if (fits(c, s, l))
				c->line[s->slot] = l;
	}
}

void contact_remove_repeats(struct contact *c, enum slot slot)
{
	struct vcard_line *l, *next;
	enum slot first, last;

	contact_family(slot, &first, &last);
	for (l = c->card.first; l && first < last; l = next) {
		bool repeated = false;

		next = l->next;
		for (size_t i = 0; i < ARRAY_LEN(sources) && !repeated; i++)
			repeated = sources[i].slot == slot && l->name.n &&
				   is_named(l, sources[i].names) && !is_taken(c, l) &&
				   types_fit(l, sources[i].types) &&
				   same_value(c, slot, l, c->line[slot]);
		if (repeated)
			vcard_remove(&c->card, l);
	}
}
