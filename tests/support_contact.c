#include "tests/support_contact.h"

#include "core/base/base64.h"
#include "core/map/body.h"
#include "core/map/vcard.h"
#include "core/wire/dump.h"
#include "core/wire/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct chance chance_of(uint64_t seed)
{
	return (struct chance){seed * 0x9e3779b97f4a7c15u + 1};
}

/* xorshift64* */
unsigned chance(struct chance *r, unsigned n)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (unsigned)((r->state * 0x2545f4914f6cdd1du) >> 33) % n;
}

static const char *const words[] = {"Ann", "Bob", "Grün", "Østergård", "山田", "太郎", "O'Neil",
	"van der Berg", "Smith, Jr.", "A&B; Söhne", "back\\slash", "\"quoted\"", "Иванов", "x",
	"a:b", "100% <sure>", "c\\n", "\\,", ";", "😀 smile", "Straße 7", "=2C", "line=", "^n"};

static struct str word(struct chance *r)
{
	return str_of(words[chance(r, ARRAY_LEN(words))]);
}

/* One to n words. */
static struct str some_words(struct chance *r, unsigned n, const char *between, struct arena *a)
{
	struct str s = word(r);

	for (unsigned i = chance(r, n); i > 0; i--) {
		struct str next = word(r);

		s = arena_printf(a, "%.*s%s%.*s", STR_FMT(s), between, STR_FMT(next));
	}
	return s;
}

static struct str random_date(struct chance *r, struct arena *a)
{
	unsigned year = chance(r, 8) ? 1900 + chance(r, 200) : 1604;
	unsigned month = 1 + chance(r, 12);

	return arena_printf(a, "%04u-%02u-%02u", year, month, 1 + chance(r, 28));
}

/* A JPEG as far as its first bytes tell. */
static struct str random_jpeg(struct chance *r, struct arena *a)
{
	size_t n = 4 + chance(r, 300);
	char *p = arena_alloc(a, n);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)chance(r, 256);
	p[0] = '\xff';
	p[1] = '\xd8';
	p[2] = '\xff';
	return (struct str){p, n};
}

