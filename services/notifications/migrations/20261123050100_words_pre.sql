-- migrate:up

-- A tenant's own words for a workflow in a language: every revision with who wrote it and when. The
-- newest counts; without a template it is ours again.
CREATE TABLE words (
    tenant     text        NOT NULL,
    workflow   text        NOT NULL,
    language   text        NOT NULL,
    revision   int         NOT NULL,
    template   text,
    changed_at timestamptz NOT NULL,
    changed_by text        NOT NULL,
    PRIMARY KEY (tenant, workflow, language, revision)
);
ALTER TABLE words ENABLE ROW LEVEL SECURITY;
ALTER TABLE words FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON words
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- migrate:down
