#include "core/base/secret.h"

#include <stdlib.h>
#include <string.h>

void secret_set(struct secret *s, struct str text)
{
	secret_release(s);
	if (!text.p)
		return;
	s->p = malloc(text.n + 1);
	if (!s->p)
		abort();
	memcpy(s->p, text.p, text.n);
	s->p[text.n] = '\0';
	s->n = text.n;
}

void secret_release(struct secret *s)
{
	if (s->p)
		explicit_bzero(s->p, s->n);
	free(s->p);
	s->p = NULL;
	s->n = 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	unsigned char differ = 0;

	if (!a->p || !b->p || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		differ |= (unsigned char)(a->p[i] ^ b->p[i]);
	return differ == 0;
}
