"""One function per command or fact: transaction, decide, save, outbox. Holds no SQL and no rule."""
