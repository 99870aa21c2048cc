#include "store/dav/multistatus.h"

#include "core/base/buf.h"
#include "core/model/dav.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

/* A small text: a name, an ETag, a token, a path. */
#define TEXT_MAX (64u * 1024)

enum ns { NS_DAV, NS_CARD, NS_CALENDAR, NS_SERVER, NS_OTHER };

static const char *const namespaces[] = {
	[NS_DAV] = "DAV:",
	[NS_CARD] = "urn:ietf:params:xml:ns:carddav",
	[NS_CALENDAR] = "urn:ietf:params:xml:ns:caldav",
	[NS_SERVER] = "http://calendarserver.org/ns/",
};

/* Which element we are in. */
enum place {
	IN_NOTHING,
	IN_MULTISTATUS,
	IN_RESPONSE,
	IN_PROPSTAT,
	IN_PROP,
	IN_TYPES,
	IN_PRINCIPAL,
	IN_CARD_HOMES,
	IN_CALENDAR_HOMES,
	IN_DEFAULT,
	IN_DEFAULT_EVENTS,
	IN_PRIVILEGES,
	IN_PRIVILEGE,
	IN_VERSIONS,
	IN_COMPONENTS,
	IN_ERROR,
	IN_LEAF,
	IN_UNKNOWN,
};

/* What an element does. */
enum act {
	ACT_NONE,
	ACT_RESPONSE,
	ACT_PROPSTAT,
	ACT_HREF,    /* text: of the response */
	ACT_STATUS,  /* text: of the response */
	ACT_RESULT,  /* text: of a propstat */
	ACT_TOKEN,   /* text: of the multistatus */
	ACT_TEXT,    /* text: a property, `at` in ms_props */
	ACT_NUMBER,  /* text: a property that is a number */
	ACT_DATA,    /* text: an object */
	ACT_HOME,    /* text: one of several, `at` */
	ACT_FLAG,    /* `bit` at `at` */
	ACT_VERSION, /* by its attribute */
	ACT_COMPONENT,
	ACT_ERROR, /* `bit` */
};

struct row {
	enum place in;
	enum ns ns;
	const char *name;
	enum place to;
	enum act act;
	unsigned found, bit; /* found: the property is there */
	size_t at;
};

#define AT(field) offsetof(struct ms_props, field)

