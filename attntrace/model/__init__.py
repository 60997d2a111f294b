"""The paper: configuration, tokens, parameters, and the model as equations, one line each."""
