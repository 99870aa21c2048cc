-- What the mail server has no place for, of single messages: the dates of a follow-up flag, the
-- verb of an answer. Opaque to the database.
CREATE TABLE note (
	folder bigint NOT NULL REFERENCES folder ON DELETE CASCADE,
	uidvalidity bigint NOT NULL,
	uid bigint NOT NULL,
	bytes bytea NOT NULL,
	PRIMARY KEY (folder, uidvalidity, uid)
);

-- The hits of a device's last search, so that its next page is of the same list.
CREATE TABLE search (
	device bigint PRIMARY KEY REFERENCES device ON DELETE CASCADE,
	bytes bytea NOT NULL,
	at timestamptz NOT NULL DEFAULT now()
);

-- Counts how often skipped items were asked to be tried again.
ALTER TABLE folder ADD COLUMN retries bigint NOT NULL DEFAULT 0;

-- Where the user's mailbox is served, when it is not here.
ALTER TABLE account ADD COLUMN home text NOT NULL DEFAULT '';

-- Until when the dialogue of a device is written down.
ALTER TABLE device ADD COLUMN trace_until timestamptz;
