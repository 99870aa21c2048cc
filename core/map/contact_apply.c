/* What a device sent, into a card. */
#include "core/base/clock.h"
#include "core/map/contact_parts.h"

/* What a property shows, and what the device wants it to show. */
struct wish {
	struct str shown, text;
	bool differs;
};

struct apply {
	struct contact c;
	const struct elem *data;
	const struct contact_patch *patch;
	struct wish *wishes; /* of each property */
	bool names, company; /* they changed */
};

static bool is_kept(const struct apply *p, tag_t tag)
{
	return ghosted(p->patch->ghosts, tag);
}

/* K19: a property that is left out is cleared, unless it is ghosted. What a contact is filed
 * under is made of other things; a device that does not send it does not clear it. */
static enum rc read_wish(
	struct apply *p, const struct contact_property *row, struct wish *w, struct err *err)
{
	struct str text = elem_text(p->data, row->tag);
	enum rc rc;

	w->shown = contact_shown(&p->c, row);
	if (!text.p)
		w->text = is_kept(p, row->tag) || row->slot == SLOT_FILE_AS
				  ? w->shown
				  : (struct str){"", 0};
	else
		w->text = contact_clean(text, p->c.a);
	if (text.p && row->kind->normal) {
		rc = row->kind->normal(&p->c, &w->text, err);
		if (rc)
			return rc;
		w->text = w->text.p ? w->text : w->shown;
	}
	if (row->slot == SLOT_FILE_AS && !w->text.n)
		w->text = w->shown;
	w->differs = !str_eq(w->shown, w->text);
	return RC_OK;
}

static enum rc read_wishes(struct apply *p, struct err *err)
{
	p->wishes = ARENA_ARRAY(p->c.a, struct wish, contact_nproperties);
	for (size_t i = 0; i < contact_nproperties; i++) {
		enum rc rc = read_wish(p, &contact_properties[i], &p->wishes[i], err);

		if (rc)
			return rc;
	}
	return RC_OK;
}

static size_t property_of(enum slot slot)
{
	size_t i = 0;

	while (contact_properties[i].slot != slot)
		i++;
	return i;
}

/* The text of a slot, in the line that it has or in a new one. */
static void set_line(struct contact *c, const struct contact_property *row, struct str text,
	struct vcard_line *before)
{
	struct vcard_line *l = c->line[row->slot];
	struct str raw;

	if (l)
		contact_remove_repeats(c, row->slot);
	if (!text.n) {
		if (l)
			vcard_remove(&c->card, l);
		c->line[row->slot] = NULL;
		return;
	}
	raw = row->kind->in ? row->kind->in(c, l, text) : vcard_encode(&c->card, text, false);
	if (l)
		vcard_set(&c->card, l, raw, row->kind->drop);
	else
		c->line[row->slot] =
			vcard_add(&c->card, before, contact_head(c, row->slot), raw);
}

/* The components of a name, a company or an address; what did not change stays raw. */
static void set_parts(struct apply *p, enum slot slot, size_t least)
{
	struct contact *c = &p->c;
	struct vcard_line *l = c->line[slot];
	struct str raw[VCARD_COMPONENTS_MAX];
	size_t n = 0;
	bool any = false;

	if (l)
		n = vcard_split(l->value, ';', raw, ARRAY_LEN(raw));
	for (; n < CONTACT_PARTS; n++)
		raw[n] = (struct str){"", 0};
	for (size_t i = 0; i < contact_nproperties; i++) {
		const struct contact_property *row = &contact_properties[i];
		struct str now;

		if (row->slot != slot)
			continue;
		now = l ? row->kind->out(c, l, row->part) : (struct str){"", 0};
		if (str_eq(now, p->wishes[i].text))
			continue;
		raw[row->part] = vcard_encode(&c->card, p->wishes[i].text, false);
		if (row->kind == &contact_street_kind)
			raw[0] = raw[1] = (struct str){"", 0};
	}
	for (size_t i = 0; i < n; i++)
		any = any || raw[i].n;
	if (!any && slot != SLOT_NAME) {
		if (l)
			vcard_remove(&c->card, l);
		c->line[slot] = NULL;
		return;
	}
	if (l)
		vcard_set(&c->card, l, vcard_join(&c->card, raw, n, least, ';'),
			contact_part_kind.drop);
	else
		c->line[slot] = vcard_add(&c->card, NULL, contact_head(c, slot),
			vcard_join(&c->card, raw, n, least, ';'));
}

