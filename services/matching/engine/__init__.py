"""Matching in arrays: candidates, solutions, their proof and their measures. No I/O, no clock."""
