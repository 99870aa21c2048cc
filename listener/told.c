#include "listener/told.h"

#include "core/wire/query.h"

#include <jansson.h>

enum { EVENTS_A_BODY = 10000 };

/* RFC 5423 section 4.1; cases differ. */
static const struct {
	const char *name;
	bool hierarchy;
	enum event_how how;
} names[] = {
	{"MessageNew",         false, EVENT_DELIVERED},
	{"MessageAppend",      false, EVENT_ADDED    },
	{"MessageExpunge",     false, EVENT_OTHER    },
	{"MessageTrash",       false, EVENT_OTHER    },
	{"MessageRead",        false, EVENT_OTHER    },
	{"FlagsSet",           false, EVENT_OTHER    },
	{"FlagsClear",         false, EVENT_OTHER    },
	{"MailboxCreate",      true,  EVENT_OTHER    },
	{"MailboxDelete",      true,  EVENT_OTHER    },
	{"MailboxRename",      true,  EVENT_OTHER    },
	{"MailboxSubscribe",   true,  EVENT_OTHER    },
	{"MailboxUnsubscribe", true,  EVENT_OTHER    },
};

static struct str text(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)}
				 : STR_NONE;
}

static uint32_t uid_of(const json_t *object)
{
	const json_t *v = json_object_get(object, "uid");
	json_int_t n;

	if (!json_is_integer(v))
		v = json_object_get(object, "imap-uid");
	n = json_is_integer(v) ? json_integer_value(v) : 0;
	return n > 0 && n < UINT32_MAX ? (uint32_t)n : 0;
}

static void add(const json_t *object, struct str login, struct arena *a, struct told_list *r)
{
	struct str name = text(object, "event"), folder = text(object, "folder");
	size_t i = 0;
	struct told *t;

	while (i < ARRAY_LEN(names) && !str_iis(name, names[i].name))
		i++;
	if (i == ARRAY_LEN(names) || (!names[i].hierarchy && folder.n == 0))
		return;
	t = &r->v[r->n++];
	*t = (struct told){
		names[i].hierarchy,
		{.login = login, .path = STR("INBOX"), .how = names[i].how}
        };
	if (!str_iis(folder, "INBOX"))
		t->event.path = arena_str(a, folder);
	/* The UID of a message that changed or went says nothing of what is new. */
	if (names[i].how != EVENT_OTHER && uid_of(object))
		t->event.mark.uidnext = uid_of(object) + 1;
}

static void free_json(void *json)
{
	json_decref(json);
}

enum rc told_read(
	struct str in, struct str domain, struct arena *a, struct told_list *r, struct err *err)
{
	json_t *json = json_loadb(in.p ? in.p : "", in.n, JSON_REJECT_DUPLICATES, NULL),
	       *events;
	struct str user, login;
	size_t n;

	*r = (struct told_list){NULL, 0, false};
	if (!json)
		return err_set(err, RC_INVALID, "an event is no JSON");
	arena_defer(a, free_json, json);
	events = json_object_get(json, "events");
	user = text(json, "user");
	if (user.n == 0 || (events && !json_is_array(events)))
		return err_set(err, RC_INVALID, "an event names no user");
	login = query_login(user, domain, a);
	n = events ? json_array_size(events) : 1;
	if (n > EVENTS_A_BODY)
		return err_set(err, RC_LIMIT, "too many events at once");
	r->missed = json_is_true(json_object_get(json, "missed"));
	r->v = ARENA_ARRAY(a, struct told, n + 1);
	if (!events)
		add(json, login, a, r);
	else
		for (size_t i = 0; i < n; i++)
			add(json_array_get(events, i), login, a, r);
	return RC_OK;
}
