#include "core/map/email.h"

#include "core/base/varint.h"

static const struct elem *next_preference(const struct elem *options, const struct elem *e)
{
	return e ? elem_again(e) : elem_child(options, AIRSYNCBASE_BODY_PREFERENCE);
}

enum { BODY_BAD_PART = 9 };

bool email_options_bad_part(const struct email_options *o)
{
	return o->has_part && o->part.type == BODY_BAD_PART;
}

static void read_preference(const struct elem *p, enum eas_version v, struct body_preference *b)
{
	b->has_size = elem_has(p, AIRSYNCBASE_TRUNCATION_SIZE);
	b->size = elem_u32(p, AIRSYNCBASE_TRUNCATION_SIZE, 0);
	b->all_or_none = elem_bool(p, AIRSYNCBASE_ALL_OR_NONE, false);
	if (v < V140)
		return;
	b->preview = elem_u32(p, AIRSYNCBASE_PREVIEW, 0);
	if (b->preview > 255)
		b->preview = 255;
}

void email_options_read(const struct elem *e, enum eas_version v, struct email_options *o)
{
	const struct elem *p = NULL;

	*o = (struct email_options){.version = v};
	o->mime_support = elem_u32(e, AIRSYNC_MIME_SUPPORT, 0);
	o->client_wins = elem_u32(e, AIRSYNC_CONFLICT, 1) == 0;
	o->truncation = elem_has(e, AIRSYNC_TRUNCATION)
				? (int)(elem_u32(e, AIRSYNC_TRUNCATION, 9) % 10)
				: -1;
	o->mime_truncation = elem_has(e, AIRSYNC_MIME_TRUNCATION)
				     ? (int)(elem_u32(e, AIRSYNC_MIME_TRUNCATION, 8) % 10)
				     : -1;
	if (v < V120)
		return;
	for (p = next_preference(e, NULL); p && o->nprefs < ARRAY_LEN(o->prefs);
		p = next_preference(e, p)) {
		struct body_preference *b = &o->prefs[o->nprefs];

		b->type = elem_u32(p, AIRSYNCBASE_TYPE, 0);
		if (b->type < BODY_PLAIN || b->type > BODY_MIME)
			continue;
		read_preference(p, v, b);
		o->nprefs++;
	}
	p = elem_child(e, AIRSYNCBASE_BODY_PART_PREFERENCE);
	o->has_part = p && v >= V141;
	if (!o->has_part)
		return;
	read_preference(p, v, &o->part);
	o->part.type =
		elem_u32(p, AIRSYNCBASE_TYPE, 0) == BODY_HTML ? BODY_HTML : BODY_BAD_PART;
}

static void put_preference(const struct body_preference *p, struct buf *b)
{
	varint_put(b, p->type);
	varint_put(b, p->has_size ? (uint64_t)p->size + 1 : 0);
	varint_put(b, p->all_or_none);
	varint_put(b, p->preview);
}

static enum rc get_preference(struct str *in, struct body_preference *p)
{
	uint64_t size, all;
	uint32_t type, preview;

	if (varint_get32(in, &type) || varint_get(in, &size) || varint_get(in, &all) ||
		varint_get32(in, &preview))
		return RC_INVALID;
	*p = (struct body_preference){
		type, size > 0, (uint32_t)(size ? size - 1 : 0), all != 0, preview};
	return RC_OK;
}

void email_options_encode(const struct email_options *o, struct buf *b)
{
	varint_put(b, o->mime_support);
	varint_put(b, (unsigned)(o->truncation + 1));
	varint_put(b, (unsigned)(o->mime_truncation + 1));
	varint_put(b, o->nprefs);
	for (size_t i = 0; i < o->nprefs; i++)
		put_preference(&o->prefs[i], b);
	varint_put(b, o->has_part);
	if (o->has_part)
		put_preference(&o->part, b);
	varint_put(b, o->client_wins);
}

enum rc email_options_decode(struct str *in, enum eas_version v, struct email_options *o)
{
	uint64_t truncation, mime_truncation, n;
	uint32_t support;

	*o = (struct email_options){.version = v};
	if (varint_get32(in, &support) || varint_get(in, &truncation) ||
		varint_get(in, &mime_truncation) || varint_get(in, &n) ||
		n > ARRAY_LEN(o->prefs) || truncation > 10 || mime_truncation > 10)
		return RC_INVALID;
	o->mime_support = support;
	o->truncation = (int)truncation - 1;
	o->mime_truncation = (int)mime_truncation - 1;
	for (o->nprefs = 0; o->nprefs < n; o->nprefs++)
		if (get_preference(in, &o->prefs[o->nprefs]))
			return RC_INVALID;
	/* Options stored before there was such a thing end here. */
	if (in->n == 0)
		return RC_OK;
	if (varint_get32(in, &support))
		return RC_INVALID;
	o->has_part = support != 0;
	if (o->has_part && get_preference(in, &o->part))
		return RC_INVALID;
	if (in->n == 0)
		return RC_OK;
	if (varint_get32(in, &support))
		return RC_INVALID;
	o->client_wins = support != 0;
	return RC_OK;
}
