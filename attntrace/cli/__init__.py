"""What was typed: commands, options, output files, and what ends with which exit code."""
