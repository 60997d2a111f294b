"""Weights from elsewhere: arrays under foreign names become ours, and ours become theirs. One table a source."""
