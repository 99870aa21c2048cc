#include "core/base/utf8.h"
#include "core/cmd/command.h"
#include "core/cmd/device_info.h"
#include "core/cmd/sending.h"
#include "core/cmd/status.h"

enum { SETTINGS_OK = 1, SETTINGS_ACCESS_DENIED = 3, SETTINGS_DENIED_BY_POLICY = 7 };

enum { INFO_MAX = 1024 };

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

static void user_information(struct request *rq, struct wbxml_writer *w)
{
	struct str address = sending_address(rq);

	wbxml_open(w, SETTINGS_USER_INFORMATION);
	wbxml_int(w, SETTINGS_STATUS, SETTINGS_OK);
	wbxml_open(w, SETTINGS_GET);
	if (rq->version >= V141) {
		wbxml_open(w, SETTINGS_ACCOUNTS);
		wbxml_open(w, SETTINGS_ACCOUNT);
	}
	wbxml_open(w, SETTINGS_EMAIL_ADDRESSES);
	wbxml_text(w, SETTINGS_SMTP_ADDRESS, address);
	if (rq->version >= V141)
		wbxml_text(w, SETTINGS_PRIMARY_SMTP_ADDRESS, address);
	wbxml_close(w, SETTINGS_EMAIL_ADDRESSES);
	if (rq->version >= V141) {
		wbxml_close(w, SETTINGS_ACCOUNT);
		wbxml_close(w, SETTINGS_ACCOUNTS);
	}
	wbxml_close(w, SETTINGS_GET);
	wbxml_close(w, SETTINGS_USER_INFORMATION);
}

/* Without Sieve there is no out-of-office to read: it is off; setting it is denied. */
static void oof(const struct elem *e, struct wbxml_writer *w)
{
	wbxml_open(w, SETTINGS_OOF);
	if (elem_has(e, SETTINGS_GET)) {
		wbxml_int(w, SETTINGS_STATUS, SETTINGS_OK);
		wbxml_open(w, SETTINGS_GET);
		wbxml_int(w, SETTINGS_OOF_STATE, 0);
		wbxml_close(w, SETTINGS_GET);
	} else {
		wbxml_int(w, SETTINGS_STATUS, SETTINGS_ACCESS_DENIED);
	}
	wbxml_close(w, SETTINGS_OOF);
}

static void only_status(struct wbxml_writer *w, tag_t tag, unsigned status)
{
	wbxml_open(w, tag);
	wbxml_int(w, SETTINGS_STATUS, status);
	wbxml_close(w, tag);
}

/* [MS-ASCMD] 2.2.1.18: the answers stand in the order of the questions. */
enum rc cmd_settings(struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct wbxml_writer *w = reply_wbxml(rp);
	enum rc rc;

	wbxml_open(w, SETTINGS_SETTINGS);
	wbxml_int(w, SETTINGS_STATUS, SETTINGS_OK);
	for (const struct elem *e = rq->doc->child; e; e = e->next) {
		switch (e->tag) {
		case SETTINGS_DEVICE_INFORMATION:
			rc = device_info_save(rq, sv, e, err);
			if (rc)
				return rc;
			only_status(w, e->tag, SETTINGS_OK);
			break;
		case SETTINGS_USER_INFORMATION:
			user_information(rq, w);
			break;
		case SETTINGS_OOF:
			oof(e, w);
			break;
		case SETTINGS_DEVICE_PASSWORD:
			only_status(w, e->tag, SETTINGS_DENIED_BY_POLICY);
			break;
		case SETTINGS_RIGHTS_MANAGEMENT_INFORMATION:
			only_status(w, e->tag, STATUS_RIGHTS_DISABLED);
			break;
		default:
			break;
		}
	}
	wbxml_close(w, SETTINGS_SETTINGS);
	return RC_OK;
}
