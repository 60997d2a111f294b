"""A recorded run against PyTorch: the same steps by its functions, autograd and optimisers, computed only from the
recorded parameters, config and ids. Expressions are not read, so that a wrong formula is found here."""
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from attntrace.messages.errors import Problem
from attntrace.verify.recompute import Log, Recorded, Verdict

TOLERANCES = {"float64": 1e-10, "float32": 1e-4}  # relative to the tensor's largest number
ACTIVATIONS: dict[str, Callable[[Any], Callable[..., Any]]] = {  # of torch.nn.functional
    "relu": lambda F: F.relu, "gelu": lambda F: F.gelu, "gelu_tanh": lambda F: partial(F.gelu, approximate="tanh"),
    "silu": lambda F: F.silu}
LAYOUTS = {"interleaved": -1, "halves": 1, "tensor2tensor": 1}  # the axis along which sines and cosines meet
NEAR = 0.1  # of the largest operand: a tensor that is 0 except for rounding has no scale of its own


def version() -> str:
    """The version of PyTorch. Raises Problem where it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise Problem("no_torch", why=str(error)) from None
    return str(torch.__version__)


def compared(log: Log) -> Iterator[Verdict]:
    """Compare each step of a complete log with PyTorch, in the order of the run; a missing step comes after the one it
    should follow."""
    if log.pencil is not None:
        raise Problem("torch_by_pencil")
    reference = Reference(log)
    reference.compute()
    names, order = list(reference.expected), ["", *log.steps]
    for before, name in zip(["", *names], names):
        if name not in log.steps:
            order.insert(order.index(before) + 1, name)
    stuck = False
    for address in order[1:]:
        step, stuck = log.steps.get(address), stuck or address == reference.stuck_at
        if step is None:
            yield Verdict(address, 0, math.inf, address, "missing")
        elif address in reference.expected:
            yield judged(step, *reference.expected[address], TOLERANCES[reference.dtype_name])
        else:
            wrong, facts = ("stuck", reference.stuck_by) if stuck else ("surplus", {})
            yield Verdict(address, len(step.flat), math.inf, address, wrong, facts)


def judged(step: Recorded, value: Any, around: float, tolerance: float) -> Verdict:
    """Check that a step has the same shape, the same infinities, and near finite numbers."""
    if tuple(value.shape) != step.shape:
        facts = {"shape": " × ".join(map(str, step.shape)), "expected": " × ".join(map(str, value.shape))}
        return Verdict(step.address, len(step.flat), math.inf, step.address, "shape", facts)
    most = tolerance * max(largest(value), NEAR * around)
    return step.compared(value.detach().flatten().tolist(), lambda differences: [
        n for n, difference in enumerate(differences) if not difference <= most < math.inf])


def largest(value: Any) -> float:
    """The largest absolute value among the finite numbers."""
    finite = value.detach()[value.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0


def softmax(scores: Any, F: Any) -> Any:
    """The softmax of each row; 0 where a row is -inf throughout, which is NaN in PyTorch."""
    blind = (scores == -math.inf).all(dim=1, keepdim=True)
    return F.softmax(scores.masked_fill(blind, 0.0), dim=1).masked_fill(blind, 0.0)


def three_deep(rows: Any) -> Any:
    """A mask of each head, or one for all."""
    return rows if isinstance(rows[0][0], (list, tuple)) else [rows]


class Reference:
    """The model in torch.nn.functional and, for the log of a training step, autograd and torch.optim.

    expected: by address, in order, the value of a step and the largest number of what it was computed from. Where a
    parameter is missing, `stuck_at` is the step that needs it and `stuck_by` the reason. Each reader of a step or
    parameter reads its own copy, whose gradient is the part that comes back through that reader."""

    def __init__(self, log: Log) -> None:
        import torch
        self.torch, self.F, self.log, self.c = torch, torch.nn.functional, log, log.config
        self.position = log.config.get("position", "interleaved")
        self.dtype_name = log.config.get("dtype", "float64")
        self.dtype = getattr(torch, self.dtype_name)
        self.learns: dict[str, Any] = log.header.get("training") or {}
        self.values = {name: self.tensor(one) for name, one in log.parameters.items()}
        self.reads: dict[str, dict[str, Any]] = {}
        self.expected: dict[str, tuple[Any, float]] = {}
        self.around = 0.0
        self.stuck_at: str | None = None
        self.stuck_by: dict[str, Any] = {}

    def tensor(self, recorded: Recorded) -> Any:
        tensor = self.torch.tensor(recorded.flat, dtype=self.dtype).reshape(recorded.shape)
        return tensor.requires_grad_(bool(self.learns))

    def compute(self) -> None:
        try:
            loss = self.forward()
            if loss is not None:
                loss.backward()
                self.gradients()
                self.updates()
        except (LookupError, RuntimeError) as error:
            reason = "parameter" if isinstance(error, KeyError) else "torch"
            self.stuck_by = {"why": reason, "name": str(error).strip("'\"").splitlines()[0]}

    def name(self, address: str, value: Any, shown: Any = None) -> str:
        """Name a step; `shown`: see `step`."""
        if self.learns and value.requires_grad:
            value.retain_grad()
        self.values[address] = value
        self.expected[address] = value if shown is None else shown, self.around
        self.around = largest(value)
        return address

    def read(self, name: str, reader: str) -> Any:
        self.stuck_at = reader
        value, readers = self.values[name], self.reads.setdefault(name, {})
        if not self.learns:
            return value
        if reader not in readers:
            readers[reader] = value.clone()
            readers[reader].retain_grad()
        return readers[reader]

    def step(self, address: str, function: Callable[..., Any], *names: str,
             shown: Callable[[], Any] = lambda: None) -> str:
        """Name what a function gives for these steps and parameters; `shown`: the same by a function of PyTorch that
        computes several steps at once."""
        return self.name(address, function(*(self.read(name, address) for name in names)), shown())

    def linear(self, x: str, place: str, letter: str, address: str, block: slice = slice(None)) -> str:
        """x W + b, of a block of the columns of W and b."""
        bias = [name for name in (f"{place}.b{letter}",) if name in self.values]
        return self.step(address, lambda W, x, *b: self.F.linear(x, W[:, block].T, *(one[block] for one in b)),
                         f"{place}.W{letter}", x, *bias)

    def ids(self, words: list[dict[str, Any]]) -> Any:
        return self.torch.tensor([word["id"] - 1 for word in words])

    def positions(self, count: int) -> Any:
        """The positional encoding as in PyTorch's tutorials, or as two halves side by side; an odd width lacks the last
        cosine, in tensor2tensor both."""
        torch, d, first = self.torch, self.c["d_model"], self.c.get("position_offset", 0)
        even, short = d + d % 2, self.position == "tensor2tensor"
        steps = torch.arange(even // 2, dtype=torch.float64) / (max(d // 2 - 1, 1) if short else d / 2)
        rates = torch.exp(-math.log(self.c.get("position_base", 10000)) * steps)
        angles = torch.arange(first, first + count, dtype=torch.float64)[:, None] * rates[:d // 2 if short else None]
        table = torch.stack([angles.sin(), angles.cos()], dim=LAYOUTS[self.position]).flatten(1)
        table = self.F.pad(table, (0, d - table.shape[1])).to(self.dtype)  # a negative size cuts
        return table.requires_grad_(bool(self.learns))

    def table(self, stack: str) -> str:
        return "shared.E" if self.c.get("shared_embeddings") in (stack, "all") else f"{stack}.E"

    def logits(self, x: str) -> str:
        """The final linear layer, with weights of its own or with the embeddings as those of torch.nn.Linear."""
        if self.c.get("shared_embeddings", "none") == "none":
            return self.linear(x, "output", "", "output.logits")
        bias = [name for name in ("output.b",) if name in self.values]
        return self.step("output.logits", lambda E, x, *b: self.F.linear(x, E, *b), self.table("decoder"), x, *bias)

    def embedded(self, stack: str, words: list[dict[str, Any]]) -> str:
        x = self.step(f"{stack}.embedding", lambda E: self.F.embedding(self.ids(words), E), self.table(stack))
        if self.c.get("scale_embedding", True):
            x = self.step(f"{stack}.scaled_embedding", lambda X: X * math.sqrt(self.c["d_model"]), x)
        if self.position == "none":
            return self.step(f"{stack}.input", self.torch.clone, x)
        if self.position == "learned":
            first = self.c.get("position_offset", 0)
            P = self.step(f"{stack}.position_embedding", lambda P: P[first:first + len(words)], f"{stack}.P")
        else:
            P = self.name(f"{stack}.positional_encoding", self.positions(len(words)))
        return self.step(f"{stack}.input", self.torch.add, x, P)

    def norm(self, place: str, x: str) -> str:
        d, epsilon = self.c["d_model"], self.c.get("epsilon", 1e-5)
        correction = int(self.c.get("norm_variance") == "sample")
        outside = self.c.get("norm_epsilon") == "outside"
        usual = not correction and not outside
        U, gain, bias = self.values[x], f"{place}.gain", f"{place}.bias"
        mean = self.step(f"{place}.mean", lambda U: U.mean(1), x)
        variance = self.step(
            f"{place}.variance", lambda U, mean: (U - mean[:, None]).square().sum(1) / (d - correction), x, mean,
            shown=lambda: U.var(1, correction=correction))
        normalized = self.step(f"{place}.normalized", lambda U, mean, variance: (U - mean[:, None]) / (
            variance.sqrt() + epsilon if outside else (variance + epsilon).sqrt())[:, None], x, mean, variance,
            shown=lambda: self.F.layer_norm(U, (d,), eps=epsilon) if usual else self.deviations(U, correction, outside))
        return self.step(f"{place}.norm", lambda gain, U, bias: gain * U + bias, gain, normalized, bias)

    def deviations(self, U: Any, correction: int, outside: bool) -> Any:
        """What each number is away from the mean of its row, in standard deviations."""
        epsilon = self.c.get("epsilon", 1e-5)
        deviation = (U.std(1, correction=correction) + epsilon if outside
                     else (U.var(1, correction=correction) + epsilon).sqrt())
        return (U - U.mean(1, keepdim=True)) / deviation[:, None]

    def head(self, place: str, n: int, x: str, memory: str, mask: Any) -> str:
        here, d_k, d_v = f"{place}.head{n}", self.size("d_k"), self.size("d_v")
        q, k, v = (self.linear(of, place, f"_{letter}", f"{here}.{name}", slice((n - 1) * size, n * size))
                   for letter, name, of, size in
                   (("Q", "query", x, d_k), ("K", "key", memory, d_k), ("V", "value", memory, d_v)))
        divisor = self.c.get("score_scale", "sqrt_d_k")
        scale = 1 / (math.sqrt(d_k) if divisor == "sqrt_d_k" else divisor)
        seen = self.step(f"{here}.scores", lambda Q, K: Q @ K.T, q, k)
        seen = self.step(f"{here}.scaled_scores", lambda S: S * scale, seen)
        if mask is not None:
            seen = self.step(f"{here}.masked_scores", lambda S: S + mask, seen)
        weights = self.step(f"{here}.weights", lambda S: softmax(S, self.F), seen)
        return self.step(f"{here}.output", lambda A, V: A @ V, weights, v,
                         shown=lambda: self.F.scaled_dot_product_attention(
                             *(self.values[name][None] for name in (q, k, v)), mask, scale=scale)[0].nan_to_num(0.0))

    def size(self, name: str) -> int:
        """d_k or d_v."""
        return int(self.c.get(name) or self.c["d_model"] // self.c["heads"])

    def masks(self, attention: str, queries: int, keys: int, causal: bool) -> list[Any]:
        """What is added to the scores of each head of an attention; None: nothing."""
        torch, said = self.torch, self.log.header.get("masks") or {}
        total, there = torch.zeros(queries, keys, dtype=self.dtype), causal
        if causal:
            total = total.masked_fill(torch.ones(queries, keys).triu(1).bool(), -math.inf)
        if said.get("lengths") and attention != "decoder.self_attention":
            ends, there = torch.tensor(said["lengths"])[:, None], True
            total = total.masked_fill(torch.arange(keys)[None] >= ends, -math.inf)
        if attention in said.get("added", {}):
            rows = [[[float(x) for x in row] for row in part] for part in three_deep(said["added"][attention])]
            total, there = total + torch.tensor(rows, dtype=self.dtype), True
        heads = total.expand(self.c["heads"], queries, keys)
        return list(heads) if there else [None] * self.c["heads"]

    def attention(self, place: str, x: str, memory: str, masks: list[Any]) -> str:
        heads = [self.head(place, n, x, memory, mask) for n, mask in enumerate(masks, start=1)]
        if self.c.get("mean_weights"):
            self.step(f"{place}.weights_mean", lambda *A: self.torch.stack(A).mean(0),
                      *(f"{place}.head{n}.weights" for n in range(1, len(masks) + 1)))
        concat = self.step(f"{place}.concat", lambda *Z: self.torch.cat(Z, dim=1), *heads)
        return self.linear(concat, place, "_O", f"{place}.output") if self.c.get("output_projection", True) else concat

    def feed_forward(self, place: str, x: str) -> str:
        hidden = self.linear(x, place, "_1", f"{place}.hidden")
        activation = self.step(f"{place}.activation", ACTIVATIONS[self.c.get("activation", "relu")](self.F), hidden)
        return self.linear(activation, place, "_2", f"{place}.output")

    def stack(self, stack: str, words: list[dict[str, Any]], memory: str | None = None) -> str:
        x = self.embedded(stack, words)
        count = len(words)
        own = self.masks(f"{stack}.self_attention", count, count, stack == "decoder" or bool(self.c.get("causal")))
        parts: dict[str, Callable[[str, str], str]] = {}
        parts["self_attention"] = lambda place, y: self.attention(place, y, y, own)
        if memory is not None:
            across = self.masks("decoder.cross_attention", count, len(self.values[memory]), False)
            parts["cross_attention"] = lambda place, y: self.attention(place, y, memory, across)
        if self.c.get("feed_forward", True):
            parts["feed_forward"] = self.feed_forward
        depth = self.c["layers"] if stack == "encoder" else self.c.get("decoder_layers", self.c["layers"])
        for n in range(depth):
            for name, part in parts.items():
                place = f"{stack}.layer{n + 1}.{name}"
                when = self.c.get("norm", "post")
                y = part(place, self.norm(place, x) if when == "pre" else x)
                x = self.step(f"{place}.residual", self.torch.add, x, y) if self.c.get("residual", True) else y
                x = self.norm(place, x) if when == "post" else x
        if self.c.get("final_norm"):
            x = self.norm(f"{stack}.final_norm", x)
        return self.step(f"{stack}.output", self.torch.clone, x)

    def forward(self) -> Any:
        """Compute the run; return the loss where the log is of a training step."""
        words, part = self.log.header["tokens"], self.c.get("part", "transformer")
        if part.endswith("_only"):
            last = self.stack(part.removesuffix("_only"), words["source"])
        else:
            memory = self.stack("encoder", words["source"])
            if words.get("target") is None:
                return None
            last = self.stack("decoder", words["target"], memory)
        logits = self.logits(last)
        self.step("output.probabilities", lambda logits: self.F.softmax(logits, dim=1), logits)
        return self.loss(logits) if self.learns else None

    def loss(self, logits: str) -> Any:
        wanted, smoothing = self.ids(self.learns["labels"]), self.learns["label_smoothing"]
        size = self.values[logits].shape[1]
        one_hot = self.F.one_hot(wanted, size).to(self.dtype)
        sharing = self.torch.ones_like(one_hot)
        if self.learns.get("label_smoothing_over", "all") != "all":
            sharing = 1 - one_hot
            if (padding := self.learns.get("padding")) is not None:
                sharing[:, padding["id"] - 1] = 0
        targets = (1 - smoothing) * one_hot + smoothing * sharing / sharing.sum(1, keepdim=True)
        self.name("loss.labels", targets)
        each = self.step("loss.per_token", lambda scores: self.F.cross_entropy(
            scores, *((wanted,) if sharing.all() else (targets,)), reduction="none",
            label_smoothing=smoothing if sharing.all() else 0.0), logits)
        return self.values[self.step("loss.mean", self.torch.mean, each)]

    def gradients(self) -> None:
        """Gradients of every tensor and parameter that the loss depends on, and the parts from each of several readers.
        """
        gradients: dict[str, Any] = {}
        for name, value in reversed(self.values.items()):
            parts = {reader: part.grad for reader, part in self.reads.get(name, {}).items() if part.grad is not None}
            if len(parts) > 1:
                gradients |= {f"gradient.{name}.from.{reader}": part for reader, part in parts.items()}
            if value.grad is not None:
                gradients[f"gradient.{name}"] = value.grad
        around = max(map(largest, gradients.values()))
        self.expected |= {address: (value, around) for address, value in gradients.items()}

    def updates(self) -> None:
        """Updates by torch.optim from the recorded gradients (which are compared themselves): where a gradient is 0
        except for rounding, Adam turns that rounding into whole steps."""
        for name in self.log.parameters:
            gradient = self.expected.get(f"gradient.{name}")
            if gradient is None:
                continue
            recorded = self.log.steps.get(f"gradient.{name}")
            slope, _ = gradient
            if recorded is not None and recorded.shape == tuple(slope.shape):
                slope = self.tensor(recorded).detach()
            for what, value in self.update(self.values[name].detach(), slope).items():
                self.expected[f"update.{name}.{what}"] = value, 0.0

    def update(self, old: Any, slope: Any) -> dict[str, Any]:
        parameter = self.torch.nn.Parameter(old.clone())
        parameter.grad = slope.clone()
        rates, steps = self.learns, {"old": old, "gradient": slope}
        if rates["optimizer"] == "sgd":
            self.torch.optim.SGD([parameter], lr=rates["lr"]).step()
        else:
            betas = rates["beta1"], rates["beta2"]
            adam = self.torch.optim.Adam([parameter], lr=rates["lr"], betas=betas, eps=rates["epsilon"])
            adam.step()
            m, v = (adam.state[parameter][name] for name in ("exp_avg", "exp_avg_sq"))
            steps |= {"m": m, "v": v, "m_hat": m / (1 - betas[0]), "v_hat": v / (1 - betas[1])}
        return steps | {"new": parameter.detach()}
