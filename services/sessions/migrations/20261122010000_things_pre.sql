-- migrate:up

ALTER TABLE pair ADD COLUMN programme_id text;
ALTER TABLE person
    ADD COLUMN country text,
    ADD COLUMN display_name text,
    -- The days they are away, all leaves together.
    ADD COLUMN away datemultirange NOT NULL DEFAULT '{}';

-- Counts the changes of a row, for those who change what they have read (ETag, If-Match).
ALTER TABLE session ADD COLUMN revision int NOT NULL DEFAULT 1;
ALTER TABLE commitment ADD COLUMN revision int NOT NULL DEFAULT 1;

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['pair', 'pair_trust', 'person', 'agreement', 'session',
                                'commitment', 'feedback', 'history', 'request'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
