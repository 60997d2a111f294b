"""A .safetensors file: arrays by name, and texts in its metadata. Reading and writing need the library safetensors."""
from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attntrace.files.npz import reason
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.tensor.tensor import Array

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16", "I64": "<i8", "I32": "<i4", "I16": "<i2",
          "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?"}
COPIES = 2  # of its bytes that reading takes


class Header(NamedTuple):
    """What a tensor is, before it is read; a `dtype` that NumPy lacks (bfloat16) by its name alone."""
    shape: tuple[int, ...]
    dtype: str


class Safetensors:
    """The tensors of a file by name, given its bytes. Raises Problem where it is broken, or the library is missing."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        try:
            self._tensors = dict(sorted(library("safetensors").deserialize(data)))  # which come in any order
            size = int.from_bytes(data[:8], "little")  # of the header, which the library has found to be right
            self.texts: dict[str, str] = json.loads(data[8:8 + size]).get("__metadata__") or {}
            self.headers = {name: Header(tuple(found["shape"]), DTYPES.get(found["dtype"], found["dtype"]))
                            for name, found in self._tensors.items()}
        except (Problem, MemoryError):
            raise
        except Exception as error:  # the library has a kind of its own, and where it says less, JSON or NumPy
            raise Problem("weights_broken", file=str(path), why=reason(error)) from None

    def read(self, name: str) -> Array:
        """A tensor's numbers; bfloat16 as float32, which has all of its."""
        shape, dtype = self.headers[name]
        data = self._tensors[name]["data"]
        if dtype == "bfloat16":  # the first half of a float32
            return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
        try:
            return np.frombuffer(data, dtype).reshape(shape)
        except TypeError:  # of eight bits, or whatever comes next
            raise Problem("parameter_kind", file=str(self.path), name=shown(name), kind=dtype) from None


def serialized(arrays: Mapping[str, Array], texts: dict[str, str] | None = None) -> bytes:
    """The bytes of a file that holds these."""
    found: bytes = library("safetensors.numpy").save({name: np.asarray(array, order="C")
                                                      for name, array in arrays.items()}, texts)
    return found


def library(module: str) -> Any:
    """A module of the library. Raises Problem where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Problem("no_safetensors") from None