/* Whether any property of the slot differs. */
static bool differs(const struct apply *p, enum slot slot)
{
	for (size_t i = 0; i < contact_nproperties; i++)
		if (contact_properties[i].slot == slot && p->wishes[i].differs)
			return true;
	return false;
}

static void apply_structured(struct apply *p)
{
	static const struct {
		enum slot slot;
		size_t least;
	} slots[] = {
		{SLOT_NAME,          5},
		{SLOT_ORG,           1},
		{SLOT_WORK_ADDRESS,  7},
		{SLOT_HOME_ADDRESS,  7},
		{SLOT_OTHER_ADDRESS, 7},
	};

	p->names = differs(p, SLOT_NAME);
	p->company = differs(p, SLOT_ORG);
	for (size_t i = 0; i < ARRAY_LEN(slots); i++)
		if (differs(p, slots[i].slot))
			set_parts(p, slots[i].slot, slots[i].least);
}

enum { FAMILY_MAX = 3 };

/* The slots of one family; what a device moves from one to another stays the line that it is.
 */
struct family {
	enum slot first;
	size_t n;
	struct wish *wish[FAMILY_MAX];
	struct vcard_line *old[FAMILY_MAX], *line[FAMILY_MAX];
	bool used[FAMILY_MAX]; /* old lines */
};

static void keep(struct family *f, size_t i, size_t old)
{
	f->line[i] = f->old[old];
	f->used[old] = true;
}

static void match_family(struct family *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->wish[i]->differs && f->old[i])
			keep(f, i, i);
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->n && f->wish[i]->text.n && !f->line[i]; k++)
			if (f->old[k] && !f->used[k] &&
				str_eq(f->wish[k]->shown, f->wish[i]->text))
				keep(f, i, k);
	for (size_t i = 0; i < f->n; i++)
		if (f->wish[i]->text.n && !f->line[i] && f->old[i] && !f->used[i])
			keep(f, i, i);
}

static bool stands_before(const struct vcard_line *l, const struct vcard_line *o)
{
	while (l && l != o)
		l = l->next;
	return l == o;
}

/* Whether the card now shows the family as it is wished. */
static bool is_shown(const struct contact *c, const struct family *f)
{
	struct contact again = *c;

	contact_place(&again);
	for (size_t i = 0; i < f->n; i++)
		if (!str_eq(contact_slot_text(&again, f->first + i), f->wish[i]->text))
			return false;
	return true;
}

/* The order of lines is what tells the first from the second. */
static void put_in_order(struct contact *c, struct family *f)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = i + 1; k < f->n; k++) {
			struct vcard_line *l = f->line[i];

			if (!l || !f->line[k] || stands_before(l, f->line[k]))
				continue;
			vcard_swap(&c->card, l, f->line[k]);
			f->line[i] = f->line[k];
			f->line[k] = l;
		}
}

static void apply_family(struct apply *p, struct family *f)
{
	struct contact *c = &p->c;

	match_family(f);
	for (size_t i = 0; i < f->n; i++) {
		if (f->old[i] && !f->used[i]) {
			c->line[f->first + i] = f->old[i];
			set_line(c, &contact_properties[property_of(f->first + i)], STR_NONE,
				NULL);
		}
	}
	for (size_t i = f->n; i-- > 0;) {
		const struct contact_property *row =
			&contact_properties[property_of(f->first + i)];
		struct vcard_line *before = NULL;

		for (size_t k = f->n; k-- > i + 1;)
			before = f->line[k] ? f->line[k] : before;
		c->line[row->slot] = f->line[i];
		if (f->wish[i]->text.n &&
			(!f->line[i] || !str_eq(row->kind->out(c, f->line[i], row->part),
						f->wish[i]->text)))
			set_line(c, row, f->wish[i]->text, before);
		f->line[i] = c->line[row->slot];
	}
	if (!is_shown(c, f))
		put_in_order(c, f);
	for (size_t i = 0; i < f->n; i++)
		c->line[f->first + i] = f->line[i];
}

