-- migrate:up

-- All that HR last said of a person, from whichever door: a file that holds some columns leaves the
-- others as they are. NULL of people who were told of before this, and of those who are erased.
ALTER TABLE person ADD COLUMN said jsonb;

-- migrate:down
