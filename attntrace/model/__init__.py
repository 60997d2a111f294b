"""The paper: configuration, tokens, parameters, and the wiring as equations."""
