-- migrate:up

-- The address book: the newest state of each person that HR has told of. Someone who has left keeps
-- a row without name and address, so that an older fact cannot bring them back.
CREATE TABLE person (
    tenant       text NOT NULL,
    person_id    text NOT NULL,
    email        text,
    display_name text,
    locale       text NOT NULL,
    timezone     text NOT NULL,
    has_left     boolean NOT NULL DEFAULT false,
    as_of        timestamptz NOT NULL,
    PRIMARY KEY (tenant, person_id),
    CHECK (has_left = (email IS NULL) AND has_left = (display_name IS NULL))
);

-- One row for one message to one person over one channel. Holds no name, address or sentence.
-- due_at says when a row may be taken: the time of the next attempt when it is queued, the end of
-- the lease when it is claimed. All times come from the service's clock, none from the database's.
CREATE TABLE message (
    message_id     uuid PRIMARY KEY,
    tenant         text NOT NULL,
    person_id      text NOT NULL,
    pair_id        uuid NOT NULL,
    mentor_id      text NOT NULL,
    mentee_id      text NOT NULL,
    workflow       text NOT NULL,
    channel        text NOT NULL,
    thread         uuid NOT NULL,
    params         jsonb NOT NULL,
    event_id       uuid NOT NULL,
    fact_type      text NOT NULL,
    ce_id          text NOT NULL,
    correlation_id text NOT NULL,
    traceparent    text NOT NULL,
    state          text NOT NULL CHECK (state IN ('waiting_for_address', 'queued', 'claimed',
                                                  'sent', 'failed', 'expired', 'suppressed')),
    reason         text,
    attempt        int NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    due_at         timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    created_at     timestamptz NOT NULL,
    sent_at        timestamptz,
    read_at        timestamptz,
    UNIQUE (event_id, person_id, workflow, channel),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
) WITH (fillfactor = 80);

CREATE INDEX message_due ON message (channel, due_at) WHERE state IN ('queued', 'claimed');
CREATE INDEX message_open ON message (expires_at)
    WHERE state IN ('waiting_for_address', 'queued', 'claimed');
CREATE INDEX message_waiting ON message (tenant, person_id) WHERE state = 'waiting_for_address';
CREATE INDEX message_of_person ON message (tenant, person_id, created_at DESC, message_id DESC);
CREATE INDEX message_unread ON message (tenant, person_id)
    WHERE channel = 'inbox' AND state = 'sent' AND read_at IS NULL;
CREATE INDEX message_newest ON message (tenant, created_at DESC, message_id DESC);

-- migrate:down
