-- migrate:up

-- How long a fact has waited for the broker. Its "time" is when it happened, which may be long ago.
ALTER TABLE outbox ADD COLUMN written_at timestamptz NOT NULL DEFAULT now();

-- migrate:down
