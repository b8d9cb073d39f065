"""One function per command or fact: lock, decide, save, announce, in one transaction. No SQL."""
