-- migrate:up

-- The release before names no tenant: after this its processes would see nothing.
-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: an
-- owner is let through otherwise. What has no tenant (versions of the model, the daily look) is
-- everybody's.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'pair', 'evidence', 'dirty_pair', 'surfaced', 'leave', 'person', 'stream_head',
        'stream_change', 'stream_newest', 'managed_pair', 'managed_due', 'programme', 'cohort',
        'cohort_pair', 'release', 'model', 'model_in_force', 'risk', 'daily_epoch'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['model', 'daily_epoch'] LOOP
        EXECUTE format('CREATE POLICY of_everybody ON %I FOR SELECT USING (tenant = '''')', name);
    END LOOP;
END
$$;

-- migrate:down
