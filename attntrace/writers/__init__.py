"""Blocks on paper, one file a format; data from steps."""
