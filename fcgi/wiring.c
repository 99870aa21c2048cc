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
	struct silence dav[DAV_CLIENTS];
};

struct wiring {
	struct state *state;
	struct imap *imap;
	struct smtp *smtp;
	struct ldap_directory *ldap; /* NULL: there is none */
	struct certs *certs;
	struct dav_client *dav[DAV_CLIENTS]; /* NULL: there is no such server */
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
	for (size_t i = 0; i < DAV_CLIENTS; i++)
		silence_forget(&shared->dav[i]);
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
	for (size_t i = 0; i < DAV_CLIENTS; i++)
		w->dav[i] = dav_client_new(conf, (enum dav_service)i, &shared->dav[i]);
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
	for (size_t i = 0; i < DAV_CLIENTS; i++)
		dav_client_free(w->dav[i]);
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
		.dav = dav_client_user(w->dav[DAV_CLIENT_CARDS], login, password),
		.calendars = dav_client_user(w->dav[DAV_CLIENT_CALENDARS], login, password)};
}

unsigned wiring_done(struct wiring *w)
{
	unsigned trips = imap_trips(w->imap) + (w->ldap ? ldap_directory_trips(w->ldap) : 0);

	imap_release(w->imap);
	for (size_t i = 0; i < DAV_CLIENTS; i++) {
		trips += dav_client_trips(w->dav[i]);
		dav_client_release(w->dav[i]);
	}
	return trips;
}

struct notices *wiring_notices(const struct settings *conf, const struct notices_heard *heard)
{
	return notices_new(conf, heard);
}
