#include "core/wire/tags.h"

#include "core/base/rc.h"

#define FIRST_TOKEN 0x05
#define TOKENS      0x40

static const struct tag_info infos[] = {
#define TAG(page, token, constant, name, kind, first, last)                                    \
	{(page) << 8 | (token), name, TAG_##kind, first, last},
#include "core/wire/tags.def"
#undef TAG
};

static const char *const prefixes[TAG_PAGES] = {
#define PAGE(number, name, prefix) [number] = prefix,
#include "core/wire/pages.def"
#undef PAGE
};

/* Row number + 1 by page and token, filled in at the first look. */
static uint16_t rows[TAG_PAGES][TOKENS];
static bool indexed;

static void make_index(void)
{
	for (size_t i = 0; i < ARRAY_LEN(infos); i++)
		rows[TAG_PAGE(infos[i].tag)][TAG_TOKEN(infos[i].tag)] = (uint16_t)(i + 1);
	indexed = true;
}

const struct tag_info *tag_info(tag_t tag)
{
	unsigned page = TAG_PAGE(tag), token = TAG_TOKEN(tag);

	if (!indexed)
		make_index();
	if (page >= TAG_PAGES || token < FIRST_TOKEN || token >= TOKENS || !rows[page][token])
		return NULL;
	return &infos[rows[page][token] - 1];
}

const char *tag_page_prefix(unsigned page)
{
	return page < TAG_PAGES ? prefixes[page] : NULL;
}

tag_t tag_of(struct str text)
{
	struct str rest = text, prefix;

	if (!str_next(&rest, ':', &prefix) || !rest.p)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(infos); i++)
		if (str_is(rest, infos[i].name) &&
			str_is(prefix, prefixes[TAG_PAGE(infos[i].tag)]))
			return infos[i].tag;
	return 0;
}
