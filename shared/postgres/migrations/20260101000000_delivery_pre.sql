-- migrate:up

-- The columns are those Debezium's outbox event router reads (id, aggregatetype = topic,
-- aggregateid = key, type, payload); the others are placed in headers as ce_<column>.
-- Rows are deleted once the broker has them.
CREATE TABLE outbox (
    position      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            uuid NOT NULL,
    aggregatetype text NOT NULL,
    aggregateid   text NOT NULL,
    type          text NOT NULL,
    payload       bytea NOT NULL,
    ceid          text NOT NULL,
    source        text NOT NULL,
    "time"        timestamptz NOT NULL,
    subject       text NOT NULL,
    dataschema    text NOT NULL,
    tenant        text NOT NULL,
    correlationid text NOT NULL,
    causationid   text NOT NULL,
    traceparent   text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000);

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    seen_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE consumer_offset (
    group_name  text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_name, topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE dead_letter (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_name    text   NOT NULL,
    topic         text   NOT NULL,
    partition     int    NOT NULL,
    record_offset bigint NOT NULL,
    recorded_at   timestamptz NOT NULL,
    key           bytea,
    value         bytea,
    header_names  text[]  NOT NULL,
    header_values bytea[] NOT NULL,
    reason        text NOT NULL,
    detail        text NOT NULL,
    attempts      int  NOT NULL DEFAULT 1,
    status        text NOT NULL DEFAULT 'parked'
                  CHECK (status IN ('parked', 'redriving', 'redriven', 'dropped')),
    parked_at     timestamptz NOT NULL DEFAULT now(),
    decided_at    timestamptz,
    published     boolean NOT NULL DEFAULT false,
    UNIQUE (group_name, topic, partition, record_offset)
);

CREATE INDEX dead_letter_open ON dead_letter (group_name, status) WHERE status IN ('parked', 'redriving');
CREATE INDEX dead_letter_unpublished ON dead_letter (id) WHERE NOT published;

-- migrate:down
