-- Waiting devices: who waits where, who watches the mailboxes, what is known to have changed.

-- An account of which a device waits, or has waited a while ago, at the waiter of a host.
CREATE TABLE watch (
	account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
	host text NOT NULL,
	began timestamptz NOT NULL DEFAULT now(),
	until timestamptz NOT NULL,
	PRIMARY KEY (account_id, host)
);

-- Running easlistend programs; one that was not seen for 15 seconds is dead.
CREATE TABLE listener (
	id text PRIMARY KEY,
	host text NOT NULL,
	source text NOT NULL,            -- url, notify, idle
	started timestamptz NOT NULL DEFAULT now(),
	seen timestamptz NOT NULL DEFAULT now()
);

-- Which accounts an IMAP connection of a listener watches. While the row stands and its listener
-- lives, the marks in `change` are the mailbox's.
CREATE TABLE watched (
	account_id bigint PRIMARY KEY REFERENCES account ON DELETE CASCADE,
	listener text NOT NULL REFERENCES listener ON DELETE CASCADE,
	since timestamptz NOT NULL DEFAULT now()
);

-- The newest that is known of a folder. seq grows with every change that was noticed. modseq 0:
-- something changed, and how the mailbox stands now is not known.
CREATE TABLE change (
	folder bigint PRIMARY KEY REFERENCES folder ON DELETE CASCADE,
	seq bigint NOT NULL,
	uidvalidity bigint NOT NULL DEFAULT 0,
	uidnext bigint NOT NULL DEFAULT 0,
	messages bigint NOT NULL DEFAULT 0,
	modseq bigint NOT NULL DEFAULT 0,
	at timestamptz NOT NULL DEFAULT now()
);

-- seq grows when folders may have come or gone; done: up to which the folder table knows.
CREATE TABLE hierarchy_change (
	account_id bigint PRIMARY KEY REFERENCES account ON DELETE CASCADE,
	seq bigint NOT NULL,
	done bigint NOT NULL DEFAULT 0,
	at timestamptz NOT NULL DEFAULT now()
);