/* clang-format off: a table. */
static const struct row rows[] = {
	{IN_NOTHING,        NS_DAV,      "multistatus",                      IN_MULTISTATUS,    ACT_NONE,      0,                0,                 0                 },
 /* RFC 5689 section 3: like one response. */
	{IN_NOTHING,        NS_DAV,      "mkcol-response",                   IN_RESPONSE,       ACT_RESPONSE,  0,                0,                 0                 },
	{IN_NOTHING,        NS_DAV,      "error",                            IN_ERROR,          ACT_NONE,      0,                0,                 0                 },
	{IN_MULTISTATUS,    NS_DAV,      "response",                         IN_RESPONSE,       ACT_RESPONSE,  0,                0,                 0                 },
	{IN_MULTISTATUS,    NS_DAV,      "sync-token",                       IN_LEAF,           ACT_TOKEN,     0,                0,                 0                 },
	{IN_RESPONSE,       NS_DAV,      "href",                             IN_LEAF,           ACT_HREF,      0,                0,                 0                 },
	{IN_RESPONSE,       NS_DAV,      "status",                           IN_LEAF,           ACT_STATUS,    0,                0,                 0                 },
	{IN_RESPONSE,       NS_DAV,      "propstat",                         IN_PROPSTAT,       ACT_PROPSTAT,  0,                0,                 0                 },
	{IN_RESPONSE,       NS_DAV,      "error",                            IN_ERROR,          ACT_NONE,      0,                0,                 0                 },
	{IN_PROPSTAT,       NS_DAV,      "prop",                             IN_PROP,           ACT_NONE,      0,                0,                 0                 },
	{IN_PROPSTAT,       NS_DAV,      "status",                           IN_LEAF,           ACT_RESULT,    0,                0,                 0                 },
	{IN_PROPSTAT,       NS_DAV,      "error",                            IN_ERROR,          ACT_NONE,      0,                0,                 0                 },

	{IN_PROP,           NS_DAV,      "resourcetype",                     IN_TYPES,          ACT_NONE,      MS_TYPES,         0,                 0                 },
	{IN_TYPES,          NS_DAV,      "collection",                       IN_LEAF,           ACT_FLAG,      0,                MS_COLLECTION,     AT(types)         },
	{IN_TYPES,          NS_CARD,     "addressbook",                      IN_LEAF,           ACT_FLAG,      0,                MS_ADDRESSBOOK,    AT(types)         },
	{IN_TYPES,          NS_CALENDAR, "calendar",                         IN_LEAF,           ACT_FLAG,      0,                MS_CALENDAR,       AT(types)         },
	{IN_TYPES,          NS_CALENDAR, "schedule-inbox",                   IN_LEAF,           ACT_FLAG,      0,                MS_SCHEDULING,
         AT(types)																		    },
	{IN_TYPES,          NS_CALENDAR, "schedule-outbox",                  IN_LEAF,           ACT_FLAG,      0,                MS_SCHEDULING,
         AT(types)																		    },
	{IN_PROP,           NS_DAV,      "displayname",                      IN_LEAF,           ACT_TEXT,      MS_NAME,          0,                 AT(name)          },
	{IN_PROP,           NS_DAV,      "getetag",                          IN_LEAF,           ACT_TEXT,      MS_ETAG,          0,                 AT(etag)          },
	{IN_PROP,           NS_CARD,     "address-data",                     IN_LEAF,           ACT_DATA,      MS_DATA,          0,                 0                 },
	{IN_PROP,           NS_CALENDAR, "calendar-data",                    IN_LEAF,           ACT_DATA,      MS_DATA,          0,                 0                 },
	{IN_PROP,           NS_SERVER,   "getctag",                          IN_LEAF,           ACT_TEXT,      MS_CTAG,          0,                 AT(ctag)          },
	{IN_PROP,           NS_DAV,      "sync-token",                       IN_LEAF,           ACT_TEXT,      MS_TOKEN,         0,                 AT(token)         },
	{IN_PROP,           NS_CARD,     "max-resource-size",                IN_LEAF,           ACT_NUMBER,    MS_MAX_SIZE,      0,                 0                 },
	{IN_PROP,           NS_CALENDAR, "max-resource-size",                IN_LEAF,           ACT_NUMBER,    MS_MAX_SIZE,      0,                 0                 },

	{IN_PROP,           NS_DAV,      "current-user-principal",           IN_PRINCIPAL,      ACT_NONE,      MS_PRINCIPAL,     0,                 0                 },
	{IN_PRINCIPAL,      NS_DAV,      "href",                             IN_LEAF,           ACT_TEXT,      0,                0,                 AT(principal)     },
	{IN_PROP,           NS_CARD,     "addressbook-home-set",             IN_CARD_HOMES,     ACT_NONE,      MS_CARD_HOMES,    0,
         0																			    },
	{IN_CARD_HOMES,     NS_DAV,      "href",                             IN_LEAF,           ACT_HOME,      0,                0,                 AT(card_homes)    },
	{IN_PROP,           NS_CALENDAR, "calendar-home-set",                IN_CALENDAR_HOMES, ACT_NONE,
         MS_CALENDAR_HOMES,												      0,                 0                 },
	{IN_CALENDAR_HOMES, NS_DAV,      "href",                             IN_LEAF,           ACT_HOME,      0,                0,                 AT(calendar_homes)},
	{IN_PROP,           NS_CARD,     "default-addressbook-URL",          IN_DEFAULT,        ACT_NONE,      MS_DEFAULT,       0,                 0                 },
	{IN_DEFAULT,        NS_DAV,      "href",                             IN_LEAF,           ACT_TEXT,      0,                0,                 AT(default_book)  },
	{IN_PROP,           NS_CALENDAR, "schedule-default-calendar-URL",    IN_DEFAULT_EVENTS, ACT_NONE,
         MS_DEFAULT_EVENT,												       0,                 0                 },
	{IN_DEFAULT_EVENTS, NS_DAV,      "href",                             IN_LEAF,           ACT_TEXT,      0,                0,                 AT(default_events)},

	{IN_PROP,           NS_DAV,      "current-user-privilege-set",       IN_PRIVILEGES,     ACT_NONE,      MS_PRIVILEGES,
         0,																	 0                 },
	{IN_PRIVILEGES,     NS_DAV,      "privilege",                        IN_PRIVILEGE,      ACT_NONE,      0,                0,                 0                 },
	{IN_PRIVILEGE,      NS_DAV,      "all",                              IN_LEAF,           ACT_FLAG,      0,                MS_MAY_ALL,        AT(privileges)    },
	{IN_PRIVILEGE,      NS_DAV,      "write",                            IN_LEAF,           ACT_FLAG,      0,                MS_MAY_WRITE,      AT(privileges)    },
	{IN_PRIVILEGE,      NS_DAV,      "write-content",                    IN_LEAF,           ACT_FLAG,      0,                MS_MAY_CONTENT,
         AT(privileges)																	       },
	{IN_PRIVILEGE,      NS_DAV,      "bind",                             IN_LEAF,           ACT_FLAG,      0,                MS_MAY_BIND,       AT(privileges)    },

	{IN_PROP,           NS_CARD,     "supported-address-data",           IN_VERSIONS,       ACT_NONE,      MS_CARD_VERSIONS, 0,
         0																			    },
	{IN_VERSIONS,       NS_CARD,     "address-data-type",                IN_LEAF,           ACT_VERSION,   0,                0,                 0                 },
 /* Some servers name the element of a query. */
	{IN_VERSIONS,       NS_CARD,     "address-data",                     IN_LEAF,           ACT_VERSION,   0,                0,                 0                 },
	{IN_PROP,           NS_CALENDAR, "supported-calendar-component-set", IN_COMPONENTS,     ACT_NONE,
         MS_COMPONENTS,													  0,                 0                 },
	{IN_COMPONENTS,     NS_CALENDAR, "comp",                             IN_LEAF,           ACT_COMPONENT, 0,                0,                 0                 },

	{IN_ERROR,          NS_DAV,      "valid-sync-token",                 IN_LEAF,           ACT_ERROR,     0,                MS_ERR_SYNC_TOKEN, 0                 },
	{IN_ERROR,          NS_DAV,      "need-privileges",                  IN_LEAF,           ACT_ERROR,     0,                MS_ERR_PRIVILEGE,  0                 },
	{IN_ERROR,          NS_DAV,      "quota-not-exceeded",               IN_LEAF,           ACT_ERROR,     0,                MS_ERR_QUOTA,      0                 },
	{IN_ERROR,          NS_DAV,      "sufficient-disk-space",            IN_LEAF,           ACT_ERROR,     0,                MS_ERR_QUOTA,      0                 },
	{IN_ERROR,          NS_CARD,     "no-uid-conflict",                  IN_LEAF,           ACT_ERROR,     0,                MS_ERR_UID,        0                 },
	{IN_ERROR,          NS_CARD,     "valid-address-data",               IN_LEAF,           ACT_ERROR,     0,                MS_ERR_DATA,       0                 },
	{IN_ERROR,          NS_CARD,     "supported-address-data",           IN_LEAF,           ACT_ERROR,     0,                MS_ERR_DATA,       0                 },
	{IN_ERROR,          NS_CARD,     "max-resource-size",                IN_LEAF,           ACT_ERROR,     0,                MS_ERR_SIZE,       0                 },
	{IN_ERROR,          NS_CALENDAR, "no-uid-conflict",                  IN_LEAF,           ACT_ERROR,     0,                MS_ERR_UID,        0                 },
	{IN_ERROR,          NS_CALENDAR, "valid-calendar-data",              IN_LEAF,           ACT_ERROR,     0,                MS_ERR_DATA,       0                 },
	{IN_ERROR,          NS_CALENDAR, "valid-calendar-object-resource",   IN_LEAF,           ACT_ERROR,     0,
         MS_ERR_DATA,															       0                 },
	{IN_ERROR,          NS_CALENDAR, "supported-calendar-data",          IN_LEAF,           ACT_ERROR,     0,                MS_ERR_DATA,
         0																			    },
	{IN_ERROR,          NS_CALENDAR, "supported-calendar-component",     IN_LEAF,           ACT_ERROR,     0,
         MS_ERR_DATA,															       0                 },
	{IN_ERROR,          NS_CALENDAR, "max-resource-size",                IN_LEAF,           ACT_ERROR,     0,                MS_ERR_SIZE,       0                 },
	{IN_ERROR,          NS_CALENDAR, "supported-filter",                 IN_LEAF,           ACT_ERROR,     0,                MS_ERR_FILTER,     0                 },
	{IN_ERROR,          NS_CALENDAR, "valid-filter",                     IN_LEAF,           ACT_ERROR,     0,                MS_ERR_FILTER,     0                 },
	{IN_ERROR,          NS_CALENDAR, "supported-collation",              IN_LEAF,           ACT_ERROR,     0,                MS_ERR_FILTER,     0                 },
	{IN_ERROR,          NS_CALENDAR, "min-date-time",                    IN_LEAF,           ACT_ERROR,     0,                MS_ERR_FILTER,     0                 },
	{IN_ERROR,          NS_CALENDAR, "max-date-time",                    IN_LEAF,           ACT_ERROR,     0,                MS_ERR_FILTER,     0                 },
	{IN_ERROR,          NS_DAV,      "supported-report",                 IN_LEAF,           ACT_ERROR,     0,                MS_ERR_FILTER,     0                 },
};

