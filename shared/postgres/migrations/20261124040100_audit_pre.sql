-- migrate:up

-- Who read or changed what: a line per request, chained by hash for each tenant. A line without
-- status says that something was about to be done; the one with the same request says how it went.
CREATE TABLE audit (
    tenant  text        NOT NULL,
    seq     bigint      NOT NULL CHECK (seq > 0),
    at      timestamptz NOT NULL,
    request uuid        NOT NULL,
    person  text        NOT NULL,
    role    text        NOT NULL,
    method  text        NOT NULL,
    route   text        NOT NULL,
    names   text[]      NOT NULL,
    ids     text[]      NOT NULL,
    status  smallint,
    prev    bytea       NOT NULL,
    hash    bytea       NOT NULL,
    PRIMARY KEY (tenant, seq)
);

CREATE INDEX audit_by ON audit (tenant, person, seq);
-- An element of an array and not "contains": only what leaks nothing may use an index under the
-- policy below. No route has more than three ids.
CREATE INDEX audit_about_1 ON audit (tenant, (ids[1]), seq) WHERE ids[1] IS NOT NULL;
CREATE INDEX audit_about_2 ON audit (tenant, (ids[2]), seq) WHERE ids[2] IS NOT NULL;
CREATE INDEX audit_about_3 ON audit (tenant, (ids[3]), seq) WHERE ids[3] IS NOT NULL;
CREATE INDEX audit_pruned ON audit (tenant, seq) WHERE route = 'trustfold audit prune';

-- Lines are added and stay. Those go that a line about pruning covers, and it names their last hash.
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    uncovered bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN
        EXECUTE format(
            $said$SELECT count(*) FROM gone WHERE seq > coalesce((
                      SELECT max(p.ids[1]::bigint) FROM %I.audit p
                      WHERE p.tenant = gone.tenant AND p.route = 'trustfold audit prune'), 0)$said$,
            TG_TABLE_SCHEMA) INTO uncovered;
        IF uncovered = 0 THEN
            RETURN NULL;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
CREATE TRIGGER audit_leaves AFTER DELETE ON audit REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON audit
    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'));

-- migrate:down
