-- migrate:up

ALTER TABLE person ADD COLUMN org_unit text, ADD COLUMN grade int,
                   ADD COLUMN erased boolean NOT NULL DEFAULT false;

-- As HR last described each leave: (as_of, event_id) only ever moves forward, as with people.
CREATE TABLE person_leave (
    tenant     text        NOT NULL,
    person_id  text        NOT NULL,
    leave_id   text        NOT NULL,
    started_on date        NOT NULL,
    back_on    date,
    as_of      timestamptz NOT NULL,
    event_id   uuid        NOT NULL,
    PRIMARY KEY (tenant, person_id, leave_id)
);

-- What a person says of themselves. NULL is as HR has it; `avoid` is for nobody's eyes but theirs.
CREATE TABLE profile (
    tenant     text        NOT NULL,
    person_id  text        NOT NULL,
    revision   int         NOT NULL,
    roles      text[],
    capacity   int         CHECK (capacity BETWEEN 0 AND 50),
    offers     text[],
    goals      text[],
    about      text        NOT NULL DEFAULT '',
    wishes     text        NOT NULL DEFAULT '',
    languages  text[],
    hours      jsonb,
    avoid      text[]      NOT NULL DEFAULT '{}',
    paused     boolean     NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

-- Everybody who may be matched, as they want it: their own profile laid over what HR says.
CREATE VIEW participant WITH (security_invoker = true) AS
SELECT person.tenant, person.person_id, person.display_name, person.timezone, person.manager_id,
       person.org_unit, person.grade, person.active,
       coalesce(profile.languages, person.languages) AS languages,
       coalesce(profile.hours, person.hours)         AS hours,
       coalesce(profile.roles, person.roles)         AS roles,
       coalesce(profile.capacity, person.capacity)   AS capacity,
       coalesce(profile.offers, person.offers)       AS offers,
       coalesce(profile.goals, person.goals)         AS goals,
       coalesce(profile.about, '')                   AS about,
       coalesce(profile.wishes, '')                  AS wishes,
       coalesce(profile.avoid, '{}')                 AS avoid,
       coalesce(profile.paused, false)               AS paused
FROM person LEFT JOIN profile USING (tenant, person_id);

CREATE TABLE programme (
    tenant       text        NOT NULL,
    programme_id text        NOT NULL,
    revision     int         NOT NULL,
    name         text        NOT NULL,
    is_open      boolean     NOT NULL,
    settings     jsonb       NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, programme_id)
);

-- Every version there was: a run names the one it was made with.
CREATE TABLE programme_version (
    tenant       text        NOT NULL,
    programme_id text        NOT NULL,
    revision     int         NOT NULL,
    settings     jsonb       NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, programme_id, revision)
);

ALTER TABLE pair ADD COLUMN asked_by     text,
                 ADD COLUMN answer_until timestamptz,
                 ADD COLUMN run_id       uuid,
                 ADD COLUMN revision     int NOT NULL DEFAULT 1;
ALTER TABLE pair DROP CONSTRAINT pair_state_check;
ALTER TABLE pair ADD CONSTRAINT pair_state_check CHECK (state IN
    ('proposed', 'accepted', 'started', 'ended', 'declined', 'withdrawn', 'expired')) NOT VALID;

CREATE TABLE request (
    tenant      text        NOT NULL,
    person_id   text        NOT NULL,
    request_key text        NOT NULL,
    fingerprint text        NOT NULL,
    created     text        NOT NULL,
    asked_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id, request_key)
);
CREATE INDEX request_age ON request (asked_at);

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['person_leave', 'profile', 'programme', 'programme_version',
                                'request'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
