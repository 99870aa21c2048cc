#include "store/ldap/attributes.h"

#include "core/base/utf8.h"

#include <string.h>

enum { TEXT_MAX = 1024, ADDRESSES_MAX = 100, CERTIFICATES_MAX = 20 };

static const struct {
	const char *name;
	const char *usual[ATTRIBUTES_EACH];
} rows[PROPERTIES] = {
  /* in the order of enum property */
	{"DisplayName",  {"displayName", "cn"}                     },
	{"Phone",        {"telephoneNumber"}                       },
	{"Office",       {"physicalDeliveryOfficeName"}            },
	{"Title",        {"title"}				 },
	{"Company",      {"o", "company"}                          },
	{"Alias",        {"uid"}				   },
	{"FirstName",    {"givenName"}                             },
	{"LastName",     {"sn"}				    },
	{"HomePhone",    {"homePhone"}                             },
	{"MobilePhone",  {"mobile"}                                },
	{"EmailAddress", {"mail"}				  },
	{"Addresses",    {"mailAlternateAddress", "proxyAddresses"}},
	{"Picture",      {"jpegPhoto", "thumbnailPhoto"}           },
	{"Certificate",  {"userCertificate;binary"}                },
};

static int property_of(struct str name)
{
	for (int i = 0; i < PROPERTIES; i++)
		if (str_iis(name, rows[i].name))
			return i;
	return -1;
}

/* RFC 4512, 2.5: a name or an object identifier, with options. */
static bool is_attribute(struct str s)
{
	if (!s.n || s.n > 128)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool letter = (s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z';
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (!letter && !digit && (i == 0 || !strchr("-;.", s.p[i])))
			return false;
	}
	return true;
}

static enum rc read_entry(
	struct str entry, struct arena *a, struct attributes *r, struct err *err)
{
	size_t equals = str_find(entry, '=');
	struct str names = str_sub(entry, equals + 1, entry.n), one;
	int which = property_of(str_sub(entry, 0, equals));
	size_t n = 0;

	if (equals == entry.n || !names.n)
		return err_set(err, RC_INVALID,
			"ldap_attributes: \"%.*s\" is not PROPERTY=ATTRIBUTE", STR_FMT(entry));
	if (which < 0)
		return err_set(err, RC_INVALID,
			"ldap_attributes: there is no property \"%.*s\"",
			STR_FMT(str_sub(entry, 0, equals)));
	while (str_next(&names, ',', &one)) {
		if (!is_attribute(one))
			return err_set(err, RC_INVALID,
				"ldap_attributes: \"%.*s\" is no name of an attribute",
				STR_FMT(one));
		if (n == ATTRIBUTES_EACH)
			return err_set(err, RC_INVALID,
				"ldap_attributes: more than %d attributes for %s",
				ATTRIBUTES_EACH, rows[which].name);
		r->v[which][n++] = arena_cstr(a, one);
	}
	r->v[which][n] = NULL;
	return RC_OK;
}

enum rc attributes_read(
	struct str setting, struct arena *a, struct attributes *r, struct err *err)
{
	struct str entry;
	enum rc rc = RC_OK;

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < PROPERTIES; i++)
		memcpy(r->v[i], rows[i].usual, sizeof(rows[i].usual));
	while (rc == RC_OK && str_next(&setting, ' ', &entry))
		if (str_trim(entry).n)
			rc = read_entry(str_trim(entry), a, r, err);
	return rc;
}

const char *const *attributes_names(
	const struct attributes *m, enum property first, enum property behind, struct arena *a)
{
	const char **v =
		ARENA_ARRAY(a, const char *, (size_t)(behind - first) * ATTRIBUTES_EACH + 1);
	size_t n = 0;

	for (enum property p = first; p < behind; p++)
		for (const char *const *name = m->v[p]; *name; name++)
			v[n++] = *name;
	return v;
}

/* On one line, without anything that is no text. */
static struct str cleaned(struct str value, struct arena *a)
{
	struct str text = utf8_cleaned(utf8_cut(str_trim(value), TEXT_MAX), a);
	char *p = arena_cstr(a, text);

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)p[i], next = (unsigned char)p[i + 1];

		if (c < 0x20 || c == 0x7f)
			p[i] = ' ';
		/* U+0080 to U+009F: controls of two octets */
		else if (c == 0xc2 && next >= 0x80 && next <= 0x9f)
			p[i] = p[i + 1] = ' ';
	}
	text = str_trim((struct str){p, text.n});
	return text.n ? text : STR_NONE;
}

static struct str first_text(
	const char *const *names, LDAP *ld, LDAPMessage *entry, struct arena *a)
{
	struct str r = STR_NONE;

	for (; *names && !r.n; names++) {
		struct berval **v = ldap_get_values_len(ld, entry, *names);

		for (size_t i = 0; v && v[i] && !r.n; i++)
			r = cleaned((struct str){v[i]->bv_val, v[i]->bv_len}, a);
		ldap_value_free_len(v);
	}
	return r;
}

struct str attributes_smtp(struct str value)
{
	size_t at = str_find(value, '@'), colon = str_find(value, ':');
	struct str s = value;

