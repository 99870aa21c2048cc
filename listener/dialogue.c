#include "listener/dialogue.h"

#include "core/base/utf8.h"
#include "store/imap/session.h"

#include <string.h>

/*
 * One group of commands is under way at a time, and what comes next is decided when all of them
 * are answered:
 *
 *     CAPABILITY ENABLE  NOTIFY   ASK*  TOLD (ASK, NOOP when due)
 *                        EXAMINE  LIST  ASK*  IDLE (DONE; INBOX when it changed, LIST when due)
 */
enum step {
	STEP_CAPABILITY,
	STEP_ENABLE,
	STEP_NOTIFY,
	STEP_EXAMINE,
	STEP_LIST,
	STEP_ASK,
	STEP_INBOX,
	STEP_NOOP,
	STEP_TOLD, /* nothing is under way, the server speaks when it has to */
	STEP_IDLE, /* or without IDLE nothing is under way */
};

enum { BUF_MOST = 1024 * 1024, ASK_MOST = 100 };
/* RFC 2177: a server may hang up on a client that was silent for 30 minutes. */
enum { NOOP_MS = 10 * 60 * 1000, IDLE_MS = 25 * 60 * 1000 };

static void go(struct dialogue *d, enum step step);
static void settle(struct dialogue *d);

void dialogue_init(struct dialogue *d, const struct dialogue_ops *ops)
{
	*d = (struct dialogue){.ops = ops};
	buf_init(&d->out, BUF_MOST);
}

void dialogue_release(struct dialogue *d)
{
	marks_release(&d->marks);
	buf_release(&d->out);
}

bool dialogue_is_told(const struct dialogue *d)
{
	return d->told;
}

static void say(struct dialogue *d, const char *command, struct str rest)
{
	buf_addf(&d->out, "L%u %s%.*s\r\n", ++d->tag, command, STR_FMT(rest));
	d->open++;
	d->spoken = d->now;
}

static void begin_capability(struct dialogue *d)
{
	say(d, "CAPABILITY", STR_NONE);
}

static void begin_enable(struct dialogue *d)
{
	say(d, "ENABLE ", d->caps & CAP_QRESYNC ? STR("QRESYNC") : STR("CONDSTORE"));
}

static void begin_notify(struct dialogue *d)
{
	d->round++;
	say(d,
		"NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange MailboxName "
		"SubscriptionChange))",
		STR_NONE);
}

static void begin_examine(struct dialogue *d)
{
	say(d, "EXAMINE INBOX", STR_NONE);
}

static struct str status_items(const struct dialogue *d)
{
	return d->caps & CAP_CONDSTORE ? STR(" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")
				       : STR(" (MESSAGES UIDNEXT UIDVALIDITY)");
}

static void begin_list(struct dialogue *d)
{
	struct arena *a = arena_new();

	d->round++;
	say(d, "LIST \"\" \"*\"",
		d->caps & CAP_LIST_STATUS
			? arena_printf(a, " RETURN (STATUS%.*s)", STR_FMT(status_items(d)))
			: STR_NONE);
	arena_free(a);
}

static void ask(struct dialogue *d, const char *path)
{
	struct arena *a = arena_new();
	struct str items = status_items(d), name = session_mailbox(str_of(path), a);

	say(d, "STATUS ", arena_printf(a, "%.*s%.*s", STR_FMT(name), STR_FMT(items)));
	arena_free(a);
}

static void begin_ask(struct dialogue *d)
{
	for (size_t i = 0; i < d->marks.n && d->open < ASK_MOST; i++)
		if (d->marks.v[i].ask) {
			d->marks.v[i].ask = false;
			ask(d, d->marks.v[i].path);
		}
}

static void begin_inbox(struct dialogue *d)
{
	d->dirty = false;
	ask(d, "INBOX");
}

static void begin_noop(struct dialogue *d)
{
	say(d, "NOOP", STR_NONE);
}

