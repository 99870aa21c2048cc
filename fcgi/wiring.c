#include "fcgi/wiring.h"

#include "fcgi/shared.h"
#include "store/certs/certs.h"
#include "store/dav/dav.h"
#include "store/imap/imap.h"
#include "store/ldap/ldap.h"
#include "store/postgres/pg.h"
#include "store/silence.h"
#include "store/smtp/smtp.h"

#include <stdlib.h>

struct wiring_shared {
	struct silence dav;
};

struct wiring {
	struct state *state;
	struct imap *imap;
	struct smtp *smtp;
	struct ldap_directory *ldap; /* NULL: there is none */
	struct certs *certs;
	struct dav_client *dav; /* NULL: there is no CardDAV server */
};

struct wiring_shared *wiring_shared_new(void)
{
	return shared_new(sizeof(struct wiring_shared));
}

void wiring_shared_free(struct wiring_shared *shared)
{
	shared_free(shared, sizeof(*shared));
}

void wiring_shared_forget(struct wiring_shared *shared)
{
	silence_forget(&shared->dav);
}

struct wiring *wiring_new(const struct settings *conf, struct wiring_shared *shared)
{
	struct wiring *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->state = pg_state_new(conf);
	w->imap = imap_new(conf);
	w->smtp = smtp_new(conf);
	if (conf->ldap_url.n)
		w->ldap = ldap_directory_new(conf);
	w->certs = certs_new(conf);
	w->dav = conf->carddav_url.n ? dav_client_new(conf, &shared->dav) : NULL;
	return w;
}

void wiring_free(struct wiring *w)
{
	if (!w)
		return;
	pg_state_free(w->state);
	imap_free(w->imap);
	smtp_free(w->smtp);
	ldap_directory_free(w->ldap);
	certs_free(w->certs);
	dav_client_free(w->dav);
	free(w);
}

struct services wiring_services(
	struct wiring *w, struct str login, const struct secret *password)
{
	return (struct services){.state = w->state,
		.auth = imap_auth(w->imap),
		.mail = imap_mail(w->imap, login, password),
		.submit = smtp_submit(w->smtp, login, password),
		.directory = w->ldap ? ldap_directory_directory(w->ldap) : NULL,
		.certs = w->certs,
		.dav = w->dav ? dav_client_user(w->dav, login, password) : NULL};
}

unsigned wiring_done(struct wiring *w)
{
	unsigned trips = imap_trips(w->imap) + (w->ldap ? ldap_directory_trips(w->ldap) : 0);

	imap_release(w->imap);
	if (w->dav) {
		trips += dav_client_trips(w->dav);
		dav_client_release(w->dav);
	}
	return trips;
}

struct notices *wiring_notices(const struct settings *conf, const struct notices_heard *heard)
{
	return notices_new(conf, heard);
}