static struct str base64_of(struct str bytes, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	base64_encode(bytes, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

/* Cards */

const char *const card_writer_names[CARD_WRITERS] = {
	"Radicale", "Apple", "Google", "CardBook", "Evolution", "Nextcloud"};

enum {
	RAD = 1 << CARD_RADICALE,
	APL = 1 << CARD_APPLE,
	GOO = 1 << CARD_GOOGLE,
	BOO = 1 << CARD_CARDBOOK,
	EVO = 1 << CARD_EVOLUTION,
	NEX = 1 << CARD_NEXTCLOUD,
	ALL = RAD | APL | GOO | BOO | EVO | NEX,
	V3 = RAD | APL | GOO | EVO,
	V4 = BOO | NEX,
};

/*
 * %w words, escaped; %l a list of words; %o lines of words; %e an address; %p a number; %d %D a
 * date in its short and long form; %b a picture in base64; %u a random number.
 */
static const struct {
	unsigned writers;
	bool foreign;
	const char *text; /* may be several lines, which stay together */
} templates[] = {
	{ALL,             false, "NICKNAME:%w"							},
	{ALL,             false, "ORG:%w;%w"							  },
	{ALL,             false, "ORG:%w"							     },
	{ALL,             false, "TITLE:%w"							   },
	{ALL,             true,  "ROLE:%w"							    },
	{ALL,             false, "NOTE:%o"							    },
	{RAD | GOO,       false, "EMAIL;TYPE=INTERNET;TYPE=HOME:%e"                                   },
	{RAD | GOO | EVO, false, "EMAIL;TYPE=WORK:%e"                                                 },
	{APL,             false, "EMAIL;type=INTERNET;type=HOME;type=pref:%e"                         },
	{APL,             false, "item1.EMAIL;type=INTERNET:%e\nitem1.X-ABLabel:%w"                   },
	{BOO,             false, "EMAIL;PREF=1;TYPE=WORK:%e"                                          },
	{V4,	      false, "EMAIL;TYPE=\"HOME,x-other\":%e"                                     },
	{NEX,             false, "EMAIL;TYPE=OTHER:%e"						},
	{EVO,             false, "EMAIL;X-EVOLUTION-UI-SLOT=2;TYPE=OTHER:%e"                          },
	{V3,	      true,  "EMAIL;TYPE=X400:c=de\\;a=dbp\\;p=x\\;s=%u"                          },
	{RAD,             false, "TEL;TYPE=CELL:%p"						   },
	{RAD,             false, "TEL;TYPE=HOME,VOICE:%p"					     },
	{RAD,             false, "TEL;TYPE=WORK,VOICE:%p"					     },
	{RAD,             false, "TEL;TYPE=WORK,VOICE:%p"					     },
	{RAD,             false, "TEL;TYPE=WORK,FAX:%p"					       },
	{APL,             false, "TEL;type=IPHONE;type=CELL;type=VOICE;type=pref:%p"                  },
	{APL,             false, "TEL;type=HOME;type=VOICE:%p"                                        },
	{APL,             false, "TEL;type=HOME;type=FAX:%p"                                          },
	{APL,             false, "TEL;type=MAIN:%p"						   },
	{APL,             false, "TEL;type=PAGER:%p"						  },
	{APL,             false, "item2.TEL:%p\nitem2.X-ABLabel:%w"                                   },
	{GOO,             false, "TEL;TYPE=CELL:%p"						   },
	{GOO,             false, "TEL;TYPE=HOME:%p"						   },
	{GOO,             false, "TEL;TYPE=WORK:%p"						   },
	{GOO,             false, "TEL:%p"							     },
	{V4,	      false, "TEL;TYPE=cell:%p"						   },
	{V4,	      false, "TEL;VALUE=uri;TYPE=\"voice,home\":tel:%p"                           },
	{V4,	      false, "TEL;TYPE=work;PREF=1:%p"                                            },
	{V4,	      false, "TEL;TYPE=\"fax,work\":%p"                                           },
	{EVO,             false, "TEL;TYPE=\"WORK\",VOICE;X-EVOLUTION-UI-SLOT=1:%p"                   },
	{EVO,             false, "TEL;X-EVOLUTION-UI-SLOT=2;TYPE=HOME:%p"                             },
	{EVO,             false, "TEL;TYPE=X-EVOLUTION-ASSISTANT:%p"                                  },
	{EVO,             false, "TEL;TYPE=CAR:%p"						    },
	{EVO,             false, "TEL;TYPE=X-EVOLUTION-RADIO:%p"                                      },
	{EVO,             true,  "TEL;TYPE=X-EVOLUTION-TELEX:%p"                                      },
	{ALL,             false, "ADR;TYPE=HOME:;;%w;%w;%w;%w;%w"                                     },
	{ALL,             false, "ADR;TYPE=WORK:%w;%w;%o;%w;;%w;%w"                                   },
	{RAD | GOO | V4,  false, "ADR:;;%w;%w;;%u;"						   },
	{APL,             false, "item3.ADR;type=HOME;type=pref:;;%o;%w;%w;%u;%w\nitem3.X-ABADR:de"   },
	{V3,	      true,  "LABEL;TYPE=HOME:%o"						 },
	{V4,	      false, "ADR;TYPE=home;LABEL=\"a, b: c; ^n d\":;;%w;%w;;;"                   },
	{V3,	      false, "URL:https://example.test/%u"                                        },
	{V4,	      false, "URL;TYPE=work:https://example.test/a;b,c?d=%u"                      },
	{APL,             false,
         "item4.URL;type=pref:http\\://example.test/%u\nitem4.X-ABLabel:_$!<HomePage>!$_"             },
	{RAD | EVO | GOO, false, "BDAY:%D"							    },
	{APL,             false, "BDAY;value=date:%D"						 },
	{APL,             false, "BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-02"                             },
	{RAD,             false, "BDAY:%DT23:00:00Z"						  },
	{V4,	      false, "BDAY:%d"							    },
	{V4,	      false, "BDAY:--0412"							},
	{V4,	      true,  "BDAY;VALUE=text:circa 1800"                                         },
	{V4,	      false, "ANNIVERSARY:%d"						     },
	{EVO,             false, "X-EVOLUTION-ANNIVERSARY:%D"                                         },
	{RAD,             false, "X-ANNIVERSARY:%D"						   },
	{APL,             false, "item5.X-ABDATE;type=pref:%D\nitem5.X-ABLabel:_$!<Anniversary>!$_"   },
	{APL,             true,  "item6.X-ABDATE:%D\nitem6.X-ABLabel:%w"                              },
	{APL,             false, "item7.X-ABRELATEDNAMES;type=pref:%w\nitem7.X-ABLabel:_$!<Spouse>!$_"},
	{APL,             false, "item8.X-ABRELATEDNAMES:%w\nitem8.X-ABLabel:_$!<Child>!$_"           },
	{APL,             true,  "item9.X-ABRELATEDNAMES:%w\nitem9.X-ABLabel:_$!<Mother>!$_"          },
	{EVO,             false, "X-EVOLUTION-SPOUSE:%w"					      },
	{EVO,             false, "X-EVOLUTION-MANAGER:%w"					     },
	{EVO,             false, "X-EVOLUTION-ASSISTANT:%w"                                           },
	{EVO,             false, "X-EVOLUTION-FILE-AS:%w"					     },
	{V4,	      false, "RELATED;TYPE=spouse;VALUE=text:%w"                                  },
	{V4,	      false, "RELATED;TYPE=child;VALUE=text:%w"                                   },
	{V4,	      false, "RELATED;VALUE=text;TYPE=child:%w"                                   },
	{V4,	      true,  "RELATED;TYPE=friend:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"  },
	{V4,	      true,  "RELATED;TYPE=spouse:urn:uuid:03a0e51f-d1aa-4385-8a53-e29025acd8af"  },
	{ALL,             false, "CATEGORIES:%l"						      },
	{EVO | NEX,       false, "CATEGORIES:%w"						      },
	{APL,             false,
         "IMPP;X-SERVICE-TYPE=Jabber;type=HOME;type=pref:xmpp:bob%u%%40example.test"                  },
	{APL,             false, "X-JABBER;type=HOME;type=pref:ann%u@example.test"                    },
	{EVO,             false, "X-AIM;X-EVOLUTION-UI-SLOT=1;TYPE=HOME:aim%u"                        },
	{EVO,             false, "X-SKYPE;TYPE=WORK:sky%u"                                            },
	{NEX,             false, "IMPP;TYPE=SKYPE:skype:%u"                                           },
	{V4,	      false, "IMPP;PREF=2:im:ann%u@example.test"                                  },
	{GOO,             false, "X-PHONETIC-FIRST-NAME:%w"                                           },
	{APL | GOO,       false, "X-PHONETIC-LAST-NAME:%w"                                            },
	{APL,             false, "X-PHONETIC-ORG:%w"						  },
	{V3,	      false, "PHOTO;ENCODING=b;TYPE=JPEG:%b"                                      },
	{V4,	      false, "PHOTO:data:image/jpeg;base64,%b"                                    },
	{ALL,             true,  "PHOTO;VALUE=uri:https://example.test/p/%u.jpg"                      },
	{ALL,             true,  "KEY;TYPE=pgp:%b"						    },
	{ALL,             true,  "GEO:46.1;7.%u"						      },
	{ALL,             true,  "X-CUSTOM;X-P=\"a;b:c,d\":%w;%w,%u"                                  },
	{ALL,             true,  "TZ:+01:00"							  },
	{APL,             true,  "X-ABUID:%u\\:ABPerson"					      },
	{APL,             true,  "X-SOCIALPROFILE;type=twitter;x-user=x:http://twitter.test/%u"       },
	{APL,             true,  "X-IMAGEHASH:%b"						     },
	{GOO,             true,  "X-PHONETIC-MIDDLE-NAME:%w"                                          },
	{BOO,             true,  "X-CARDBOOK-PREFERMAIL:%u"                                           },
	{V4,	      true,  "LANG;PREF=1:fr"						     },
	{V4,	      true,  "GENDER:O;%w"							},
	{V4,	      true,  "CLIENTPIDMAP:1;urn:uuid:3df403f4-5924-4bb7-b077-3c711d9eb34b"       },
	{EVO,             true,  "X-EVOLUTION-BLOG-URL:https://blog.test/%u"                          },
	{EVO,             true,  "X-MOZILLA-HTML:FALSE"					       },
	{NEX,             true,  "X-SOCIALPROFILE;TYPE=MASTODON:https://m.test/@%u"                   },
	{V3,	      true,  "SOUND;TYPE=BASIC;ENCODING=b:%b"                                     },
	{ALL,             true,  "no property at all"						 },
	{ALL,             true,  "NOTE;LANGUAGE=xx:second note %u"                                    },
};

struct draft {
	struct chance *r;
	enum card_writer writer;
	struct arena *a;
	struct vcard escape; /* for its version */
};

static struct str escaped(struct draft *d, struct str text)
{
	return vcard_encode(&d->escape, text, false);
}

static void put_list(struct draft *d, struct buf *b)
{
	for (unsigned i = 0, n = 1 + chance(d->r, 4); i < n; i++) {
		if (i)
			buf_addc(b, ',');
		buf_add_str(b, escaped(d, some_words(d->r, 2, " ", d->a)));
	}
}

static void put_code(struct draft *d, char code, struct buf *b)
{
	struct str date = random_date(d->r, d->a);

	switch (code) {
	case 'w':
		buf_add_str(b, escaped(d, some_words(d->r, 3, " ", d->a)));
		break;
	case 'l':
		put_list(d, b);
		break;
	case 'o':
		buf_add_str(b, escaped(d, some_words(d->r, 20, "\n", d->a)));
		break;
	case 'e':
		buf_addf(b, "ann.%u@example.test", chance(d->r, 100000));
		break;
	case 'p':
		buf_addf(b, "+49-30-%u", 100000 + chance(d->r, 100000000));
		break;
	case 'd':
		buf_addf(b, "%.4s%.2s%.2s", date.p, date.p + 5, date.p + 8);
		break;
	case 'D':
		buf_add_str(b, date);
		break;
	case 'b':
		buf_add_str(b, base64_of(random_jpeg(d->r, d->a), d->a));
		break;
	case 'u':
		buf_addf(b, "%u", chance(d->r, 100000));
		break;
	default:
		buf_addc(b, code);
		break;
	}
}

/* Folded after `at` octets, wherever that is, as some do; with the line end of the writer. */
static void put_line(struct str text, size_t at, const char *eol, struct buf *b)
{
	while (text.n > at) {
		buf_add(b, text.p, at);
		buf_addf(b, "%s ", eol);
		text = str_sub(text, at, text.n);
	}
	buf_add_str(b, text);
	buf_adds(b, eol);
}

/* A template filled in; one entry of lines[] for each line. */
static size_t fill(struct draft *d, const char *text, struct str *lines)
{
	static const char *const eols[CARD_WRITERS] = {
		"\r\n", "\r\n", "\r\n", "\n", "\r\n", "\r\n"};
	struct str rest = str_of(text), one;
	size_t n = 0;

	while (str_next(&rest, '\n', &one)) {
		struct buf flat, folded;
		size_t at = chance(d->r, 5) ? 75 : 20 + chance(d->r, 100);

		buf_init(&flat, BUF_MAX_TEXT);
		buf_init(&folded, BUF_MAX_TEXT);
		for (size_t i = 0; i < one.n; i++) {
			if (one.p[i] == '%')
				put_code(d, one.p[++i], &flat);
			else
				buf_addc(&flat, one.p[i]);
		}
		put_line(buf_str(&flat), at, eols[d->writer], &folded);
		lines[n++] = arena_str(d->a, buf_str(&folded));
		buf_release(&flat);
		buf_release(&folded);
	}
	return n;
}

enum { TEMPLATE_LINES = 2 };

struct piece {
	struct str lines[TEMPLATE_LINES];
	size_t n;
	bool foreign;
};

static void put_fixed(struct draft *d, const char *text, struct buf *b)
{
	struct str lines[8];
	size_t n = fill(d, text, lines);

	for (size_t i = 0; i < n; i++)
		buf_add_str(b, lines[i]);
}

struct str contact_random_card(struct chance *r, enum card_writer writer, struct str uid,
	struct arena *a, struct str **foreign_r, size_t *nforeign_r)
{
	static const char *const names[] = {"N:%w;%w;%w;%w;%w\nFN:%w", "N:%w;%w;;;\nFN:%w",
		"FN:%w\nN:;%w;;;", "N:%w;;;;\nFN:%w", "N:;;;;\nFN:%w"};
	struct draft d = {.r = r, .writer = writer, .a = a};
	struct piece v[ARRAY_LEN(templates)];
	bool four = writer == CARD_CARDBOOK || (writer == CARD_NEXTCLOUD && chance(r, 2));
	size_t n = 0, nforeign = 0;
	struct buf b;
	struct str card;

	vcard_new(four ? VCARD_40 : VCARD_30, a, &d.escape);
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		if (!(templates[i].writers & 1u << writer) || chance(r, 2))
			continue;
		v[n].foreign = templates[i].foreign;
		v[n].n = fill(&d, templates[i].text, v[n].lines);
		n++;
	}
	/* Any order */
	for (size_t i = n; i > 1; i--) {
		size_t k = chance(r, (unsigned)i);
		struct piece p = v[k];

		v[k] = v[i - 1];
		v[i - 1] = p;
	}
	buf_init(&b, BUF_MAX_TEXT);
	put_fixed(&d, four ? "BEGIN:VCARD\nVERSION:4.0" : "BEGIN:VCARD\nVERSION:3.0", &b);
	put_fixed(&d, arena_printf(a, "UID:%.*s", STR_FMT(uid)).p, &b);
	put_fixed(&d, names[chance(r, ARRAY_LEN(names))], &b);
	if (foreign_r)
		*foreign_r = ARENA_ARRAY(a, struct str, n * TEMPLATE_LINES);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i].n; k++) {
			buf_add_str(&b, v[i].lines[k]);
			if (foreign_r && v[i].foreign)
				(*foreign_r)[nforeign++] = v[i].lines[k];
		}
	if (chance(r, 2))
		put_fixed(&d, four ? "REV:20200101T000000Z" : "REV:2020-01-01T00:00:00Z", &b);
	put_fixed(&d, "END:VCARD", &b);
	card = arena_str(a, buf_str(&b));
	buf_release(&b);
	if (foreign_r)
		*nforeign_r = nforeign;
	return card;
}

