-- migrate:up

ALTER TABLE session
    ADD COLUMN channel     text,
    ADD COLUMN series_id   uuid,
    -- What the time breaks of the agreement, and who allowed that this once.
    ADD COLUMN allowed_by  text,
    ADD COLUMN broken_term text CHECK ((broken_term IS NULL) = (allowed_by IS NULL)),
    -- How often it was moved; calendars go by it.
    ADD COLUMN sequence    int NOT NULL DEFAULT 0,
    ADD COLUMN claimed_by  text,
    ADD COLUMN accused     text,
    ADD COLUMN claimed_at  timestamptz,
    ADD COLUMN disputed_at timestamptz,
    -- When a claimed session would have closed without the claim.
    ADD COLUMN confirm_until timestamptz,
    ADD COLUMN in_outage   boolean NOT NULL DEFAULT false,
    ADD COLUMN missed_by   text[] NOT NULL DEFAULT '{}' CHECK (cardinality(missed_by) <= 2),
    ADD CHECK (num_nulls(claimed_by, accused, claimed_at, confirm_until) IN (0, 4)),
    DROP CONSTRAINT session_state_check,
    ADD CONSTRAINT session_state_check CHECK (state IN (
        'scheduled', 'claimed', 'disputed', 'held', 'missed', 'cancelled', 'lapsed', 'released'
    ));

CREATE INDEX session_open_due ON session (sweep_at)
    WHERE state IN ('scheduled', 'claimed', 'disputed');
-- From when on the clock of what is open runs: what an outage gives back is looked for by it.
CREATE INDEX session_clock ON session ((coalesce(disputed_at, claimed_at, ends_at)))
    WHERE state IN ('scheduled', 'claimed', 'disputed');
CREATE INDEX session_disputed ON session (tenant, disputed_at, session_id)
    WHERE state = 'disputed';
CREATE INDEX session_of_series ON session (tenant, series_id) WHERE series_id IS NOT NULL;

CREATE TABLE proposal (
    tenant      text  NOT NULL,
    proposal_id uuid  NOT NULL,
    pair_id     uuid  NOT NULL,
    proposed_by text  NOT NULL,
    asked       text  NOT NULL,
    proposed_at timestamptz NOT NULL,
    slots       jsonb NOT NULL CHECK (jsonb_array_length(slots) BETWEEN 1 AND 5),
    channel     text,
    sweep_at    timestamptz NOT NULL,
    state       text  NOT NULL
                CHECK (state IN ('open', 'accepted', 'declined', 'withdrawn', 'lapsed')),
    -- The number of the time that was picked, from 1.
    picked      int,
    session_id  uuid,
    revision    int   NOT NULL DEFAULT 1,
    CHECK (num_nulls(picked, session_id) = CASE state WHEN 'accepted' THEN 0 ELSE 2 END),
    PRIMARY KEY (tenant, proposal_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair,
    FOREIGN KEY (tenant, session_id) REFERENCES session
);

CREATE INDEX proposal_of_pair ON proposal (tenant, pair_id, sweep_at) WHERE state = 'open';
CREATE INDEX proposal_due ON proposal (sweep_at) WHERE state = 'open';

CREATE TABLE series (
    tenant           text NOT NULL,
    series_id        uuid NOT NULL,
    pair_id          uuid NOT NULL,
    made_by          text NOT NULL,
    made_at          timestamptz NOT NULL,
    -- A time of the clocks in `zone`, not an instant.
    starts_at_local  timestamp NOT NULL,
    zone             text NOT NULL,
    duration_minutes int  NOT NULL,
    occurrences      int  NOT NULL,
    every_days       int  NOT NULL,
    channel          text,
    left_out         jsonb NOT NULL,
    called_off_at    timestamptz,
    revision         int  NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant, series_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['proposal', 'series'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
