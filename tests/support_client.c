#include "tests/support_client.h"

#include "store/imap/imap.h"
#include "tests/support_lab.h"

#include <stdio.h>
#include <stdlib.h>

void client_open(struct client *c, const char *user)
{
	struct err err = ERR_INIT;
	struct str text;

	*c = (struct client){.arena = arena_new()};
	text = arena_printf(c->arena,
		"imap_host = 127.0.0.1\nimap_port = %s\nimap_tls = none\n",
		lab_get("IMAP_PORT"));
	if (settings_read(text, "client", &c->conf, c->arena, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	c->imap = imap_new(&c->conf);
	secret_set(&c->password, str_of(lab_get("LAB_PASSWORD")));
	c->mail = imap_mail(c->imap, str_of(user), &c->password);
}

void client_close(struct client *c)
{
	imap_free(c->imap);
	secret_release(&c->password);
	arena_free(c->arena);
}