/* The fields that a property fills. */
static const struct {
	unsigned found;
	size_t at, size;
} fields[] = {
	{MS_TYPES,          AT(types),          sizeof(unsigned)         },
	{MS_NAME,           AT(name),           sizeof(struct str)       },
	{MS_ETAG,           AT(etag),           sizeof(struct str)       },
	{MS_DATA,           AT(data),           sizeof(struct str)       },
	{MS_CTAG,           AT(ctag),           sizeof(struct str)       },
	{MS_TOKEN,          AT(token),          sizeof(struct str)       },
	{MS_PRINCIPAL,      AT(principal),      sizeof(struct str)       },
	{MS_CARD_HOMES,     AT(card_homes),     sizeof(struct ms_homes *)},
	{MS_CALENDAR_HOMES, AT(calendar_homes), sizeof(struct ms_homes *)},
	{MS_DEFAULT,        AT(default_book),   sizeof(struct str)       },
	{MS_DEFAULT_EVENT,  AT(default_events), sizeof(struct str)       },
	{MS_PRIVILEGES,     AT(privileges),     sizeof(unsigned)         },
	{MS_CARD_VERSIONS,  AT(versions),       sizeof(unsigned)         },
	{MS_COMPONENTS,     AT(components),     sizeof(unsigned)         },
	{MS_MAX_SIZE,       AT(max_size),       sizeof(uint64_t)         },
};
/* clang-format on */

