#include "core/cmd/command.h"
#include "core/cmd/device_info.h"
#include "core/cmd/status.h"

#include <stdlib.h>
#include <sys/random.h>

/* [MS-ASPROV] 2.2.2.53 and 2.2.2.54 */
enum { POLICY_OK = 1, POLICY_NONE = 2, POLICY_UNKNOWN_TYPE = 3, POLICY_KEY_MISMATCH = 5 };

static const char wbxml_type[] = "MS-EAS-Provisioning-WBXML";
static const char wap_type[] = "MS-WAP-Provisioning-XML";

uint32_t policy_hash(const struct settings *c)
{
	const int64_t values[] = {c->policy_password, c->policy_password_alphanumeric,
		c->policy_password_length, c->policy_password_failures,
		c->policy_password_simple, c->policy_inactivity, c->policy_attachments,
		c->policy_attachment_size, c->policy_encryption};
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		h = (h ^ (uint32_t)values[i]) * 16777619u;
	return h ? h : 1;
}

/* Never 0: clients reject it. */
static uint32_t new_key(void)
{
	uint32_t key = 0;

	while (key == 0)
		if (getrandom(&key, sizeof(key), 0) != sizeof(key))
			abort();
	return key;
}

static void number_or_empty(struct wbxml_writer *w, tag_t tag, int64_t n)
{
	if (n > 0)
		wbxml_int(w, tag, n);
	else
		wbxml_empty(w, tag);
}

/* [MS-ASPROV] 2.2.2.28, in schema order. */
static void write_doc(struct wbxml_writer *w, const struct settings *c, enum eas_version v)
{
	wbxml_open(w, PROVISION_EAS_PROVISION_DOC);
	wbxml_bool(w, PROVISION_DEVICE_PASSWORD_ENABLED, c->policy_password);
	if (c->policy_password)
		wbxml_bool(w, PROVISION_ALPHANUMERIC_DEVICE_PASSWORD_REQUIRED,
			c->policy_password_alphanumeric);
	wbxml_bool(w, PROVISION_ATTACHMENTS_ENABLED, c->policy_attachments);
	if (c->policy_password) {
		number_or_empty(
			w, PROVISION_MIN_DEVICE_PASSWORD_LENGTH, c->policy_password_length);
		number_or_empty(
			w, PROVISION_MAX_INACTIVITY_TIME_DEVICE_LOCK, c->policy_inactivity);
		number_or_empty(w, PROVISION_MAX_DEVICE_PASSWORD_FAILED_ATTEMPTS,
			c->policy_password_failures);
	}
	number_or_empty(w, PROVISION_MAX_ATTACHMENT_SIZE, c->policy_attachment_size);
	if (c->policy_password)
		wbxml_bool(
			w, PROVISION_ALLOW_SIMPLE_DEVICE_PASSWORD, c->policy_password_simple);
	if (v >= V121 && c->policy_encryption)
		wbxml_bool(w, PROVISION_REQUIRE_DEVICE_ENCRYPTION, true);
	wbxml_close(w, PROVISION_EAS_PROVISION_DOC);
}

/* The 2.5 document, commands.md 14: 4131 is "a password is required" (0: it is). */
static struct str wap_doc(const struct settings *c, struct arena *a)
{
	if (!c->policy_password)
		return STR("<wap-provisioningdoc><characteristic type=\"SecurityPolicy\">"
			   "<parm name=\"4131\" value=\"1\"/></characteristic>"
			   "</wap-provisioningdoc>");
	return arena_printf(a,
		"<wap-provisioningdoc><characteristic type=\"SecurityPolicy\">"
		"<parm name=\"4131\" value=\"0\"/></characteristic>"
		"<characteristic type=\"Registry\">"
		"<characteristic type=\"HKLM\\Comm\\Security\\Policy\\LASSD\\AE\\"
		"{50C13377-C66D-400C-889E-C316FC4AB374}\">"
		"<parm name=\"AEFrequencyType\" value=\"%d\"/>"
		"<parm name=\"AEFrequencyValue\" value=\"%lld\"/></characteristic>"
		"<characteristic type=\"HKLM\\Comm\\Security\\Policy\\LASSD\">"
		"<parm name=\"DeviceWipeThreshold\" value=\"%lld\"/></characteristic>"
		"<characteristic type=\"HKLM\\Comm\\Security\\Policy\\LASSD\\LAP\\lap_pw\">"
		"<parm name=\"MinimumPasswordLength\" value=\"%lld\"/>"
		"<parm name=\"PasswordComplexity\" value=\"%d\"/></characteristic>"
		"</characteristic></wap-provisioningdoc>",
		c->policy_inactivity > 0, (long long)(c->policy_inactivity + 59) / 60,
		(long long)c->policy_password_failures, (long long)c->policy_password_length,
		c->policy_password_alphanumeric ? 0 : 2);
}