/* Phones */

enum content { WORDS, LINES, MAIL, NUMBER, DAY, WEB, CHAT };
static const struct {
	tag_t tag;
	enum content content;
	bool next; /* only when the one before is there */
} phone_properties[] = {
	{CONTACTS_LAST_NAME,                    WORDS,  false},
	{CONTACTS_FIRST_NAME,                   WORDS,  false},
	{CONTACTS_MIDDLE_NAME,                  WORDS,  false},
	{CONTACTS_TITLE,                        WORDS,  false},
	{CONTACTS_SUFFIX,                       WORDS,  false},
	{CONTACTS_COMPANY_NAME,                 WORDS,  false},
	{CONTACTS_DEPARTMENT,                   WORDS,  false},
	{CONTACTS_JOB_TITLE,                    WORDS,  false},
	{CONTACTS_OFFICE_LOCATION,              WORDS,  false},
	{CONTACTS_EMAIL1_ADDRESS,               MAIL,   false},
	{CONTACTS_EMAIL2_ADDRESS,               MAIL,   true },
	{CONTACTS_EMAIL3_ADDRESS,               MAIL,   true },
	{CONTACTS_BUSINESS_PHONE_NUMBER,        NUMBER, false},
	{CONTACTS_BUSINESS2_PHONE_NUMBER,       NUMBER, true },
	{CONTACTS_BUSINESS_FAX_NUMBER,          NUMBER, false},
	{CONTACTS_HOME_PHONE_NUMBER,            NUMBER, false},
	{CONTACTS_HOME2_PHONE_NUMBER,           NUMBER, true },
	{CONTACTS_HOME_FAX_NUMBER,              NUMBER, false},
	{CONTACTS_MOBILE_PHONE_NUMBER,          NUMBER, false},
	{CONTACTS_CAR_PHONE_NUMBER,             NUMBER, false},
	{CONTACTS_PAGER_NUMBER,                 NUMBER, false},
	{CONTACTS_RADIO_PHONE_NUMBER,           NUMBER, false},
	{CONTACTS_ASSISTANT_NAME,               WORDS,  false},
	{CONTACTS_ASSISTANT_PHONE_NUMBER,       NUMBER, false},
	{CONTACTS_BUSINESS_ADDRESS_STREET,      LINES,  false},
	{CONTACTS_BUSINESS_ADDRESS_CITY,        WORDS,  false},
	{CONTACTS_BUSINESS_ADDRESS_STATE,       WORDS,  false},
	{CONTACTS_BUSINESS_ADDRESS_POSTAL_CODE, WORDS,  false},
	{CONTACTS_BUSINESS_ADDRESS_COUNTRY,     WORDS,  false},
	{CONTACTS_HOME_ADDRESS_STREET,          LINES,  false},
	{CONTACTS_HOME_ADDRESS_CITY,            WORDS,  false},
	{CONTACTS_HOME_ADDRESS_STATE,           WORDS,  false},
	{CONTACTS_HOME_ADDRESS_POSTAL_CODE,     WORDS,  false},
	{CONTACTS_HOME_ADDRESS_COUNTRY,         WORDS,  false},
	{CONTACTS_OTHER_ADDRESS_STREET,         LINES,  false},
	{CONTACTS_OTHER_ADDRESS_CITY,           WORDS,  false},
	{CONTACTS_OTHER_ADDRESS_STATE,          WORDS,  false},
	{CONTACTS_OTHER_ADDRESS_POSTAL_CODE,    WORDS,  false},
	{CONTACTS_OTHER_ADDRESS_COUNTRY,        WORDS,  false},
	{CONTACTS_WEB_PAGE,                     WEB,    false},
	{CONTACTS_BIRTHDAY,                     DAY,    false},
	{CONTACTS_ANNIVERSARY,                  DAY,    false},
	{CONTACTS_SPOUSE,                       WORDS,  false},
	{CONTACTS_YOMI_FIRST_NAME,              WORDS,  false},
	{CONTACTS_YOMI_LAST_NAME,               WORDS,  false},
	{CONTACTS_YOMI_COMPANY_NAME,            WORDS,  false},
	{CONTACTS_FILE_AS,                      WORDS,  false},
	{CONTACTS2_NICK_NAME,                   WORDS,  false},
	{CONTACTS2_CUSTOMER_ID,                 WORDS,  false},
	{CONTACTS2_GOVERNMENT_ID,               WORDS,  false},
	{CONTACTS2_ACCOUNT_NAME,                WORDS,  false},
	{CONTACTS2_MANAGER_NAME,                WORDS,  false},
	{CONTACTS2_COMPANY_MAIN_PHONE,          NUMBER, false},
	{CONTACTS2_MMS,			 WORDS,  false},
	{CONTACTS2_IM_ADDRESS,                  CHAT,   false},
	{CONTACTS2_IM_ADDRESS2,                 CHAT,   true },
	{CONTACTS2_IM_ADDRESS3,                 CHAT,   true },
};

