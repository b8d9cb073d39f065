-- migrate:up

-- A matching run over a programme. `settings` are those it was made with: the programme's version,
-- or what a manager only wanted to try. `attempt` counts the processes that began with it.
CREATE TABLE run (
    tenant       text        NOT NULL,
    run_id       uuid        NOT NULL,
    programme_id text        NOT NULL,
    version      int         NOT NULL,
    settings     jsonb       NOT NULL,
    what_if      boolean     NOT NULL,
    incremental  boolean     NOT NULL,
    at_most      int,
    ranking_id   uuid,
    asked_at     timestamptz NOT NULL,
    state        text        NOT NULL CHECK (state IN ('queued', 'running', 'ready', 'committing',
                                                       'committed', 'cancelled', 'failed')),
    attempt      int         NOT NULL,
    stage        text        NOT NULL,
    done         int         NOT NULL,
    total        int         NOT NULL,
    ended_at     timestamptz,
    failure      text,
    revision     int         NOT NULL,
    PRIMARY KEY (tenant, run_id)
);
CREATE INDEX run_open ON run (asked_at) WHERE state IN ('queued', 'running', 'committing');
CREATE INDEX run_of_programme ON run (tenant, programme_id, run_id);

CREATE TABLE run_report (
    tenant text  NOT NULL,
    run_id uuid  NOT NULL,
    report jsonb NOT NULL,
    PRIMARY KEY (tenant, run_id)
);

-- What a run would propose, best first. `became` is what it was at the commit: NULL until then,
-- `proposed`, or why it could not be any more.
CREATE TABLE run_pair (
    tenant    text       NOT NULL,
    run_id    uuid       NOT NULL,
    place     int        NOT NULL,
    mentor_id text       NOT NULL,
    mentee_id text       NOT NULL,
    rank      int        NOT NULL,
    parts     smallint[] NOT NULL,
    stands    uuid,
    became    text,
    PRIMARY KEY (tenant, run_id, place)
);

CREATE TABLE run_unmatched (
    tenant    text  NOT NULL,
    run_id    uuid  NOT NULL,
    person_id text  NOT NULL,
    reason    text  NOT NULL,
    lost      jsonb NOT NULL,
    PRIMARY KEY (tenant, run_id, person_id)
);

-- Proposals that nobody had answered and that a run weighed anew and decided against: taken back at
-- its commit, which drops each row as it does so.
CREATE TABLE run_taken_back (
    tenant  text NOT NULL,
    run_id  uuid NOT NULL,
    pair_id uuid NOT NULL,
    PRIMARY KEY (tenant, run_id, pair_id)
);

-- Two whom HR wants kept apart, for whatever reason: the reason is not kept.
CREATE TABLE exclusion (
    tenant       text NOT NULL,
    programme_id text NOT NULL,
    one          text NOT NULL,
    other        text NOT NULL,
    PRIMARY KEY (tenant, programme_id, one, other),
    CHECK (one < other)
);

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['run', 'run_report', 'run_pair', 'run_unmatched', 'run_taken_back',
                                'exclusion'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
