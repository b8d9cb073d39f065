-- migrate:up

-- Two stages: everybody is shown some people, and puts them in an order of their own.
CREATE TABLE ranking_round (
    tenant       text        NOT NULL,
    ranking_id   uuid        NOT NULL,
    programme_id text        NOT NULL,
    opened_at    timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    state        text        NOT NULL CHECK (state IN ('preparing', 'open', 'closed')),
    revision     int         NOT NULL,
    PRIMARY KEY (tenant, ranking_id)
);
CREATE UNIQUE INDEX ranking_round_once ON ranking_round (tenant, programme_id)
    WHERE state IN ('preparing', 'open');
CREATE INDEX ranking_round_due ON ranking_round (until) WHERE state = 'open';

-- `told`: that it is closed has been announced.
CREATE TABLE ranking_list (
    tenant     text    NOT NULL,
    ranking_id uuid    NOT NULL,
    person_id  text    NOT NULL,
    side       text    NOT NULL CHECK (side IN ('mentor', 'mentee')),
    ranked_at  timestamptz,
    told       boolean NOT NULL,
    revision   int     NOT NULL,
    PRIMARY KEY (tenant, ranking_id, person_id, side)
);
CREATE INDEX ranking_list_of ON ranking_list (tenant, person_id, ranking_id);
CREATE INDEX ranking_list_untold ON ranking_list (tenant, ranking_id) WHERE NOT told;

-- For nobody's eyes but the person's, and for the run that it is meant for.
CREATE TABLE ranking (
    tenant       text       NOT NULL,
    ranking_id   uuid       NOT NULL,
    person_id    text       NOT NULL,
    side         text       NOT NULL,
    other_id     text       NOT NULL,
    place        smallint   NOT NULL,
    never        boolean    NOT NULL,
    parts        smallint[] NOT NULL,
    PRIMARY KEY (tenant, ranking_id, person_id, side, other_id)
);

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ranking_round', 'ranking_list', 'ranking'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
