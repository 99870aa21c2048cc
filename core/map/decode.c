#include "core/map/decode.h"

#define LINE_BYTES 512

enum coding { CODING_NONE, CODING_BASE64, CODING_QUOTED, CODING_UU };

struct decoder {
	struct sink sink; /* first */
	struct sink *to;
	enum coding coding;
	uint64_t offset, end; /* of the window; end 0: none */
	uint64_t total;       /* decoded so far */
	uint32_t bits;        /* base64: what waits, and how many bits of it */
	unsigned nbits;
	bool begun;            /* uuencode: "begin" has been seen */
	bool ended;            /* base64 padding, uuencode "end" */
	char line[LINE_BYTES]; /* quoted-printable and uuencode: the line so far */
	size_t nline;
};

/* Hands on what of these decoded bytes is in the window. */
static enum rc emit(struct decoder *d, struct str s, struct err *err)
{
	uint64_t at = d->total;
	size_t from = 0, n = s.n;

	d->total += s.n;
	if (at + s.n <= d->offset)
		return RC_OK;
	if (at < d->offset)
		from = (size_t)(d->offset - at);
	if (d->end && at + n > d->end)
		n = at < d->end ? (size_t)(d->end - at) : 0;
	return n > from ? d->to->write(d->to, s.p + from, n - from, err) : RC_OK;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 2045 6.8: characters outside the alphabet are passed over. */
static enum rc feed_base64(struct decoder *d, struct str s, struct err *err)
{
	char out[3072];
	size_t n = 0;

	for (size_t i = 0; i < s.n && !d->ended; i++) {
		int v = base64_value(s.p[i]);

		if (s.p[i] == '=') {
			/* A padded piece in the middle starts afresh. */
			d->nbits = 0;
			continue;
		}
		if (v < 0)
			continue;
		d->bits = d->bits << 6 | (unsigned)v;
		d->nbits += 6;
		if (d->nbits < 8)
			continue;
		d->nbits -= 8;
		out[n++] = (char)(d->bits >> d->nbits & 0xff);
		if (n == sizeof(out)) {
			enum rc rc = emit(d, (struct str){out, n}, err);

			if (rc)
				return rc;
			n = 0;
		}
	}
	return n ? emit(d, (struct str){out, n}, err) : RC_OK;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2045 6.7, a line or a long piece of one. */
static enum rc quoted_line(struct decoder *d, struct str s, bool newline, struct err *err)
{
	char out[LINE_BYTES + 2];
	size_t n = 0;
	bool soft = false;

	if (newline)
		while (s.n &&
			(s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
			s.n--;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '=' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 &&
			hex(s.p[i + 2]) >= 0) {
			out[n++] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
			i += 2;
		} else if (s.p[i] == '=' && i + 1 == s.n) {
			soft = true;
		} else {
			out[n++] = s.p[i];
		}
	}
	if (newline && !soft) {
		out[n++] = '\r';
		out[n++] = '\n';
	}
	return n ? emit(d, (struct str){out, n}, err) : RC_OK;
}

/* A line of uuencode. Spaces count: they are zeros, and a mailer may have cut them off the end.
 */
static enum rc uu_line(struct decoder *d, struct str s, struct err *err)
{
	char out[64];
	size_t want, n = 0;

	while (s.n && (s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n'))
		s.n--;
	if (!d->begun) {
		d->begun = str_starts(s, "begin ");
		return RC_OK;
	}
	if (s.n == 0)
		return RC_OK;
	if (str_is(s, "end")) {
		d->ended = true;
		return RC_OK;
	}
	want = (size_t)((s.p[0] - ' ') & 63);
	for (size_t i = 1; n < want; i += 4) {
		unsigned v = 0;

		for (size_t k = 0; k < 4; k++)
			v = v << 6 | (i + k < s.n ? (unsigned)((s.p[i + k] - ' ') & 63) : 0);
		for (int shift = 16; shift >= 0 && n < want; shift -= 8)
			out[n++] = (char)(v >> shift & 0xff);
	}
	return n ? emit(d, (struct str){out, n}, err) : RC_OK;
}

static enum rc one_line(struct decoder *d, bool newline, struct err *err)
{
	struct str s = {d->line, d->nline};

	d->nline = 0;
	if (d->coding == CODING_QUOTED)
		return quoted_line(d, s, newline, err);
	return uu_line(d, s, err);
}

/* Keeps an escape that a full buffer would cut. */
static enum rc spill(struct decoder *d, struct err *err)
{
	char keep[2];
	size_t n = 0;
	enum rc rc;

	for (size_t back = 1; back <= 2 && back <= d->nline; back++)
		if (d->line[d->nline - back] == '=')
			n = back;
	for (size_t i = 0; i < n; i++)
		keep[i] = d->line[d->nline - n + i];
	d->nline -= n;
	rc = one_line(d, false, err);
	for (size_t i = 0; i < n; i++)
		d->line[d->nline++] = keep[i];
	return rc;
}

static enum rc feed_lines(struct decoder *d, struct str s, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < s.n && rc == RC_OK && !d->ended; i++) {
		if (s.p[i] == '\n') {
			rc = one_line(d, true, err);
			continue;
		}
		if (d->nline == sizeof(d->line))
			rc = spill(d, err);
		d->line[d->nline++] = s.p[i];
	}
	return rc;
}

static enum rc write_bytes(struct sink *sink, const void *p, size_t n, struct err *err)
{
	struct decoder *d = (struct decoder *)sink;
	struct str s = {p, n};

	if (d->coding == CODING_BASE64)
		return feed_base64(d, s, err);
	if (d->coding == CODING_NONE)
		return emit(d, s, err);
	return feed_lines(d, s, err);
}

static enum coding coding_of(struct str encoding)
{
	static const struct {
		const char *name;
		enum coding coding;
	} names[] = {
		{"base64",           CODING_BASE64},
		{"quoted-printable", CODING_QUOTED},
		{"x-uuencode",       CODING_UU    },
		{"x-uue",            CODING_UU    },
		{"uuencode",         CODING_UU    },
	};

	encoding = str_trim(encoding);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_iis(encoding, names[i].name))
			return names[i].coding;
	return CODING_NONE;
}

struct sink *decode_sink(
	struct arena *a, struct str encoding, uint64_t offset, uint64_t length, struct sink *to)
{
	struct decoder *d = ARENA_NEW(a, struct decoder);

	d->sink.write = write_bytes;
	d->to = to;
	d->coding = coding_of(encoding);
	d->offset = offset;
	if (length && __builtin_add_overflow(offset, length, &d->end))
		d->end = 0;
	return &d->sink;
}

uint64_t decode_sink_total(const struct sink *s)
{
	return ((const struct decoder *)s)->total;
}

enum rc decode_sink_end(struct sink *s, struct err *err)
{
	struct decoder *d = (struct decoder *)s;

	return d->nline && !d->ended ? one_line(d, false, err) : RC_OK;
}

struct str decode_bytes(struct str bytes, struct str encoding, struct arena *a)
{
	struct buf_sink out;
	struct buf b;
	struct sink *s;
	struct str r;

	if (coding_of(encoding) == CODING_NONE)
		return bytes;
	/* The most that comes out: every byte a line end of its own, which becomes two. */
	buf_init(&b, 2 * bytes.n + LINE_BYTES);
	buf_sink_init(&out, &b);
	s = decode_sink(a, encoding, 0, 0, &out.sink);
	/* The buffer is the only thing that could fail, and it is large enough. */
	if (sink_write(s, bytes, NULL) == RC_OK)
		(void)(decode_sink_end(s, NULL) == RC_OK);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}
