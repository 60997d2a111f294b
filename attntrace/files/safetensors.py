"""Reading and writing .safetensors files, arrays by name and texts in the metadata, with the library safetensors."""
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
    """The shape and the type of a tensor; a `dtype` that NumPy lacks (bfloat16) is its name."""
    shape: tuple[int, ...]
    dtype: str


class Safetensors:
    """The tensors of a file by name, from its bytes. Raises Problem where it is broken or the library is missing."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        try:
            self._tensors = dict(sorted(library("safetensors").deserialize(data)))  # the library returns any order
            size = int.from_bytes(data[:8], "little")  # of the header, which the library has checked
            self.texts: dict[str, str] = json.loads(data[8:8 + size]).get("__metadata__") or {}
            self.headers = {name: Header(tuple(tensor["shape"]), DTYPES.get(tensor["dtype"], tensor["dtype"]))
                            for name, tensor in self._tensors.items()}
        except (Problem, MemoryError):
            raise
        except Exception as error:  # the library raises an exception of its own, JSON and NumPy raise others
            raise Problem("weights_broken", file=str(path), why=reason(error)) from None

    def read(self, name: str) -> Array:
        """Return the numbers of a tensor; bfloat16 as float32, which represents all of its numbers."""
        shape, dtype = self.headers[name]
        data = self._tensors[name]["data"]
        if dtype == "bfloat16":  # the upper half of a float32
            return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
        try:
            return np.frombuffer(data, dtype).reshape(shape)
        except TypeError:  # a type that NumPy does not have, of eight bits or less
            raise Problem("parameter_kind", file=str(self.path), name=shown(name), kind=dtype) from None


def serialized(arrays: Mapping[str, Array], texts: dict[str, str] | None = None) -> bytes:
    """Return the bytes of a file with these arrays and texts."""
    ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return bytes(library("safetensors.numpy").save(ordered, texts))


def library(module: str) -> Any:
    """Import a module of the library. Raises Problem where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Problem("no_safetensors") from None
