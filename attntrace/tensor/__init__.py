"""What a tensor is: a value with named axes that remembers the op and the operands that produced it."""
