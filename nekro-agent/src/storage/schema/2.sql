-- Version 2: values that are there for a time, and how much each plugin keeps.

ALTER TABLE value ADD COLUMN expires INTEGER;    -- the moment from which on it is not there; none if it stays
CREATE INDEX value_by_expiry ON value (expires) WHERE expires IS NOT NULL;

CREATE TABLE store (
    plugin TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,                    -- of the plugin's values, from 1
    keys INTEGER NOT NULL,
    bytes INTEGER NOT NULL                       -- of keys and values
) STRICT;
INSERT INTO store
    SELECT plugin, 1, count(*), sum(octet_length(key) + octet_length(json)) FROM value GROUP BY plugin;

-- Whoever changes values, what a plugin keeps is counted.
CREATE TRIGGER value_comes AFTER INSERT ON value BEGIN
    INSERT INTO store VALUES (new.plugin, 1, 1, octet_length(new.key) + octet_length(new.json))
        ON CONFLICT DO UPDATE SET keys = keys + 1, bytes = bytes + octet_length(new.key) + octet_length(new.json);
END;
CREATE TRIGGER value_changes AFTER UPDATE OF json ON value BEGIN
    UPDATE store SET bytes = bytes - octet_length(old.json) + octet_length(new.json) WHERE plugin = new.plugin;
END;
CREATE TRIGGER value_goes AFTER DELETE ON value BEGIN
    UPDATE store SET keys = keys - 1, bytes = bytes - octet_length(old.key) - octet_length(old.json) WHERE plugin = old.plugin;
END;
