"""Every SQL statement of sessions, by subject, with typed rows. Decides nothing, opens nothing."""
