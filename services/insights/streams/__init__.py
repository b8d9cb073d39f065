"""Live streams: from the ring to everybody who listens. Reads the database, changes nothing."""
