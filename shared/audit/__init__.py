"""Who read or changed what: lines, their chain, writing, reading and verifying them."""
