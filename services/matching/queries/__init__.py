"""Every SQL statement of matching, named, with typed rows. No transaction, no rule."""
