#include "core/base/log.h"
#include "core/base/utf8.h"
#include "core/cmd/command.h"
#include "core/cmd/device_info.h"
#include "core/cmd/sending.h"
#include "core/cmd/status.h"

/* commands.md 13 */
enum {
	SETTINGS_OK = 1,
	SETTINGS_PROTOCOL_ERROR = 2,
	SETTINGS_ACCESS_DENIED = 3,
	SETTINGS_INVALID = 5,
	SETTINGS_DENIED_BY_POLICY = 7,
};

enum { INFO_MAX = 1024, PASSWORD_MAX = 255, ADDRESSES_MAX = 100 };

enum rc device_info_save(
	struct request *rq, struct services *sv, const struct elem *info, struct err *err)
{
	struct device *d = &rq->device;
	const struct elem *set = elem_child(info, SETTINGS_SET);
	const struct {
		tag_t tag;
		struct str *at;
	} fields[] = {
		{SETTINGS_MODEL,           &d->model          },
		{SETTINGS_IMEI,            &d->imei           },
		{SETTINGS_FRIENDLY_NAME,   &d->friendly_name  },
		{SETTINGS_OS,              &d->os             },
		{SETTINGS_OS_LANGUAGE,     &d->os_language    },
		{SETTINGS_PHONE_NUMBER,    &d->phone_number   },
		{SETTINGS_MOBILE_OPERATOR, &d->mobile_operator},
	};

	/* Nothing said is no reason to forget. */
	if (!set)
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		*fields[i].at = utf8_cleaned(
			utf8_cut(elem_text(set, fields[i].tag), INFO_MAX), rq->arena);
	d->outbound_sms = elem_bool(set, SETTINGS_ENABLE_OUTBOUND_SMS, false);
	return state_call(sv->state, device_save, d, DEVICE_INFO, err);
}

/* The addresses that a user has, each once. */
struct addresses {
	struct str v[ADDRESSES_MAX];
	size_t n;
};

static void add_address(struct addresses *l, struct str address)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_ieq(l->v[i], address))
			return;
	if (l->n < ADDRESSES_MAX)
		l->v[l->n++] = address;
}

/* The one that mail is sent from first, which is the login's own; those of the directory, and
 * the same name in the other mail domains. A login that is no address comes last. */
static void collect_addresses(struct request *rq, const struct person *own, struct addresses *l)
{
	struct str address = sending_address(rq), rest = rq->conf->mail_aliases, domain;
	struct str name = str_sub(address, 0, str_find(address, '@'));

	l->n = 0;
	if (name.n < address.n)
		add_address(l, address);
	for (size_t i = 0; i < own->naddresses; i++)
		add_address(l, own->addresses[i]);
	add_address(l, address);
	while (str_next(&rest, ' ', &domain))
		if (domain.n)
			add_address(l, arena_printf(rq->arena, "%.*s@%.*s", STR_FMT(name),
					       STR_FMT(domain)));
}

/* What the directory knows of the user; nothing when there is none, or it does not answer: what
 * the settings say is good enough to go on with. */
static void own_entry(struct request *rq, struct services *sv, struct person *r)
{
	struct err why = ERR_INIT;
	enum rc rc;

	*r = (struct person){.naddresses = 0};
	if (!sv->directory)
		return;
	rc = directory_call(sv->directory, self, rq->user, rq->arena, r, &why);
	if (rc)
		*r = (struct person){.naddresses = 0};
	if (rc && rc != RC_ABSENT)
		log_warning("the user's entry was not read: %s", why.text);
}

static void write_addresses(
	struct request *rq, const struct addresses *l, struct wbxml_writer *w)
{
	wbxml_open(w, SETTINGS_EMAIL_ADDRESSES);
	for (size_t i = 0; i < l->n; i++)
		wbxml_text(w, SETTINGS_SMTP_ADDRESS, l->v[i]);
	if (rq->version >= V141)
		wbxml_text(w, SETTINGS_PRIMARY_SMTP_ADDRESS, l->v[0]);
	wbxml_close(w, SETTINGS_EMAIL_ADDRESSES);
}

static void user_information(struct request *rq, struct services *sv, struct wbxml_writer *w)
{
	struct addresses l;
	struct person own;

	own_entry(rq, sv, &own);
	collect_addresses(rq, &own, &l);
	wbxml_open(w, SETTINGS_USER_INFORMATION);
	wbxml_int(w, SETTINGS_STATUS, SETTINGS_OK);
	wbxml_open(w, SETTINGS_GET);
	if (rq->version >= V141) {
		wbxml_open(w, SETTINGS_ACCOUNTS);
		wbxml_open(w, SETTINGS_ACCOUNT);
		wbxml_text_if(w, SETTINGS_USER_DISPLAY_NAME, own.display_name);
	}
	write_addresses(rq, &l, w);
	if (rq->version >= V141) {
		wbxml_close(w, SETTINGS_ACCOUNT);
		wbxml_close(w, SETTINGS_ACCOUNTS);
	}
	wbxml_close(w, SETTINGS_GET);
	wbxml_close(w, SETTINGS_USER_INFORMATION);
}

