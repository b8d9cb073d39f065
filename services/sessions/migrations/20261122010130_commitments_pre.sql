-- migrate:up

-- What the two say about a promise. `waits_for` is whose word it waits for; `dated_at` when the
-- present due time was agreed on, null while it is the first; `sweep_at` is later than
-- `claim_closes_at`, at which it would have closed, when a claim came late.
ALTER TABLE commitment
    ADD COLUMN size              text CHECK (size IN ('small', 'medium', 'large')),
    ADD COLUMN accepted_at       timestamptz,
    ADD COLUMN acknowledged_at   timestamptz,
    ADD COLUMN dated_at          timestamptz,
    ADD COLUMN asked_due_at      timestamptz,
    ADD COLUMN asked_with_notice boolean,
    ADD COLUMN done_at           timestamptz,
    ADD COLUMN claimed_at        timestamptz,
    ADD COLUMN claim_closes_at   timestamptz,
    ADD COLUMN disputed_at       timestamptz,
    ADD COLUMN waits_for         text,
    DROP CONSTRAINT commitment_state_check,
    ADD CONSTRAINT commitment_state_check CHECK (state IN (
        'made', 'open', 'claimed', 'disputed', 'kept', 'missed_warned', 'missed_told', 'missed',
        'declined', 'withdrawn', 'lapsed', 'released', 'shown_false', 'unconfirmed', 'unsettled'
    )),
    ADD CONSTRAINT commitment_asked CHECK ((asked_due_at IS NULL) = (asked_with_notice IS NULL)),
    ADD CONSTRAINT commitment_claim CHECK (
        (claimed_at IS NULL) = (done_at IS NULL) AND (claimed_at IS NULL) = (claim_closes_at IS NULL)
        AND done_at <= due_at
    ),
    ADD CONSTRAINT commitment_claimed CHECK (
        state NOT IN ('claimed', 'disputed', 'shown_false') OR claimed_at IS NOT NULL
    ),
    ADD CONSTRAINT commitment_disputed CHECK (state <> 'disputed' OR disputed_at IS NOT NULL);

CREATE INDEX commitment_ongoing_due ON commitment (sweep_at)
    WHERE state IN ('made', 'open', 'claimed', 'disputed');
CREATE INDEX commitment_ongoing ON commitment (tenant, pair_id, due_at)
    WHERE state IN ('made', 'open', 'claimed', 'disputed');
CREATE INDEX commitment_by_age ON commitment (tenant, pair_id, made_at DESC, commitment_id DESC);
CREATE INDEX commitment_disputed ON commitment (tenant, disputed_at) WHERE state = 'disputed';
DROP INDEX commitment_due;
DROP INDEX commitment_of_pair;

-- What somebody promised to put right. `repairs` is the commitment or session that was missed;
-- `words` are the pair's own, and in no fact.
CREATE TABLE repair (
    tenant        text NOT NULL,
    repair_id     uuid NOT NULL,
    pair_id       uuid NOT NULL,
    promised_by   text NOT NULL,
    promised_at   timestamptz NOT NULL,
    repairs       uuid NOT NULL,
    missed_due_at timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    words         text,
    closes_at     timestamptz NOT NULL,
    sweep_at      timestamptz NOT NULL,
    state         text NOT NULL CHECK (state IN (
        'promised', 'claimed', 'delivered', 'broken', 'unacknowledged', 'released'
    )),
    delivered_at  timestamptz CHECK (delivered_at >= promised_at),
    waits_for     text,
    revision      int  NOT NULL DEFAULT 1,
    CHECK (state NOT IN ('claimed', 'delivered', 'unacknowledged') OR delivered_at IS NOT NULL),
    PRIMARY KEY (tenant, repair_id),
    FOREIGN KEY (tenant, pair_id) REFERENCES pair
);

CREATE INDEX repair_of_pair ON repair (tenant, pair_id, promised_at DESC, repair_id DESC);
CREATE INDEX repair_due ON repair (sweep_at) WHERE state IN ('promised', 'claimed');
-- The rule says so; this keeps it when the rule is wrong.
CREATE UNIQUE INDEX repair_of_miss ON repair (tenant, repairs, promised_by)
    WHERE state IN ('promised', 'claimed', 'delivered');

ALTER TABLE repair ENABLE ROW LEVEL SECURITY;
ALTER TABLE repair FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON repair
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- migrate:down
