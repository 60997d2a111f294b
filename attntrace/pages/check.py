"""The page of `check`: which of a person's arrays agree with a run, the first that does not, and what was done."""
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import takewhile

from attntrace.files.arrays import shape_text
from attntrace.messages.catalog import Joined, Message, Text
from attntrace.pages.answer import title
from attntrace.pages.blocks import Block, Heading, Prose, Result, Table, Title, set_off, try_next
from attntrace.pages.why import Why
from attntrace.runs.check import Checked, Compared, Diagnosis, Likeness
from attntrace.runs.run import Subject
from attntrace.tracing.addresses import Address, cell_name, matches
from attntrace.tracing.trace import Step

ALTERNATIVES = 3  # diagnoses that are listed
LISTED = 6  # addresses in a line
DECIMALS = 3  # of the arithmetic


def checked(result: Checked, file: str, again: str) -> Iterator[Block]:
    """The page of a check of the arrays in `file`, or of a caller's (""). again: the words of a command line that are
    the run ("": there is none)."""
    yield page_title(file, result.subject)
    yield Result((Prose(conclusion(result)), *diagnosis(result)), is_short=result.first is None)
    yield from set_off(map(Prose, notes(result)))
    if result.first is not None:
        yield from arithmetic(result, result.first)
    yield table(result)
    if again and result.first is not None and result.first.address in result.steps:
        cell = cell_name(result.first.address, result.first.at)
        yield from try_next([f"why {cell} {again}", f"trace {again} --only {result.first.address}",
                             f"explain {result.first.address}"] if not is_of_training(result) else
                            [f"why {cell} {again}", f"explain {result.first.address}"])


def is_of_training(result: Checked) -> bool:
    return result.first is not None and Address.of(result.first.address).is_of_training


def page_title(file: str, subject: Subject) -> Title:
    return title("check" if file else "check_arrays", subject.run, file=file)


def conclusion(result: Checked) -> Text:
    """Whether all agree; else the first that does not, by its whole address, by how much and where."""
    count, first = len(result.compared), result.first
    if first is None:
        fewest = [one.decimals for one in result.compared if one.decimals is not None]
        key = "check_equal" if not fewest else "check_agree"
        return Message(f"messages.{key}", count=count, decimals=min(fewest, default=0))
    facts: dict[str, Text] = {"address": first.address}
    if first.how == "shape":
        what = Message("messages.check_first_shape", **facts, mine=shape_text(first.mine.value.shape),
                       right=shape_text(first.right.shape))
    else:
        key = "check_first" if first.at else "check_first_number"
        what = Message(f"messages.{key}", **facts, at=place_of(first), mine=number(first.value),
                       right=number(float(first.right[first.at])))
    agreeing = sum(1 for one in takewhile(lambda one: one.agrees, result.compared))
    before = Message("messages.check_before" if agreeing else "messages.check_none_before", count=agreeing)
    after = len(result.compared) - agreeing - 1
    alone = after and all(one.agrees for one in result.compared if one is not first)
    return Joined(" ", [what, before, *([Message("messages.check_after", count=after)] if alone else [])])


def place_of(one: Compared) -> str:
    """Where the largest difference is, as it is typed: `2,1`."""
    return cell_name("", one.at).lstrip(":")


def number(value: float) -> str:
    """A number with digits that count: six."""
    return f"{value:.6g}"


def diagnosis(result: Checked) -> Iterator[Prose]:
    """What gives the person's numbers, or what they look like."""
    found = result.diagnoses
    if result.first is None or result.first.address not in result.steps:
        if result.first is not None:
            yield Prose(Message("messages.check_parameter"))
        return
    if not found:
        likeness = like(result, result.likeness) if result.likeness else None
        untried = Message("messages.check_untried", pairs=f"{result.untried:,}") if result.untried else None
        yield Prose(Joined(" ", [Message("messages.check_nothing"), *filter(None, [likeness, untried])]))
        return
    if len(found) > 1:
        yield Prose(Message("messages.check_several_slips", count=len(found)))
    for one in found[:ALTERNATIVES]:
        slips = [slip.message for slip in one.slips]
        yield Prose(Joined(" ", [Message("messages.check_slip"), *slips, *remarks(one, result)]))
    if len(found) > ALTERNATIVES:
        names = ", ".join("+".join(slip.id for slip in one.slips) for one in found[ALTERNATIVES:])
        yield Prose(Message("messages.check_more_slips", count=len(found) - ALTERNATIVES, names=names))


