-- Accounts, devices, folders and the state of their synchronisation.

CREATE TABLE account (
	id bigserial PRIMARY KEY,
	login text NOT NULL UNIQUE,
	enabled boolean,                 -- null: nobody said
	enabled_at timestamptz,
	ceiling integer NOT NULL DEFAULT 0,
	folder_version bigint NOT NULL DEFAULT 0,
	next_folder bigint NOT NULL DEFAULT 1,
	created timestamptz NOT NULL DEFAULT now()
);

-- The pool of places for enabled users: at most one row.
CREATE TABLE entitlement (
	single boolean PRIMARY KEY DEFAULT true CHECK (single),
	size integer,
	expires timestamptz
);

CREATE TABLE device (
	id bigserial PRIMARY KEY,
	account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
	device_id text NOT NULL,
	type text NOT NULL DEFAULT '',
	user_agent text NOT NULL DEFAULT '',
	model text NOT NULL DEFAULT '',
	imei text NOT NULL DEFAULT '',
	friendly_name text NOT NULL DEFAULT '',
	os text NOT NULL DEFAULT '',
	os_language text NOT NULL DEFAULT '',
	phone_number text NOT NULL DEFAULT '',
	mobile_operator text NOT NULL DEFAULT '',
	outbound_sms boolean NOT NULL DEFAULT false,
	version integer NOT NULL DEFAULT 0,
	ceiling integer NOT NULL DEFAULT 0,
	access integer NOT NULL DEFAULT 0,
	wipe integer NOT NULL DEFAULT 0,
	policy_key bigint NOT NULL DEFAULT 0,
	policy_pending bigint NOT NULL DEFAULT 0,
	policy_hash bigint NOT NULL DEFAULT 0,
	ping bytea NOT NULL DEFAULT '',
	sync_request bytea NOT NULL DEFAULT '',
	first_seen timestamptz NOT NULL DEFAULT now(),
	last_seen timestamptz NOT NULL DEFAULT now(),
	UNIQUE (account_id, device_id)
);

CREATE TABLE folder (
	row bigserial PRIMARY KEY,
	account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
	id text NOT NULL,
	kind integer NOT NULL,
	path text NOT NULL,
	uidvalidity bigint NOT NULL DEFAULT 0,
	mailbox_id text NOT NULL DEFAULT '',
	parent text NOT NULL,
	name text NOT NULL,
	type integer NOT NULL,
	selectable boolean NOT NULL DEFAULT true,
	UNIQUE (account_id, id)
);

-- One (device, collection) relationship; the hierarchy is the collection ''.
CREATE TABLE collection (
	device bigint NOT NULL REFERENCES device ON DELETE CASCADE,
	id text NOT NULL,
	epoch bigint NOT NULL,
	generation bigint NOT NULL,
	state bytea NOT NULL,
	round bytea NOT NULL,
	options bytea NOT NULL,
	revision bigint NOT NULL,
	PRIMARY KEY (device, id)
);

CREATE TABLE sent (
	device bigint NOT NULL REFERENCES device ON DELETE CASCADE,
	client_id text NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (device, client_id)
);

CREATE TABLE moved (
	device bigint NOT NULL REFERENCES device ON DELETE CASCADE,
	source text NOT NULL,
	target text NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (device, source)
);

-- Items that cannot be shown to devices.
CREATE TABLE skipped (
	folder bigint NOT NULL REFERENCES folder ON DELETE CASCADE,
	item text NOT NULL,
	reason text NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (folder, item)
);
