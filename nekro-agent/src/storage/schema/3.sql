-- What plugins ask models is booked to them, in a conversation or outside of any.
CREATE TABLE usage_2 (
    plugin TEXT,
    session TEXT,
    turn TEXT,
    at INTEGER NOT NULL,
    model TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    cost_micros INTEGER
) STRICT;
INSERT INTO usage_2 (session, turn, at, model, input_tokens, output_tokens, cached_tokens, cost_micros)
    SELECT session, turn, at, model, input_tokens, output_tokens, cached_tokens, cost_micros FROM usage ORDER BY rowid;
DROP TABLE usage;
ALTER TABLE usage_2 RENAME TO usage;
CREATE INDEX usage_by_session ON usage (session);
CREATE INDEX usage_by_plugin ON usage (plugin, at) WHERE plugin IS NOT NULL;
