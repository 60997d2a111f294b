"""The independent checker: a recorded run computed again, without a line of the code that computed it.

From the ground up: numerics.py (three ways to do arithmetic), nested.py (numbers as nested lists), expressions.py (the
second table of ops), recomputation.py (records, and what their expressions give), invariants.py (what must be true
whatever the numbers are). These import the standard library and each other alone; against.py, which compares with
PyTorch, raises Problem besides where it cannot.
"""
