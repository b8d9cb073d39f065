"""The four services. Each is an authority of its own; none imports another."""