static struct str content(struct chance *r, enum content kind, struct arena *a)
{
	static const char *const schemes[] = {"", "xmpp:", "aim:", "x "};
	struct str text;

	switch (kind) {
	case LINES:
		return some_words(r, 4, "\r\n", a);
	case MAIL:
		return arena_printf(a, "bob.%u@example.test", chance(r, 1000000));
	case NUMBER:
		return arena_printf(a, "+1 (555) %u", chance(r, 100000000));
	case DAY:
		text = random_date(r, a);
		return arena_printf(a, "%.*sT00:00:00.000Z", STR_FMT(text));
	case WEB:
		return arena_printf(a, "https://example.test/a,b;c?d=%u", chance(r, 100000));
	case CHAT:
		text = word(r);
		return arena_printf(a, "%s%.*s%u", schemes[chance(r, ARRAY_LEN(schemes))],
			STR_FMT(text), chance(r, 1000000));
	case WORDS:
	default:
		return some_words(r, 3, " ", a);
	}
}

static struct elem *new_elem(tag_t tag, struct str text, struct arena *a)
{
	struct elem *e = ARENA_NEW(a, struct elem);

	e->tag = tag;
	e->text = text;
	return e;
}

/* At the front: the order does not matter. */
static void push(struct elem *parent, struct elem *child)
{
	child->next = parent->child;
	parent->child = child;
}