/* Slots of one text each. */
static void apply_lines(struct apply *p)
{
	for (size_t i = 0; i < contact_nproperties; i++) {
		const struct contact_property *row = &contact_properties[i];
		struct family f = {.n = 0};
		enum slot last;
		bool any = false;

		contact_family(row->slot, &f.first, &last);
		if (row->part != CONTACT_WHOLE || row->slot == SLOT_FILE_AS ||
			row->slot != f.first)
			continue;
		for (; f.first + f.n <= last; f.n++) {
			f.wish[f.n] = &p->wishes[property_of(f.first + f.n)];
			f.old[f.n] = p->c.line[f.first + f.n];
			any = any || f.wish[f.n]->differs;
		}
		if (any)
			apply_family(p, &f);
	}
}

static enum rc apply_list(struct apply *p, const struct contact_list *list, struct err *err)
{
	const struct elem *e = elem_child(p->data, list->list);
	struct str *v = ARENA_ARRAY(p->c.a, struct str, CONTACT_LIST_MAX);
	size_t n = 0;

	if (!e && is_kept(p, list->list))
		return RC_OK;
	for (e = elem_child(e, list->item); e; e = elem_again(e)) {
		struct str text = contact_clean(e->text, p->c.a);
		bool seen = !text.n;

		for (size_t i = 0; i < n && !seen; i++)
			seen = str_eq(v[i], text);
		if (seen)
			continue;
		if (n == CONTACT_LIST_MAX)
			return err_set(err, RC_INVALID, "more than %d names in a list",
				CONTACT_LIST_MAX);
		v[n++] = text;
	}
	contact_list_set(&p->c, list, v, n);
	return RC_OK;
}

/* K4, K26, B20018 */
static void apply_note(struct apply *p)
{
	struct vcard_line *l = p->c.line[SLOT_NOTE];
	struct str shown = contact_slot_text(&p->c, SLOT_NOTE), text;

	if (!body_read(p->data, &contact_body_tags, p->c.a, &text)) {
		if (!p->patch->whole)
			return;
		text = STR("");
	}
	text = contact_clean(text, p->c.a);
	if (str_eq(str_trim(shown), text) ||
		body_is_cut_echo(shown, text, p->patch->options, p->c.a))
		return;
	if (!text.n) {
		if (l)
			vcard_remove(&p->c.card, l);
		p->c.line[SLOT_NOTE] = NULL;
	} else if (l) {
		vcard_set(&p->c.card, l, vcard_encode(&p->c.card, text, false), NULL);
	} else {
		p->c.line[SLOT_NOTE] = vcard_add(&p->c.card, NULL,
			contact_head(&p->c, SLOT_NOTE), vcard_encode(&p->c.card, text, false));
	}
}

static enum rc apply_picture(struct apply *p, struct err *err)
{
	struct str text = elem_text(p->data, CONTACTS_PICTURE);

	/* [MS-ASCMD] 2.2.3.24.2: absent is unchanged, whatever is ghosted. */
	if (!p->patch->whole && (!text.p || (!str_trim(text).n && p->patch->keep_picture)))
		return RC_OK;
	return contact_picture_set(&p->c, text, err);
}

/* What was true of the names before anything changed. */
struct called {
	struct str full, built, file_as;
};

static struct called called(const struct contact *c)
{
	return (struct called){
		contact_full_name(c), contact_built_file_as(c), contact_file_as(c)};
}

static void set_file_as(struct apply *p, struct str text)
{
	const struct contact_property *row = &contact_properties[property_of(SLOT_FILE_AS)];

	/* What is built anyway needs no line. */
	if (!p->c.line[SLOT_FILE_AS] && str_eq(text, contact_file_as(&p->c)))
		return;
	set_line(&p->c, row, text, NULL);
}

