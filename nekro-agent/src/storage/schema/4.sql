-- Background tasks. Times are microseconds since 1970 in UTC.

CREATE TABLE task (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- its id is a `t` and this
    plugin TEXT NOT NULL,
    name TEXT NOT NULL,                  -- within the plugin; what begins with a `@` is the host's own
    arguments TEXT NOT NULL,             -- JSON
    caller TEXT NOT NULL,                -- JSON
    session TEXT,
    root INTEGER,                        -- the task that all this began with; none if it is that one
    parent INTEGER,
    schedule TEXT,                       -- the schedule that it is a run of
    serial TEXT,                         -- of those with the same one, one runs at a time
    key TEXT,                            -- no two of a plugin have the same one
    state TEXT NOT NULL,                 -- queued, running, succeeded, failed or cancelled
    due INTEGER NOT NULL,                -- when it begins at the earliest
    owner TEXT,                          -- the process that runs it
    epoch INTEGER NOT NULL DEFAULT 0,    -- the how manieth run it is: what an earlier one still writes does not count
    lease INTEGER,                       -- until when it is the owner's, unless that says more
    waits TEXT,                          -- what it waits for while it runs
    failures INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,     -- how often in a row its process ended under it
    cancel INTEGER NOT NULL DEFAULT 0,   -- somebody wants it to end
    percent INTEGER NOT NULL DEFAULT 0,
    text TEXT NOT NULL DEFAULT '',
    checkpoint TEXT,                     -- JSON
    result TEXT,                         -- JSON
    problem TEXT,                        -- JSON
    callback TEXT,                       -- the task that is started when it has ended
    tell INTEGER NOT NULL,               -- its end is to be told in its session; 0 again when it was
    retried INTEGER,                     -- the task that does its work again
    created INTEGER NOT NULL,
    ended INTEGER
) STRICT;
CREATE UNIQUE INDEX task_by_key ON task (plugin, key) WHERE key IS NOT NULL;
CREATE INDEX task_queued ON task (plugin, name, due) WHERE state = 'queued';
CREATE INDEX task_due ON task (due) WHERE state = 'queued';
CREATE INDEX task_running ON task (lease) WHERE state = 'running';
CREATE INDEX task_serial ON task (serial) WHERE state = 'running' AND serial IS NOT NULL;
CREATE INDEX task_open ON task (plugin) WHERE ended IS NULL;
CREATE INDEX task_unwanted ON task (number) WHERE cancel = 1 AND ended IS NULL;
CREATE INDEX task_untold ON task (number) WHERE tell = 1 AND ended IS NOT NULL;
CREATE INDEX task_by_parent ON task (parent) WHERE parent IS NOT NULL;
CREATE INDEX task_by_schedule ON task (plugin, schedule) WHERE schedule IS NOT NULL AND ended IS NULL;
CREATE INDEX task_old ON task (ended) WHERE ended IS NOT NULL;

-- What tasks were given while or before they waited for it.
CREATE TABLE task_notice (
    task INTEGER NOT NULL,
    name TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;

-- Until when tasks wait: counted from the first run that did.
CREATE TABLE task_wait (
    task INTEGER NOT NULL,
    name TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule (
    plugin TEXT NOT NULL,
    name TEXT NOT NULL,
    declared INTEGER NOT NULL,           -- a function says so
    spec TEXT NOT NULL,                  -- JSON
    caller TEXT NOT NULL,                -- JSON
    most_failures INTEGER NOT NULL,      -- in a row, before it rests; 0 for any number
    tick INTEGER,                        -- the next time; none while its run has not ended, if it counts from there
    due INTEGER,                         -- the same, put off by chance
    paused TEXT,                         -- why it rests
    runs INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, -- in a row
    last INTEGER,
    created INTEGER NOT NULL,
    PRIMARY KEY (plugin, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_due ON schedule (plugin, due) WHERE paused IS NULL AND due IS NOT NULL;
