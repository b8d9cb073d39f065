-- migrate:up

-- Every leave as it was told last; `person.away` is all of them together.
CREATE TABLE leave (
    tenant     text NOT NULL,
    person_id  text NOT NULL,
    leave_id   text NOT NULL,
    started_on date NOT NULL,
    back_on    date CHECK (back_on >= started_on),
    as_of      timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id, leave_id)
);

ALTER TABLE leave ENABLE ROW LEVEL SECURITY;
ALTER TABLE leave FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON leave
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- What the maker said; null as long as it is due when they said. `due_at` counts only days on which
-- both were there.
ALTER TABLE commitment ADD COLUMN promised_for timestamptz;

-- Counts how often the days of one of the two changed: whoever waited for the row meanwhile sees by
-- it that what it read with the row is older.
ALTER TABLE pair ADD COLUMN redated int NOT NULL DEFAULT 0;

-- migrate:down