/* K25: it follows the names, unless the device says what it is to be. */
static void apply_file_as(struct apply *p, const struct called *before)
{
	const struct wish *w = &p->wishes[property_of(SLOT_FILE_AS)];

	if (w->differs) {
		set_file_as(p, w->text);
		return;
	}
	if (!p->c.line[SLOT_FILE_AS])
		return;
	if (str_eq(before->file_as, before->built) ? p->names || p->company : p->names) {
		struct str old = before->file_as;

		/* The line itself is no source of the new one. */
		vcard_remove(&p->c.card, p->c.line[SLOT_FILE_AS]);
		p->c.line[SLOT_FILE_AS] = NULL;
		set_line(&p->c, &contact_properties[property_of(SLOT_FILE_AS)],
			str_eq(old, before->full) ? contact_full_name(&p->c)
						  : contact_built_file_as(&p->c),
			NULL);
	}
}

static void apply_full_name(struct apply *p, const struct called *before)
{
	struct vcard_line *l = p->c.line[SLOT_FN];
	struct str now = str_trim(vcard_text(&p->c.card, l)), name;

	if (!p->names && now.n && !str_eq(now, before->full))
		return;
	name = contact_full_name(&p->c);
	if (str_eq(name, now))
		return;
	name = vcard_encode(&p->c.card, name, false);
	if (l)
		vcard_set(&p->c.card, l, name, NULL);
	else
		p->c.line[SLOT_FN] = vcard_add(&p->c.card, NULL, STR("FN"), name);
}

/* RFC 2426 3.6.4, RFC 6350 4.3.5: in the form that the card has. */
static void stamp(struct contact *c)
{
	struct vcard_line *l = vcard_find(&c->card, NULL, "REV");
	bool dashed = l && l->value.n ? str_find(l->value, '-') < l->value.n
				      : c->card.version != VCARD_40;
	struct str now =
		dashed ? arena_printf(c->a, "%.19sZ", clock_dashed(c->a, clock_now()).p)
		       : clock_compact(c->a, clock_now());

	if (l)
		vcard_set(&c->card, l, now, NULL);
}

static enum rc apply(struct apply *p, struct err *err)
{
	struct called before = called(&p->c);
	enum rc rc = read_wishes(p, err);

	if (rc)
		return rc;
	apply_structured(p);
	apply_lines(p);
	for (size_t i = 0; i < ARRAY_LEN(contact_lists) && rc == RC_OK; i++)
		rc = apply_list(p, &contact_lists[i], err);
	apply_note(p);
	if (rc == RC_OK)
		rc = apply_picture(p, err);
	if (rc)
		return rc;
	apply_file_as(p, &before);
	if (p->c.card.changed) {
		apply_full_name(p, &before);
		stamp(&p->c);
	}
	return RC_OK;
}

/* RFC 2426 3, RFC 6350 6: what a card must have and what tells whose it is. */
static void begin(struct contact *c, const struct contact_patch *patch, struct arena *a)
{
	*c = (struct contact){.a = a};
	vcard_new(patch->card4 ? VCARD_40 : VCARD_30, a, &c->card);
	(void)vcard_add(&c->card, NULL, STR("PRODID"),
		STR("-//easpool//easpool " EASPOOL_VERSION "//EN"));
	(void)vcard_add(&c->card, NULL, STR("UID"), vcard_encode(&c->card, patch->uid, false));
	(void)vcard_add(&c->card, NULL, STR("REV"), STR(""));
	(void)vcard_add(&c->card, NULL, STR("FN"), STR(""));
	(void)vcard_add(&c->card, NULL, STR("N"), STR(";;;;"));
	contact_place(c);
}

enum rc contact_apply(struct str card, const struct elem *data, const struct contact_patch *p,
	struct arena *a, struct str *card_r, struct err *err)
{
	struct apply apply_to = {.data = data, .patch = p};
	enum rc rc = RC_OK;

	if (card.p)
		rc = contact_read(card, a, &apply_to.c, err);
	else
		begin(&apply_to.c, p, a);
	if (rc == RC_OK)
		rc = apply(&apply_to, err);
	if (rc == RC_OK)
		*card_r = vcard_write(&apply_to.c.card);
	return rc;
}
