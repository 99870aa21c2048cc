-- DAV collections as they were last seen, and the entries of the recipient cache.

-- Versions grow from change to change in the account; a number is given once.
ALTER TABLE account
	ADD COLUMN item_version bigint NOT NULL DEFAULT 0,
	ADD COLUMN next_item bigint NOT NULL DEFAULT 1;

CREATE TABLE shadow (
	folder bigint PRIMARY KEY REFERENCES folder ON DELETE CASCADE,
	token text NOT NULL DEFAULT '',
	version bigint NOT NULL DEFAULT 0,  -- the greatest of its items
	purged bigint NOT NULL DEFAULT 0,   -- the greatest of those that were gone and are forgotten
	checked timestamptz                 -- when the server was asked last
);

CREATE TABLE item (
	folder bigint NOT NULL REFERENCES folder ON DELETE CASCADE,
	number bigint NOT NULL,
	href text NOT NULL,
	etag text NOT NULL,
	version bigint NOT NULL,
	gone boolean NOT NULL DEFAULT false,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (folder, number),
	UNIQUE (folder, href)
);
CREATE INDEX item_version ON item (folder, version);
CREATE INDEX item_gone ON item (folder, at) WHERE gone;

-- Takes the account and then the shadow, which is made when it is missing, until the transaction
-- ends: whoever gives versions and numbers comes through here. Null: the account has no such
-- folder.
CREATE FUNCTION shadow_take(p_account bigint, p_folder bigint) RETURNS shadow
LANGUAGE plpgsql AS $$
DECLARE
	v_shadow shadow;
BEGIN
	PERFORM 1 FROM account WHERE id = p_account FOR NO KEY UPDATE;
	INSERT INTO shadow (folder)
		SELECT f.row FROM folder f WHERE f.row = p_folder AND f.account_id = p_account
		ON CONFLICT (folder) DO NOTHING;
	SELECT s.* INTO v_shadow FROM shadow s JOIN folder f ON f.row = s.folder
		WHERE s.folder = p_folder AND f.account_id = p_account FOR NO KEY UPDATE OF s;
	RETURN v_shadow;
END
$$;

-- A device may wait for the folder: the waiters are told (store/postgres/events.h).
CREATE FUNCTION item_tell(p_account bigint, p_folder bigint, p_how text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_seq bigint;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM watch w WHERE w.account_id = p_account AND w.until > now()) THEN
		RETURN;
	END IF;
	INSERT INTO change AS c (folder, seq) VALUES (p_folder, 1)
		ON CONFLICT (folder) DO UPDATE SET seq = c.seq + 1, at = now(), modseq = 0
		RETURNING c.seq INTO v_seq;
	PERFORM pg_notify('easpool', concat_ws(' ', 'c', p_account, p_folder, v_seq, 0, p_how));
END
$$;

-- Writes down what was said of members of a folder that shadow_take() took. Of two that speak of
-- the same member the last one counts; whole: members that are not named are gone. False: nothing
-- of it is news. The plan depends on how much is said, and is made anew each time.
CREATE FUNCTION item_put(p_account bigint, p_folder bigint, p_hrefs text[], p_etags text[],
	p_gone boolean[], p_whole boolean) RETURNS boolean
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	v_version bigint;
	v_next bigint;
	v_changed bigint;
	v_fresh bigint;
	v_added bigint;
	v_purged bigint;
