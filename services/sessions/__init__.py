"""Sessions: the authority on what a pair agreed and did."""
