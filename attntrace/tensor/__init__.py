"""A value with named axes that remembers the op and the operands that made it."""
