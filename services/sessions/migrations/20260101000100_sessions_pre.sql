-- migrate:up

-- Every writer locks the pair's row first: what a pair does is decided one thing at a time, and
-- the outbox positions of one pair are in commit order.
CREATE TABLE pair (
    tenant     text NOT NULL,
    pair_id    uuid NOT NULL,
    mentor_id  text NOT NULL,
    mentee_id  text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    PRIMARY KEY (tenant, pair_id)
);

CREATE INDEX pair_of_mentor ON pair (tenant, mentor_id);
CREATE INDEX pair_of_mentee ON pair (tenant, mentee_id);

-- Only what a pair may be shown of its trust. No column says when it came: a date could betray a
-- private answer.
CREATE TABLE pair_trust (
    tenant       text   NOT NULL,
    pair_id      uuid   NOT NULL,
    revision     bigint NOT NULL,
    partner_safe jsonb  NOT NULL,
    PRIMARY KEY (tenant, pair_id)
);

CREATE TABLE person (
    tenant    text NOT NULL,
    person_id text NOT NULL,
    timezone  text NOT NULL,
    as_of     timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

CREATE TABLE agreement (
    tenant       text   NOT NULL,
    pair_id      uuid   NOT NULL,
    version      int    NOT NULL,
    cadence_days int    NOT NULL,
    notice_hours int    NOT NULL,
    channels     text[] NOT NULL,
    proposed_by  text   NOT NULL,
    proposed_at  timestamptz NOT NULL,
    signed_at    timestamptz,
    PRIMARY KEY (tenant, pair_id, version),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair
);

CREATE TABLE session (
    tenant           text   NOT NULL,
    session_id       uuid   NOT NULL,
    pair_id          uuid   NOT NULL,
    scheduled_by     text   NOT NULL,
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL CHECK (ends_at > starts_at),
    duration_minutes int    NOT NULL,
    confirmed_by     text[] NOT NULL DEFAULT '{}' CHECK (cardinality(confirmed_by) <= 2),
    sweep_at         timestamptz NOT NULL,
    state            text   NOT NULL
                     CHECK (state IN ('scheduled', 'held', 'lapsed', 'released')),
    PRIMARY KEY (tenant, session_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair
);

CREATE INDEX session_of_pair ON session (tenant, pair_id, starts_at);
CREATE INDEX session_due ON session (sweep_at) WHERE state = 'scheduled';

CREATE TABLE commitment (
    tenant        text NOT NULL,
    commitment_id uuid NOT NULL,
    pair_id       uuid NOT NULL,
    made_by       text NOT NULL,
    made_at       timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    title         text,
    sweep_at      timestamptz NOT NULL,
    state         text NOT NULL CHECK (
        state IN ('open', 'kept', 'missed_warned', 'missed_told', 'missed', 'released')
    ),
    warned_at     timestamptz CHECK (warned_at < due_at),
    told_at       timestamptz CHECK (told_at >= due_at AND told_at < sweep_at),
    kept_at       timestamptz CHECK (kept_at <= due_at),
    CHECK ((state = 'kept') = (kept_at IS NOT NULL)),
    PRIMARY KEY (tenant, commitment_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair
);

CREATE INDEX commitment_of_pair ON commitment (tenant, pair_id, due_at) WHERE state = 'open';
CREATE INDEX commitment_due ON commitment (sweep_at) WHERE state = 'open';

-- Private: read only to know what its giver has answered, never shown.
CREATE TABLE feedback (
    tenant     text    NOT NULL,
    session_id uuid    NOT NULL,
    given_by   text    NOT NULL,
    item       text    NOT NULL,
    answer     boolean NOT NULL,
    given_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, session_id, given_by, item),
    FOREIGN KEY (tenant, session_id) REFERENCES session
);

-- What both sides may read of what happened; private facts are never in it.
CREATE TABLE history (
    tenant      text  NOT NULL,
    pair_id     uuid  NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id    uuid  NOT NULL,
    type        text  NOT NULL,
    fact        jsonb NOT NULL,
    PRIMARY KEY (tenant, pair_id, occurred_at, event_id)
);

-- A creating request that came with a key, and what it created: a retry gets the same.
CREATE TABLE request (
    tenant      text NOT NULL,
    person_id   text NOT NULL,
    request_key text NOT NULL,
    fingerprint text NOT NULL,
    created     text NOT NULL,
    asked_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id, request_key)
);

CREATE INDEX request_age ON request (asked_at);

-- One row: everything due by then has been decided.
CREATE TABLE sweep_mark (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    swept_until timestamptz NOT NULL
);

-- migrate:down
