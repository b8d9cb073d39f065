-- migrate:up

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise. Only now: the release
-- before this one names no tenant.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['person', 'message'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
