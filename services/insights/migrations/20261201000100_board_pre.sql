-- migrate:up

-- What a manager may see of each pair, in columns: for lists, counts and their order. It is written
-- with what the managers' stream says, and says no more than that.
CREATE TABLE board (
    tenant        text        NOT NULL,
    pair_id       uuid        NOT NULL,
    pair_key      bigint      NOT NULL,
    about_mentor  text        NOT NULL,
    about_mentee  text        NOT NULL,
    band          text        NOT NULL,
    about         text        NOT NULL,
    reason        text,
    next_step     text,
    sessions      int         NOT NULL,
    first_held_at timestamptz,
    last_held_at  timestamptz,
    PRIMARY KEY (tenant, pair_id)
) WITH (fillfactor = 80);
COMMENT ON COLUMN board.band IS 'of the two directions the one that needs more help; `about` says whose';
CREATE INDEX board_by_key ON board (pair_key);

-- How many pairs stood in which band at the beginning of a day (UTC), as managers saw it.
CREATE TABLE board_day (
    tenant       text NOT NULL,
    programme_id text NOT NULL,
    day          date NOT NULL,
    band         text NOT NULL,
    pairs        int  NOT NULL,
    PRIMARY KEY (tenant, programme_id, day, band)
);

-- Alerts that came to a good end.
CREATE TABLE recovery (
    tenant       text NOT NULL,
    pair_id      uuid NOT NULL,
    about        text NOT NULL,
    alerted_on   date NOT NULL,
    recovered_on date NOT NULL,
    band         text NOT NULL,
    PRIMARY KEY (tenant, pair_id, about, alerted_on)
);
CREATE INDEX recovery_by_day ON recovery (tenant, recovered_on DESC, pair_id, about);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['board', 'board_day', 'recovery'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- Pairs that were looked at before there was a board are looked at once more.
SELECT set_config('trustfold.tenant', '*', true);
INSERT INTO managed_pair (pair_key, tenant) SELECT pair_key, tenant FROM pair WHERE state IS NOT NULL;

-- migrate:down
