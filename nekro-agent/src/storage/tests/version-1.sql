-- A database as version 1 made it. It is never changed.

CREATE TABLE writes (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL) STRICT;
INSERT INTO writes VALUES (1, 0);

CREATE TABLE session (
    name TEXT NOT NULL PRIMARY KEY,
    began INTEGER NOT NULL,
    used INTEGER NOT NULL,
    written INTEGER NOT NULL,            -- the number of the last write to it: the order of the listing
    messages INTEGER NOT NULL,           -- how many, which is the number of the last one
    settings TEXT NOT NULL               -- JSON
) STRICT;
CREATE INDEX session_by_use ON session (written);

CREATE TABLE message (
    session TEXT NOT NULL,
    number INTEGER NOT NULL,             -- from 1, without gaps
    id TEXT NOT NULL,
    turn TEXT,
    at INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    body TEXT NOT NULL,                  -- JSON
    UNIQUE (session, number)
) STRICT;

CREATE TABLE turn (
    id TEXT NOT NULL PRIMARY KEY,
    session TEXT NOT NULL,
    message TEXT,
    began INTEGER NOT NULL,
    outcome TEXT,                        -- none until it ended
    micros INTEGER
) STRICT;
CREATE INDEX turn_by_session ON turn (session);
CREATE INDEX turn_open ON turn (began) WHERE outcome IS NULL;

CREATE TABLE call (
    id TEXT NOT NULL,
    session TEXT,
    turn TEXT,
    at INTEGER NOT NULL,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    result TEXT NOT NULL,
    outcome TEXT NOT NULL,
    micros INTEGER NOT NULL
) STRICT;
CREATE INDEX call_by_session ON call (session);

CREATE TABLE usage (
    session TEXT NOT NULL,
    turn TEXT NOT NULL,
    at INTEGER NOT NULL,
    model TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    cost_micros INTEGER
) STRICT;
CREATE INDEX usage_by_session ON usage (session);

CREATE TABLE plugin (id TEXT NOT NULL PRIMARY KEY, enabled INTEGER NOT NULL) STRICT;

CREATE TABLE value (
    plugin TEXT NOT NULL,
    session TEXT NOT NULL,
    user TEXT NOT NULL,
    key TEXT NOT NULL,
    json TEXT NOT NULL,
    version INTEGER NOT NULL,            -- the number of the write: no key has the same one twice
    PRIMARY KEY (plugin, session, user, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX value_by_session ON value (session) WHERE session <> '';
CREATE INDEX value_by_user ON value (user) WHERE user <> '';
UPDATE writes SET count = 5;
INSERT INTO session VALUES ('terminal', 1700000000000000, 1700000001000000, 3, 2, '{"title":"first","model":null,"persona":null,"plugins":{"dice":false}}');
INSERT INTO message VALUES ('terminal', 1, 'terminal-message-1', NULL, 1700000000000000, 0, '{"kind":"person","user":"ada","text":"hello"}');
INSERT INTO message VALUES ('terminal', 2, 'terminal-message-2', 'turn-1', 1700000001000000, 0, '{"kind":"answer","model":"offline","text":"hello, Ada"}');
INSERT INTO turn VALUES ('turn-1', 'terminal', 'terminal-message-1', 1700000000000000, 'answered', 1500);
INSERT INTO turn VALUES ('turn-2', 'terminal', NULL, 1700000002000000, NULL, NULL);
INSERT INTO call VALUES ('call-1', 'terminal', 'turn-1', 1700000000000000, 'dice.roll', '{"notation":"2d6"}', '7', 'ok', 40);
INSERT INTO usage VALUES ('terminal', 'turn-1', 1700000000000000, 'm', 120, 10, 0, NULL);
INSERT INTO plugin VALUES ('greeter', 0);
INSERT INTO value VALUES ('notes', '', '', 'note/milk', '{"text":"buy milk"}', 4);
INSERT INTO value VALUES ('notes', '=terminal', '=ada', 'note/eggs', '1', 5);
PRAGMA application_id = 1315269490;
PRAGMA user_version = 1;
