"""Insights: what the facts say about the trust of a pair, and who may see it."""