static const struct row unknown = {.to = IN_UNKNOWN};

struct ms_reader {
	xmlParserCtxt *xml;
	struct arena *a;
	size_t max, fed;
	const struct row *stack[MS_MAX_DEPTH];
	size_t depth;
	bool rooted; /* the first element was one that we know */
	struct ms_response *v;
	size_t n, cap;
	struct ms_props props; /* of the propstat that is being read */
	int result;            /* its status */
	struct str token;
	unsigned errors;
	struct buf text;
	bool reading; /* text is collected */
	enum rc rc;   /* what it failed with */
	const char *why;
};

static void give_up(struct ms_reader *m, enum rc rc, const char *why)
{
	if (m->rc)
		return;
	m->rc = rc;
	m->why = why;
	xmlStopParser(m->xml);
}

static enum ns namespace(const xmlChar *uri) {
	for (size_t i = 0; uri && i < NS_OTHER;
		i++) if (strcmp((const char *)uri, namespaces[i]) == 0) return (enum ns)i;
	return NS_OTHER;
}

static const struct row *row_of(enum place in, enum ns ns, const char *name)
{
	for (size_t i = 0; ns != NS_OTHER && i < ARRAY_LEN(rows); i++)
		if (rows[i].in == in && rows[i].ns == ns && strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return &unknown;
}

static struct ms_response *response(struct ms_reader *m)
{
	return &m->v[m->n - 1];
}

static void begin_response(struct ms_reader *m)
{
	if (m->n == MS_MAX_RESPONSES) {
		give_up(m, RC_LIMIT, "too many responses");
		return;
	}
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->v = realloc(m->v, m->cap * sizeof(*m->v));
		if (!m->v)
			abort();
	}
	m->v[m->n++] = (struct ms_response){.status = 0};
}