BEGIN
	-- All of the folder is compared, of which nobody may have counted the rows yet.
	IF p_whole THEN
		PERFORM set_config('enable_nestloop', 'off', true);
	END IF;
	SELECT item_version, next_item INTO STRICT v_version, v_next FROM account
		WHERE id = p_account;
	WITH said AS MATERIALIZED (
		SELECT DISTINCT ON (e.href) e.href, e.etag, e.gone, e.place
			FROM unnest(p_hrefs, p_etags, p_gone) WITH ORDINALITY e(href, etag, gone, place)
			ORDER BY e.href, e.place DESC),
	news AS (
		SELECT s.href, CASE WHEN s.gone THEN i.etag ELSE s.etag END AS etag, s.gone, s.place,
				i.number, NOT s.gone AND i.gone IS DISTINCT FROM false AS added
			FROM said s LEFT JOIN item i ON i.folder = p_folder AND i.href = s.href
			WHERE CASE WHEN i.number IS NULL THEN NOT s.gone WHEN s.gone THEN NOT i.gone
				ELSE i.gone OR i.etag <> s.etag END
		UNION ALL
		SELECT i.href, i.etag, true, cardinality(p_hrefs) + i.number, i.number, false
			FROM item i
			WHERE p_whole AND i.folder = p_folder AND NOT i.gone
				AND NOT EXISTS (SELECT 1 FROM said s WHERE s.href = i.href)),
	numbered AS MATERIALIZED (
		SELECT href, etag, gone, added, number IS NULL AS fresh,
				v_version + row_number() OVER (ORDER BY place) AS version,
				coalesce(number, v_next - 1 + row_number()
					OVER (PARTITION BY number IS NULL ORDER BY place)) AS number
			FROM news),
	put AS (
		INSERT INTO item (folder, number, href, etag, version, gone)
			SELECT p_folder, number, href, etag, version, gone FROM numbered
			ON CONFLICT (folder, href) DO UPDATE SET etag = excluded.etag,
				version = excluded.version, gone = excluded.gone, at = now())
	SELECT count(*), count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE added)
		INTO v_changed, v_fresh, v_added FROM numbered;
	IF v_changed = 0 THEN
		RETURN false;
	END IF;
	UPDATE account SET item_version = item_version + v_changed, next_item = next_item + v_fresh
		WHERE id = p_account;
	WITH old AS (
		DELETE FROM item WHERE folder = p_folder AND gone AND at < now() - interval '30 days'
			RETURNING version)
	SELECT max(version) INTO v_purged FROM old;
	UPDATE shadow SET version = v_version + v_changed, purged = greatest(purged, v_purged)
		WHERE folder = p_folder;
	PERFORM item_tell(p_account, p_folder, CASE WHEN v_added > 0 THEN 'a' ELSE 'f' END);
	RETURN true;
END
$$;

-- core/model/state.h, shadow_seen. r_result: 0 done; 1 conflict; 2 no such folder.
CREATE FUNCTION shadow_seen(p_account bigint, p_folder bigint, p_token text, p_version bigint,
	p_new text, p_whole boolean, p_hrefs text[], p_etags text[], p_gone boolean[],
	OUT r_result integer, OUT r_version bigint, OUT r_purged bigint)
LANGUAGE plpgsql AS $$
DECLARE
	v_shadow shadow := shadow_take(p_account, p_folder);
BEGIN
	IF v_shadow.folder IS NULL THEN
		r_result := 2;
		RETURN;
	END IF;
	IF v_shadow.token <> p_token OR p_whole AND v_shadow.version <> p_version THEN
		r_result := 1;
		RETURN;
	END IF;
	IF p_whole OR cardinality(p_hrefs) > 0 THEN
		PERFORM item_put(p_account, p_folder, p_hrefs, p_etags, p_gone, p_whole);
	END IF;
	UPDATE shadow SET token = p_new, checked = now() WHERE folder = p_folder
		RETURNING version, purged INTO r_version, r_purged;
	r_result := 0;
END
$$;

-- core/model/state.h, item_own. No row: no such folder.
CREATE FUNCTION item_own(p_account bigint, p_folder bigint, p_href text, p_etag text,
	p_gone boolean) RETURNS SETOF item
LANGUAGE plpgsql AS $$
DECLARE
	v_shadow shadow := shadow_take(p_account, p_folder);
BEGIN
	IF v_shadow.folder IS NULL THEN
		RETURN;
	END IF;
	PERFORM item_put(p_account, p_folder, ARRAY[p_href], ARRAY[p_etag], ARRAY[p_gone], false);
	RETURN QUERY SELECT i.* FROM item i WHERE i.folder = p_folder AND i.href = p_href;
	IF NOT FOUND THEN
		RETURN QUERY SELECT p_folder, 0::bigint, p_href, ''::text, 0::bigint, true, now();
	END IF;
END
$$;
