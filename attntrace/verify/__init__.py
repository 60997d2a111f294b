"""The independent checker: a recorded run computed again, without a line of the code that computed it.

From the bottom up: arithmetic.py (three ways to do arithmetic), ops.py (numbers as nested lists, the second table of
ops), recompute.py (records, and what their expressions give), invariants.py (what must be true whatever the numbers
are). These import only the standard library and each other; torch.py compares with PyTorch and raises Problem where it
cannot."""
