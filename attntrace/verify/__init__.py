"""The independent checker: a recorded run computed again, without a line of the code that computed it."""
