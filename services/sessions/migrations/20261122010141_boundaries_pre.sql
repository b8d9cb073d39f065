-- migrate:up

-- What one side politely asked the other to keep to. The columns of a claim are null while there
-- is none; `after` is what was settled last, and only what happened later can be claimed.
CREATE TABLE boundary (
    tenant       text NOT NULL,
    boundary_id  uuid NOT NULL,
    pair_id      uuid NOT NULL,
    reminded_by  text NOT NULL,
    about        text NOT NULL CHECK (about <> reminded_by),
    term         text NOT NULL,
    reminded_at  timestamptz NOT NULL,
    state        text NOT NULL CHECK (state IN (
        'reminded', 'claimed', 'contested', 'breached', 'dismissed'
    )),
    happened_at  timestamptz CHECK (happened_at >= reminded_at AND happened_at <= claimed_at),
    claimed_at   timestamptz,
    contested_at timestamptz CHECK (contested_at >= claimed_at),
    sweep_at     timestamptz,
    after        timestamptz CHECK (after < happened_at),
    breached_at  timestamptz CHECK (breached_at <= after),
    confirmed_by text CHECK (confirmed_by IN ('both', 'manager')),
    revision     int  NOT NULL DEFAULT 1,
    CHECK (num_nulls(happened_at, claimed_at, sweep_at)
           = CASE WHEN state IN ('claimed', 'contested') THEN 0 ELSE 3 END),
    CHECK ((state = 'contested') = (contested_at IS NOT NULL)),
    CHECK ((breached_at IS NULL) = (confirmed_by IS NULL)),
    PRIMARY KEY (tenant, boundary_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair
);

CREATE INDEX boundary_of_pair ON boundary (tenant, pair_id, reminded_at DESC, boundary_id DESC);
CREATE INDEX boundary_due ON boundary (sweep_at) WHERE state IN ('claimed', 'contested');
CREATE INDEX boundary_contested ON boundary (tenant, contested_at, boundary_id)
    WHERE state = 'contested';

ALTER TABLE boundary ENABLE ROW LEVEL SECURITY;
ALTER TABLE boundary FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON boundary
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- All that is kept of an erased person. `as_of` is then infinity, so that nothing told of them,
-- before or after, is newer.
ALTER TABLE person
    ADD COLUMN erased_on date,
    ADD CONSTRAINT person_erased CHECK (
        erased_on IS NULL OR (timezone = 'UTC' AND country IS NULL AND display_name IS NULL
                              AND away = '{}' AND as_of = 'infinity')
    );

-- migrate:down
