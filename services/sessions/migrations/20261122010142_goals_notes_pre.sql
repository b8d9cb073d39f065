-- migrate:up

-- What the pair wants to reach. `words` and `measure` are the pair's own, and null once who wrote
-- them is erased; `sweep_at` is until when a proposed goal can be answered, null from then on.
CREATE TABLE goal (
    tenant      text NOT NULL,
    goal_id     uuid NOT NULL,
    pair_id     uuid NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    words       text CHECK (length(words) BETWEEN 1 AND 200),
    words_by    text NOT NULL,
    measure     text CHECK (length(measure) BETWEEN 1 AND 200),
    measure_by  text,
    due_on      date,
    answered_by text NOT NULL CHECK (answered_by <> proposed_by),
    sweep_at    timestamptz CHECK ((sweep_at IS NOT NULL) = (state = 'proposed')),
    state       text NOT NULL CHECK (state IN (
        'proposed', 'open', 'reached', 'declined', 'withdrawn', 'lapsed', 'dropped', 'released'
    )),
    agreed_at   timestamptz,
    progress    double precision NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    moved_at    timestamptz,
    reached_at  timestamptz,
    revision    int  NOT NULL DEFAULT 1,
    CHECK (measure IS NULL OR measure_by IS NOT NULL),
    CHECK ((agreed_at IS NULL) = (moved_at IS NULL)),
    CHECK ((state = 'reached') = (reached_at IS NOT NULL)),
    PRIMARY KEY (tenant, goal_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair
);

CREATE INDEX goal_of_pair ON goal (tenant, pair_id, proposed_at DESC, goal_id DESC);
CREATE INDEX goal_due ON goal (sweep_at) WHERE state IN ('proposed', 'open');

-- How far a goal was, each time that somebody said so.
CREATE TABLE goal_step (
    tenant   text NOT NULL,
    step_id  uuid NOT NULL,
    goal_id  uuid NOT NULL,
    noted_by text NOT NULL,
    noted_at timestamptz NOT NULL,
    progress double precision NOT NULL CHECK (progress BETWEEN 0 AND 1),
    note     text CHECK (length(note) BETWEEN 1 AND 200),
    PRIMARY KEY (tenant, step_id),
    FOREIGN KEY (tenant, goal_id) REFERENCES goal
);

CREATE INDEX goal_step_of_goal ON goal_step (tenant, goal_id, noted_at DESC, step_id DESC);

-- What the two want to speak about, until one of them takes it off.
CREATE TABLE agenda_item (
    tenant     text NOT NULL,
    item_id    uuid NOT NULL,
    pair_id    uuid NOT NULL,
    written_by text NOT NULL,
    written_at timestamptz NOT NULL,
    text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 300),
    PRIMARY KEY (tenant, item_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair
);

CREATE INDEX agenda_item_of_pair ON agenda_item (tenant, pair_id, written_at, item_id);

-- What one of the two wrote, for both to read and for nobody else.
CREATE TABLE note (
    tenant     text NOT NULL,
    note_id    uuid NOT NULL,
    pair_id    uuid NOT NULL,
    session_id uuid,
    written_by text NOT NULL,
    written_at timestamptz NOT NULL,
    edited_at  timestamptz,
    text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    revision   int  NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant, note_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair,
    FOREIGN KEY (tenant, session_id) REFERENCES session
);

CREATE INDEX note_of_pair ON note (tenant, pair_id, written_at DESC, note_id DESC);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['goal', 'goal_step', 'agenda_item', 'note'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
