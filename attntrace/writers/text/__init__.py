"""Blocks as text: a terminal, a pipe, a file."""
