"""One class per op: value, axes, expression, arithmetic of a cell, row rule, gradient. Importing one registers all."""
from attntrace.ops import batch, elementwise, functions, indexing, loss, matmul, shape

__all__ = ["batch", "elementwise", "functions", "indexing", "loss", "matmul", "shape"]
