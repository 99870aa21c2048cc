#include "core/map/contact_words.h"

#include "core/map/vcard.h"

#include <glib.h>
#include <string.h>

/* The lines that a person reads; those of names and addresses first. */
static const char *const names[] = {"FN", "N", "NICKNAME", "EMAIL", "ORG", "TITLE", "TEL",
	"ADR", "NOTE", "CATEGORIES", "URL", "IMPP"};
enum { NAMES = 4 };

static bool is_among(const struct vcard_line *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
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

/* Nobody is called by the domain of his address. */
static struct str local_part(struct str address)
{
	size_t at = address.n, from = 0;

	for (size_t i = 0; i < address.n; i++) {
		if (address.p[i] == '@')
			at = i;
		if (strchr("<:", address.p[i]))
			from = i + 1;
	}
	return from < at ? str_sub(address, from, at - from) : str_sub(address, 0, at);
}

/* What stands in the first n kinds of lines, folded, a line each; NULL: this is no card. */
static GString *text_of(struct str card, size_t n, struct arena *a)
{
	struct vcard c;
	GString *all;

	if (vcard_read(card, a, &c, NULL))
		return NULL;
	all = g_string_new("\n");
	for (const struct vcard_line *l = c.first; l; l = l->next) {
		gchar *text = NULL;

		if (is_among(l, n))
			text = fold(n == NAMES && str_iis(l->name, "EMAIL")
					    ? local_part(vcard_text(&c, l))
					    : vcard_text(&c, l));
		if (text)
			g_string_append_printf(all, "%s\n", text);
		g_free(text);
	}
	return all;
}

/* It stands there at all, or as the beginning of a word. */
static bool stands_in(const char *text, const char *word, bool beginning)
{
	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		if (!beginning || at == text || strchr(" \n;,-.'\"(", at[-1]))
			return true;
	return false;
}

static bool all_stand_in(struct str card, size_t lines, bool beginning, const struct str *words,
	size_t n, struct arena *a)
{
	GString *all = text_of(card, lines, a);
	size_t found = 0;

	for (size_t i = 0; all && i < n; i++) {
		gchar *word = fold(words[i]);

		found += *word && stands_in(all->str, word, beginning);
		g_free(word);
	}
	if (all)
		(void)g_string_free(all, TRUE);
	return all && found == n;
}

bool contact_says(struct str card, const struct str *words, size_t n, struct arena *a)
{
	return all_stand_in(card, ARRAY_LEN(names), false, words, n, a);
}

bool contact_is_called(struct str card, const struct str *words, size_t n, struct arena *a)
{
	return all_stand_in(card, NAMES, true, words, n, a);
}
