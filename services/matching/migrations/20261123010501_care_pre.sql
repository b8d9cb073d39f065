-- migrate:up

-- Promises of mentors that are late and not put right. A row without a person is one that was
-- settled, kept so long that the news of the miss, should it come later, opens nothing.
CREATE TABLE late_promise (
    tenant        text        NOT NULL,
    commitment_id uuid        NOT NULL,
    pair_id       uuid        NOT NULL,
    person_id     text,
    since         timestamptz NOT NULL,
    PRIMARY KEY (tenant, commitment_id)
);
CREATE INDEX late_promise_by_person ON late_promise (tenant, person_id)
    WHERE person_id IS NOT NULL;
CREATE INDEX late_promise_age ON late_promise (since);

-- What either says is for their own eyes until both have said yes, and forgotten when it lapses.
-- `stopped`: it cannot be made any more, which nobody is told before `until`.
CREATE TABLE introduction (
    tenant          text        NOT NULL,
    introduction_id uuid        NOT NULL,
    pair_id         uuid        NOT NULL,
    mentor_id       text        NOT NULL,
    mentee_id       text        NOT NULL,
    offered_by      text        NOT NULL,
    contact         text        NOT NULL,
    about           text        NOT NULL,
    offered_at      timestamptz NOT NULL,
    until           timestamptz NOT NULL,
    state           text        NOT NULL CHECK (state IN ('offered', 'made', 'lapsed', 'concluded')),
    partner_says    text        CHECK (partner_says IN ('yes', 'no')),
    contact_says    text        CHECK (contact_says IN ('yes', 'no')),
    stopped         boolean     NOT NULL,
    closed_at       timestamptz,
    outcome         text,
    revision        int         NOT NULL,
    PRIMARY KEY (tenant, introduction_id),
    CHECK (state <> 'lapsed' OR num_nonnulls(partner_says, contact_says) = 0)
);
CREATE UNIQUE INDEX introduction_once ON introduction (tenant, pair_id, contact)
    WHERE state = 'offered';
CREATE INDEX introduction_due ON introduction (until) WHERE state = 'offered';
CREATE INDEX introduction_by_mentor ON introduction (tenant, mentor_id, introduction_id);
CREATE INDEX introduction_by_mentee ON introduction (tenant, mentee_id, introduction_id);
CREATE INDEX introduction_by_contact ON introduction (tenant, contact, introduction_id);

CREATE INDEX pair_open_by_mentor ON pair (tenant, mentor_id)
    WHERE state IN ('proposed', 'accepted', 'started');
CREATE INDEX pair_of_programme ON pair (tenant, programme_id) WHERE state IN ('started', 'ended');

-- What takes up a mentor's places at an instant: pairs, and promises that are late in running pairs
-- for not longer than 30 days. `cap` is the programme's, NULL for none. Plain SQL, so that the
-- planner sees through it as through a view; and so that row-level security is the caller's.
CREATE FUNCTION mentor_places(at timestamptz, cap int)
RETURNS TABLE (tenant text, person_id text, capacity int, open_pairs int, late int, places int)
LANGUAGE sql STABLE AS $$
    SELECT mentor.tenant, mentor.person_id, mentor.capacity, taken.pairs, taken.late,
           greatest(0, least(mentor.capacity, cap) - taken.pairs - taken.late)
    FROM participant AS mentor CROSS JOIN LATERAL (
        SELECT (SELECT count(*)::int FROM pair
                WHERE pair.tenant = mentor.tenant AND pair.mentor_id = mentor.person_id
                  AND pair.state IN ('proposed', 'accepted', 'started')) AS pairs,
               (SELECT count(*)::int FROM late_promise JOIN pair USING (tenant, pair_id)
                WHERE late_promise.tenant = mentor.tenant
                  AND late_promise.person_id = mentor.person_id
                  AND late_promise.since > at - interval '30 days'
                  AND pair.state = 'started') AS late
    ) AS taken
    WHERE 'mentor' = ANY (mentor.roles)
$$;

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['late_promise', 'introduction'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
