"""One class per op: value, axes, notation, arithmetic of a cell, row rule, gradient."""
