#include "core/cmd/autodiscover.h"

#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/base/xml.h"
#include "core/cmd/sending.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define FRAMEWORK "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
#define MOBILESYNC                                                                             \
	"http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
#define OUTLOOK                                                                                \
	"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"

enum { BODY_MAX = 64 * 1024, ERROR_INVALID = 600, ERROR_NO_PROVIDER = 601 };

enum discover autodiscover_of(struct str path)
{
	if (str_iis(path, "/autodiscover/autodiscover.xml"))
		return DISCOVER_XML;
	/* The address may follow: .../autodiscover.json/v1.0/ann@example.org */
	if (str_iis(path, "/autodiscover/autodiscover.json") ||
		str_istarts(path, "/autodiscover/autodiscover.json/"))
		return DISCOVER_JSON;
	return DISCOVER_NONE;
}

/* The URL of the service: of the user's own server, as configured, or where the request went.
 */
static struct str service_url(const struct request *rq)
{
	if (rq->account.home.n)
		return rq->account.home;
	if (rq->conf->public_url.n)
		return rq->conf->public_url;
	return arena_printf(rq->arena, "https://%.*s/Microsoft-Server-ActiveSync",
		STR_FMT(rq->host.n ? rq->host : STR("localhost")));
}

/* ---- XML ---- */

struct question {
	unsigned requests;
	struct str address, schema;
};

