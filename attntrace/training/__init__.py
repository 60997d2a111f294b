"""How a model learns: loss, gradients, optimisers, the training loop and its checkpoints."""
SMOOTHING_OVER = "all", "others", "words"  # the words that a smoothed label is spread over
PIECES_OF = "both", "source", "target"  # the sides whose words are split
OPTIMIZERS = {"sgd": 0.01, "adam": 0.001}  # with the learning rate of a single training step