static void begin_told(struct dialogue *d)
{
	d->next = d->now + NOOP_MS;
}

static void begin_idle(struct dialogue *d)
{
	d->idling = false;
	d->idle_since = d->now;
	if (d->caps & CAP_IDLE)
		say(d, "IDLE", STR_NONE);
}

static enum step first_look(const struct dialogue *d)
{
	return d->notify && d->caps & CAP_NOTIFY ? STEP_NOTIFY : STEP_EXAMINE;
}

static void end_capability(struct dialogue *d)
{
	if (!d->capable)
		d->refused = true;
	else
		go(d, d->caps & (CAP_QRESYNC | CAP_CONDSTORE) ? STEP_ENABLE : first_look(d));
}

static void end_enable(struct dialogue *d)
{
	if (d->worst != IMAP_OK)
		d->caps &= ~(unsigned)(CAP_QRESYNC | CAP_CONDSTORE);
	go(d, first_look(d));
}

/* What was not there in this round is gone. */
static void sweep(struct dialogue *d)
{
	if (marks_sweep(&d->marks, d->round) && d->based)
		d->ops->hierarchy(d);
}

static void end_notify(struct dialogue *d)
{
	if (d->worst != IMAP_OK) {
		go(d, STEP_EXAMINE);
		return;
	}
	d->told = true;
	sweep(d);
	settle(d);
}

static void end_examine(struct dialogue *d)
{
	d->refused = d->worst != IMAP_OK;
	d->dirty = false;
	if (!d->refused)
		go(d, STEP_LIST);
}

static void end_list(struct dialogue *d)
{
	d->refused = d->worst != IMAP_OK;
	d->next = d->now + d->round_ms;
	if (d->refused)
		return;
	sweep(d);
	settle(d);
}

static const struct {
	void (*begin)(struct dialogue *d);
	void (*end)(struct dialogue *d); /* all commands are answered */
} steps[] = {
	[STEP_CAPABILITY] = {begin_capability, end_capability},
	[STEP_ENABLE] = {begin_enable,     end_enable    },
	[STEP_NOTIFY] = {begin_notify,     end_notify    },
	[STEP_EXAMINE] = {begin_examine,    end_examine   },
	[STEP_LIST] = {begin_list,       end_list      },
	[STEP_ASK] = {begin_ask,        settle        },
	[STEP_INBOX] = {begin_inbox,      settle        },
	[STEP_NOOP] = {begin_noop,       settle        },
	[STEP_TOLD] = {begin_told,       settle        },
	[STEP_IDLE] = {begin_idle,       settle        },
};

static void go(struct dialogue *d, enum step step)
{
	d->step = (int)step;
	d->worst = IMAP_OK;
	steps[step].begin(d);
}

static bool to_ask(const struct dialogue *d)
{
	for (size_t i = 0; i < d->marks.n; i++)
		if (d->marks.v[i].ask)
			return true;
	return false;
}

/* What comes next when nothing is under way. */
static void settle(struct dialogue *d)
{
	if (to_ask(d)) {
		go(d, STEP_ASK);
		return;
	}
	if (!d->established) {
		d->established = d->based = true;
		d->ops->established(d);
	}
	if (d->told) {
		go(d, STEP_TOLD);
	} else if (d->now >= d->next) {
		go(d, STEP_LIST);
	} else if (d->dirty) {
		go(d, STEP_INBOX);
	} else {
		go(d, STEP_IDLE);
	}
}

void dialogue_begin(struct dialogue *d, bool known, unsigned caps, int64_t now)
{
	buf_reset(&d->out);
	d->caps = caps;
	d->capable = known;
	d->told = d->established = d->dirty = d->idling = d->refused = false;
	d->tag = d->open = 0;
	d->now = d->spoken = now;
	if (known)
		end_capability(d);
	else
		go(d, STEP_CAPABILITY);
}

