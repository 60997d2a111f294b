"""What is on disk: weights, input rows, saved runs, the checkpoints of other libraries."""