	if (colon < at) {
		if (!str_istarts(value, "smtp:"))
			return STR_NONE;
		s = str_sub(value, colon + 1, value.n);
		at = str_find(s, '@');
	}
	if (at == 0 || at + 1 >= s.n || str_find(str_sub(s, at + 1, s.n), '@') < s.n - at - 1)
		return STR_NONE;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '<' ||
			s.p[i] == '>')
			return STR_NONE;
	return s;
}

struct addresses {
	struct str v[ADDRESSES_MAX];
	size_t n;
	bool main; /* the first is the main one */
};

static void add_address(struct addresses *l, struct str text, bool main)
{
	struct str address = attributes_smtp(text);

	if (!address.n || l->n == ADDRESSES_MAX)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (str_ieq(l->v[i], address))
			return;
	l->v[l->n++] = address;
	if (main && !l->main) {
		struct str first = l->v[0];

		l->v[0] = address;
		l->v[l->n - 1] = l->n > 1 ? first : address;
		l->main = true;
	}
}

/* The main one is that of EmailAddress, or among the others "SMTP:" in capitals
 * ([MS-ADA3] 2.142), or the first. */
static void read_addresses(const struct attributes *m, LDAP *ld, LDAPMessage *entry,
	struct arena *a, struct addresses *l)
{
	for (enum property p = PROPERTY_EMAIL_ADDRESS; p <= PROPERTY_ADDRESSES; p++)
		for (const char *const *name = m->v[p]; *name; name++) {
			struct berval **v = ldap_get_values_len(ld, entry, *name);

			for (size_t i = 0; v && v[i]; i++) {
				struct str text =
					cleaned((struct str){v[i]->bv_val, v[i]->bv_len}, a);

				add_address(l, text,
					p == PROPERTY_EMAIL_ADDRESS ||
						str_starts(text, "SMTP:"));
			}
			ldap_value_free_len(v);
		}
}

bool attributes_person(const struct attributes *m, LDAP *ld, LDAPMessage *entry,
	struct arena *a, struct person *r)
{
	struct addresses l = {.n = 0};
	struct person p = {.naddresses = 0};
	struct str *const texts[] = {
		[PROPERTY_DISPLAY_NAME] = &p.display_name,
		[PROPERTY_PHONE] = &p.phone,
		[PROPERTY_OFFICE] = &p.office,
		[PROPERTY_TITLE] = &p.title,
		[PROPERTY_COMPANY] = &p.company,
		[PROPERTY_ALIAS] = &p.alias,
		[PROPERTY_FIRST_NAME] = &p.first_name,
		[PROPERTY_LAST_NAME] = &p.last_name,
		[PROPERTY_HOME_PHONE] = &p.home_phone,
		[PROPERTY_MOBILE_PHONE] = &p.mobile_phone,
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = first_text(m->v[i], ld, entry, a);
	read_addresses(m, ld, entry, a, &l);
	if (l.n) {
		p.addresses = ARENA_ARRAY(a, struct str, l.n);
		memcpy(p.addresses, l.v, l.n * sizeof(*l.v));
		p.naddresses = l.n;
		p.email = l.v[0];
	}
	if (!p.display_name.n)
		p.display_name = p.email;
	*r = p;
	return p.display_name.n > 0;
}

bool attributes_addressed(
	const struct attributes *m, LDAP *ld, LDAPMessage *entry, struct arena *a)
{
	struct addresses l = {.n = 0};

	read_addresses(m, ld, entry, a, &l);
	return l.n > 0;
}

struct str attributes_shown(
	const struct attributes *m, LDAP *ld, LDAPMessage *entry, struct arena *a)
{
	struct addresses l = {.n = 0};
	struct str name = first_text(m->v[PROPERTY_DISPLAY_NAME], ld, entry, a);

	if (name.n)
		return name;
	read_addresses(m, ld, entry, a, &l);
	return l.n ? l.v[0] : STR_NONE;
}

static struct str blob(const struct berval *v, size_t *room, struct arena *a)
{
	if (v->bv_len == 0 || v->bv_len > *room)
		return STR_NONE;
	*room -= v->bv_len;
	return arena_str(a, (struct str){v->bv_val, v->bv_len});
}

void attributes_blobs(const struct attributes *m, LDAP *ld, LDAPMessage *entry, size_t *room,
	struct arena *a, struct person *r)
{
	for (const char *const *name = m->v[PROPERTY_PICTURE]; *name && !r->picture.n; name++) {
		struct berval **v = ldap_get_values_len(ld, entry, *name);

		if (v && v[0])
			r->picture = blob(v[0], room, a);
		ldap_value_free_len(v);
	}
	r->certificates = ARENA_ARRAY(a, struct str, CERTIFICATES_MAX);
	for (const char *const *name = m->v[PROPERTY_CERTIFICATE]; *name; name++) {
		struct berval **v = ldap_get_values_len(ld, entry, *name);

		for (size_t i = 0; v && v[i] && r->ncertificates < CERTIFICATES_MAX; i++) {
			struct str one = blob(v[i], room, a);

			if (one.n)
				r->certificates[r->ncertificates++] = one;
		}
		ldap_value_free_len(v);
	}
}
