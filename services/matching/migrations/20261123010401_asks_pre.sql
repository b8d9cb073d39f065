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
-- follows from it is noted here.
CREATE FUNCTION note_participation(of_tenant text, who text, since timestamptz, open_to int,
                                   looks boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE before int;
BEGIN
    SELECT places INTO before FROM participation WHERE tenant = of_tenant AND person_id = who;
    IF open_to > coalesce(before, 0) THEN
        INSERT INTO place_gain AS gain (tenant, person_id, at, places)
        VALUES (of_tenant, who, since, open_to - coalesce(before, 0))
        ON CONFLICT (tenant, person_id, at) DO UPDATE SET places = gain.places + excluded.places;
    END IF;
    INSERT INTO participation AS was (tenant, person_id, places, looks_since)
    VALUES (of_tenant, who, open_to, CASE WHEN looks THEN since END)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET places = excluded.places,
        looks_since = CASE WHEN excluded.looks_since IS NOT NULL
                           THEN coalesce(was.looks_since, excluded.looks_since) END;
END
$$;

-- A statement at a time, and planned each time: people come by the hundred thousand, and a plan that
-- was made for the first of them reads the whole table for each of the last.
CREATE FUNCTION note_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $note$
        WITH told AS (
            SELECT changed.tenant, changed.person_id, changed.as_of AS since,
                   CASE WHEN changed.active AND NOT coalesce(own.paused, false)
                             AND 'mentor' = ANY (coalesce(own.roles, changed.roles))
                        THEN coalesce(own.capacity, changed.capacity) ELSE 0 END AS places,
                   changed.active
                       AND 'mentee' = ANY (coalesce(own.roles, changed.roles)) AS looks
            FROM changed LEFT JOIN profile AS own USING (tenant, person_id)
        ), gained AS (
            INSERT INTO place_gain AS gain (tenant, person_id, at, places)
            SELECT tenant, person_id, since, told.places - coalesce(was.places, 0)
            FROM told LEFT JOIN participation AS was USING (tenant, person_id)
            WHERE told.places > coalesce(was.places, 0)
            ON CONFLICT (tenant, person_id, at)
                DO UPDATE SET places = gain.places + excluded.places
        )
        INSERT INTO participation AS was (tenant, person_id, places, looks_since)
        SELECT tenant, person_id, places, CASE WHEN looks THEN since END FROM told
        ON CONFLICT (tenant, person_id) DO UPDATE
        SET places = excluded.places,
            looks_since = CASE WHEN excluded.looks_since IS NOT NULL
                               THEN coalesce(was.looks_since, excluded.looks_since) END
    $note$;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_new AFTER INSERT ON person REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_people();
CREATE TRIGGER note_changed AFTER UPDATE ON person REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_people();

CREATE FUNCTION note_profile() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE own profile%ROWTYPE := CASE TG_OP WHEN 'DELETE' THEN NULL ELSE NEW END;
        told person%ROWTYPE;
BEGIN
    SELECT * INTO told FROM person
    WHERE tenant = coalesce(NEW.tenant, OLD.tenant)
      AND person_id = coalesce(NEW.person_id, OLD.person_id);
    IF FOUND THEN
        PERFORM note_participation(told.tenant, told.person_id,
            coalesce(own.changed_at, told.as_of),
            CASE WHEN told.active AND NOT coalesce(own.paused, false)
                      AND 'mentor' = ANY (coalesce(own.roles, told.roles))
                 THEN coalesce(own.capacity, told.capacity) ELSE 0 END,
            told.active AND 'mentee' = ANY (coalesce(own.roles, told.roles)));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_said AFTER INSERT OR UPDATE OR DELETE ON profile
    FOR EACH ROW EXECUTE FUNCTION note_profile();

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
