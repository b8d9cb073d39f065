-- migrate:up

-- What a message is about, from when it may be said and whether even at night, what it is worth
-- among others, and the digest it is gathered in. `counted_on` is the day of its reader's attention
-- that it was counted on: a second attempt is not counted again.
ALTER TABLE message
    ADD COLUMN about      uuid,
    ADD COLUMN not_before timestamptz,
    ADD COLUMN is_urgent  boolean NOT NULL DEFAULT false,
    ADD COLUMN value      smallint NOT NULL DEFAULT 50,
    ADD COLUMN digest_id  uuid,
    ADD COLUMN counted_on date;
ALTER TABLE message DROP CONSTRAINT message_state_check;
ALTER TABLE message ADD CONSTRAINT message_state_check
    CHECK (state IN ('waiting_for_address', 'queued', 'gathered', 'claimed', 'sent', 'failed',
                     'expired', 'suppressed')) NOT VALID;

-- What happened to a thing is found among what is still to be said of it.
CREATE INDEX message_about ON message (tenant, about)
    WHERE state IN ('waiting_for_address', 'queued', 'gathered');
CREATE INDEX message_gathered ON message (due_at) WHERE state IN ('gathered', 'claimed')
    AND digest_id IS NOT NULL;

-- An inbox is read by when things came into it, which may be long after they were planned.
CREATE INDEX message_inbox ON message (tenant, person_id, sent_at DESC, message_id DESC)
    WHERE channel = 'inbox' AND state = 'sent';

-- What a person has chosen, or `*` for everybody of the tenant; and each change of it.
CREATE TABLE preference (
    tenant     text        NOT NULL,
    of_whom    text        NOT NULL,
    revision   int         NOT NULL,
    choices    jsonb       NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, of_whom)
);
CREATE TABLE preference_change (
    tenant     text        NOT NULL,
    of_whom    text        NOT NULL,
    revision   int         NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text        NOT NULL,
    how        text        NOT NULL,
    choices    jsonb       NOT NULL,
    PRIMARY KEY (tenant, of_whom, revision)
);

CREATE TABLE person_leave (
    tenant     text        NOT NULL,
    person_id  text        NOT NULL,
    leave_id   text        NOT NULL,
    started_on date        NOT NULL,
    back_on    date,
    as_of      timestamptz NOT NULL,
    event_id   uuid        NOT NULL,
    PRIMARY KEY (tenant, person_id, leave_id)
);

-- What a pair has agreed on: when and over what each side is written to.
CREATE TABLE pair_terms (
    tenant   text   NOT NULL,
    pair_id  uuid   NOT NULL,
    version  int    NOT NULL,
    mentor_id text  NOT NULL,
    mentee_id text  NOT NULL,
    channels text[] NOT NULL,
    hours    jsonb  NOT NULL,
    PRIMARY KEY (tenant, pair_id)
);

-- How many messages have called for a person's attention on a day of theirs.
CREATE TABLE attention (
    tenant    text NOT NULL,
    person_id text NOT NULL,
    day       date NOT NULL,
    used      int  NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, person_id, day)
);

-- The digest that is open for a person. When it closes was said when it was opened.
CREATE TABLE digest (
    tenant    text        NOT NULL,
    person_id text        NOT NULL,
    digest_id uuid        NOT NULL,
    closes_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id)
);

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['preference', 'preference_change', 'person_leave', 'pair_terms',
                                'attention', 'digest'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
