#include "core/wire/query.h"

#include "core/base/base64.h"

/* [MS-ASHTTP] 2.2.1.1.1.1.1: tags of the base64 form. */
enum {
	PARAM_ATTACHMENT_NAME = 0,
	PARAM_COLLECTION_ID = 1,
	PARAM_ITEM_ID = 3,
	PARAM_LONG_ID = 4,
	PARAM_OCCURRENCE = 6,
	PARAM_OPTIONS = 7,
	PARAM_USER = 8,
};

enum { OPTION_SAVE_IN_SENT = 1, OPTION_ACCEPT_MULTIPART = 2 };

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum rc query_unescape(struct str text, struct arena *a, struct str *text_r)
{
	char *out;
	size_t n = 0;

	if (str_find(text, '%') == text.n) {
		*text_r = text;
		return RC_OK;
	}
	out = arena_alloc(a, text.n + 1);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '%') {
			out[n++] = text.p[i];
			continue;
		}
		if (text.n - i < 3 || hex(text.p[i + 1]) < 0 || hex(text.p[i + 2]) < 0)
			return RC_INVALID;
		out[n++] = (char)(hex(text.p[i + 1]) << 4 | hex(text.p[i + 2]));
		i += 2;
	}
	out[n] = '\0';
	*text_r = (struct str){out, n};
	return RC_OK;
}

static bool printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return true;
}

static struct str lowered(struct str s, struct arena *a)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
	return (struct str){p, s.n};
}

/* A DeviceId is compared without regard to case; a raw GUID is kept as hex. */
static enum rc set_device_id(struct query *q, struct str id, struct arena *a, struct err *err)
{
	if (id.n > QUERY_DEVICE_ID_MAX)
		return err_set(err, RC_INVALID, "the DeviceId has %zu characters", id.n);
	if (!printable(id) && q->base64) {
		char *p = arena_alloc(a, 2 * id.n + 1);

		for (size_t i = 0; i < id.n; i++) {
			p[2 * i] = "0123456789abcdef"[(unsigned char)id.p[i] >> 4];
			p[2 * i + 1] = "0123456789abcdef"[(unsigned char)id.p[i] & 15];
		}
		id = (struct str){p, 2 * id.n};
	}
	if (!printable(id) || id.n > QUERY_DEVICE_ID_MAX)
		return err_set(err, RC_INVALID, "the DeviceId has odd characters");
	q->device_id = id.n ? lowered(id, a) : STR_NONE;
	return RC_OK;
}

static enum rc set_device_type(struct query *q, struct str type, struct err *err)
{
	if (!printable(type) || type.n > 255)
		return err_set(err, RC_INVALID, "the DeviceType has odd characters");
	q->device_type = type.n ? type : STR_NONE;
	return RC_OK;
}

static enum rc plain_parameter(
	struct query *q, struct str name, struct str value, struct arena *a, struct err *err)
{
	const struct {
		const char *name;
		struct str *at;
	} texts[] = {
		{"User",           &q->user           },
		{"AttachmentName", &q->attachment_name},
		{"CollectionId",   &q->collection_id  },
		{"ItemId",         &q->item_id        },
		{"LongId",         &q->long_id        },
		{"Occurrence",     &q->occurrence     },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_iis(name, texts[i].name)) {
			*texts[i].at = value;
			return RC_OK;
		}
	if (str_iis(name, "Cmd")) {
		q->command_name = value;
		q->command = command_of(value);
	} else if (str_iis(name, "DeviceId")) {
		return set_device_id(q, value, a, err);
	} else if (str_iis(name, "DeviceType")) {
		return set_device_type(q, value, err);
	} else if (str_iis(name, "SaveInSent")) {
		q->save_in_sent = str_iis(value, "T");
	}
	return RC_OK;
}

static enum rc parse_plain(struct str text, struct arena *a, struct query *q, struct err *err)
{
	struct str field;

	while (str_next(&text, '&', &field)) {
		size_t eq = str_find(field, '=');
		struct str name, value;
		enum rc rc;

		if (query_unescape(str_sub(field, 0, eq), a, &name) ||
			query_unescape(str_sub(field, eq + 1, field.n), a, &value))
			return err_set(err, RC_INVALID, "a broken %%-escape in the query");
		rc = plain_parameter(q, name, value, a, err);
		if (rc)
			return rc;
	}
	return RC_OK;
}