static bool is_named(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

static struct str text_of(const xmlNode *n, struct arena *a)
{
	xmlChar *c = xmlNodeGetContent(n);
	struct str s = utf8_cleaned(
		str_trim(arena_str(a, str_of((const char *)(c ? c : (const xmlChar *)"")))), a);

	xmlFree(c);
	return utf8_cut(s, 320);
}

static void read_request(const xmlNode *request, struct arena *a, struct question *q)
{
	q->requests++;
	for (const xmlNode *n = request->children; n; n = n->next) {
		if (is_named(n, "EMailAddress"))
			q->address = text_of(n, a);
		else if (is_named(n, "AcceptableResponseSchema"))
			q->schema = text_of(n, a);
	}
}

static void be_silent(void *ctx, const char *message, ...)
{
	(void)ctx;
	(void)message;
}

/* False: it is no XML. Nothing outside of the document is read, and no entity is expanded. */
static bool read_question(struct str body, struct arena *a, struct question *q)
{
	xmlNode *root;
	xmlDoc *doc;

	if (body.n > BODY_MAX)
		return false;
	xmlSetGenericErrorFunc(NULL, be_silent);
	doc = xmlReadMemory(body.p, (int)body.n, "request", NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc)
		return false;
	root = xmlDocGetRootElement(doc);
	for (const xmlNode *n = root ? root->children : NULL; n; n = n->next)
		if (is_named(n, "Request"))
			read_request(n, a, q);
	xmlFreeDoc(doc);
	return q->requests > 0;
}

static void begin_xml(struct buf *b)
{
	buf_adds(b,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"" FRAMEWORK
		"\">");
}

static void add_element(struct buf *b, const char *name, struct str text)
{
	buf_addf(b, "<%s>", name);
	xml_escape(b, text);
	buf_addf(b, "</%s>", name);
}

/* [MS-OXDSCLI] 2.2.4.1.1: in the namespace of the framework. */
static void write_error(struct buf *b, int code)
{
	int64_t now = clock_now() % 86400;

	begin_xml(b);
	buf_addf(b,
		"<Response><Error Time=\"%02d:%02d:%02d.0000000\" Id=\"%llu\"><ErrorCode>%d"
		"</ErrorCode><Message>%s</Message><DebugData/></Error></Response></Autodiscover>",
		(int)(now / 3600), (int)(now / 60 % 60), (int)(now % 60),
		(unsigned long long)clock_now() % 4294967296u, code,
		code == ERROR_INVALID ? "Invalid Request" : "Provider is not available");
}

static void write_mobilesync(struct request *rq, struct str address, struct buf *b)
{
	struct str url = service_url(rq);

	begin_xml(b);
	buf_adds(b, "<Response xmlns=\"" MOBILESYNC "\"><Culture>en:us</Culture><User>");
	add_element(b, "DisplayName", address);
	add_element(b, "EMailAddress", address);
	buf_adds(b, "</User><Action><Settings><Server><Type>MobileSync</Type>");
	add_element(b, "Url", url);
	add_element(b, "Name", url);
	buf_adds(b, "</Server></Settings></Action></Response></Autodiscover>");
}

/* "host:port" */
static void write_protocol(
	struct buf *b, const char *type, struct str server, struct str login, bool implicit)
{
	size_t colon = str_find(server, ':');

	buf_addf(b, "<Protocol><Type>%s</Type>", type);
	add_element(b, "Server", str_sub(server, 0, colon));
	if (colon < server.n)
		add_element(b, "Port", str_sub(server, colon + 1, server.n));
	add_element(b, "LoginName", login);
	buf_addf(b,
		"<DomainRequired>off</DomainRequired><SPA>off</SPA><Encryption>%s</Encryption>"
		"<AuthRequired>on</AuthRequired></Protocol>",
		implicit ? "SSL" : "TLS");
}

/* Desktop Outlook without mobilesync: the mail servers, where they are configured. */
static bool write_outlook(struct request *rq, struct str address, struct buf *b)
{
	const struct settings *conf = rq->conf;

	if (!conf->autodiscover_imap.n || !conf->autodiscover_smtp.n)
		return false;
	begin_xml(b);
	buf_adds(b, "<Response xmlns=\"" OUTLOOK "\"><User>");
	add_element(b, "DisplayName", address);
	buf_adds(
		b, "</User><Account><AccountType>email</AccountType><Action>settings</Action>");
	write_protocol(b, "IMAP", conf->autodiscover_imap, rq->user, true);
	write_protocol(b, "SMTP", conf->autodiscover_smtp, rq->user, false);
	buf_adds(b, "</Account></Response></Autodiscover>");
	return true;
}

static void answer_xml(struct request *rq, struct buf *b)
{
	struct question q = {.requests = 0};
	bool readable = rq->body.n == 0 || read_question(rq->body, rq->arena, &q);

	/* clients.md 2: old Androids send no body at all. */
	if (rq->body.n == 0) {
		write_mobilesync(rq, sending_address(rq), b);
		return;
	}
	if (!readable || q.requests != 1 || !q.schema.n || !q.address.n)
		write_error(b, ERROR_INVALID);
	else if (str_iis(q.schema, MOBILESYNC))
		write_mobilesync(rq, q.address, b);
	else if (!str_iis(q.schema, OUTLOOK) || !write_outlook(rq, q.address, b))
		write_error(b, ERROR_NO_PROVIDER);
}

/* ---- JSON ---- */

/* A parameter of the query, whatever the letter case of its name; STR_NONE. */
static struct str parameter(const struct request *rq, const char *name)
{
	struct str rest = rq->query_text, one, value;

	while (str_next(&rest, '&', &one)) {
		size_t at = str_find(one, '=');

		if (!str_iis(str_sub(one, 0, at), name))
			continue;
		if (query_unescape(str_sub(one, at + 1, one.n), rq->arena, &value))
			return STR_NONE;
		return value;
	}
	return STR_NONE;
}

static void json_pair(struct buf *b, const char *name, struct str value)
{
	buf_addf(b, "%s\"%s\":", b->n > 1 ? "," : "", name);
	conf_json_text(b, value);
}

static void json_error(struct reply *rp, struct buf *b, const char *code, const char *message)
{
	rp->http = 400;
	json_pair(b, "ErrorCode", str_of(code));
	json_pair(b, "ErrorMessage", str_of(message));
}

static void answer_json(struct request *rq, struct reply *rp, struct buf *b)
{
	struct str protocol = parameter(rq, "Protocol"), url = service_url(rq);

	buf_addc(b, '{');
	if (!protocol.n) {
		json_error(rp, b, "MandatoryParameterMissing",
			"A valid value must be provided for the query parameter 'Protocol'");
	} else if (str_iis(protocol, "ActiveSync")) {
		json_pair(b, "Protocol", STR("ActiveSync"));
		json_pair(b, "Url", url);
	} else if (str_iis(protocol, "AutodiscoverV1")) {
		json_pair(b, "Protocol", STR("AutodiscoverV1"));
		json_pair(b, "Url",
			arena_printf(rq->arena, "%.*s/autodiscover/autodiscover.xml",
				STR_FMT(str_sub(url, 0,
					str_isearch(
						url, STR("/Microsoft-Server-ActiveSync"))))));
	} else {
		json_error(rp, b, "InvalidProtocol",
			"The given protocol value is invalid. Supported values are "
			"'ActiveSync,AutodiscoverV1'");
	}
	buf_addc(b, '}');
}

enum rc autodiscover(struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct buf b;
	enum rc rc = RC_OK;

	if (rq->discover == DISCOVER_XML && sv->read_body)
		rc = sv->read_body(sv, rq, err);
	if (rc)
		return rc;
	buf_init(&b, BUF_MAX_LINE);
	if (rq->discover == DISCOVER_JSON) {
		rp->content_type = STR("application/json");
		answer_json(rq, rp, &b);
	} else {
		rp->content_type = STR("text/xml; charset=utf-8");
		answer_xml(rq, &b);
	}
	rp->raw = true;
	rc = sink_write(rp->body, buf_str(&b), err);
	buf_release(&b);
	return rc;
}
