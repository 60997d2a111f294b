"""What is said of a run: blocks, and how they are made of steps. No format, no terminal."""
