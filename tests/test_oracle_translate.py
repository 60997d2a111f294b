"""The built-in model against PyTorch, where it is installed (oracle_translate.py)."""
import pytest

pytest.importorskip("torch")
pytest.register_assert_rewrite("oracle_translate")

from oracle_translate import *  # noqa: E402, F401, F403
