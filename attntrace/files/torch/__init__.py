"""The names and layouts of `torch.nn` modules, read from and written to a `state_dict`."""
