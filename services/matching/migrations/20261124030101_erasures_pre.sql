-- migrate:up

-- Who was erased, and what each service said that it has done. The ids are all that is left of them.
CREATE TABLE erasure (
    tenant        text        NOT NULL,
    person_id     text        NOT NULL,
    erasure_id    uuid        NOT NULL,
    asked_at      timestamptz NOT NULL,
    tombstoned_at timestamptz,
    -- When they were sent a second time: what they replace can be compacted since.
    settled_at    timestamptz,
    PRIMARY KEY (tenant, person_id)
);
CREATE INDEX erasure_unsettled ON erasure (tombstoned_at)
    WHERE tombstoned_at IS NOT NULL AND settled_at IS NULL;

CREATE TABLE erasure_done (
    tenant     text        NOT NULL,
    person_id  text        NOT NULL,
    service    text        NOT NULL,
    done_at    timestamptz NOT NULL,
    tables     jsonb       NOT NULL,
    PRIMARY KEY (tenant, person_id, service)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['erasure', 'erasure_done'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