static bool is_body_type(struct str s)
{
	return str_iis(s, "Text") || str_iis(s, "HTML");
}

/* Whether a Set says what it must, although it will be refused. */
static bool oof_is_sound(const struct elem *set)
{
	uint32_t state = elem_u32(set, SETTINGS_OOF_STATE, 3);
	bool start = elem_has(set, SETTINGS_START_TIME), end = elem_has(set, SETTINGS_END_TIME);

	if (state > 2 || start != end || (state == 2 && !start))
		return false;
	for (const struct elem *m = elem_child(set, SETTINGS_OOF_MESSAGE); m; m = elem_again(m))
		if (elem_has(m, SETTINGS_REPLY_MESSAGE) &&
			!is_body_type(elem_text(m, SETTINGS_BODY_TYPE)))
			return false;
	return true;
}

/* Without Sieve there is no out-of-office message: it is off, there is no audience for which it
 * could be set, and setting it is denied. */
static void oof(const struct elem *e, struct wbxml_writer *w)
{
	const struct elem *get = elem_child(e, SETTINGS_GET),
			  *set = elem_child(e, SETTINGS_SET);
	bool sound = get ? !set && is_body_type(elem_text(get, SETTINGS_BODY_TYPE))
			 : set && oof_is_sound(set);

	wbxml_open(w, SETTINGS_OOF);
	wbxml_int(w, SETTINGS_STATUS,
		!sound ? SETTINGS_PROTOCOL_ERROR
		: get  ? SETTINGS_OK
		       : SETTINGS_ACCESS_DENIED);
	if (sound && get) {
		wbxml_open(w, SETTINGS_GET);
		wbxml_int(w, SETTINGS_OOF_STATE, 0);
		wbxml_close(w, SETTINGS_GET);
	}
	wbxml_close(w, SETTINGS_OOF);
}

/* The password of the device, kept for its user: there is no place for it. */
static unsigned device_password(const struct elem *e)
{
	const struct elem *set = elem_child(e, SETTINGS_SET);

	if (!set || !elem_has(set, SETTINGS_PASSWORD))
		return SETTINGS_PROTOCOL_ERROR;
	return elem_text(set, SETTINGS_PASSWORD).n > PASSWORD_MAX ? SETTINGS_INVALID
								  : SETTINGS_DENIED_BY_POLICY;
}

static void only_status(struct wbxml_writer *w, tag_t tag, unsigned status)
{
	wbxml_open(w, tag);
	wbxml_int(w, SETTINGS_STATUS, status);
	wbxml_close(w, tag);
}

static enum rc whole_failure(struct reply *rp, unsigned status)
{
	only_status(reply_wbxml(rp), SETTINGS_SETTINGS, status);
	rp->status = status;
	return RC_OK;
}

static bool is_known(const struct request *rq, tag_t tag)
{
	return tag == SETTINGS_OOF || tag == SETTINGS_DEVICE_PASSWORD ||
	       tag == SETTINGS_DEVICE_INFORMATION || tag == SETTINGS_USER_INFORMATION ||
	       (tag == SETTINGS_RIGHTS_MANAGEMENT_INFORMATION && rq->version >= V141);
}

static enum rc answer(struct request *rq, struct services *sv, const struct elem *e,
	struct wbxml_writer *w, struct err *err)
{
	bool said = elem_has(e, SETTINGS_SET);
	enum rc rc = RC_OK;

	switch (e->tag) {
	case SETTINGS_DEVICE_INFORMATION:
		rc = device_info_save(rq, sv, e, err);
		if (rc == RC_OK)
			only_status(w, e->tag, said ? SETTINGS_OK : SETTINGS_PROTOCOL_ERROR);
		break;
	case SETTINGS_USER_INFORMATION:
		if (elem_has(e, SETTINGS_GET))
			user_information(rq, sv, w);
		else
			only_status(w, e->tag, SETTINGS_PROTOCOL_ERROR);
		break;
	case SETTINGS_OOF:
		oof(e, w);
		break;
	case SETTINGS_DEVICE_PASSWORD:
		only_status(w, e->tag, device_password(e));
		break;
	default:
		only_status(w, e->tag, STATUS_RIGHTS_DISABLED);
		break;
	}
	return rc;
}

/* [MS-ASCMD] 2.2.1.18: the answers stand in the order of the questions. */
enum rc cmd_settings(struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct wbxml_writer *w;

	if (!rq->doc->child)
		return whole_failure(rp, SETTINGS_PROTOCOL_ERROR);
	for (const struct elem *e = rq->doc->child; e; e = e->next)
		if (!is_known(rq, e->tag))
			return whole_failure(rp, SETTINGS_PROTOCOL_ERROR);
	w = reply_wbxml(rp);
	wbxml_open(w, SETTINGS_SETTINGS);
	wbxml_int(w, SETTINGS_STATUS, SETTINGS_OK);
	for (const struct elem *e = rq->doc->child; e; e = e->next) {
		enum rc rc = answer(rq, sv, e, w, err);

		if (rc)
			return rc;
	}
	wbxml_close(w, SETTINGS_SETTINGS);
	return RC_OK;
}
