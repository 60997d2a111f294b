"""How a model learns: gradients, loss, optimisers, the training loop."""
