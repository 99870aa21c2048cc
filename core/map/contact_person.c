#include "core/map/contact_person.h"

#include "core/base/base64.h"
#include "core/map/contact_parts.h"

enum { ADDRESSES_MAX = 32 };

/* However many there are, also those that a device has no element for. */
static void read_addresses(const struct contact *c, struct arena *a, struct person *r)
{
	r->addresses = ARENA_ARRAY(a, struct str, ADDRESSES_MAX);
	for (const struct vcard_line *l = vcard_find(&c->card, NULL, "EMAIL");
		l && r->naddresses < ADDRESSES_MAX; l = vcard_find(&c->card, l, "EMAIL")) {
		struct str address = contact_address(c, l);

		if (address.n)
			r->addresses[r->naddresses++] = address;
	}
}

bool contact_person(struct str card, struct arena *a, struct person *r)
{
	const struct vcard_line *fn;
	struct contact c;

	*r = (struct person){.naddresses = 0};
	if (contact_read(card, a, &c, NULL))
		return false;
	read_addresses(&c, a, r);
	if (r->naddresses == 0)
		return false;
	r->email = r->addresses[0];
	fn = vcard_find(&c.card, NULL, "FN");
	r->display_name = fn ? str_trim(vcard_text(&c.card, fn)) : STR_NONE;
	if (!r->display_name.n)
		r->display_name = contact_full_name(&c);
	if (base64_decode(contact_picture(&c), a, &r->picture))
		r->picture = STR_NONE;
	return true;
}