static void open_policy(struct wbxml_writer *w, struct str type, unsigned status)
{
	wbxml_open(w, PROVISION_POLICIES);
	wbxml_open(w, PROVISION_POLICY);
	wbxml_text(w, PROVISION_POLICY_TYPE, type);
	wbxml_int(w, PROVISION_STATUS, status);
}

static void close_policy(struct wbxml_writer *w)
{
	wbxml_close(w, PROVISION_POLICY);
	wbxml_close(w, PROVISION_POLICIES);
}

/* Phase 1: the policy and a temporary key. */
static enum rc offer(struct request *rq, struct services *sv, struct wbxml_writer *w,
	struct str type, struct err *err)
{
	bool known = str_iis(type, rq->version < V120 ? wap_type : wbxml_type);
	enum rc rc;

	if (!known || !rq->conf->provision) {
		open_policy(w, type, known ? POLICY_NONE : POLICY_UNKNOWN_TYPE);
		close_policy(w);
		return RC_OK;
	}
	rq->device.policy_pending = new_key();
	rc = state_call(sv->state, device_save, &rq->device, DEVICE_POLICY, err);
	if (rc)
		return rc;
	open_policy(w, type, POLICY_OK);
	wbxml_text(w, PROVISION_POLICY_KEY,
		arena_printf(rq->arena, "%u", rq->device.policy_pending));
	if (rq->version < V120) {
		wbxml_text(w, PROVISION_DATA, wap_doc(rq->conf, rq->arena));
	} else {
		wbxml_open(w, PROVISION_DATA);
		write_doc(w, rq->conf, rq->version);
		wbxml_close(w, PROVISION_DATA);
	}
	close_policy(w);
	return RC_OK;
}

/* The key that counts follows from the temporary one: when the answer to phase 2 gets lost,
 * the device asks again and gets the same. */
static uint32_t permanent_key(uint32_t pending)
{
	uint32_t key = pending * 2654435761u;

	return key && key != pending ? key : pending ^ 0x5a5a5a5au;
}

/* What the device says it made of the policy; 0: fine, else the Status to refuse with. Outlook
 * for phones applies the policy in the app and says "partially". */
static unsigned refusal(const struct request *rq, const struct elem *policy)
{
	uint32_t said = elem_u32(policy, PROVISION_STATUS, 1);

	if (rq->conf->provision_loose || said == 1 || said == 2)
		return 0;
	return said == 4 ? STATUS_EXTERNALLY_MANAGED : STATUS_NOT_FULLY_PROVISIONABLE;
}

/* Phase 2: the device says what it made of it and gets the key that counts. */
static enum rc acknowledge(struct request *rq, struct services *sv, struct wbxml_writer *w,
	const struct elem *policy, struct err *err)
{
	struct str type = elem_text(policy, PROVISION_POLICY_TYPE);
	uint32_t key = elem_u32(policy, PROVISION_POLICY_KEY, 0);
	struct device *d = &rq->device;
	enum rc rc;

	if (!rq->conf->provision || !key || key != d->policy_pending) {
		open_policy(w, type, POLICY_KEY_MISMATCH);
		close_policy(w);
		return RC_OK;
	}
	d->policy_key = permanent_key(key);
	d->policy_hash = policy_hash(rq->conf);
	rc = state_call(sv->state, device_save, d, DEVICE_POLICY, err);
	if (rc)
		return rc;
	open_policy(w, type, POLICY_OK);
	wbxml_text(w, PROVISION_POLICY_KEY, arena_printf(rq->arena, "%u", d->policy_key));
	close_policy(w);
	return RC_OK;
}

/* [MS-ASPROV] 3.1.5.1, commands.md 14 */
enum rc cmd_provision(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	const struct elem *policy =
		elem_child(elem_child(rq->doc, PROVISION_POLICIES), PROVISION_POLICY);
	const struct elem *info = elem_child(rq->doc, SETTINGS_DEVICE_INFORMATION);
	bool phase_2 = policy && elem_has(policy, PROVISION_POLICY_KEY);
	unsigned status = phase_2 ? refusal(rq, policy) : 0;
	struct wbxml_writer *w = reply_wbxml(rp);
	enum rc rc = RC_OK;

	wbxml_open(w, PROVISION_PROVISION);
	if (info) {
		rc = device_info_save(rq, sv, info, err);
		if (rc)
			return rc;
		wbxml_open(w, SETTINGS_DEVICE_INFORMATION);
		wbxml_int(w, SETTINGS_STATUS, STATUS_OK);
		wbxml_close(w, SETTINGS_DEVICE_INFORMATION);
	}
	rp->status = status ? status : STATUS_OK;
	wbxml_int(w, PROVISION_STATUS, rp->status);
	if (phase_2 && !status)
		rc = acknowledge(rq, sv, w, policy, err);
	else if (policy && !phase_2)
		rc = offer(rq, sv, w, elem_text(policy, PROVISION_POLICY_TYPE), err);
	if (rc == RC_OK)
		wbxml_close(w, PROVISION_PROVISION);
	return rc;
}