def remarks(one: Diagnosis, result: Checked) -> Iterator[Message]:
    """Where slips are made, where they show first, and how much they explain."""
    assert result.first is not None
    if one.scope != "everywhere":
        yield Message(f"messages.check_{one.scope}")
    if one.address != result.first.address:
        yield Message("messages.check_begins", address=one.address)
    yield (Message("messages.check_explains_all") if one.rest is None else
           Message("messages.check_explains_until", rest=one.rest))


def like(result: Checked, likeness: Likeness) -> Message:
    """Numbers that are others in a simple way."""
    if likeness.key == "factor":
        named = factor_name(likeness.factor, result)
        key = "check_like_factor_named" if named else "check_like_factor"
        return Message(f"messages.{key}", factor=number(likeness.factor), name=named)
    return Message(f"messages.check_like_{likeness.key}", address=likeness.address)


def of_encoder(result: Checked) -> bool:
    """Whether the first array that differs belongs to the encoder."""
    return result.first is not None and result.first.address.startswith("encoder.")


def factor_name(factor: float, result: Checked) -> str:
    """What a factor is in terms of the sizes of the model: `√d_k`; "" where it is none of them."""
    run = result.subject.run
    config, words = run.config, run.source if of_encoder(result) else run.last_words
    sizes = {"d_k": config.key_size, "d_model": config.d_model, "h": config.heads, "d_ff": config.d_ff,
             "T": len(words.texts)}
    values = {name: float(size) for name, size in sizes.items() if size > 1}
    values |= {f"√{name}": math.sqrt(size) for name, size in sizes.items() if size > 1}
    values |= {f"1/{name}": 1 / value for name, value in list(values.items())}
    values |= {"√d_k/√d_model": math.sqrt(config.key_size / config.d_model)} if config.heads > 1 else {}
    for name, value in values.items():
        for sign in ("", "-"):
            if math.isclose(factor, float(f"{sign}1") * value, rel_tol=1e-4):
                return sign + name
    simple = Fraction(factor).limit_denominator(12)
    return str(simple) if math.isclose(factor, simple, rel_tol=1e-6) and simple.denominator > 1 else ""


def notes(result: Checked) -> Iterator[Message]:
    """How arrays were read, how exact they are, and which steps are missing before the first that differs."""
    yield from result.notes
    precision = result.precision
    if precision.tolerance is not None:
        yield Message("messages.check_tolerance", tolerance=f"{precision.tolerance:g}")
    elif precision.decimals is not None:
        yield Message("messages.check_decimals", decimals=precision.decimals)
    elif precision.digits is not None:
        yield Message("messages.check_digits", digits=precision.digits)
    elif precision.kind != "float64":
        yield Message("messages.check_kind", kind=precision.kind)
    if result.between and result.first is not None:
        addresses = ", ".join(result.between[-LISTED:])
        key = "check_between_more" if len(result.between) > LISTED else "check_between"
        yield Message(f"messages.{key}", count=len(result.between), addresses=addresses)


def arithmetic(result: Checked, first: Compared) -> Iterator[Block]:
    """The arithmetic of the number that is farthest off, and the person's number beside it."""
    if first.how == "shape" or first.address not in result.steps:
        return
    steps: Mapping[str, Step] = result.steps
    yield Heading(Message("messages.check_arithmetic"), apart=True)
    yield from (cause._replace(operands=()) for cause in Why(steps.get, DECIMALS)(first.address, first.at))
    yield Prose(Message("messages.check_yours", cell=cell_name(first.address, first.at), mine=number(first.value)))