/* attributes: libxml2's five pointers for each (name, prefix, URI, value, its end). */
static struct str attribute(const xmlChar **attributes, int n, const char *name)
{
	for (int i = 0; i < n; i++) {
		const xmlChar **at = attributes + (ptrdiff_t)5 * i;

		if (strcmp((const char *)at[0], name) == 0)
			return (struct str){(const char *)at[3], (size_t)(at[4] - at[3])};
	}
	return STR_NONE;
}

/* RFC 6352 section 6.2.2: text/vcard and 3.0 where nothing is said. */
static void add_version(struct ms_reader *m, const xmlChar **attributes, int n)
{
	struct str type = attribute(attributes, n, "content-type");
	struct str version = attribute(attributes, n, "version");

	if (type.p && !str_iis(type, "text/vcard"))
		return;
	m->props.versions |= str_is(version, "4.0")                 ? MS_CARD_4
			     : !version.p || str_is(version, "3.0") ? MS_CARD_3
								    : 0;
}

static void add_component(struct ms_reader *m, struct str name)
{
	static const char *const names[] = {"VEVENT", "VTODO", "VJOURNAL"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_iis(name, names[i]))
			m->props.components |= 1u << i;
}

static void start(void *ctx, const xmlChar *name, const xmlChar *prefix UNUSED,
	const xmlChar *uri, int nnamespaces UNUSED, const xmlChar **declared UNUSED,
	int nattributes, int ndefaulted UNUSED, const xmlChar **attributes)
{
	struct ms_reader *m = ctx;
	enum place in = m->depth ? m->stack[m->depth - 1]->to : IN_NOTHING;
	const struct row *row = row_of(in, namespace(uri), (const char *)name);

	if (m->rc)
		return;
	if (m->depth == MS_MAX_DEPTH) {
		give_up(m, RC_LIMIT, "too deep");
		return;
	}
	m->stack[m->depth++] = row;
	m->rooted = m->rooted || row != &unknown;
	m->props.found |= row->found;
	m->reading = false;
	buf_reset(&m->text);
	switch (row->act) {
	case ACT_RESPONSE:
		begin_response(m);
		break;
	case ACT_PROPSTAT:
		m->props = (struct ms_props){.found = 0};
		m->result = 0;
		break;
	case ACT_FLAG:
		*(unsigned *)((char *)&m->props + row->at) |= row->bit;
		break;
	case ACT_VERSION:
		add_version(m, attributes, nattributes);
		break;
	case ACT_COMPONENT:
		add_component(m, attribute(attributes, nattributes, "name"));
		break;
	case ACT_ERROR:
		m->errors |= row->bit;
		break;
	case ACT_NONE:
		break;
	default:
		m->reading = true;
	}
}