static void push_list(
	struct chance *r, struct elem *data, tag_t list, tag_t item, struct arena *a)
{
	struct elem *l = new_elem(list, STR_NONE, a);

	if (chance(r, 2))
		return;
	for (unsigned i = 0, n = 1 + chance(r, 4); i < n; i++)
		push(l, new_elem(item,
				arena_printf(a, "%s %u", words[chance(r, ARRAY_LEN(words))], i),
				a));
	push(data, l);
}

static void push_note(struct chance *r, struct elem *data, enum eas_version v, struct arena *a)
{
	struct str text = some_words(r, 30, "\r\n", a);
	struct elem *body;

	if (v < V120) {
		push(data, new_elem(CONTACTS_BODY, text, a));
		return;
	}
	body = new_elem(AIRSYNCBASE_BODY, STR_NONE, a);
	push(body, new_elem(AIRSYNCBASE_DATA, text, a));
	push(body, new_elem(AIRSYNCBASE_TYPE, STR("1"), a));
	push(data, body);
}

struct str contact_random_data(struct chance *r, enum eas_version v, struct arena *a)
{
	struct elem *data = new_elem(AIRSYNC_APPLICATION_DATA, STR_NONE, a);
	bool there = false;

	for (size_t i = 0; i < ARRAY_LEN(phone_properties); i++) {
		there = chance(r, 2) && (there || !phone_properties[i].next);
		if (there)
			push(data, new_elem(phone_properties[i].tag,
					   str_trim(content(r, phone_properties[i].content, a)),
					   a));
	}
	push_list(r, data, CONTACTS_CATEGORIES, CONTACTS_CATEGORY, a);
	push_list(r, data, CONTACTS_CHILDREN, CONTACTS_CHILD, a);
	if (chance(r, 2))
		push(data, new_elem(CONTACTS_PICTURE, base64_of(random_jpeg(r, a), a), a));
	if (chance(r, 2))
		push_note(r, data, v, a);
	return contact_text_of(data, a);
}

