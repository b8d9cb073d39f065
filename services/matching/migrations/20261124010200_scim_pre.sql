-- migrate:up

-- What HR's provisioning holds of each person, as it was sent. `told` is what the log was told:
-- nothing yet, that they are here, or that they left; the rest of told_ is of the newest fact.
CREATE TABLE scim_user (
    tenant        text        NOT NULL,
    id            text        NOT NULL,
    person_id     text        NOT NULL,
    user_name_key text        NOT NULL,
    external_id   text,
    emails        text[]      NOT NULL,
    manager       text,
    data          jsonb       NOT NULL,
    revision      bigint      NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    told          text        CHECK (told IN ('here', 'left')),
    told_digest   text,
    told_email    text,
    told_at       timestamptz,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX scim_user_name ON scim_user (tenant, user_name_key);
CREATE UNIQUE INDEX scim_user_person ON scim_user (tenant, person_id);
CREATE INDEX scim_user_external ON scim_user (tenant, external_id);
CREATE INDEX scim_user_emails ON scim_user USING gin (emails);

CREATE TABLE scim_group (
    tenant       text        NOT NULL,
    id           text        NOT NULL,
    display_name text        NOT NULL,
    external_id  text,
    data         jsonb       NOT NULL,
    revision     bigint      NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX scim_group_name ON scim_group (tenant, lower(display_name));
CREATE INDEX scim_group_external ON scim_group (tenant, external_id);

-- Apart from the group: a group of everybody is changed by one member at a time.
CREATE TABLE scim_member (
    tenant    text   NOT NULL,
    group_id  text   NOT NULL,
    member_id text   NOT NULL,
    position  bigint GENERATED ALWAYS AS IDENTITY,
    said      jsonb  NOT NULL,
    PRIMARY KEY (tenant, group_id, member_id),
    FOREIGN KEY (tenant, group_id) REFERENCES scim_group ON DELETE CASCADE
);
CREATE INDEX scim_member_of ON scim_member (tenant, member_id);

-- A row is seen by transactions that act for its tenant; without one, nothing is seen. Forced: the
-- service's role owns its tables, and owners are let through otherwise.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['scim_user', 'scim_group', 'scim_member'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            $policy$CREATE POLICY of_tenant ON %I
                    USING (current_setting('trustfold.tenant', true) IN (tenant, '*'))$policy$, name);
    END LOOP;
END
$$;

-- migrate:down
