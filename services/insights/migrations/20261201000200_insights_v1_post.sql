-- migrate:up

-- Login roles of BI tools: each sees what was released of one tenant, in the views of insights_v1.
CREATE TABLE reader (
    role_name text        PRIMARY KEY,
    tenant    text        NOT NULL CHECK (tenant <> ''),
    added_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE reader ENABLE ROW LEVEL SECURITY;
ALTER TABLE reader FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON reader
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));
-- Who has signed in is known by its own row. SET ROLE does not change session_user.
CREATE POLICY of_itself ON reader FOR SELECT USING (role_name = session_user);

-- The views are made once: a rebuild applies this file to a schema beside the live one.
DO $views$
BEGIN
IF current_schema() <> 'insights' THEN
    RETURN;
END IF;

-- Everything in insights_v1 comes through here, so it has to be safe here. It is opaque to the
-- planner: no condition and no function of the reader's is ever given a row of another tenant. The
-- tenant is that of the role that signed in; what the reader has set is overwritten, and is worth
-- nothing where it stands. No name in it can be made to mean something else.
CREATE FUNCTION insights.released_to_reader()
RETURNS TABLE (programme_id text, unit text, epoch date, fact jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
DECLARE of_tenant text;
BEGIN
    SELECT r.tenant INTO of_tenant FROM insights.reader r WHERE r.role_name = session_user;
    IF of_tenant IS NULL THEN
        RETURN;
    END IF;
    PERFORM set_config('trustfold.tenant', of_tenant, true);
    RETURN QUERY
        SELECT told.programme_id, told.org_unit, make_date(told.epoch / 12, told.epoch % 12 + 1, 1),
               convert_from(told.fact, 'UTF8')::jsonb
        FROM insights.release told WHERE told.tenant = of_tenant;
END
$$;

CREATE VIEW insights_v1.programme AS
SELECT programme_id, min(epoch) AS first_epoch, max(epoch) AS newest_epoch
FROM insights.released_to_reader() GROUP BY programme_id;

CREATE VIEW insights_v1.programme_measure AS
SELECT programme_id, unit, epoch,
       (fact ->> 'as_of')::timestamptz AS as_of,
       fact ->> 'model' AS model,
       (fact ->> 'pairs')::integer AS pairs,
       (fact ->> 'mentors')::integer AS mentors,
       (fact ->> 'mentees')::integer AS mentees,
       (fact ->> 'health')::double precision AS health
FROM insights.released_to_reader();

CREATE VIEW insights_v1.band_share AS
SELECT told.programme_id, told.unit, told.epoch,
       one.key AS band, one.value::double precision AS share
FROM insights.released_to_reader() told, jsonb_each_text(told.fact -> 'bands') one;

CREATE VIEW insights_v1.facet_score AS
SELECT told.programme_id, told.unit, told.epoch,
       one.key AS facet, one.value::double precision AS score
FROM insights.released_to_reader() told, jsonb_each_text(told.fact -> 'facets') one;

CREATE VIEW insights_v1.benefit_share AS
SELECT told.programme_id, told.unit, told.epoch,
       one.key AS benefit, one.value::double precision AS share
FROM insights.released_to_reader() told, jsonb_each_text(told.fact -> 'benefits') one;

COMMENT ON SCHEMA insights_v1 IS
    'What was released of programmes, for BI tools. Columns are added, never changed or removed.';
COMMENT ON VIEW insights_v1.programme IS 'programmes of which something was released';
COMMENT ON COLUMN insights_v1.programme.programme_id IS 'the programme';
COMMENT ON COLUMN insights_v1.programme.first_epoch IS 'the first month that was released';
COMMENT ON COLUMN insights_v1.programme.newest_epoch IS 'the newest month that was released';
COMMENT ON VIEW insights_v1.programme_measure IS
    'a row for each cell: a programme, or one of its units, in one month; never about fewer than five';
COMMENT ON COLUMN insights_v1.programme_measure.as_of IS 'the instant the numbers are as of: the end of the month';
COMMENT ON COLUMN insights_v1.programme_measure.model IS 'the version of the trust model';
COMMENT ON COLUMN insights_v1.programme_measure.pairs IS 'pairs, rounded down to fives';
COMMENT ON COLUMN insights_v1.programme_measure.mentors IS 'mentors, rounded down to fives';
COMMENT ON COLUMN insights_v1.programme_measure.mentees IS 'mentees, rounded down to fives';
COMMENT ON COLUMN insights_v1.programme_measure.health IS
    'mean of the lower direction of each pair, 0 to 1 in steps of 0.05';
COMMENT ON VIEW insights_v1.band_share IS 'four rows for each cell: how many of its pairs are in a band';
COMMENT ON COLUMN insights_v1.band_share.band IS 'too_early, steady, watch or strained';
COMMENT ON COLUMN insights_v1.band_share.share IS 'of all pairs, 0 to 1 in steps of 0.05';
COMMENT ON VIEW insights_v1.facet_score IS 'six rows for each cell: mean trust in each facet';
COMMENT ON COLUMN insights_v1.facet_score.facet IS 
    'E expectations, L listening, H honesty, R reliability, B boundaries, P rapport';
COMMENT ON COLUMN insights_v1.facet_score.score IS 'mean of both directions of all pairs, 0 to 1 in steps of 0.05';
COMMENT ON VIEW insights_v1.benefit_share IS 'four rows for each cell: how many of its pairs had a benefit';
COMMENT ON COLUMN insights_v1.benefit_share.benefit IS 'clarity, growth, problem_solving or network';
COMMENT ON COLUMN insights_v1.benefit_share.share IS 'of all pairs, 0 to 1 in steps of 0.05';
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['programme_measure', 'band_share', 'facet_score', 'benefit_share'] LOOP
        EXECUTE format('COMMENT ON COLUMN insights_v1.%I.programme_id IS %L', name, 'the programme');
        EXECUTE format('COMMENT ON COLUMN insights_v1.%I.unit IS %L', name,
                       'the unit; empty is the programme as a whole, which holds its units');
        EXECUTE format('COMMENT ON COLUMN insights_v1.%I.epoch IS %L', name,
                       'the first day of the month (UTC)');
    END LOOP;
END;

-- To everybody, for who may see which rows is said by the table `reader` alone.
GRANT USAGE ON SCHEMA insights_v1 TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA insights_v1 TO PUBLIC;
END
$views$;

-- migrate:down
