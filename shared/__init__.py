"""What the services share: contracts, delivery, and small bricks. Imports no service."""