/* "HTTP/1.1 200 OK", RFC 4918 section 14.28; 0: not readable. */
static int status_of(struct str line)
{
	uint32_t n;

	line = str_sub(line, str_find(line, ' ') + 1, line.n);
	return str_u32(str_sub(line, 0, 3), &n) && n >= 100 ? (int)n : 0;
}

static void add_home(struct ms_reader *m, struct ms_homes **homes, struct str text)
{
	if (!*homes)
		*homes = ARENA_NEW(m->a, struct ms_homes);
	if ((*homes)->n < MS_HOMES && text.n)
		(*homes)->v[(*homes)->n++] = arena_str(m->a, text);
}

/* The ends of lines as they were: XML turns CRLF into LF on reading (XML 1.0 section 2.11). */
static struct str with_crlf(struct str s, struct arena *a)
{
	size_t lone = 0, o = 0;
	char *p;

	for (size_t i = 0; i < s.n; i++)
		lone += s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r');
	p = arena_alloc(a, s.n + lone + 1);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			p[o++] = '\r';
		p[o++] = s.p[i];
	}
	p[o] = '\0';
	return (struct str){p, o};
}

static void take_data(struct ms_reader *m)
{
	if (m->text.over || m->text.n > DAV_OBJECT_MAX)
		response(m)->too_large = true;
	else
		m->props.data = with_crlf(buf_str(&m->text), m->a);
}