/* Leaves IDLE for something that is due. */
static void leave_idle(struct dialogue *d)
{
	if (d->step != STEP_IDLE)
		return;
	if (!(d->caps & CAP_IDLE)) {
		settle(d);
	} else if (d->idling) {
		buf_adds(&d->out, "DONE\r\n");
		d->idling = false;
		d->spoken = d->now;
	}
}

static bool same(const struct mail_mark *a, const struct mail_mark *b)
{
	return a->uidvalidity == b->uidvalidity && a->uidnext == b->uidnext &&
	       a->messages == b->messages && a->modseq == b->modseq;
}

static enum event_how how(const struct mail_mark *old, const struct mail_mark *now)
{
	return old->uidvalidity != now->uidvalidity || now->uidnext > old->uidnext
		       ? EVENT_ADDED
		       : EVENT_OTHER;
}

/* A server without CONDSTORE shows no change of flags in its numbers: that it speaks of the
 * folder at all is the news. */
static bool hidden_change(const struct dialogue *d, struct str path, const struct mail_mark *m)
{
	if (m->modseq != 0 || !d->established)
		return false;
	return d->told ? d->step == STEP_TOLD : d->step == STEP_INBOX && str_is(path, "INBOX");
}

static void on_status(struct dialogue *d, struct imap_value *values, struct arena *a)
{
	struct str path = reply_path(imap_text(imap_at(values, 1)), a);
	struct marked *f;
	struct mail_mark mark;
	bool added, forced;

	if (path.n == 0 || !utf8_is_clean(path))
		return;
	f = marks_add(&d->marks, path, &added);
	if (!f)
		return;
	mark = f->mark;
	f->round = d->round;
	if (!reply_status(values, a, &path, &mark))
		return;
	if (!marks_whole(&mark)) {
		/* A server that does not tell all when asked is not asked again. */
		f->ask = d->step != STEP_ASK;
		return;
	}
	forced = hidden_change(d, path, &mark) && same(&mark, &f->mark);
	if (forced || !d->established || !same(&mark, &f->mark))
		d->ops->stands(d, path, &mark, how(&f->mark, &mark), forced);
	f->mark = mark;
}

/* LIST (attributes) "/" name ("OLDNAME" (name)) */
static void on_old_name(struct dialogue *d, struct imap_value *values, struct arena *a)
{
	struct imap_value *extended = imap_at(values, 4);

	if (!extended || extended->kind != IMAP_LIST)
		return;
	for (struct imap_value *v = extended->child; v && v->next; v = v->next->next)
		if (str_iis(imap_text(v), "OLDNAME") && v->next->kind == IMAP_LIST)
			marks_remove(&d->marks, reply_path(imap_text(v->next->child), a));
}

static void on_list(struct dialogue *d, struct imap_value *values, struct arena *a)
{
	struct imap_value *attributes = imap_at(values, 1);
	struct str path = reply_path(imap_text(imap_at(values, 3)), a);
	bool round = d->step == STEP_LIST, added = false, gone, selectable;
	struct marked *f;

	if (path.n == 0 || !utf8_is_clean(path) || !attributes || attributes->kind != IMAP_LIST)
		return;
	gone = reply_has(attributes->child, "\\NonExistent");
	selectable = !gone && !reply_has(attributes->child, "\\Noselect");
	if (!round) {
		/* An event; also of what is subscribed. A new folder may have an old name. */
		on_old_name(d, values, a);
		d->ops->hierarchy(d);
	}
	if (gone || (!round && !selectable)) {
		marks_remove(&d->marks, path);
		return;
	}
	f = marks_add(&d->marks, path, &added);
	if (!f)
		return;
	f->round = d->round;
	if (round && added && d->based)
		d->ops->hierarchy(d);
	f->ask = selectable && !(round && d->caps & CAP_LIST_STATUS);
}

