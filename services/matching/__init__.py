"""Matching: people as the network knows them, fair proposals, and the life of a pair."""
