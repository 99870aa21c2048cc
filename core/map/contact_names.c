/* Names of persons: what they are called and filed under. */
#include "core/map/contact_parts.h"

static struct str name_part(const struct contact *c, int part)
{
	const struct vcard_line *l = c->line[SLOT_NAME];

	return l ? contact_name_kind.out(c, l, part) : (struct str){"", 0};
}

bool contact_has_name(const struct contact *c)
{
	for (int i = 0; i < 5; i++)
		if (name_part(c, i).n)
			return true;
	return false;
}

/* Parts of the name with a separator between those that are there. */
static struct str joined(
	const struct contact *c, const int *parts, size_t n, const char *separator)
{
	struct buf b;
	struct str r;

	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < n; i++) {
		struct str part = name_part(c, parts[i]);

		if (b.n && part.n)
			buf_adds(&b, separator);
		buf_add_str(&b, part);
	}
	r = arena_str(c->a, buf_str(&b));
	buf_release(&b);
	return r;
}

static struct str company(const struct contact *c)
{
	const struct vcard_line *l = c->line[SLOT_ORG];

	return l ? contact_part_kind.out(c, l, 0) : (struct str){"", 0};
}

/* B19962: FN must not be empty (RFC 2426 3.1.1), whatever little is known. */
struct str contact_full_name(const struct contact *c)
{
	static const int parts[] = {3, 1, 2, 0, 4};
	static const enum slot others[] = {SLOT_NICKNAME, SLOT_MOBILE, SLOT_HOME, SLOT_HOME2,
		SLOT_BUSINESS, SLOT_BUSINESS2, SLOT_COMPANY_PHONE, SLOT_CAR, SLOT_RADIO,
		SLOT_PAGER, SLOT_HOME_FAX, SLOT_BUSINESS_FAX, SLOT_ASSISTANT_PHONE, SLOT_EMAIL1,
		SLOT_IM1, SLOT_MMS, SLOT_URL};
	struct str r = joined(c, parts, ARRAY_LEN(parts), " ");

	if (!r.n && c->line[SLOT_FILE_AS])
		r = str_trim(vcard_text(&c->card, c->line[SLOT_FILE_AS]));
	if (!r.n)
		r = company(c);
	for (size_t i = 0; i < ARRAY_LEN(others) && !r.n; i++)
		if (c->line[others[i]])
			r = contact_slot_text(c, others[i]);
	return r.n ? r : STR("Unnamed");
}

struct str contact_built_file_as(const struct contact *c)
{
	static const int parts[] = {0, 1};
	struct str r = joined(c, parts, ARRAY_LEN(parts), ", ");

	/* A card of a company has its name there too. */
	if (!r.n && c->line[SLOT_FN])
		r = str_trim(vcard_text(&c->card, c->line[SLOT_FN]));
	return r.n ? r : contact_full_name(c);
}

/* RFC 6350 5.9: N;SORT-AS="Harten,Rene":... */
static struct str sorted_as(const struct contact *c)
{
	const struct vcard_line *l = c->line[SLOT_NAME];
	struct str rest = l ? vcard_param(l, "SORT-AS", c->a) : STR_NONE, one;
	struct buf b;
	struct str r;

	buf_init(&b, SIZE_MAX / 8);
	while (str_next(&rest, ',', &one)) {
		one = contact_clean(one, c->a);
		if (b.n && one.n)
			buf_adds(&b, ", ");
		buf_add_str(&b, one);
	}
	r = arena_str(c->a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct str contact_file_as(const struct contact *c)
{
	struct str r = str_trim(vcard_text(&c->card, c->line[SLOT_FILE_AS]));

	if (!r.n)
		r = sorted_as(c);
	return r.n ? r : contact_built_file_as(c);
}
