#include "core/map/category.h"

#include "core/base/rc.h"
#include "core/base/utf7.h"
#include "core/base/utf8.h"

#include <glib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 255 };

static const struct {
	const char *keyword, *name;
} labels[] = {
	{"$label1", "Important"},
	{"$label2", "Work"     },
	{"$label3", "Personal" },
	{"$label4", "To Do"    },
	{"$label5", "Later"    },
};

static const char *const others[] = {"Junk", "NonJunk", "NotJunk", "Forwarded", "Redirected",
	"Old", "receipt-handled", "Recent"};

static bool is_other(struct str keyword)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_iis(keyword, others[i]))
			return true;
	return false;
}

/* Bytes that stand for themselves in a keyword. */
static bool is_plain(unsigned char c)
{
	return g_ascii_isalnum(c) || (c && strchr(" -.+:!#=~", c) != NULL);
}

static struct str replaced(struct str s, char from, char to, struct arena *a)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] == from)
			p[i] = to;
	return (struct str){p, s.n};
}

struct str category_keyword(struct str name, struct arena *a)
{
	struct str r;

	name = str_trim(utf8_cut(utf8_cleaned(name, a), NAME_MAX_BYTES));
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		if (str_is(name, labels[i].name))
			return str_of(labels[i].keyword);
	r = replaced(utf7_encode_with(name, is_plain, a), ' ', '_', a);
	/* Else it would be taken for something of the server's. */
	return is_other(r) ? arena_printf(a, "%.*s_", STR_FMT(r)) : r;
}

struct str category_of_keyword(struct str keyword, struct arena *a)
{
	struct str name;

	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		if (str_iis(keyword, labels[i].keyword))
			return str_of(labels[i].name);
	if (keyword.n == 0 || keyword.p[0] == '$' || keyword.p[0] == '\\' || is_other(keyword))
		return STR_NONE;
	/* There is no '_' in what is encoded. */
	name = str_trim(utf7_decode(replaced(keyword, '_', ' ', a), a));
	return name.n ? name : STR_NONE;
}

uint32_t category_hash(struct str keywords)
{
	struct arena *a = arena_new();
	uint32_t sum = 0, n = 0;
	struct str word;

	while (str_next(&keywords, ' ', &word)) {
		uint32_t h = 2166136261u;

		if (!category_of_keyword(word, a).p)
			continue;
		for (size_t i = 0; i < word.n; i++) {
			char c = word.p[i];

			/* Keywords are compared without regard to case. */
			if (c >= 'A' && c <= 'Z')
				c = (char)(c + 32);
			h = (h ^ (unsigned char)c) * 16777619u;
		}
		sum += h;
		n++;
	}
	arena_free(a);
	return n ? (sum ? sum : 1) : 0;
}
