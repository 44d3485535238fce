-- A collection belongs to a conversation or a person, too: '' if to none, and its name after a '=' otherwise, as for values. The number of one that
-- is gone is not given again, for others may still hold what it had in memory.
CREATE TABLE vector_collection_2 (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    plugin TEXT NOT NULL,
    session TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    model TEXT,
    dimension INTEGER,
    changes INTEGER NOT NULL DEFAULT 0,
    removals INTEGER NOT NULL DEFAULT 0,
    UNIQUE (plugin, session, user, name)
) STRICT;
INSERT INTO vector_collection_2
    SELECT id, plugin, '', '', name, model, dimension, changes, removals FROM vector_collection ORDER BY id;
DROP TABLE vector_collection;
ALTER TABLE vector_collection_2 RENAME TO vector_collection;
CREATE INDEX vector_collection_by_session ON vector_collection (session) WHERE session <> '';
CREATE INDEX vector_collection_by_user ON vector_collection (user) WHERE user <> '';
