-- migrate:up

-- When nobody could be asked: the service was away. The clocks of what was open stood still.
CREATE TABLE outage (
    outage_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at  timestamptz NOT NULL,
    ended_at  timestamptz NOT NULL CHECK (ended_at > began_at),
    -- Whether everything it touched has its time back.
    over      boolean NOT NULL DEFAULT false
);

-- The time that a thing has had back of an outage, once: it is written with the thing's new date.
CREATE TABLE given_back (
    tenant    text     NOT NULL,
    thing_id  uuid     NOT NULL,
    outage_id bigint   NOT NULL REFERENCES outage,
    span      interval NOT NULL,
    PRIMARY KEY (tenant, thing_id, outage_id)
);

ALTER TABLE given_back ENABLE ROW LEVEL SECURITY;
ALTER TABLE given_back FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON given_back
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- The last time a sweeper ran, which `swept_until` is not while there is much to catch up with.
ALTER TABLE sweep_mark ALTER COLUMN swept_until DROP NOT NULL, ADD COLUMN alive_at timestamptz;

-- What goes on and is past its time: always little, however much goes on.
CREATE INDEX commitment_past ON commitment (due_at)
    WHERE state IN ('made', 'open', 'claimed', 'disputed');
CREATE INDEX session_past ON session (coalesce(disputed_at, claimed_at, ends_at))
    WHERE state IN ('scheduled', 'claimed', 'disputed');

-- migrate:down
