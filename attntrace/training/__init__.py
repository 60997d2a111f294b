"""How a model learns: loss, gradients, optimisers, the training loop and its checkpoints."""
