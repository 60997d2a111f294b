"""Expressions of the JSON Lines file, evaluated from the numbers of the file alone; it knows nothing of the product."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Value = tuple[np.ndarray, list[str]]  # numbers, and the words of their axes
FLIPPED = {"token": "key", "key": "token"}


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sinusoid(positions: list[int], width: int, layout: str) -> np.ndarray:
    table = np.empty((len(positions), width))
    for row, pos in enumerate(positions):
        for k in range(width // 2):
            angle = pos / 10000 ** (2 * k / width)
            sine, cosine = (2 * k, 2 * k + 1) if layout == "interleaved" else (k, width // 2 + k)
            table[row, sine], table[row, cosine] = np.sin(angle), np.cos(angle)
    return table


def labels(ids: list[int], size: int, smoothing: float) -> np.ndarray:
    return (1 - smoothing) * np.eye(size)[np.array(ids) - 1] + smoothing / size


def cross_entropy(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array([-sum(part * np.log(share) for share, part in zip(*row) if part) for row in zip(p, y)])


def into_rows(x: np.ndarray, ids: list[int], size: int) -> np.ndarray:
    return np.array([sum((row for row, id in zip(x, ids) if id == n + 1), np.zeros(x.shape[1])) for n in range(size)])


def among_columns(x: np.ndarray, first: int, last: int, size: int) -> np.ndarray:
    assert x.shape[-1] == last - first + 1
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(first - 1, size - last)])


def lined_up(op: Callable[[Any, Any], Any]) -> Callable[[Value, Value], Value]:
    """Cell by cell; the shorter operand is repeated along the axes that it lacks, which their words tell."""
    def apply(one: Value, other: Value) -> Value:
        (a, axes), (b, others) = one, other
        if len(axes) == len(others):
            return op(a, b), axes
        whole = max(axes, others, key=len)
        return op(_stretched(a, axes, whole), _stretched(b, others, whole)), whole
    return apply


def _stretched(value: np.ndarray, axes: list[str], whole: list[str]) -> np.ndarray:
    sizes = iter(np.shape(value))
    return np.reshape(value, [next(sizes) if word in axes else 1 for word in whole])


def _keeping_axes(op: Callable[[Any], Any]) -> Callable[[Value], Value]:
    return lambda operand: (op(operand[0]), operand[1])


def _summed(*parts: Value) -> Value:
    return sum(value for value, _ in parts[1:]) + parts[0][0], parts[0][1]


OPS: dict[str, Callable[..., Value]] = {
    "add": lined_up(np.add), "subtract": lined_up(np.subtract), "multiply": lined_up(np.multiply),
    "divide": lined_up(np.divide), "sqrt": _keeping_axes(np.sqrt), "square": _keeping_axes(np.square),
    "negate": _keeping_axes(np.negative), "relu": _keeping_axes(lambda x: np.where(x > 0, x, 0.0)),
    "positive": _keeping_axes(lambda x: np.where(x > 0, 1.0, 0.0)), "softmax": _keeping_axes(softmax),
    "same": lambda x: x, "sum": _summed, "mean": lambda x: (x[0].mean(axis=-1), x[1][:-1]),
    "total": lambda x, k: (x[0].sum(axis=k), [*x[1][:k], *x[1][k + 1:]]),
    "repeated": lambda x, k, size: (np.stack([x[0]] * size, axis=k), [*x[1][:k], "again", *x[1][k:]]),
    "matmul": lambda a, b: (a[0] @ b[0], [*a[1][:-1], *b[1][1:]]),
    "transpose": lambda x: (x[0].T, [FLIPPED.get(word, word) for word in reversed(x[1])]),
    "rows": lambda table, ids: (table[0][np.array(ids, int) - 1], ["token", table[1][1]]),
    "into_rows": lambda x, ids, size: (into_rows(x[0], ids, size), ["vocab", x[1][1]]),
    "columns": lambda x, a, b: (x[0][..., a - 1:b], [*x[1][:-1], "d_k"]),
    "among_columns": lambda x, *places: (among_columns(x[0], *places), [*x[1][:-1], "d_concat"]),
    "concat": lambda *parts: (np.concatenate([part[0] for part in parts], axis=-1), [parts[0][1][0], "d_concat"]),
    "sinusoid": lambda *settings: (sinusoid(*settings), ["token", "d_model"]),
    "labels": lambda *settings: (labels(*settings), ["token", "vocab"]),
    "cross_entropy": lambda logits, p, y: (cross_entropy(p[0], y[0]), p[1][:-1])}
PLAIN = {"rows": 1, "columns": 1, "sinusoid": 0, "labels": 0, "total": 1, "repeated": 1, "into_rows": 1,
         "among_columns": 1}  # from this operand on, settings and numbers are taken as they stand


def evaluated(expression: Any, known: dict[str, Value]) -> Value:
    """The value of an expression and the words of its axes."""
    if isinstance(expression, str):
        return known[expression]
    if isinstance(expression, list) and isinstance(expression[0], str):
        name, *operands = expression
        tensors = operands[:PLAIN.get(name, len(operands))]
        return OPS[name](*(evaluated(operand, known) for operand in tensors), *operands[len(tensors):])
    value = np.array(expression, dtype=float)
    return value, ["token", "key"][:value.ndim]


def size_read(record: dict[str, Any], known: dict[str, Value]) -> float:
    """The largest finite number that a step reads, by which rounding errors are measured."""
    there = [known[parent][0] for parent in record["parents"]]
    return max((float(np.abs(value[np.isfinite(value)]).max(initial=0)) for value in there), default=1.0)


def computed_again(records: Iterable[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Every tensor of a file by its address; each step was computed again from its expression, to 12 digits."""
    known: dict[str, Value] = {}
    for record in records:
        value = np.array(record["value"], dtype=float)
        assert list(value.shape) == record["shape"] and len(record["axes"]) == value.ndim
        name = record.get("address") or record["parameter"]
        assert name not in known
        if "expression" in record:
            assert set(record["parents"]) <= set(known), name
            again = evaluated(record["expression"], known)[0]
            finite = np.isfinite(value)
            assert again.shape == value.shape and (again[~finite] == value[~finite]).all(), name
            scale = max(size_read(record, known), float(np.abs(value[finite]).max(initial=0)))
            assert np.abs(again[finite] - value[finite]).max(initial=0) <= 1e-12 * scale, name
        known[name] = value, record["axes"]
    return {name: value for name, (value, _) in known.items()}


def loads(text: str) -> list[dict[str, Any]]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")
    return [json.loads(line, parse_constant=refuse) for line in text.rstrip("\n").split("\n")]
