"""The version of attntrace, which is all that `--version` imports."""
__version__ = "0.1.0"
