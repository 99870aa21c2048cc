#include "core/base/base64.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes as four characters. */
static void encode_group(const unsigned char *in, size_t n, char out[4])
{
	uint32_t v = (uint32_t)in[0] << 16 | (n > 1 ? (uint32_t)in[1] << 8 : 0) |
		     (n > 2 ? in[2] : 0);

	out[0] = alphabet[v >> 18];
	out[1] = alphabet[v >> 12 & 63];
	out[2] = n > 1 ? alphabet[v >> 6 & 63] : '=';
	out[3] = n > 2 ? alphabet[v & 63] : '=';
}

void base64_encode(struct str bytes, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	char group[4];

	for (size_t i = 0; i < bytes.n; i += 3) {
		encode_group(p + i, bytes.n - i < 3 ? bytes.n - i : 3, group);
		buf_add(out, group, sizeof(group));
	}
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

enum rc base64_decode(struct str text, struct arena *a, struct str *bytes_r)
{
	char *out;
	size_t n = 0;
	uint32_t v = 0;
	unsigned bits = 0;

	while (text.n && text.p[text.n - 1] == '=')
		text.n--;
	if (text.n % 4 == 1)
		return RC_INVALID;
	out = arena_alloc(a, text.n / 4 * 3 + 4);
	for (size_t i = 0; i < text.n; i++) {
		int d = value_of(text.p[i]);

		if (d < 0)
			return RC_INVALID;
		v = v << 6 | (unsigned)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(v >> bits & 0xff);
		}
	}
	out[n] = '\0';
	*bytes_r = (struct str){out, n};
	return RC_OK;
}

static enum rc write_bytes(struct sink *sink, const void *p, size_t n, struct err *err)
{
	struct base64_sink *s = (struct base64_sink *)sink;
	const unsigned char *in = p;
	char out[4096];
	size_t o = 0;

	while (n) {
		while (s->nrest < 3 && n) {
			s->rest[s->nrest++] = *in++;
			n--;
		}
		if (s->nrest < 3)
			break;
		encode_group(s->rest, 3, out + o);
		s->nrest = 0;
		o += 4;
		if (o == sizeof(out)) {
			enum rc rc = s->to->write(s->to, out, o, err);

			if (rc)
				return rc;
			o = 0;
		}
	}
	return o ? s->to->write(s->to, out, o, err) : RC_OK;
}

void base64_sink_init(struct base64_sink *s, struct sink *to)
{
	*s = (struct base64_sink){.sink = {write_bytes}, .to = to};
}

enum rc base64_sink_end(struct base64_sink *s, struct err *err)
{
	char out[4];

	if (s->nrest == 0)
		return RC_OK;
	encode_group(s->rest, s->nrest, out);
	s->nrest = 0;
	return s->to->write(s->to, out, sizeof(out), err);
}
