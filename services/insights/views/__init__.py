"""Answers of the API, each made for one kind of reader. Reads only; who may ask is decided here."""
