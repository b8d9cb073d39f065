-- migrate:up

-- People as they are looked for: what they offer or want, and as sets of bits, so that a fit can be
-- told here about as it is told by the rules; and as points (engine/likeness), near a direction of
-- which are those who fit. A copy, made anew from what is known of them.
CREATE TABLE person_point (
    tenant    text         NOT NULL,
    person_id text         NOT NULL,
    side      text         NOT NULL CHECK (side IN ('mentor', 'mentee')),
    topics    text[]       NOT NULL,
    topic_set bit(256)     NOT NULL,
    languages bit(64)      NOT NULL,
    slots     bit(672)     NOT NULL,
    words     halfvec(64)  NOT NULL,
    point     halfvec(256) NOT NULL,
    PRIMARY KEY (tenant, person_id, side)
);
CREATE INDEX person_point_topics ON person_point USING gin (topics);
-- One for each side: who looks for a mentor walks among mentors.
CREATE INDEX person_point_mentors ON person_point USING hnsw (point halfvec_ip_ops)
    WITH (m = 16, ef_construction = 64) WHERE side = 'mentor';
CREATE INDEX person_point_mentees ON person_point USING hnsw (point halfvec_ip_ops)
    WITH (m = 16, ef_construction = 64) WHERE side = 'mentee';

-- Whose points are older than what is known of them. Written with the change, so none is missed.
CREATE TABLE person_stale (
    tenant    text NOT NULL,
    person_id text NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

-- Who is noted already is written anew all the same, which holds the row: else an indexer that has
-- not seen this change yet would take the note away. In one order, for two that note many.
CREATE FUNCTION note_stale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO person_stale SELECT DISTINCT tenant, person_id FROM changed ORDER BY 1, 2
    ON CONFLICT (tenant, person_id) DO UPDATE SET person_id = excluded.person_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER stale_new AFTER INSERT ON person REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_stale();
CREATE TRIGGER stale_changed AFTER UPDATE ON person REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_stale();
CREATE TRIGGER stale_new AFTER INSERT ON profile REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_stale();
CREATE TRIGGER stale_changed AFTER UPDATE ON profile REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_stale();
CREATE TRIGGER stale_gone AFTER DELETE ON profile REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_stale();
-- Those who are there already.
INSERT INTO person_stale SELECT tenant, person_id FROM person;

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['person_point', 'person_stale'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
