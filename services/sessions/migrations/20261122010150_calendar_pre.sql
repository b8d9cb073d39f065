-- migrate:up

-- The one address at which a person's calendar can be read. Of its secret only a digest is kept:
-- who reads this table can subscribe to nobody's calendar.
CREATE TABLE calendar (
    tenant    text  NOT NULL,
    person_id text  NOT NULL,
    digest    bytea NOT NULL CHECK (length(digest) = 32),
    since     timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

CREATE UNIQUE INDEX calendar_by_secret ON calendar (tenant, digest);

ALTER TABLE calendar ENABLE ROW LEVEL SECURITY;
ALTER TABLE calendar FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON calendar
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- migrate:down
