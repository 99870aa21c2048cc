#include "fcgi/replay.h"

#include "core/base/varint.h"

#include <string.h>

/* What is the same for every request that waits needs no place in each. */
static const struct {
	const char *name, *value;
} constant[] = {
	{"REQUEST_METHOD", "POST"                        },
	{"REQUEST_URI",    "/Microsoft-Server-ActiveSync"},
};

static const char *const names[REPLAY_VARIABLES] = {"QUERY_STRING", "CONTENT_TYPE",
	"HTTP_USER_AGENT", "HTTP_MS_ASPROTOCOLVERSION", "HTTP_MS_ASACCEPTMULTIPART",
	"HTTP_X_MS_POLICYKEY", "HTTP_HOST", "HTTP_AUTHORIZATION", "HTTP_ACCEPT_ENCODING",
	"SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN"};

void replay_pack(http_param param, void *ctx, struct str body, struct buf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = param(ctx, names[i]);

		/* With the NUL at its end; without it: was not there. */
		varint_put_str(b,
			value ? (struct str){value, strlen(value) + 1} : (struct str){"", 0});
	}
	varint_put_str(b, body);
}

enum rc replay_unpack(struct str bytes, struct replay *r)
{
	*r = (struct replay){
		.body = {"", 0}
        };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct str value;

		if (varint_get_str(&bytes, &value) || (value.n && value.p[value.n - 1] != '\0'))
			return RC_INVALID;
		r->v[i] = value.n ? value.p : NULL;
	}
	return varint_get_str(&bytes, &r->body);
}

const char *replay_param(void *ctx, const char *name)
{
	const struct replay *r = ctx;

	for (size_t i = 0; i < ARRAY_LEN(constant); i++)
		if (strcmp(constant[i].name, name) == 0)
			return constant[i].value;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return r->v[i];
	return NULL;
}
