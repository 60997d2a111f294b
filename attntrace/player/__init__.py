"""The player: a run on the screen, one sheet at a time, that asks for a number before it shows it."""
