-- easpool-push.lua: Dovecot tells easlistend (listener_source = url) what happens in mailboxes.
--
-- For Dovecot 2.3 from 2.3.17 on, built with Lua. On Debian 12 nothing has to be installed for it:
-- dovecot-core has the plugins, and the HTTP client is Dovecot's own.
--
--     mail_plugins = $mail_plugins mail_lua notify push_notification push_notification_lua
--     plugin {
--       push_notification_driver = lua:file=/etc/dovecot/easpool-push.lua
--       easpool_push_url = http://127.0.0.1:8025/event
--       easpool_push_secret = the listener_secret of easpool.conf
--     }
--
-- The plugins have to be loaded wherever mail changes: imap, lmtp, lda, pop3, submission, and
-- doveadm. All events of a transaction are one request. A listener that does not answer costs a
-- transaction at most a second, and is then left alone for five seconds. With the next event it
-- hears that some are missing, and whoever waits is looked after.

local TIMEOUT = 1000
local PAUSE = 5

local client = nil
local quiet_until = 0
local missed = false

-- Text as JSON writes it. Names are UTF-8; other control characters do not appear in them.
local function quoted(s)
	return '"' .. tostring(s):gsub('[%c"\\]', function(c)
		return string.format("\\u%04x", c:byte())
	end) .. '"'
end

local function remember(ctx, event, uid)
	local entry = { name = event.name, folder = event.mailbox, uid = uid }
	local key = entry.name .. "\0" .. tostring(entry.folder)
	local known = ctx.known[key]

	-- A thousand messages that are moved at once are one event with the highest UID.
	if known then
		if uid and (not known.uid or uid > known.uid) then
			known.uid = uid
		end
		return
	end
	ctx.known[key] = entry
	table.insert(ctx.events, entry)
end

local function body(ctx)
	local parts = {}

	for _, e in ipairs(ctx.events) do
		local uid = e.uid and (',"uid":' .. math.floor(e.uid)) or ""

		table.insert(parts, '{"event":' .. quoted(e.name) .. ',"folder":' ..
			quoted(e.folder or "") .. uid .. "}")
	end
	return '{"user":' .. quoted(ctx.user) .. ',"events":[' .. table.concat(parts, ",") ..
		"]" .. (missed and ',"missed":true' or "") .. "}"
end

local function send(ctx)
	local request, response

	if not client then
		client = dovecot.http.client({
			request_timeout_msecs = TIMEOUT, request_absolute_timeout_msecs = TIMEOUT,
			connect_timeout_msecs = TIMEOUT, max_attempts = 1, max_redirects = 0
		})
	end
	request = client:request({ url = ctx.url, method = "POST" })
	request:add_header("Content-Type", "application/json")
	request:add_header("Authorization", "Bearer " .. (ctx.secret or ""))
	request:set_payload(body(ctx))
	response = request:submit()
	missed = response:status() ~= 204
	if missed then
		quiet_until = os.time() + PAUSE
		dovecot.i_warning("easpool-push: " .. ctx.url .. ": " .. response:status() .. " " ..
			response:reason())
	end
end

function dovecot_lua_notify_begin_txn(user)
	return {
		user = user.username,
		url = user:plugin_getenv("easpool_push_url"),
		secret = user:plugin_getenv("easpool_push_secret"),
		events = {}, known = {}
	}
end

local function message(ctx, event)
	remember(ctx, event, event.uid)
end

local function other(ctx, event)
	remember(ctx, event, nil)
end

dovecot_lua_notify_event_message_new = message
dovecot_lua_notify_event_message_append = message
dovecot_lua_notify_event_message_expunge = other
dovecot_lua_notify_event_message_trash = other
dovecot_lua_notify_event_flags_set = other
dovecot_lua_notify_event_flags_clear = other
dovecot_lua_notify_event_mailbox_create = other
dovecot_lua_notify_event_mailbox_delete = other
dovecot_lua_notify_event_mailbox_rename = other
dovecot_lua_notify_event_mailbox_subscribe = other
dovecot_lua_notify_event_mailbox_unsubscribe = other

function dovecot_lua_notify_end_txn(ctx)
	if #ctx.events == 0 or not ctx.url or ctx.url == "" then
		return
	end
	if os.time() < quiet_until then
		missed = true
		return
	end
	-- A delivery must not fail because nobody could be told of it.
	local ok, why = pcall(send, ctx)
	if not ok then
		missed = true
		quiet_until = os.time() + PAUSE
		dovecot.i_warning("easpool-push: " .. tostring(why))
	end
end
