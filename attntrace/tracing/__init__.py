"""Naming a tensor makes it a step; addresses, the fingerprint of a run."""
