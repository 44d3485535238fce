-- Collections of texts. A row of `vector_text` has the number of its point.
CREATE TABLE vector_collection (
    id INTEGER NOT NULL PRIMARY KEY,
    plugin TEXT NOT NULL,
    name TEXT NOT NULL,
    -- What the vectors are made by; without one, there are none.
    model TEXT,
    dimension INTEGER,
    -- Counts writes, and those after which something is gone: what is held in memory is compared with them.
    changes INTEGER NOT NULL DEFAULT 0,
    removals INTEGER NOT NULL DEFAULT 0,
    UNIQUE (plugin, name)
) STRICT;
CREATE TABLE vector_point (
    id INTEGER NOT NULL PRIMARY KEY,
    collection INTEGER NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    payload TEXT NOT NULL,
    written INTEGER NOT NULL,
    -- Numbers of 4 bytes, the lowest first; of length 1 together.
    vector BLOB,
    UNIQUE (collection, name)
) STRICT;
CREATE INDEX vector_point_by_write ON vector_point (collection, written);
CREATE INDEX vector_point_waiting ON vector_point (collection) WHERE vector IS NULL;
-- `owner` holds one word for each collection, so that a search stays within it.
CREATE VIRTUAL TABLE vector_text USING fts5 (
    owner, words, content = '', contentless_delete = 1, tokenize = "porter unicode61 remove_diacritics 2"
);
