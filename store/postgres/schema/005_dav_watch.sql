-- Those who ask for changes in DAV collections are listeners as well, of the source 'dav'.

-- How many accounts it asks for; of those that watch with IMAP connections there is `watched`.
ALTER TABLE listener ADD COLUMN accounts integer NOT NULL DEFAULT 0;