/* Both sides */

struct str contact_text_of(const struct elem *data, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	dump_elem(data, &(struct dump_options){.max_text = 0}, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct elem *contact_tree(struct str text, struct arena *a)
{
	struct elem *e = NULL;
	struct err err = ERR_INIT;

	if (dump_parse(text, a, &e, &err))
		fail_msg("no tree: %s\n%.*s", err.text, STR_FMT(text));
	return e;
}

struct elem *contact_sent(
	struct str card, const struct email_options *o, struct arena *a, struct err *err)
{
	struct wbxml_writer w;
	struct elem *e = NULL;
	enum rc rc;

	wbxml_init(&w, NULL, BUF_MAX_RESPONSE);
	wbxml_open(&w, AIRSYNC_APPLICATION_DATA);
	rc = contact_write(card, o, a, &w, err);
	if (rc) {
		wbxml_release(&w);
		return NULL;
	}
	wbxml_close(&w, AIRSYNC_APPLICATION_DATA);
	rc = wbxml_finish(&w, err);
	if (rc == RC_OK)
		rc = wbxml_read(arena_str(a, buf_str(&w.out)), WBXML_LIMITS, a, &e, err);
	wbxml_release(&w);
	return rc ? NULL : e;
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

struct str contact_property_text(const struct elem *data, tag_t tag, struct arena *a)
{
	const struct elem *e = elem_child(data, tag);
	struct str v[400];
	size_t n = 0;
	struct buf b;
	struct str r;

	if (!e)
		return (struct str){"", 0};
	if (tag == AIRSYNCBASE_BODY)
		return str_trim(body_lf(elem_text(e, AIRSYNCBASE_DATA), a));
	if (!e->child)
		return str_trim(body_lf(e->text.p ? e->text : (struct str){"", 0}, a));
	for (e = e->child; e && n < ARRAY_LEN(v); e = e->next)
		v[n++] = str_trim(e->text);
	qsort(v, n, sizeof(*v), by_text);
	buf_init(&b, BUF_MAX_TEXT);
	for (size_t i = 0; i < n; i++) {
		buf_add_str(&b, v[i]);
		buf_addc(&b, '\n');
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

/* Whether y has what x has. */
static bool has_all(
	const struct elem *x, const struct elem *y, struct arena *a, struct str *what_r)
{
	for (const struct elem *e = x->child; e; e = e->next) {
		struct str has = contact_property_text(y, e->tag, a);

		if (str_eq(contact_property_text(x, e->tag, a), has) ||
			(e->tag == CONTACTS_FILE_AS && !elem_has(y, e->tag)))
			continue;
		*what_r = arena_printf(a, "%s: \"%.*s\" and \"%.*s\"", tag_info(e->tag)->name,
			STR_FMT(contact_property_text(x, e->tag, a)), STR_FMT(has));
		return false;
	}
	return true;
}

bool contact_same(
	const struct elem *x, const struct elem *y, struct arena *a, struct str *what_r)
{
	return has_all(x, y, a, what_r) && has_all(y, x, a, what_r);
}

bool contact_keeps(struct str card, const struct str *lines, size_t n, struct str *missing_r)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = str_search(card, lines[i]);

		if (at == card.n) {
			*missing_r = lines[i];
			return false;
		}
		card = str_sub(card, at + lines[i].n, card.n);
	}
	return true;
}

static bool has_line(const struct vcard *c, const struct vcard_line *l)
{
	for (const struct vcard_line *o = c->first; o; o = o->next)
		if (str_eq(o->raw, l->raw))
			return true;
	return false;
}

static void put_missing(const struct vcard *x, const struct vcard *y, struct buf *b)
{
	for (const struct vcard_line *l = x->first; l; l = l->next) {
		if (has_line(y, l))
			continue;
		buf_adds(b, b->n ? " " : "");
		buf_add_str(b, l->name.n ? l->name : STR("?"));
	}
}

struct str contact_changed_lines(struct str before, struct str after, struct arena *a)
{
	struct vcard x = {.a = a}, y = {.a = a};
	struct buf b;
	struct str r;

	if (vcard_read(before, a, &x, NULL) || vcard_read(after, a, &y, NULL))
		fail_msg("no card:\n%.*s", STR_FMT(after));
	buf_init(&b, BUF_MAX_TEXT);
	put_missing(&x, &y, &b);
	put_missing(&y, &x, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}
