"""Eleven programs with a mistake each (one has two), as students write them: in NumPy or PyTorch, each on its own.

W: the parameters by name; ids: the rows of the words in the tables, from 0; h: the number of heads. They return what
they computed, under names of their own choice, as far as attntrace understands them."""
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Weights = Mapping[str, np.ndarray]
ATTENTION = "encoder.layer1.self_attention"


def embedded(W: Weights, ids: list[int], side: str = "encoder") -> np.ndarray:
    """Right: what most of them start from."""
    d = W[f"{side}.E"].shape[1]
    P = np.array([[(math.cos if k % 2 else math.sin)(pos / 10000 ** ((k - k % 2) / d)) for k in range(d)]
                  for pos in range(len(ids))])
    return W[f"{side}.E"][ids] * math.sqrt(d) + P


def divides_by_the_width_of_x(W: Weights, ids: list[int], h: int) -> Arrays:
    x = embedded(W, ids)
    d = x.shape[-1]
    n = d // h
    weights = []
    for i in range(h):
        q, k = (x @ W[f"{ATTENTION}.W_{m}"][:, i * n:(i + 1) * n] + W[f"{ATTENTION}.b_{m}"][i * n:(i + 1) * n]
                for m in "QK")
        e = np.exp(q @ k.T / np.sqrt(d))
        weights.append(e / e.sum(axis=-1, keepdims=True))
    return {"self_attention.weights": np.array(weights), "encoder.input": x}


def softmax_down_the_columns(W: Weights, ids: list[int], h: int) -> Arrays:
    def softmax(s: np.ndarray) -> np.ndarray:
        return np.exp(s) / np.sum(np.exp(s), axis=0)

    x = embedded(W, ids)
    Q, K, V = (np.split(x @ W[f"{ATTENTION}.W_{m}"] + W[f"{ATTENTION}.b_{m}"], h, axis=1) for m in "QKV")
    out = {}
    for i, (q, k, v) in enumerate(zip(Q, K, V), start=1):
        a = softmax(q.dot(k.T) / q.shape[1] ** 0.5)
        out |= {f"head{i}.scores": q.dot(k.T), f"head{i}.weights": a, f"head{i}.output": a.dot(v)}
    return out


