"""Every SQL statement of insights, named, with typed rows. No transaction of its own, no rule."""
