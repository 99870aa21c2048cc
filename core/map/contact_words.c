#include "core/map/contact_words.h"

#include "core/map/vcard.h"

#include <glib.h>
#include <string.h>

/* The lines that a person reads. */
static const char *const names[] = {"FN", "N", "NICKNAME", "ORG", "TITLE", "EMAIL", "TEL",
	"ADR", "NOTE", "CATEGORIES", "URL", "IMPP"};

static bool is_read(const struct vcard_line *l)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_iis(l->name, names[i]))
			return true;
	return false;
}

/* Clean text as it is compared. */
static gchar *fold(struct str s)
{
	gchar *whole = g_utf8_normalize(s.p, (gssize)s.n, G_NORMALIZE_ALL_COMPOSE);
	gchar *r = whole ? g_utf8_casefold(whole, -1) : g_strdup("");

	g_free(whole);
	return r;
}

bool contact_says(struct str card, const struct str *words, size_t n, struct arena *a)
{
	struct vcard c;
	GString *all;
	size_t found = 0;

	if (vcard_read(card, a, &c, NULL))
		return false;
	all = g_string_new(NULL);
	for (const struct vcard_line *l = c.first; l; l = l->next) {
		gchar *text = is_read(l) ? fold(vcard_text(&c, l)) : NULL;

		if (text)
			g_string_append_printf(all, "%s\n", text);
		g_free(text);
	}
	for (size_t i = 0; i < n; i++) {
		gchar *word = fold(words[i]);

		found += strstr(all->str, word) != NULL;
		g_free(word);
	}
	(void)g_string_free(all, TRUE);
	return found == n;
}
