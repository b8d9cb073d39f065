-- migrate:up

ALTER TABLE pair ADD COLUMN accepted_at timestamptz;
CREATE INDEX pair_due ON pair (answer_until) WHERE state = 'proposed';
-- What the expected wait of a programme is worked out from.
CREATE INDEX pair_closed ON pair (tenant, programme_id, ended_at);
CREATE INDEX pair_proposed ON pair (tenant, programme_id, proposed_at);

-- How many mentees each person would take on in all, and since when they look for a mentor.
CREATE TABLE participation (
    tenant      text NOT NULL,
    person_id   text NOT NULL,
    places      int  NOT NULL,
    looks_since timestamptz,
    PRIMARY KEY (tenant, person_id)
);

-- Places that came from nowhere: a mentor joined, came back, or would take on more than before.
CREATE TABLE place_gain (
    tenant    text        NOT NULL,
    person_id text        NOT NULL,
    at        timestamptz NOT NULL,
    places    int         NOT NULL,
    PRIMARY KEY (tenant, person_id, at)
);
CREATE INDEX place_gain_age ON place_gain (at);

INSERT INTO participation (tenant, person_id, places, looks_since)
SELECT tenant, person_id,
       CASE WHEN active AND 'mentor' = ANY (roles) THEN capacity ELSE 0 END,
       CASE WHEN active AND 'mentee' = ANY (roles) THEN as_of END
FROM person WHERE as_of < 'infinity';

-- HR and people themselves say who takes part, in two tables that several statements write: what
-- follows from it is noted here, for all rows of a statement at once. The argument is the column
-- that says since when it is so.
CREATE FUNCTION note_participation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($note$
        WITH now_ AS (
            SELECT it.tenant, it.person_id, changed.%1$I AS at,
                   CASE WHEN it.active AND NOT it.paused AND 'mentor' = ANY (it.roles)
                        THEN it.capacity ELSE 0 END AS places,
                   it.active AND 'mentee' = ANY (it.roles) AS looks
            FROM changed JOIN participant AS it USING (tenant, person_id)
        ), gained AS (
            INSERT INTO place_gain AS gain (tenant, person_id, at, places)
            SELECT now_.tenant, now_.person_id, now_.at, now_.places - coalesce(was.places, 0)
            FROM now_ LEFT JOIN participation AS was USING (tenant, person_id)
            WHERE now_.places > coalesce(was.places, 0)
            ON CONFLICT (tenant, person_id, at) DO UPDATE
            SET places = gain.places + excluded.places
        )
        INSERT INTO participation AS was (tenant, person_id, places, looks_since)
        SELECT tenant, person_id, places, CASE WHEN looks THEN at END FROM now_
        ON CONFLICT (tenant, person_id) DO UPDATE
        SET places = excluded.places,
            looks_since = CASE WHEN excluded.looks_since IS NOT NULL
                               THEN coalesce(was.looks_since, excluded.looks_since) END
    $note$, TG_ARGV[0]);
    RETURN NULL;
END
$$;
CREATE TRIGGER note_new AFTER INSERT ON person REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_participation('as_of');
CREATE TRIGGER note_changed AFTER UPDATE ON person REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_participation('as_of');
CREATE TRIGGER note_new AFTER INSERT ON profile REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_participation('changed_at');
CREATE TRIGGER note_changed AFTER UPDATE ON profile REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_participation('changed_at');

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['participation', 'place_gain'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