static bool take(struct str *in, size_t n, struct str *r)
{
	if (in->n < n)
		return false;
	*r = str_sub(*in, 0, n);
	*in = str_sub(*in, n, in->n);
	return true;
}

/* A length byte and that many bytes. */
static bool take_counted(struct str *in, struct str *r)
{
	struct str len;

	return take(in, 1, &len) && take(in, (unsigned char)len.p[0], r);
}

static enum rc short_query(struct err *err)
{
	return err_set(err, RC_INVALID, "the base64 query ends early");
}

static enum rc binary_parameters(struct str in, struct query *q, struct err *err)
{
	struct str tag, value;

	while (in.n) {
		if (!take(&in, 1, &tag) || !take_counted(&in, &value))
			return short_query(err);
		switch ((unsigned char)tag.p[0]) {
		case PARAM_ATTACHMENT_NAME:
			q->attachment_name = value;
			break;
		case PARAM_COLLECTION_ID:
			q->collection_id = value;
			break;
		case PARAM_ITEM_ID:
			q->item_id = value;
			break;
		case PARAM_LONG_ID:
			q->long_id = value;
			break;
		case PARAM_OCCURRENCE:
			q->occurrence = value;
			break;
		case PARAM_OPTIONS:
			if (value.n == 0)
				break;
			q->save_in_sent = value.p[0] & OPTION_SAVE_IN_SENT;
			q->accept_multipart = value.p[0] & OPTION_ACCEPT_MULTIPART;
			break;
		case PARAM_USER:
			q->user = value;
			break;
		default:
			break;
		}
	}
	return RC_OK;
}

static enum rc parse_binary(struct str in, struct arena *a, struct query *q, struct err *err)
{
	struct str head, id, key, type;
	const unsigned char *p;
	enum rc rc;

	q->base64 = true;
	if (!take(&in, 4, &head) || !take_counted(&in, &id) || !take_counted(&in, &key) ||
		!take_counted(&in, &type))
		return short_query(err);
	p = (const unsigned char *)head.p;
	q->version_number = p[0];
	q->command = p[1] < CMD_UNKNOWN ? (enum command_id)p[1] : CMD_UNKNOWN;
	q->locale = p[2] | (unsigned)p[3] << 8;
	if (key.n != 0 && key.n != 4)
		return err_set(err, RC_INVALID, "a policy key of %zu bytes", key.n);
	p = (const unsigned char *)key.p;
	q->has_policy_key = key.n == 4;
	if (key.n == 4)
		q->policy_key = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
				(uint32_t)p[3] << 24;
	rc = set_device_id(q, id, a, err);
	if (rc == RC_OK)
		rc = set_device_type(q, type, err);
	return rc ? rc : binary_parameters(in, q, err);
}

/* The plain form has a "Cmd=" somewhere; base64 has '=' at its end only. */
static bool is_plain(struct str text)
{
	size_t eq = str_find(text, '=');

	return str_find(text, '&') < text.n ||
	       (eq < text.n && eq + 2 < text.n && text.p[eq + 1] != '=' &&
		       !str_istarts(str_sub(text, eq + 1, text.n), "%3d"));
}

enum rc query_parse(struct str text, struct arena *a, struct query *q_r, struct err *err)
{
	struct str unescaped, bytes;

	*q_r = (struct query){.command = CMD_UNKNOWN};
	if (text.n == 0)
		return RC_OK;
	if (is_plain(text) || str_istarts(text, "Cmd="))
		return parse_plain(text, a, q_r, err);
	if (query_unescape(text, a, &unescaped))
		return err_set(err, RC_INVALID, "a broken %%-escape in the query");
	if (base64_decode(unescaped, a, &bytes))
		return err_set(err, RC_INVALID, "the query is neither plain nor base64");
	return parse_binary(bytes, a, q_r, err);
}

struct str query_login(struct str user, struct str domain, struct arena *a)
{
	size_t slash = str_find(user, '\\');

	if (slash < user.n)
		user = str_sub(user, slash + 1, user.n);
	user = str_trim(user);
	if (domain.n && user.n && str_find(user, '@') == user.n)
		user = arena_printf(a, "%.*s@%.*s", STR_FMT(user), STR_FMT(domain));
	return lowered(user, a);
}
