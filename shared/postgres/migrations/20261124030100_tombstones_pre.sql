-- migrate:up

-- A row without payload is a tombstone: for Debezium's router, with route.tombstone.on.empty.payload.
ALTER TABLE outbox ALTER COLUMN payload DROP NOT NULL;

-- migrate:down