/* The properties of a propstat go to the response when the server gives them. */
static void end_propstat(struct ms_reader *m)
{
	struct ms_response *r = response(m);

	if (m->result < 200 || m->result > 299) {
		if (m->result != 404)
			r->failed = m->result ? m->result : 500;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (m->props.found & fields[i].found)
			memcpy((char *)&r->p + fields[i].at, (char *)&m->props + fields[i].at,
				fields[i].size);
	r->p.found |= m->props.found;
}

static void end(void *ctx, const xmlChar *name UNUSED, const xmlChar *prefix UNUSED,
	const xmlChar *uri UNUSED)
{
	struct ms_reader *m = ctx;
	const struct row *row;
	struct str text = m->reading ? str_trim(buf_str(&m->text)) : STR_NONE;

	if (m->rc)
		return;
	row = m->stack[--m->depth];
	if (m->reading && m->text.over && row->act != ACT_DATA) {
		give_up(m, RC_LIMIT, "a text that is too long");
		return;
	}
	switch (row->act) {
	case ACT_PROPSTAT:
		end_propstat(m);
		break;
	case ACT_HREF:
		/* RFC 4918 section 14.24 allows several for one status; the first tells. */
		if (!response(m)->href.p)
			response(m)->href = arena_str(m->a, text);
		break;
	case ACT_STATUS:
		response(m)->status = status_of(text);
		break;
	case ACT_RESULT:
		m->result = status_of(text);
		break;
	case ACT_TOKEN:
		m->token = arena_str(m->a, text);
		break;
	case ACT_TEXT:
		*(struct str *)((char *)&m->props + row->at) = arena_str(m->a, text);
		break;
	case ACT_NUMBER:
		if (!str_u64(text, &m->props.max_size))
			m->props.found &= ~(unsigned)MS_MAX_SIZE;
		break;
	case ACT_DATA:
		take_data(m);
		break;
	case ACT_HOME:
		add_home(m, (struct ms_homes **)((char *)&m->props + row->at), text);
		break;
	default:
		break;
	}
	m->reading = false;
}

static void characters(void *ctx, const xmlChar *p, int n)
{
	struct ms_reader *m = ctx;
	bool data = m->depth && m->stack[m->depth - 1]->act == ACT_DATA;

	if (!m->reading)
		return;
	if (!data && m->text.n + (size_t)n > TEXT_MAX)
		m->text.over = true;
	else
		buf_add(&m->text, p, (size_t)n);
}

/* A document type is where entities would be made. */
static void document_type(void *ctx, const xmlChar *name UNUSED, const xmlChar *public UNUSED,
	const xmlChar *system UNUSED)
{
	give_up(ctx, RC_INVALID, "it has a document type");
}

static void say_nothing(void *ctx UNUSED, xmlError *error UNUSED)
{
}

struct ms_reader *ms_new(size_t max, struct arena *a)
{
	static const xmlSAXHandler handler = {
		.initialized = XML_SAX2_MAGIC,
		.internalSubset = document_type,
		.startElementNs = start,
		.endElementNs = end,
		.characters = characters,
		.ignorableWhitespace = characters,
		.cdataBlock = characters,
		.serror = say_nothing,
	};
	struct ms_reader *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->a = a;
	m->max = max;
	buf_init(&m->text, DAV_OBJECT_MAX + 1);
	m->xml = xmlCreatePushParserCtxt((xmlSAXHandler *)&handler, m, NULL, 0, NULL);
	if (!m->xml)
		abort();
	/* HUGE: a text may be longer than 10 MB; the bounds are ours. */
	(void)xmlCtxtUseOptions(m->xml, XML_PARSE_NONET | XML_PARSE_HUGE);
	return m;
}

void ms_free(struct ms_reader *m)
{
	if (!m)
		return;
	xmlFreeParserCtxt(m->xml);
	buf_release(&m->text);
	free(m->v);
	free(m);
}

static enum rc failed(const struct ms_reader *m, struct err *err)
{
	return err_set_why(err, m->rc, m->rc == RC_LIMIT ? ERR_TOO_LARGE : ERR_PLAIN,
		"the server's answer is not taken: %s", m->why);
}

enum rc ms_feed(struct ms_reader *m, struct str bytes, struct err *err)
{
	m->fed += bytes.n;
	if (m->fed > m->max)
		give_up(m, RC_LIMIT, "it is too large");
	/* libxml2 counts in int. */
	while (!m->rc && bytes.n) {
		struct str piece = str_sub(bytes, 0, 1u << 20);
		int code = xmlParseChunk(m->xml, piece.p, (int)piece.n, 0);

		if (code != XML_ERR_OK && !m->xml->wellFormed)
			give_up(m, RC_INVALID, "it is not XML");
		bytes = str_sub(bytes, piece.n, bytes.n);
	}
	return m->rc ? failed(m, err) : RC_OK;
}

enum rc ms_end(struct ms_reader *m, struct multistatus *r, struct err *err)
{
	if (m->rc)
		return failed(m, err);
	if (xmlParseChunk(m->xml, "", 0, 1) != XML_ERR_OK && !m->xml->wellFormed && !m->rc)
		give_up(m, RC_UNAVAILABLE, "it ended early");
	if (!m->rc && !m->rooted)
		give_up(m, RC_INVALID, "it is no multistatus");
	if (m->rc)
		return failed(m, err);
	*r = (struct multistatus){.n = m->n, .token = m->token, .errors = m->errors};
	r->v = ARENA_ARRAY(m->a, struct ms_response, m->n + 1);
	if (m->n)
		memcpy(r->v, m->v, m->n * sizeof(*m->v));
	return RC_OK;
}

enum rc ms_read(
	struct str bytes, size_t max, struct arena *a, struct multistatus *r, struct err *err)
{
	struct ms_reader *m = ms_new(max, a);
	enum rc rc = ms_feed(m, bytes, err);

	if (!rc)
		rc = ms_end(m, r, err);
	ms_free(m);
	return rc;
}
