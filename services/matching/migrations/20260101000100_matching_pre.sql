-- migrate:up

-- People as HR's topic last described them. (as_of, event_id) is the event that won: a row only
-- ever moves forward in it, so facts may arrive in any order. No address is kept here.
CREATE TABLE person (
    tenant       text        NOT NULL,
    person_id    text        NOT NULL,
    display_name text        NOT NULL,
    timezone     text        NOT NULL,
    manager_id   text,
    languages    text[]      NOT NULL,
    hours        jsonb       NOT NULL,
    roles        text[]      NOT NULL,
    capacity     int         NOT NULL,
    offers       text[]      NOT NULL,
    goals        text[]      NOT NULL,
    active       boolean     NOT NULL,
    as_of        timestamptz NOT NULL,
    event_id     uuid        NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

CREATE TABLE pair (
    tenant              text        NOT NULL,
    pair_id             uuid        NOT NULL,
    programme_id        text        NOT NULL,
    mentor_id           text        NOT NULL,
    mentee_id           text        NOT NULL,
    state               text        NOT NULL CHECK (state IN
                        ('proposed', 'accepted', 'started', 'ended', 'declined', 'withdrawn')),
    fit_permille        int         NOT NULL CHECK (fit_permille BETWEEN 0 AND 1000),
    reasons             jsonb       NOT NULL,
    mentor_accepted     boolean     NOT NULL DEFAULT false,
    mentee_accepted     boolean     NOT NULL DEFAULT false,
    proposed_at         timestamptz NOT NULL,
    started_at          timestamptz,
    ended_at            timestamptz,
    end_reason          text,
    PRIMARY KEY (tenant, pair_id),
    CHECK (mentor_id <> mentee_id)
);

-- The last guard of "never the same two again while it is open or was declined".
CREATE UNIQUE INDEX pair_once ON pair (tenant, mentor_id, mentee_id)
    WHERE state IN ('proposed', 'accepted', 'started', 'declined');
CREATE INDEX pair_by_mentor ON pair (tenant, mentor_id, pair_id);
CREATE INDEX pair_by_mentee ON pair (tenant, mentee_id, pair_id);

-- Our copy of trust: bands and the weakest facet from observable evidence, and not one number.
-- No foreign key: the copy must not depend on the order in which facts arrive.
CREATE TABLE pair_trust (
    tenant         text   NOT NULL,
    pair_id        uuid   NOT NULL,
    revision       bigint NOT NULL,
    as_of          timestamptz,
    mentor_band    text   NOT NULL,
    mentor_weakest text,
    mentee_band    text   NOT NULL,
    mentee_weakest text,
    PRIMARY KEY (tenant, pair_id)
);

-- migrate:down
