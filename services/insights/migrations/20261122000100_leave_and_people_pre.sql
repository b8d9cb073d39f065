-- migrate:up

-- Which session, commitment or leave a piece of evidence is about (domain/evidence.py: ref_of).
ALTER TABLE evidence ADD COLUMN ref bigint NOT NULL DEFAULT 0;

-- What was told about leaves, as evidence for pairs that are not known yet.
CREATE TABLE leave (
    tenant    text     NOT NULL,
    person_id text     NOT NULL,
    event_id  uuid     NOT NULL,
    at_us     bigint   NOT NULL,
    kind      smallint NOT NULL,
    ref       bigint   NOT NULL,
    PRIMARY KEY (tenant, person_id, event_id)
);

-- Whose pairs stand still when somebody is away.
CREATE INDEX pair_of_mentor ON pair (tenant, mentor_id);
CREATE INDEX pair_of_mentee ON pair (tenant, mentee_id);

-- The unit of a person, for aggregates; nothing else about people is kept here.
CREATE TABLE person (
    tenant    text        NOT NULL,
    person_id text        NOT NULL,
    org_unit  text,
    told_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

-- migrate:down
