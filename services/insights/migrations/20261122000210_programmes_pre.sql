-- migrate:up

-- How far each programme has been measured: an epoch is year * 12 + month - 1.
CREATE TABLE programme (
    tenant       text NOT NULL,
    programme_id text NOT NULL,
    measured     int  NOT NULL,
    PRIMARY KEY (tenant, programme_id)
);
CREATE INDEX programme_by_measured ON programme (measured);

-- Up to which epoch programmes were looked for. One row.
CREATE TABLE enrolment (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch int     NOT NULL
);

-- A group of pairs that is measured as one, for ever. `closed` is the epoch it was no longer in.
CREATE TABLE cohort (
    cohort_id    uuid PRIMARY KEY,
    tenant       text NOT NULL,
    programme_id text NOT NULL,
    org_unit     text,
    formed       int  NOT NULL,
    closed       int
);
CREATE INDEX cohort_of_programme ON cohort (tenant, programme_id) WHERE closed IS NULL;

-- By the pair's own id, not by pair_key: what was told has to fit a database that was rebuilt. The
-- key is the promise that a pair is in one cohort. A pair that is erased leaves its row here.
CREATE TABLE cohort_pair (
    tenant    text NOT NULL,
    pair_id   uuid NOT NULL,
    cohort_id uuid NOT NULL REFERENCES cohort,
    PRIMARY KEY (tenant, pair_id)
);
CREATE INDEX cohort_pair_of_cohort ON cohort_pair (cohort_id);

-- What was told of a cell: exactly the fact that was published. '' is the programme as a whole.
CREATE TABLE release (
    tenant       text  NOT NULL,
    programme_id text  NOT NULL,
    epoch        int   NOT NULL,
    org_unit     text  COLLATE "C" NOT NULL,
    fact         bytea NOT NULL,
    PRIMARY KEY (tenant, programme_id, epoch, org_unit)
);

-- A number that was told is never told differently.
CREATE FUNCTION release_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a release is never changed';
END
$$;
CREATE TRIGGER release_stands BEFORE UPDATE ON release
    FOR EACH ROW EXECUTE FUNCTION release_stands();

-- A row here means: another database told the numbers. Nothing is measured until they were brought.
CREATE TABLE told_elsewhere (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);

-- Pairs of a programme, to find those that wait for a cohort.
CREATE INDEX pair_of_programme ON pair (tenant, programme_id, started_at)
    WHERE programme_id IS NOT NULL;

-- migrate:down
