"""Manifests for Kubernetes, and the program that makes those which follow from the code."""
