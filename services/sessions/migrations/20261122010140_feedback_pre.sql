-- migrate:up

-- The giver's own wish that the other side may see it.
ALTER TABLE feedback ADD COLUMN shared boolean NOT NULL DEFAULT false;

-- migrate:down