def view_without_transpose(W: Weights, ids: list[int], h: int) -> Arrays:
    import torch
    x = torch.tensor(embedded(W, ids)).float().unsqueeze(0)
    B, T, d = x.shape
    q, k, v = (torch.nn.functional.linear(x, torch.tensor(W[f"{ATTENTION}.W_{m}"].T).float(),
                                          torch.tensor(W[f"{ATTENTION}.b_{m}"]).float()).view(B, h, T, d // h)
               for m in "QKV")
    a = torch.softmax(q @ k.transpose(-2, -1) / (d // h) ** 0.5, dim=-1)
    z = (a @ v).transpose(1, 2).reshape(B, T, d)
    return {"encoder.input": x.numpy(), f"{ATTENTION}.weights": a.numpy(), f"{ATTENTION}.concat": z.numpy()}


def fills_where_the_mask_is_one(W: Weights, ids: list[int], h: int) -> Arrays:
    """Of the decoder; the last word sees nothing, so that PyTorch gives NaN."""
    import torch
    here = "decoder.layer1.self_attention"
    x = torch.from_numpy(embedded(W, ids, "decoder"))
    q, k, v = ((x @ torch.tensor(W[f"{here}.W_{m}"]) + torch.tensor(W[f"{here}.b_{m}"])).unflatten(
        -1, (h, -1)).movedim(1, 0) for m in "QKV")
    mask = torch.tril(torch.ones(len(ids), len(ids)))
    scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(mask == 1, float("-inf"))
    return {"decoder/layer1/self_attention/weights": scores.softmax(-1).numpy(),
            "decoder/layer1/self_attention/value": v.numpy()}


def norm_of_the_annotated_transformer(W: Weights, ids: list[int], h: int) -> Arrays:
    """torch.std is that of a sample, and ε is added to it: two mistakes in one line."""
    import torch
    x = torch.tensor(embedded(W, ids))
    attention = torch.nn.MultiheadAttention(x.shape[1], h, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.tensor(np.hstack([W[f"{ATTENTION}.W_{m}"] for m in "QKV"]).T))
        attention.in_proj_bias.copy_(torch.tensor(np.hstack([W[f"{ATTENTION}.b_{m}"] for m in "QKV"])))
        attention.out_proj.weight.copy_(torch.tensor(W[f"{ATTENTION}.W_O"].T))
        attention.out_proj.bias.copy_(torch.tensor(W[f"{ATTENTION}.b_O"]))
        y, _ = attention(x[None], x[None], x[None])
        u = x + y[0]
        norm = (torch.tensor(W[f"{ATTENTION}.gain"]) * (u - u.mean(-1, keepdim=True)) / (u.std(-1, keepdim=True) + 1e-3)
                + torch.tensor(W[f"{ATTENTION}.bias"]))
    return {"self_attention.residual": u.numpy(), "self_attention.norm": norm.numpy()}


def every_column_its_own_wavelength(W: Weights, ids: list[int], h: int) -> Arrays:
    T, d = len(ids), W["encoder.E"].shape[1]
    pe = np.zeros((T, d))
    for pos in range(T):
        for i in range(d):
            angle = pos / np.power(10000, i / d)
            pe[pos, i] = np.sin(angle) if i % 2 == 0 else np.cos(angle)
    return {"scaled_embedding": W["encoder.E"][ids] * d ** .5, "encoder__positional_encoding": pe}


def attends_to_itself(W: Weights, ids: list[int], h: int) -> Arrays:
    """The second attention of the decoder: its keys and values come from what it has itself."""
    here = "decoder.layer1.cross_attention"
    x = W["given decoder"]  # after the first attention of the decoder, which is right
    n = x.shape[1] // h
    heads = []
    for i in range(h):
        columns = slice(i * n, i * n + n)
        q, k, v = (x @ W[f"{here}.W_{m}"][:, columns] + W[f"{here}.b_{m}"][columns] for m in "QKV")
        s = q @ k.T / n ** 0.5
        s = np.exp(s - s.max(-1, keepdims=True))
        heads.append(s / s.sum(-1, keepdims=True) @ v)
    C = np.concatenate(heads, axis=-1)
    return {"decoder.layer1.self_attention.norm": x, f"{here}.concat": C,
            f"{here}.output": C @ W[f"{here}.W_O"] + W[f"{here}.b_O"]}


def weights_of_linear_not_transposed(W: Weights, ids: list[int], h: int) -> Arrays:
    import torch
    x = torch.tensor(embedded(W, ids), dtype=torch.float32)

    def layer(m: str) -> torch.nn.Linear:
        made = torch.nn.Linear(x.shape[1], x.shape[1])
        made.weight.data = torch.tensor(W[f"{ATTENTION}.W_{m}"], dtype=torch.float32)
        made.bias.data = torch.tensor(W[f"{ATTENTION}.b_{m}"], dtype=torch.float32)
        return made

    q, k, v = (layer(m)(x).reshape(len(ids), h, -1).permute(1, 0, 2) for m in "QKV")
    z = torch.nn.functional.scaled_dot_product_attention(q, k, v).permute(1, 0, 2).flatten(1)
    return {"encoder.input": x.numpy(), "self_attention.query": q.detach().numpy(),
            "self_attention.key": k.detach().numpy(), "self_attention.concat": z.detach().numpy(),
            f"{ATTENTION}.output": layer("O")(z).detach().numpy()}


def adds_the_input_after_the_norm(W: Weights, ids: list[int], h: int) -> Arrays:
    def softmax(rows: np.ndarray) -> np.ndarray:
        return np.array([np.exp(row - max(row)) / sum(np.exp(row - max(row))) for row in rows])

    def norm(x: np.ndarray, place: str) -> np.ndarray:
        return W[f"{place}.gain"] * (x - x.mean(1)[:, None]) / np.sqrt(x.var(1)[:, None] + 1e-3) + W[f"{place}.bias"]

    x = embedded(W, ids)
    q, k, v = ((x @ W[f"{ATTENTION}.W_{m}"] + W[f"{ATTENTION}.b_{m}"]).reshape(len(ids), h, -1) for m in "QKV")
    z = [softmax(q[:, i] @ k[:, i].T / math.sqrt(q.shape[2])) @ v[:, i] for i in range(h)]
    x = x + norm(np.hstack(z) @ W[f"{ATTENTION}.W_O"] + W[f"{ATTENTION}.b_O"], ATTENTION)
    ff = "encoder.layer1.feed_forward"
    y = np.maximum(x @ W[f"{ff}.W_1"] + W[f"{ff}.b_1"], 0) @ W[f"{ff}.W_2"] + W[f"{ff}.b_2"]
    return {f"{ATTENTION}.concat": np.hstack(z), f"{ATTENTION}.norm": x, "encoder.output": x + norm(y, ff)}


def reduction_sum(W: Weights, ids: list[int], h: int) -> Arrays:
    import torch
    logits = torch.tensor(W["given logits"], requires_grad=True)
    loss = torch.nn.CrossEntropyLoss(reduction="sum")(logits, torch.tensor(W["given labels"]))
    loss.backward()
    return {"output.logits": logits.detach().numpy(), "loss.mean": np.array(loss.item()),
            "gradient.output.logits": logits.grad.numpy()}


def adam_as_it_is_remembered(W: Weights, ids: list[int], h: int) -> Arrays:
    """m and v start at 0, which nobody corrects."""
    m = v = 0.0
    gradient = W["given gradient"]
    for _ in range(1):
        m = 0.9 * m + 0.1 * gradient
        v = 0.98 * v + 0.02 * gradient ** 2
        new = W["output.W"] - 0.001 * m / (np.sqrt(v) + 1e-9)
    return {"gradient.output.W": gradient, "update.output.W.m": m, "update.output.W.new": new}


STUDENTS = {  # and the slips that they make
    divides_by_the_width_of_x: {"scale_d_model"}, softmax_down_the_columns: {"softmax_axis"},
    view_without_transpose: {"heads_by_rows"}, fills_where_the_mask_is_one: {"mask_inverted"},
    norm_of_the_annotated_transformer: {"variance_of_sample", "epsilon_outside"},
    every_column_its_own_wavelength: {"exponent_column"}, attends_to_itself: {"keys_from_decoder"},
    weights_of_linear_not_transposed: {"transposed:W_Q, W_K, W_V, W_O"},
    adds_the_input_after_the_norm: {"residual_after_norm"}, reduction_sum: {"loss_summed"},
    adam_as_it_is_remembered: {"adam_uncorrected"}}


def uses_torch(student: Callable[..., Arrays]) -> bool:
    return "import torch" in inspect.getsource(student)
