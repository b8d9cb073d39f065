-- migrate:up

-- `goals` and `topics_off_limits` are the pair's own words, in no fact; null once the person who
-- wrote them is erased. Windows are lists of person, weekday, minutes of the day.
ALTER TABLE agreement
    ADD COLUMN agreement_id      uuid   NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN revision          int    NOT NULL DEFAULT 1,
    ADD COLUMN hours             jsonb  NOT NULL DEFAULT '[]',
    ADD COLUMN off_limits        jsonb  NOT NULL DEFAULT '[]',
    ADD COLUMN topics_off_limits text[] DEFAULT '{}',
    ADD COLUMN goals             text[] DEFAULT '{}',
    ADD COLUMN feedback          text,
    ADD COLUMN review_after_days int,
    ADD COLUMN review_on         date,
    ADD COLUMN reviewed_by       text[] NOT NULL DEFAULT '{}' CHECK (cardinality(reviewed_by) <= 2),
    ADD COLUMN withdrawn_at      timestamptz,
    ADD CONSTRAINT agreement_one_end CHECK (signed_at IS NULL OR withdrawn_at IS NULL),
    ADD CONSTRAINT agreement_review CHECK (signed_at IS NOT NULL OR review_on IS NULL);

CREATE UNIQUE INDEX agreement_by_id ON agreement (tenant, agreement_id);
CREATE INDEX agreement_by_proposer ON agreement (tenant, proposed_by);

-- What a programme suggests to its pairs. `template` is for reading whole, never for searching.
CREATE TABLE agreement_template (
    tenant       text  NOT NULL,
    programme_id text  NOT NULL,
    revision     int   NOT NULL,
    template     jsonb NOT NULL,
    changed_by   text  NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, programme_id)
);

CREATE INDEX pair_of_programme ON pair (tenant, programme_id);

ALTER TABLE agreement_template ENABLE ROW LEVEL SECURITY;
ALTER TABLE agreement_template FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON agreement_template
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- migrate:down
