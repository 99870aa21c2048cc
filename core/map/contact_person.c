#include "core/map/contact_person.h"

#include "core/base/base64.h"
#include "core/map/contact_parts.h"

bool contact_person(struct str card, struct arena *a, struct person *r)
{
	static const enum slot slots[] = {SLOT_EMAIL1, SLOT_EMAIL2, SLOT_EMAIL3};
	struct contact c;

	*r = (struct person){.naddresses = 0};
	if (contact_read(card, a, &c, NULL))
		return false;
	r->addresses = ARENA_ARRAY(a, struct str, ARRAY_LEN(slots));
	for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
		struct str address = contact_slot_text(&c, slots[i]);

		if (address.n)
			r->addresses[r->naddresses++] = address;
	}
	if (r->naddresses == 0)
		return false;
	r->email = r->addresses[0];
	r->display_name = contact_full_name(&c);
	if (!r->display_name.n)
		r->display_name = r->email;
	if (base64_decode(contact_picture(&c), a, &r->picture))
		r->picture = STR_NONE;
	return true;
}
