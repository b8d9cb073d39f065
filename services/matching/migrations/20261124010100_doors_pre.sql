-- migrate:up

-- Events that came in by HTTP, by who sent them and what they called them: a retry is recognised.
-- The digest tells a retry from another event under the same name; of the event nothing else is kept.
CREATE TABLE door_event (
    tenant   text        NOT NULL,
    event_id uuid        NOT NULL,
    digest   bytea       NOT NULL,
    came_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant, event_id)
);
CREATE INDEX door_event_old ON door_event (came_at);

ALTER TABLE door_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE door_event FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON door_event
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- migrate:down
