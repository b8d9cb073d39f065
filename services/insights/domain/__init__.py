"""From facts to evidence, from evidence to trust. Pure: no I/O, no clock, no await."""
