"""Gradients and updates as PyTorch has them: the model once more, in plain functions, each tensor by its address."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from random_model import Model

torch.set_num_threads(1)  # these matrices are tiny


class Forward:
    """A run of a model on ids (from 0); `told` are its parameters and its tensors, which keep their gradients."""

    def __init__(self, model: Model) -> None:
        self.c = model.config
        self.told = {name: torch.tensor(value, requires_grad=True) for name, value in model.parameters.items()}

    def say(self, address: str, value: torch.Tensor) -> torch.Tensor:
        value.retain_grad()
        self.told[address] = value
        return value

    def affine(self, x: torch.Tensor, place: str, letter: str = "") -> torch.Tensor:
        product, bias = x @ self.told[f"{place}.W{letter}"], self.told.get(f"{place}.b{letter}")
        return product if bias is None else product + bias

    def positions(self, count: int) -> torch.Tensor:
        half = self.c.d_model // 2
        angles = torch.outer(torch.arange(count).double(), 10000 ** -(torch.arange(half).double() / half))
        both = torch.stack([angles.sin(), angles.cos()], dim=-1 if self.c.position == "interleaved" else 1)
        return both.flatten(1).requires_grad_()

    def embedded(self, stack: str, ids: Sequence[int]) -> torch.Tensor:
        x = self.say(f"{stack}.embedding", self.told[f"{stack}.E"][list(ids)])
        if self.c.scale_embedding:
            x = self.say(f"{stack}.scaled_embedding", self.c.d_model ** 0.5 * x)
        if self.c.position != "none":
            x = x + self.say(f"{stack}.positional_encoding", self.positions(len(ids)))
        return self.say(f"{stack}.input", x)

    def norm(self, place: str, x: torch.Tensor) -> torch.Tensor:
        mean = self.say(f"{place}.mean", x.mean(1))
        away = x - mean[:, None]
        variance = self.say(f"{place}.variance", away.pow(2).mean(1))
        scaled = self.say(f"{place}.normalized", away * (variance + self.c.epsilon).rsqrt()[:, None])
        return self.say(f"{place}.norm", scaled * self.told[f"{place}.gain"] + self.told[f"{place}.bias"])

    def head(self, place: str, n: int, x: torch.Tensor, memory: torch.Tensor, causal: bool) -> torch.Tensor:
        q, k, v = (self.say(f"{place}.head{n + 1}.{name}", self.affine(rows, place, f"_{name[0].upper()}").split(
            self.c.d_k, dim=1)[n]) for name, rows in (("query", x), ("key", memory), ("value", memory)))
        seen = self.say(f"{place}.head{n + 1}.scores", torch.einsum("nd,md->nm", q, k))
        scale = self.c.d_k ** 0.5 if self.c.score_scale == "sqrt_d_k" else self.c.score_scale
        seen = self.say(f"{place}.head{n + 1}.scaled_scores", seen / scale)
        if causal:
            ahead = torch.ones_like(seen, dtype=torch.bool).triu(1)
            seen = self.say(f"{place}.head{n + 1}.masked_scores", seen.masked_fill(ahead, -torch.inf))
        weights = self.say(f"{place}.head{n + 1}.weights", seen.softmax(1))
        return self.say(f"{place}.head{n + 1}.output", weights @ v)

    def attention(self, place: str, x: torch.Tensor, memory: torch.Tensor, causal: bool) -> torch.Tensor:
        heads = [self.head(place, n, x, memory, causal) for n in range(self.c.heads)]
        return self.say(f"{place}.output", self.affine(self.say(f"{place}.concat", torch.cat(heads, 1)), place, "_O"))

    def feed_forward(self, place: str, x: torch.Tensor) -> torch.Tensor:
        hidden = self.say(f"{place}.hidden", self.affine(x, place, "_1"))
        return self.say(f"{place}.output", self.affine(self.say(f"{place}.activation", hidden.relu()), place, "_2"))

    def stack(self, stack: str, ids: Sequence[int], memory: torch.Tensor | None = None) -> torch.Tensor:
        x = self.embedded(stack, ids)
        parts = {"self_attention": lambda place, y: self.attention(place, y, y, memory is not None)}
        if memory is not None:
            parts["cross_attention"] = lambda place, y: self.attention(place, y, memory, False)
        parts["feed_forward"] = self.feed_forward
        for place in (f"{stack}.layer{n + 1}.{part}" for n in range(self.c.layers) for part in parts):
            part = parts[place.rpartition(".")[2]]
            if self.c.norm == "pre":
                x = self.say(f"{place}.residual", x + part(place, self.norm(place, x)))
            else:
                x = self.norm(place, self.say(f"{place}.residual", x + part(place, x)))
        return self.say(f"{stack}.output", self.norm(f"{stack}.final_norm", x) if self.c.final_norm else x)

    def loss(self, source: Sequence[int], target: Sequence[int], wanted: Sequence[int], smoothing: float) -> None:
        decoded = self.stack("decoder", target, self.stack("encoder", source))
        logits = self.say("output.logits", self.affine(decoded, "output"))
        entropy = torch.nn.CrossEntropyLoss(label_smoothing=smoothing, reduction="none")
        each = self.say("loss.per_token", entropy(logits, torch.tensor(wanted)))
        self.say("loss.mean", each.mean()).backward()


def backward(model: Model, source: Sequence[int], target: Sequence[int], wanted: Sequence[int],
             smoothing: float) -> tuple[float, dict[str, np.ndarray]]:
    """The loss, and the gradients of all that it depends on by their addresses."""
    forward = Forward(model)
    forward.loss(source, target, wanted, smoothing)
    return forward.told["loss.mean"].item(), {address: value.grad.numpy() for address, value in forward.told.items()}


def updated(name: str, start: np.ndarray, gradients: Iterable[np.ndarray], **rates: object) -> list[np.ndarray]:
    """A parameter after each update by an optimizer of that name."""
    parameter, found = torch.nn.Parameter(torch.tensor(start)), []
    optimizer = getattr(torch.optim, name)([parameter], **rates)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        found.append(parameter.detach().numpy().copy())
    return found
