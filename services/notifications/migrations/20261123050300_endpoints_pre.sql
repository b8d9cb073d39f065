-- migrate:up

-- A creating request that came with a key, and what it created: a retry gets the same.
CREATE TABLE IF NOT EXISTS request (
    tenant      text NOT NULL,
    person_id   text NOT NULL,
    request_key text NOT NULL,
    fingerprint text NOT NULL,
    created     text NOT NULL,
    asked_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id, request_key)
);
CREATE INDEX IF NOT EXISTS request_age ON request (asked_at);

-- Where a tenant wants its facts to be sent, and which. The secrets sign what is sent: nothing but
-- the sending loop reads them. `failing_since` is the first failure since the last success,
-- `rest_until` what the receiver asked for with Retry-After.
CREATE TABLE endpoint (
    tenant        text        NOT NULL,
    endpoint_id   uuid        PRIMARY KEY,
    url           text        NOT NULL,
    types         text[]      NOT NULL,
    secret        text        NOT NULL,
    old_secret    text,
    old_until     timestamptz,
    is_enabled    boolean     NOT NULL DEFAULT true,
    reason        text,
    failing_since timestamptz,
    rest_until    timestamptz,
    revision      int         NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    created_by    text        NOT NULL,
    CHECK ((old_secret IS NULL) = (old_until IS NULL))
);
CREATE INDEX endpoint_of_tenant ON endpoint (tenant, created_at, endpoint_id);

-- A fact as it goes out, for those tenants that have an endpoint: ids and codes, kept for replay.
CREATE TABLE webhook_event (
    tenant   text        NOT NULL,
    event_id uuid        NOT NULL,
    position bigint      GENERATED ALWAYS AS IDENTITY,
    type     text        NOT NULL,
    subject  text        NOT NULL,
    body     text        NOT NULL,
    kept_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant, event_id)
);
CREATE INDEX webhook_event_order ON webhook_event (tenant, position);
CREATE INDEX webhook_event_age ON webhook_event (kept_at, position);

-- A line: what an endpoint is sent about one subject, in the order of `position`. Its first open
-- delivery may be sent from `due_at` (the end of the lease while it is under way); null when there
-- is none. Who adds to a line and who ends its first both hold this row, so none is overlooked.
CREATE TABLE delivery_line (
    tenant      text NOT NULL,
    endpoint_id uuid NOT NULL,
    subject     text NOT NULL,
    due_at      timestamptz,
    PRIMARY KEY (endpoint_id, subject)
) WITH (fillfactor = 80);
CREATE INDEX delivery_line_due ON delivery_line (endpoint_id, due_at) WHERE due_at IS NOT NULL;

-- One event to one endpoint. `attempt` counts those that have begun.
CREATE TABLE delivery (
    tenant      text        NOT NULL,
    delivery_id uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    endpoint_id uuid        NOT NULL,
    event_id    uuid        NOT NULL,
    position    bigint      NOT NULL,
    type        text        NOT NULL,
    subject     text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('waiting', 'claimed', 'delivered', 'failed')),
    attempt     int         NOT NULL DEFAULT 0,
    replay_id   uuid,
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    UNIQUE (endpoint_id, event_id)
) WITH (fillfactor = 80);
CREATE INDEX delivery_first ON delivery (endpoint_id, subject, position)
    WHERE state IN ('waiting', 'claimed');
CREATE INDEX delivery_log ON delivery (endpoint_id, position DESC);
CREATE INDEX delivery_replayed ON delivery (replay_id) WHERE replay_id IS NOT NULL;
CREATE INDEX delivery_of_event ON delivery (tenant, event_id);

-- How one attempt ended: never a body, neither ours nor theirs.
CREATE TABLE delivery_attempt (
    tenant      text        NOT NULL,
    delivery_id uuid        NOT NULL REFERENCES delivery ON DELETE CASCADE,
    attempt_id  bigint      GENERATED ALWAYS AS IDENTITY,
    number      int         NOT NULL,
    ended_at    timestamptz NOT NULL,
    status      int,
    error       text,
    duration_ms int         NOT NULL,
    PRIMARY KEY (delivery_id, attempt_id)
);

-- A replay under way: everything up to `cursor` has been put back into its line.
CREATE TABLE replay (
    tenant      text        NOT NULL,
    replay_id   uuid        PRIMARY KEY,
    endpoint_id uuid        NOT NULL,
    from_at     timestamptz NOT NULL,
    until_at    timestamptz NOT NULL,
    types       text[]      NOT NULL,
    cursor      bigint      NOT NULL DEFAULT 0,
    queued      int         NOT NULL DEFAULT 0,
    skipped     int         NOT NULL DEFAULT 0,
    is_done     boolean     NOT NULL DEFAULT false,
    asked_at    timestamptz NOT NULL,
    asked_by    text        NOT NULL
);
CREATE INDEX replay_open ON replay (asked_at) WHERE NOT is_done;
CREATE INDEX replay_of_endpoint ON replay (endpoint_id);

-- Where a person is written to in a chat: whoever knows the address can write there.
CREATE TABLE chat_address (
    tenant    text        NOT NULL,
    person_id text        NOT NULL,
    url       text        NOT NULL,
    set_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['request', 'endpoint', 'webhook_event', 'delivery_line', 'delivery',
                                'delivery_attempt', 'replay', 'chat_address'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('DROP POLICY IF EXISTS of_tenant ON %I', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
