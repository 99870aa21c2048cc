/* Categories and children: names in one line, or in a line each. */
#include "core/map/contact_parts.h"

const struct contact_list contact_lists[2] = {
	{CONTACTS_CATEGORIES, CONTACTS_CATEGORY, {{"CATEGORIES", "", NULL, true}},               "CATEGORIES",
         "CATEGORIES"															 },
	{CONTACTS_CHILDREN,   CONTACTS_CHILD,
         {{"RELATED", "CHILD", NULL, false}, {"X-CHILDREN", "", NULL, true},
			{"X-CHILD", "", NULL, false}, {"X-ABRELATEDNAMES", "", "Child", false}},
         "X-CHILD",											    "RELATED;TYPE=child;VALUE=text"},
};

enum { ITEMS_MAX = 1000, LOOKED_MAX = 10 * ITEMS_MAX };

/* Whether a line is one of the list's; several_r: whether it holds more than one name. */
static bool belongs(const struct contact *c, const struct contact_list *list,
	const struct vcard_line *l, bool *several_r)
{
	for (size_t i = 0; i < ARRAY_LEN(list->sources) && list->sources[i].name; i++) {
		*several_r = list->sources[i].several;
		if (l->name.n && str_iis(l->name, list->sources[i].name) &&
			!str_istarts(l->value, "urn:") &&
			contact_line_is(c, l, list->sources[i].type, list->sources[i].label))
			return true;
	}
	return false;
}

static bool is_among(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], s))
			return true;
	return false;
}

static size_t items(const struct vcard_line *l, bool several, struct str *v)
{
	v[0] = l->value;
	return several ? vcard_split(l->value, ',', v, ITEMS_MAX) : 1;
}

static struct str item_text(const struct contact *c, struct str raw)
{
	return str_trim(vcard_decode(&c->card, raw));
}

size_t contact_list_shown(
	const struct contact *c, const struct contact_list *list, struct str *v)
{
	struct str *raw = ARENA_ARRAY(c->a, struct str, ITEMS_MAX);
	size_t n = 0, looked = 0;
	bool several;

	for (const struct vcard_line *l = c->card.first; l && looked < LOOKED_MAX;
		l = l->next) {
		size_t many = belongs(c, list, l, &several) ? items(l, several, raw) : 0;

		looked += many;
		for (size_t i = 0; i < many && n < CONTACT_LIST_MAX; i++) {
			struct str text = item_text(c, raw[i]);

			if (text.n && !is_among(v, n, text))
				v[n++] = text;
		}
	}
	return n;
}

/* A line without the names that are not wanted any more. */
static void prune(struct contact *c, struct vcard_line *l, bool several, const struct str *gone,
	size_t ngone)
{
	struct str *raw = ARENA_ARRAY(c->a, struct str, ITEMS_MAX);
	size_t many = items(l, several, raw), kept = 0;

	for (size_t i = 0; i < many; i++)
		if (!is_among(gone, ngone, item_text(c, raw[i])))
			raw[kept++] = raw[i];
	if (kept == 0)
		vcard_remove(&c->card, l);
	else if (kept < many)
		vcard_set(&c->card, l, vcard_join(&c->card, raw, kept, kept, ','), NULL);
}

static void add_one(struct contact *c, const struct contact_list *list, struct str text)
{
	bool new4 = c->card.version == VCARD_40, several;
	struct str raw = vcard_encode(&c->card, text, false);

	/* Servers know of categories that there are several; of children they do not. */
	for (struct vcard_line *l = c->card.first; l && list->list == CONTACTS_CATEGORIES;
		l = l->next)
		if (belongs(c, list, l, &several) && several) {
			struct str both[] = {l->value, raw};
			size_t from = str_trim(l->value).n ? 0 : 1;

			vcard_set(&c->card, l,
				vcard_join(&c->card, both + from, 2 - from, 1, ','), NULL);
			return;
		}
	(void)vcard_add(&c->card, NULL, str_of(new4 ? list->head4 : list->head3), raw);
}

void contact_list_set(
	struct contact *c, const struct contact_list *list, const struct str *wanted, size_t n)
{
	struct str *shown = ARENA_ARRAY(c->a, struct str, CONTACT_LIST_MAX);
	struct str *gone = ARENA_ARRAY(c->a, struct str, CONTACT_LIST_MAX);
	size_t nshown = contact_list_shown(c, list, shown), ngone = 0;
	bool several;

	for (size_t i = 0; i < nshown; i++)
		if (!is_among(wanted, n, shown[i]))
			gone[ngone++] = shown[i];
	for (struct vcard_line *l = c->card.first, *next; l && ngone; l = next) {
		next = l->next;
		if (belongs(c, list, l, &several))
			prune(c, l, several, gone, ngone);
	}
	for (size_t i = 0; i < n; i++)
		if (!is_among(shown, nshown, wanted[i]))
			add_one(c, list, wanted[i]);
}
