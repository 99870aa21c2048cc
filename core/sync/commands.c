#include "core/sync/commands.h"

#include "core/base/clock.h"
#include "core/map/server_id.h"

bool commands_full(const struct commands *c)
{
	if (c->sent >= c->window)
		return true;
	return c->sent > 0 &&
	       (clock_mono_ms() >= c->deadline_ms || wbxml_size(c->w) >= c->bytes);
}

unsigned commands_left(const struct commands *c)
{
	return c->window > c->sent ? c->window - c->sent : 0;
}

struct str commands_id(const struct commands *c, uint32_t number)
{
	return server_id_format(c->a, c->folder, number);
}

static void open_command(struct commands *c, tag_t what, uint32_t number)
{
	if (!c->open)
		wbxml_open(c->w, AIRSYNC_COMMANDS);
	c->open = true;
	wbxml_open(c->w, what);
	wbxml_text(c->w, AIRSYNC_SERVER_ID, commands_id(c, number));
}

void commands_begin(struct commands *c, tag_t what, uint32_t number)
{
	c->mark = wbxml_mark(c->w);
	c->was_open = c->open;
	c->what = what;
	open_command(c, what, number);
	wbxml_open(c->w, AIRSYNC_APPLICATION_DATA);
}

void commands_end(struct commands *c)
{
	wbxml_close(c->w, AIRSYNC_APPLICATION_DATA);
	wbxml_close(c->w, c->what);
	wbxml_keep(c->w, c->mark);
	c->sent++;
}

void commands_take_back(struct commands *c)
{
	wbxml_rollback(c->w, c->mark);
	c->open = c->was_open;
}

void commands_gone(struct commands *c, tag_t what, uint32_t number)
{
	open_command(c, what, number);
	wbxml_close(c->w, what);
	c->sent++;
}

void commands_close(struct commands *c)
{
	if (c->open)
		wbxml_close(c->w, AIRSYNC_COMMANDS);
	c->open = false;
}
