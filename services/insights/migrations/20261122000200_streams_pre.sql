-- migrate:up

-- Names this database in the ids of stream events: an id of another database is recognised. Change
-- it after restoring a backup, for positions may then be handed out a second time.
CREATE TABLE stream_epoch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    text NOT NULL
);
INSERT INTO stream_epoch (epoch) VALUES (left(md5(gen_random_uuid()::text), 8));

-- The newest position of each stream of each tenant. Whoever adds to the ring holds this row until
-- its commit: positions are in the order of commits, without a gap.
CREATE TABLE stream_head (
    stream   text   NOT NULL,
    tenant   text   NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (stream, tenant)
) WITH (fillfactor = 50);

-- The ring: what was said lately, every position once.
CREATE TABLE stream_change (
    stream       text   NOT NULL,
    tenant       text   NOT NULL,
    position     bigint NOT NULL,
    programme_id text,
    body         bytea  NOT NULL,
    said_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, tenant, position)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000);

-- What was said last of each pair, and where: a snapshot is read from here, byte for byte what the
-- stream said.
CREATE TABLE stream_newest (
    stream       text   NOT NULL,
    tenant       text   NOT NULL,
    pair_id      uuid   NOT NULL,
    position     bigint NOT NULL,
    programme_id text,
    body         bytea  NOT NULL,
    PRIMARY KEY (stream, tenant, pair_id)
) WITH (fillfactor = 50);

-- Pairs that managers have to be told of anew, perhaps. Taken in the order of the pairs, whatever was
-- marked first, and looked at alike whatever for: neither may tell of a private answer.
CREATE TABLE managed_pair (
    pair_key bigint NOT NULL,
    tenant   text   NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000);
CREATE INDEX managed_pair_by_key ON managed_pair (pair_key);

-- Pairs whose managers' view changes at a midnight by time alone: a batch of answers is old enough.
CREATE TABLE managed_due (
    pair_key bigint PRIMARY KEY,
    tenant   text   NOT NULL,
    due_at   timestamptz NOT NULL
);
CREATE INDEX managed_due_by_time ON managed_due (due_at);

-- How far the log went when a worker last heard of it. `goal`: the end it is on its way to;
-- `read_to`: everything in the log by then has been read.
CREATE TABLE log_end (
    group_name text   NOT NULL,
    topic      text   NOT NULL,
    partition  int    NOT NULL,
    end_offset bigint NOT NULL,
    seen_at    timestamptz NOT NULL,
    goal       bigint NOT NULL,
    goal_at    timestamptz NOT NULL,
    read_to    timestamptz,
    PRIMARY KEY (group_name, topic, partition)
) WITH (fillfactor = 50);

-- Pairs that were surfaced by an earlier release have never been said.
INSERT INTO dirty_pair (pair_key, tenant) SELECT pair_key, tenant FROM pair WHERE state IS NOT NULL;

-- migrate:down
