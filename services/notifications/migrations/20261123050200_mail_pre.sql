-- migrate:up

-- Mail that came back, one row for one report, however often it is told. Holds no address: its hash,
-- which differs between tenants.
CREATE TABLE bounce (
    tenant       text        NOT NULL,
    bounce_id    text        NOT NULL,
    person_id    text        NOT NULL,
    address_hash bytea       NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('hard', 'soft', 'complaint')),
    at           timestamptz NOT NULL,
    PRIMARY KEY (tenant, bounce_id)
);
CREATE INDEX bounce_of_person ON bounce (tenant, person_id, at);

-- To whom no mail goes, as long as their address is the one with this hash.
CREATE TABLE suppression (
    tenant       text        NOT NULL,
    person_id    text        NOT NULL,
    address_hash bytea       NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('hard', 'soft', 'complaint')),
    since        timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

-- Who put somebody there or took them off, and when.
CREATE TABLE suppression_change (
    tenant     text        NOT NULL,
    position   bigint      GENERATED ALWAYS AS IDENTITY,
    person_id  text        NOT NULL,
    how        text        NOT NULL CHECK (how IN ('hard', 'soft', 'complaint', 'lifted')),
    changed_at timestamptz NOT NULL,
    changed_by text        NOT NULL,
    PRIMARY KEY (tenant, position)
);

-- A provider names an address where it does not name the mail.
CREATE INDEX person_by_address ON person (tenant, lower(email)) WHERE email IS NOT NULL;

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['bounce', 'suppression', 'suppression_change'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
