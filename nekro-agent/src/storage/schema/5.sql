-- Webhooks that came. Times are microseconds since 1970 in UTC.
CREATE TABLE delivery (
    number INTEGER PRIMARY KEY,
    plugin TEXT NOT NULL,
    hook TEXT NOT NULL,
    id TEXT NOT NULL,                    -- as the sender names it
    event TEXT,
    payload TEXT NOT NULL,               -- JSON; empty once it was handled or given up
    came INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    due INTEGER,                         -- when it is handled; NULL once it was handled or given up
    problem TEXT,                        -- why it failed, the last time
    UNIQUE (plugin, hook, id)
) STRICT;
CREATE INDEX delivery_by_due ON delivery (due) WHERE due IS NOT NULL;
