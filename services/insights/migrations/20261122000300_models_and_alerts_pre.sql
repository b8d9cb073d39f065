-- migrate:up

-- Versions of the model beside the built-in one. What they are based on and what they change, as
-- registered; a version never changes.
CREATE TABLE model (
    tenant        text        NOT NULL DEFAULT '',
    number        smallint    PRIMARY KEY CHECK (number BETWEEN 2 AND 255),
    name          text        NOT NULL UNIQUE,
    document      text        NOT NULL,
    registered_at timestamptz NOT NULL
);
COMMENT ON COLUMN model.tenant IS 'empty: a version is the same for every tenant';

-- Which version each tenant's scores are made with; no row is the built-in one. The generation grows
-- with each switch, and with it the revision of every pair.
CREATE TABLE model_in_force (
    tenant      text        PRIMARY KEY,
    number      smallint    NOT NULL,
    generation  integer     NOT NULL,
    switched_at timestamptz NOT NULL
);

-- Directions that looked very low at the last daily epoch, and alerts that are open.
CREATE TABLE risk (
    pair_key   bigint  NOT NULL,
    side       smallint NOT NULL,
    tenant     text    NOT NULL,
    epoch      date,
    alerted_on date,
    body       jsonb,
    PRIMARY KEY (pair_key, side)
);
CREATE INDEX risk_open ON risk (tenant, pair_key, side) WHERE alerted_on IS NOT NULL;

-- How far the daily look at all pairs has come.
CREATE TABLE daily_epoch (
    tenant text   PRIMARY KEY DEFAULT '',
    epoch  date   NOT NULL,
    after  bigint NOT NULL
);
COMMENT ON COLUMN daily_epoch.tenant IS 'empty: one look for all tenants';

-- migrate:down
