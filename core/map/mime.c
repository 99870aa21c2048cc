#include "core/map/mime.h"

#include "core/map/charset.h"
#include "core/map/html.h"

enum { DEPTH_MAX = 32 };

void mime_parse(struct str message, struct mime *r)
{
	GMimeStream *stream;
	GMimeParser *parser;

	g_mime_init();
	r->bytes = g_byte_array_new_take((guint8 *)(uintptr_t)message.p, message.n);
	stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), r->bytes);
	parser = g_mime_parser_new_with_stream(stream);
	r->message = g_mime_parser_construct_message(parser, NULL);
	r->root = r->message ? g_mime_message_get_mime_part(r->message) : NULL;
	g_object_unref(parser);
	g_object_unref(stream);
}

void mime_release(struct mime *p)
{
	if (p->message)
		g_object_unref(p->message);
	(void)g_byte_array_free(p->bytes, FALSE);
}

bool mime_is(GMimeObject *o, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(g_mime_object_get_content_type(o), type, subtype);
}

static void find(GMimeObject *o, struct mime_texts *t, unsigned depth)
{
	if (GMIME_IS_MULTIPART(o) && depth < DEPTH_MAX) {
		int n = g_mime_multipart_get_count(GMIME_MULTIPART(o));

		for (int i = 0; i < n; i++)
			find(g_mime_multipart_get_part(GMIME_MULTIPART(o), i), t, depth + 1);
		return;
	}
	if (!GMIME_IS_PART(o) || g_mime_part_is_attachment(GMIME_PART(o)))
		return;
	if (mime_is(o, "text", "plain") && !t->plain)
		t->plain = GMIME_PART(o);
	else if (mime_is(o, "text", "html") && !t->html)
		t->html = GMIME_PART(o);
}

struct str mime_part_text(GMimePart *part, struct arena *a)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	const char *charset =
		g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
	GMimeStream *mem;
	GByteArray *bytes;
	struct str s;

	if (!content)
		return (struct str){"", 0};
	mem = g_mime_stream_mem_new();
	(void)g_mime_data_wrapper_write_to_stream(content, mem);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
	s = arena_str(a, (struct str){(const char *)bytes->data, bytes->len});
	g_object_unref(mem);
	return charset_to_utf8(s, str_of(charset), a);
}

void mime_find_texts(GMimeObject *root, struct mime_texts *r)
{
	*r = (struct mime_texts){NULL, NULL};
	find(root, r, 0);
}

bool mime_to_text(struct str message, struct arena *a, struct str *text_r)
{
	struct mime m;
	struct mime_texts t = {NULL, NULL};

	mime_parse(message, &m);
	if (m.root)
		mime_find_texts(m.root, &t);
	if (t.plain)
		*text_r = mime_part_text(t.plain, a);
	else if (t.html)
		*text_r = html_to_text(mime_part_text(t.html, a), 0, a);
	mime_release(&m);
	return t.plain || t.html;
}