static void on_capability(struct dialogue *d, struct imap_value *values, struct arena *a UNUSED)
{
	d->capable = true;
	d->caps = reply_capabilities(values->next);
}

static void on_inbox(
	struct dialogue *d, struct imap_value *values UNUSED, struct arena *a UNUSED)
{
	d->dirty = true;
}

static const struct {
	const char *name;
	unsigned place; /* 1: a number stands in front */
	void (*handle)(struct dialogue *d, struct imap_value *values, struct arena *a);
} responses[] = {
	{"STATUS",     0, on_status    },
	{"LIST",       0, on_list      },
	{"CAPABILITY", 0, on_capability},
	{"VANISHED",   0, on_inbox     },
	{"EXISTS",     1, on_inbox     },
	{"EXPUNGE",    1, on_inbox     },
	{"FETCH",      1, on_inbox     },
};

static enum rc on_untagged(
	struct dialogue *d, struct str line, struct arena *a, struct err *err)
{
	struct imap_value *values;
	enum rc rc;

	if (str_istarts(line, "BYE"))
		return err_set(
			err, RC_UNAVAILABLE, "the IMAP server hung up: %.*s", STR_FMT(line));
	/* RFC 5465 5.8: it was too much, and nothing more is told. */
	if (str_istarts(line, "OK [NOTIFICATIONOVERFLOW]"))
		return err_set(err, RC_UNAVAILABLE, "the IMAP server does not notify any more");
	if (str_istarts(line, "OK ") || str_istarts(line, "NO ") || str_istarts(line, "BAD "))
		return RC_OK;
	rc = imap_parse(line, a, &values, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(responses); i++)
		if (imap_is(imap_at(values, responses[i].place), responses[i].name)) {
			responses[i].handle(d, values, a);
			break;
		}
	return RC_OK;
}

static enum rc on_tagged(struct dialogue *d, struct str line, struct arena *a, struct err *err)
{
	struct imap_result r;
	size_t space = str_find(line, ' ');

	if (d->open == 0 || !str_starts(line, "L"))
		return err_set(err, RC_INVALID, "the IMAP server answers what was not asked");
	reply_result(str_sub(line, space + 1, line.n), a, &r);
	if ((int)r.status > d->worst)
		d->worst = (int)r.status;
	if (--d->open == 0)
		steps[d->step].end(d);
	return d->refused ? err_set(err, RC_UNAVAILABLE, "the IMAP server refused: %.*s",
				    STR_FMT(r.text))
			  : RC_OK;
}

/* Something to do came up while there was nothing under way. */
static void wake(struct dialogue *d)
{
	if (d->step == STEP_TOLD && to_ask(d))
		settle(d);
	else if (d->step == STEP_IDLE && d->dirty)
		leave_idle(d);
}

enum rc dialogue_response(struct dialogue *d, struct str response, int64_t now, struct err *err)
{
	struct arena *a = arena_new();
	enum rc rc = RC_OK;

	d->now = d->spoken = now;
	if (str_starts(response, "* "))
		rc = on_untagged(d, arena_str(a, str_sub(response, 2, response.n)), a, err);
	else if (str_starts(response, "+"))
		d->idling = d->step == STEP_IDLE;
	else
		rc = on_tagged(d, response, a, err);
	if (rc == RC_OK)
		wake(d);
	arena_free(a);
	return rc;
}

enum rc dialogue_tick(struct dialogue *d, int64_t now, int64_t timeout_ms, struct err *err)
{
	d->now = now;
	if (d->open && !d->idling && now - d->spoken > timeout_ms)
		return err_set(err, RC_UNAVAILABLE, "the IMAP server was silent for %lld s",
			(long long)timeout_ms / 1000);
	if (d->step == STEP_TOLD && now >= d->next)
		go(d, STEP_NOOP);
	else if (d->step == STEP_IDLE && (now >= d->next || now - d->idle_since > IDLE_MS))
		leave_idle(d);
	return RC_OK;
}