def table(result: Checked) -> Table:
    """Every array in the order of computation: to how many decimals it agrees, or the largest difference and where."""
    rows: list[tuple[Text, ...]] = []
    for one in result.compared:
        if one.how == "shape":
            what: tuple[Text, ...] = (Message("messages.check_shape", mine=shape_text(one.mine.value.shape),
                                              right=shape_text(one.right.shape)), "", "", "")
        elif one.agrees:
            what = (Message("messages.check_to", decimals=one.decimals) if one.decimals is not None else
                    Message("messages.check_the_same"), "", "", "")
        else:
            what = (Message("messages.check_differs"), place_of(one), number(one.value),
                    number(float(one.right[one.at])))
        rows.append((one.address, *what))
    headings: list[Text] = ["", *(Message(f"messages.check_{name}") for name in ("agrees", "at", "mine", "right"))]
    columns = len(headings) if result.first is not None else 2
    return Table(tuple(headings[:columns]), tuple(row[:columns] for row in rows), right=(2, 3, 4)[:columns - 2],
                 addresses=True, apart=True, title=Message("messages.check_table"))


def names(subject: Subject, steps: Mapping[str, Step]) -> Iterator[Block]:
    """The addresses and shapes that arrays may have, and the shortest ends of them that are enough."""
    yield title("check_names", subject.run)
    yield Result((Prose(Message("messages.check_names", count=len(steps))),))
    known = {address: step.symbol for address, step in steps.items()}
    rows = []
    for address, step in steps.items():
        parts = Address.of(address).parts
        tails = [".".join(parts[-n:]) for n in range(1, len(parts))]
        short = next((tail for tail in tails if matches(tail, known) == [address]), "")
        rows.append((address, short, " × ".join(map(str, step.value.shape)) or "1"))
    yield Table((Message("messages.address"), Message("messages.check_short"), Message("messages.shape")), tuple(rows),
                right=(2,), apart=True)
    yield Prose(Message("messages.check_heads_note"), apart=True)


HOW = {"numpy": """\
import numpy as np
mine = {}
mine["encoder.layer1.self_attention.scores"] = scores  # (h, T, T)
mine["encoder.layer1.self_attention.weights"] = weights
np.savez("mine.npz", **mine)
""", "transformer": """\
import numpy as np
mine = {}
steps = {"self_attn": "self_attention.output",
         "linear1": "feed_forward.hidden", "linear2": "feed_forward.output"}
steps = {"encoder": steps | {"norm1": "self_attention.norm",
                             "norm2": "feed_forward.norm"},
         "decoder": steps | {"norm1": "self_attention.norm",
                             "multihead_attn": "cross_attention.output",
                             "norm2": "cross_attention.norm",
                             "norm3": "feed_forward.norm"}}
def keep(name):
    def hook(module, inputs, output):
        output = output[0] if isinstance(output, tuple) else output
        mine[name] = output.detach().numpy()
    return hook
for stack, names in steps.items():
    for n, layer in enumerate(getattr(model, stack).layers, start=1):
        for module, step in names.items():
            name = f"{stack}.layer{n}.{step}"
            getattr(layer, module).register_forward_hook(keep(name))
model.eval()
model(source, target, tgt_mask=mask)
np.savez("mine.npz", **mine)
""", "attention": """\
import numpy as np
output, weights = attention(X, X, X, need_weights=True,
                            average_attn_weights=False)
mine = {"self_attention.weights": weights, "self_attention.output": output}
np.savez("mine.npz", **{name: one.detach().numpy()
                        for name, one in mine.items()})
""", "tensors": """\
import numpy as np
mine = {}
def named(name, tensor):  # scores = named("head1.scores", q @ k.T)
    mine[name] = tensor.detach().numpy()
    return tensor
# run the model, then:
np.savez("mine.npz", **mine)
"""}
