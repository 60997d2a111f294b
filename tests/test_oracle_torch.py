"""The comparison with PyTorch, where there is PyTorch."""
import pytest

pytest.importorskip("torch")
pytest.register_assert_rewrite("oracle_torch")

from oracle_torch import *  # noqa: E402, F401, F403
