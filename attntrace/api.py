"""The Python API: runs as mappings of arrays. What is public is named in `attntrace.__all__`."""
from __future__ import annotations

import inspect
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypedDict, TypeVar, Unpack, cast

import numpy as np

from attntrace.messages.catalog import alternatives, default_languages, in_a_line, template
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean, nearest
from attntrace.messages.unicode import shown
from attntrace.model.config import ENTRIES, INITIAL, MAX_LENGTH, Config, as_json, as_option
from attntrace.model.parameters import specs
from attntrace.model.tokens import START, detokenize
from attntrace.runs.decoding import Decoding, check_translates
from attntrace.runs.prepare import prepare
from attntrace.runs.run import Subject
from attntrace.runs.training_step import TrainingStep, prepare_training_step
from attntrace.runs.what_if import Edits
from attntrace.tensor.axes import Axes, Axis
from attntrace.tensor.symbol import POSITIONS, Symbol
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import Cell, find_address
from attntrace.tracing.trace import Fingerprint, Sink, Step
from attntrace.training import OPTIMIZERS, SMOOTHING_OVER

if TYPE_CHECKING:
    import pandas
    from numpy.typing import ArrayLike

    from attntrace.pages.blocks import Block
    from attntrace.pages.diff import Difference
    from attntrace.runs.beam import Hypothesis

Value = TypeVar("Value")
Path = str | os.PathLike[str]
UNKNOWN = ("error", "unk")  # what becomes of words that a vocabulary lacks


class Arguments(TypedDict, total=False):
    """What `trace`, `backprop`, `translate` and `parameter_shapes` take by name; those of a model are the fields of
    `Config`.

    weights: the path of a weights file; the name of an included model, `"ko-en"` or `"en-ko"`; a mapping of arrays by
    the names of parameters (`parameter_shapes` lists them), with or without `config`, `vocabulary.source` and
    `vocabulary.target`; or a `torch.nn.Module`. Without it, parameters are drawn from `seed`; init: `"uniform"`, or
    `"integers"` from -2 to 2. inputs: rows to start from in place of embeddings: a path, an array (token × d_model), or
    a mapping of arrays by address. mask: a path, an array (query × key, True or -inf where a query may not look; or
    with an axis for heads before these), or a mapping of arrays by attention. pad: how many of the last words of the
    source are padding. ids: sentences are ids of the vocabulary. unknown: `"unk"` reads words that the vocabulary lacks
    as `<unk>`. pencil: the decimals to which every operation is rounded. set: numbers in place of those of parameters,
    such as `{"output.W:1,2": 0.5}`; ablate: heads to remove; swap: words of the source to swap, such as `"1,3"`. The
    others are sizes and wiring of the model, which `Config` describes."""
    weights: Path | Mapping[str, Any] | Any
    seed: int
    init: str
    inputs: Path | ArrayLike | Mapping[str, ArrayLike]
    mask: Path | ArrayLike | Mapping[str, ArrayLike]
    pad: int
    ids: bool
    unknown: str
    pencil: int
    set: Mapping[str, float] | Sequence[str]
    ablate: str | Sequence[str]
    swap: str | Sequence[str]
    d_model: int
    heads: int
    layers: int
    decoder_layers: str | int
    d_ff: int
    norm: str
    final_norm: bool
    position: str
    position_base: float
    position_offset: int
    max_positions: int
    shared_embeddings: str
    scale_embedding: bool
    source_end: bool
    activation: str
    epsilon: float
    norm_epsilon: str
    norm_variance: str
    residual: bool
    feed_forward: bool
    score_scale: str | float
    d_k: str | int
    d_v: str | int
    k_dim: str | int
    v_dim: str | int
    output_projection: bool
    causal: bool
    mean_weights: bool
    dtype: str
    part: str


class _InPython(Problem):
    """Bad input of a Python function, whose message names arguments."""

    def __str__(self) -> str:
        return in_words_of_python(super().__str__())


class ProblemWithValue(_InPython, ValueError):
    """A value that an argument cannot have."""


class ProblemWithType(_InPython, TypeError):
    """An argument that a function does not have, or of another type."""


class ProblemWithKey(_InPython, KeyError):
    """An address, or a word, that is not there."""


class ProblemWithIndex(_InPython, IndexError):
    """A position that an axis does not have."""


class ProblemWithFile(_InPython, OSError):
    """A file that cannot be read or written."""


class ProblemWithoutFile(ProblemWithFile, FileNotFoundError):
    """A file, or a directory, that is not there."""


class ProblemWithImport(_InPython, ImportError):
    """A library that is not installed."""


KINDS: dict[str, type[_InPython]] = {
    **dict.fromkeys(("argument_unknown", "argument_type"), ProblemWithType),
    **dict.fromkeys(("no_such_tensor", "several_tensors", "needs_target", "no_such_label", "no_labels", "token_twice"),
                    ProblemWithKey),
    **dict.fromkeys(("out_of_range", "place_of_other_shape"), ProblemWithIndex),
    **dict.fromkeys(("output_failed", "output_is_directory", "weights_unreadable", "weights_directory"),
                    ProblemWithFile),
    **dict.fromkeys(("weights_missing", "model_missing", "output_directory"), ProblemWithoutFile),
    "no_pandas": ProblemWithImport}
RENAMED = {"input": "inputs", "save": "path"}  # options whose arguments have another name
OWN_ARGUMENTS = "target", "optimizer", "lr", "path", "depth", "top", "only"  # of single functions
OPTION = re.compile(r"""--(?P<no>no-)?(?P<name>[a-z]+(?:-[a-z]+)*)"""
                    r"""(?: (?P<value>"[^"]*"|-?\d+(?:\.\d+)?|[a-z][a-z0-9_]+(?![a-z0-9_])))?(?P<after> [가-힣]+)?""")


def in_words_of_python(text: str) -> str:
    """Write the options of the command line as arguments."""
    return OPTION.sub(_as_argument, text)


def _as_argument(option: re.Match[str]) -> str:
    """An option with its value, and what a language calls it (after its name), as an argument."""
    name, value = option["name"].replace("-", "_"), option["value"] or ""
    name = RENAMED.get(name, name)
    if name not in (*Arguments.__annotations__, *OWN_ARGUMENTS):
        return option[0]
    choices = {"unknown": UNKNOWN, "init": INITIAL, **{name: one.words for name, one in ENTRIES.items()}}
    is_word = value[:1].isalpha()
    written = (f"{name}=False {value}".rstrip() if option["no"] else name if not value else
               f"{name} {value}" if is_word and value not in choices.get(name, ()) else
               f"{name}={as_json(value) if is_word else value}")
    after = option["after"] or ""
    called = (pair.split() for language in default_languages()
              for pair in template(language, "messages.option_as_argument").split(", "))
    return written + next((f" {other}" for one, other in called if one == after.strip()), after)


@contextmanager
def in_python() -> Iterator[None]:
    """Raise what is wrong with an argument as the exception that Python has for it, which is a Problem as well."""
    try:
        yield
    except _InPython:
        raise
    except Problem as problem:
        raise KINDS.get(problem.key, ProblemWithValue)(problem.key, **problem.facts) from None


class TracedArray(np.ndarray[Any, np.dtype[Any]]):
    """The numbers of a step, read-only, with the step that computed them. What is computed from it is a plain array."""
    step: Step | None

    @classmethod
    def of(cls, step: Step) -> TracedArray:
        array = np.asarray(step.value).view(cls)
        array.step = step
        return array

    def __array_finalize__(self, other: object) -> None:
        self.step = None

    def __array_wrap__(self, array: Array, context: Any = None, return_scalar: bool = False) -> Any:
        return np.asarray(array) if array.ndim else array[()]

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __repr__(self) -> str:
        return repr(self.value) if self.step is None else f"{self.step!r}\n{self.value!r}"

    def _repr_html_(self) -> str | None:
        return None if self.step is None else self.step._repr_html_()

    @property
    def value(self) -> Array:
        """The same as a plain array."""
        return np.asarray(self)

    @property
    def address(self) -> str:
        return self._step.address

    @property
    def axes(self) -> Axes:
        """The axes, each with a name, a size and, where it is of words, labels."""
        return self._step.axes

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each row: its token, or else its number."""
        return self._step.labels

    def formula(self) -> str:
        """The equation as text: `S = Q Kᵀ`."""
        return self._step.formula()

    @property
    def _step(self) -> Step:
        if self.step is None:
            raise AttributeError("only an array of a run has a step, not what is computed from it")
        return self.step


class ByAddress(Mapping[str, Value], Generic[Value]):
    """Values by address, in order of computation. `values["head1.scores"]`: an end that no other address has is enough,
    or a symbol at a place (`head1.S`)."""

    def __init__(self, values: Mapping[str, Any], symbols: Mapping[str, Symbol | None],
                 make: Callable[[Any], Value]) -> None:
        self._values, self._symbols, self._make = values, symbols, make

    def find(self, address: str) -> str:
        """Return the whole address. Raises KeyError, with those that are near."""
        with in_python():
            if not isinstance(address, str):
                raise _of_type("address", address, "str")
            return self._found(address)

    def _found(self, address: str) -> str:
        return address if address in self._values else find_address(address, self._symbols)

    def __getitem__(self, address: str) -> Value:
        return self._make(self._values[self.find(address)])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def to_dict(self) -> dict[str, Array]:
        """Return plain arrays by whole address; they are read-only."""
        return {address: np.asarray(value) for address, value in self.items()}


def _arrays(tensors: Mapping[str, Tensor]) -> ByAddress[Array]:
    return ByAddress(tensors, {name: tensor.symbol for name, tensor in tensors.items()}, lambda tensor: tensor.value)


class Tokens(NamedTuple):
    """The words that encoder and decoder read; None where there is no decoder."""
    source: tuple[str, ...]
    target: tuple[str, ...] | None


class Page:
    """Blocks as a page: its `str` and its `repr` are text."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)

    def __repr__(self) -> str:
        return in_words_of_python(_written("text", lambda write: write(self.blocks)).rstrip("\n"))

    def _repr_html_(self) -> str:
        from attntrace.writers.notebook import piece
        return piece(self.blocks)

    def html(self) -> str:
        """Return the page as HTML."""
        return _written("html", lambda write: write(self.blocks))


def _written(format: str, show: Callable[[Any], object], out: io.StringIO | Any = None) -> str:
    """Write blocks, by `show`, to a stream, or else return them as text."""
    from attntrace.writers import PAGES
    from attntrace.writers.page import Look
    out = io.StringIO() if out is None else out
    writer = PAGES[format].load()(out, Look(colour="never" if format == "text" else "auto",
                                            languages=default_languages()))
    show(writer)
    writer.close()
    return out.getvalue() if isinstance(out, io.StringIO) else ""


def _without_commands(blocks: Iterable[Block]) -> Iterator[Block]:
    """Leave out what to try next on the command line, where nothing of this run is known."""
    from attntrace.pages.blocks import Prose
    rest = iter(blocks)
    for block in rest:
        if isinstance(block, Prose) and getattr(block.text, "key", "") == "messages.try_next":
            next(rest)
        else:
            yield block


class TracedRun(ByAddress[TracedArray]):
    """A run: the arrays of its steps by address.

    steps: the steps themselves, in order of computation. parameters: the arrays of the model by name. logits: token ×
    vocab. notes: what was changed in the input."""

    def __init__(self, subject: Subject, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        super().__init__({step.address: step for step in steps}, {step.address: step.symbol for step in steps},
                         TracedArray.of)
        self._subject, self._run = subject, subject.run
        self.parameters = _arrays(subject.run.parameters.by_name)
        self.notes = tuple(in_a_line(note, default_languages()) for note in subject.run.notes)

    def __repr__(self) -> str:
        source, target = (None if words is None else detokenize(words[words[:1] == (START,):]) for words in self.tokens)
        return f"<{type(self).__name__} of {source!r}{'' if target is None else f', {target!r}'}: {len(self)} steps>"

    def _repr_html_(self) -> str:
        from attntrace.writers.notebook import of_run
        return of_run(self.steps)

    def _found(self, address: str) -> str:
        try:
            return super()._found(address)
        except Problem:
            from attntrace.cli.options import needing_target
            with needing_target(self._run):
                raise

    @property
    def config(self) -> Config:
        return self._run.config

    @property
    def weights(self) -> dict[str, Any]:
        """The whole model as the argument `weights` takes it, with other words as well: its config, its vocabularies
        and its arrays. `{**run.weights, name: array}` is a model with one matrix replaced."""
        words = {f"vocabulary.{side}": [*words] for side, words in self._run.vocabularies._asdict().items() if words}
        return {"config": self.config.described(), **words, **self.parameters}

    @property
    def tokens(self) -> Tokens:
        """The words that encoder and decoder read."""
        target = self._run.target
        return Tokens(tuple(self._run.source.texts), None if target is None else tuple(target.texts))

    @property
    def logits(self) -> Array:
        """Token × vocab. Raises KeyError where only the encoder ran."""
        return self["output.logits"]

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint that the command line prints below a run."""
        fingerprint = Fingerprint()
        for step in self.steps:
            fingerprint(step)
        return str(fingerprint)

    def why(self, address: str, *position: int | str, depth: int | None = 0, top: int | None = None,
            precision: int = 3) -> Page:
        """Return the arithmetic behind a number.

        position: its row and its column, from 1, or their words: `run.why("head1.scores", 2, "cat")`; or behind the
        address, `"head1.scores:2,cat"`. depth: how far operands are followed, None to the parameters; top: of how many
        operands of each number."""
        with in_python():
            if depth is not None and not isinstance(depth, int):
                raise _of_type("depth", depth, "int | None")
            if depth is not None and depth < 0:
                raise Problem("no_such_choice", name="depth", option="depth", value=depth, choices="0, 1, 2, ...")
            return self._why(address, position, depth, top and _whole("top", top), self._run.pencil or precision)

    def _why(self, address: str, position: Sequence[int | str], depth: int | None, top: int | None,
             precision: int) -> Page:
        from attntrace.pages.why import Why, parameter_blocks
        parameters = self._run.parameters.by_name
        symbols = {**self._symbols, **{name: tensor.symbol for name, tensor in parameters.items()}}
        cell = Cell.read(address)
        cell = Cell(cell.address, cell.positions + tuple(map(_position, position))).with_row(symbols)
        try:
            found = find_address(cell.address, symbols)
        except Problem:
            found = self._found(cell.address)  # which knows what needs a target
        tensor = parameters[found] if found in parameters else self._values[found].tensor
        index = cell.index_in(tensor.axes, found, least=len(tensor.axes))
        if found in parameters:
            return Page(parameter_blocks(tensor, index, precision, self._run.pencil))
        return Page([*Why(self._values.get, precision, depth, top)(found, index)])

    def to_frame(self, address: str | None = None) -> pandas.DataFrame:
        """Return one array as a table whose rows and columns are called by their words, or by numbers from 1; without
        an address, the numbers of all steps, one a row, in the columns of the format CSV. Needs pandas."""
        with in_python():
            try:
                import pandas
            except ImportError:
                raise Problem("no_pandas") from None
        if address is not None:
            return _table(self[address])
        return pandas.concat(map(_long, self.values()), ignore_index=True)

    def save(self, path: Path) -> None:
        """Write the run to an `.npz` file, which `attntrace show --from` and `numpy.load` read."""
        from attntrace.cli.output import binary
        from attntrace.runs.saved import save
        with in_python():
            if not os.fspath(path).lower().endswith(".npz"):
                raise Problem("save_ending", file=os.fspath(path))
            with binary(os.fspath(path)) as file:
                save(self._subject, file)

    def html(self, path: Path | None = None, *, form: str = "both", precision: int = 3,
             only: str | Sequence[str] = ()) -> str:
        """Return the page of the run as HTML; with a path, write it there as well.

        form: `"both"`, `"vector"` or `"matrix"`; only: the addresses of the steps that are shown, or patterns."""
        from attntrace.cli.output import destination
        with in_python():
            text = _written("html", partial(self._show, form, precision, _several("only", only)))
            if path is not None:
                with destination(os.fspath(path)) as file:
                    file.write(text)
        return text

    def _show(self, form: str, precision: int, only: Sequence[str], write: Any) -> None:
        from attntrace.cli.options import Selection
        from attntrace.pages.page import Page as PageOfRun
        pencil = self._run.pencil
        selection = Selection(tuple(only), form=_among("form", form, ("both", "vector", "matrix")),
                              precision=pencil or precision).with_rows(self._subject)
        view = selection.view(pencil, False, selection.addresses(self._subject), selection.token)._replace(wired=True)
        PageOfRun(self._subject, view, lambda blocks: write(_without_commands(blocks)), hints=False)()


class TracedTrainingStep(TracedRun):
    """A training step: the arrays of its steps, forwards and backwards."""
    _subject: TrainingStep

    @property
    def loss(self) -> float:
        """The loss before the update."""
        return float(self["loss.mean"])

    @cached_property
    def loss_after(self) -> float:
        """The loss after the update."""
        return self._subject.losses()[1]

    @property
    def gradients(self) -> ByAddress[Array]:
        """The gradient of each parameter that the loss depends on, by the parameter's name."""
        return _arrays({name: self._values[f"gradient.{name}"].tensor for name in self.parameters
                        if f"gradient.{name}" in self._values})

    @property
    def updated(self) -> dict[str, Array]:
        """The parameters after the update, by name; `{**step.weights, **step.updated}` is the model afterwards."""
        new = {name: self._values.get(f"update.{name}.new") for name in self.parameters}
        return {name: self.parameters[name] if step is None else step.value for name, step in new.items()}


class Translation(TracedRun):
    """A translation: the arrays of the encoder's steps, and of each decoding step at `step1.…`, `step2.…`. `str()` is
    the translated sentence."""
    _subject: Decoding

    def __init__(self, subject: Decoding, steps: Sequence[Step], words: Sequence[str]) -> None:
        super().__init__(subject, steps)
        self.words = tuple(words)

    def __str__(self) -> str:
        return detokenize(self.words)

    @property
    def tokens(self) -> Tokens:
        """The words of the source, and those that were written."""
        return Tokens(super().tokens.source, self.words)

    @property
    def logits(self) -> Array:
        """Those of each written word when it was chosen: word × vocab."""
        return np.stack([self[f"step{n}.output.logits"].value[-1] for n in range(1, len(self.words) + 1)])

    def alternatives(self, count: int) -> list[Hypothesis]:
        """Return translations that beam search finds, the best first: `.words`, `.log_probability`, `.score()`."""
        from attntrace.runs.beam import BeamSearch
        with in_python():
            return BeamSearch(self._run, _whole("count", count), self._subject.max_length)()


class Comparison(ByAddress["Difference"]):
    """What differs between two runs: `Difference`s by address, of steps and parameters; empty, and so false, where
    nothing does. Its `repr` is the page that `attntrace diff` prints."""

    def __init__(self, parameters: Sequence[Difference], steps: Sequence[Difference], blocks: Sequence[Block]) -> None:
        found = {one.address: one for one in (*parameters, *steps)}
        super().__init__(found, dict.fromkeys(found), lambda one: cast("Difference", one))
        self.first = next((one.address for one in steps), None)
        self.page = Page(blocks)

    def __repr__(self) -> str:
        return repr(self.page)

    def _repr_html_(self) -> str:
        return self.page._repr_html_()


def _of_type(name: str, value: object, kind: str) -> Problem:
    return Problem("argument_type", name=name, type=type(value).__name__, kind=kind)


def _among(name: str, value: str, words: Sequence[str]) -> str:
    if value not in words:
        raise Problem("no_such_choice", name=name, option=name, value=as_json(value), choices=alternatives(words))
    return value


def _whole(name: str, value: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Problem("size_not_positive", name=name, option=name, value=as_json(value))
    return value


def _several(name: str, texts: str | Sequence[str]) -> Sequence[str]:
    if isinstance(texts, str):
        return [texts]
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise _of_type(name, texts, "str | list[str]")
    return texts


def _position(position: int | str) -> str:
    """A position as it is typed: a word of digits stands in quotes."""
    if isinstance(position, str):
        return f'"{position}"' if position.isdecimal() else position
    if isinstance(position, bool) or not hasattr(position, "__index__"):
        raise _of_type("position", position, "int | str")
    return str(max(position.__index__(), 0))  # 0 is none


def _array(given: str, name: object, value: Any) -> Array:
    """An array of what NumPy or PyTorch has, or of lists."""
    try:
        return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
    except (TypeError, ValueError):
        raise Problem("parameter_not_numbers", file=given, name=shown(str(name))) from None


def _by_name(given: str, value: Any) -> Any:
    """A path as it is; arrays by name, one alone by none."""
    if isinstance(value, (str, os.PathLike)):
        return value
    return {str(name): _array(given, name, one)
            for name, one in (value if isinstance(value, Mapping) else {"": value}).items()}


def _names(axis: Axis) -> Sequence[Any]:
    return axis.labels or range(1, axis.size + 1)


def _table(array: TracedArray) -> pandas.DataFrame:
    import pandas
    sides = [pandas.Index(_names(axis), name=axis.name) for axis in array.axes]
    if len(sides) == 2:
        return pandas.DataFrame(array.value, *sides)
    return pandas.DataFrame({array.address: np.atleast_1d(array.value)}, *sides)


def _long(array: TracedArray) -> pandas.DataFrame:
    import pandas
    sides: list[Axis | None] = [*array.axes, None, None]
    if len(array.axes) == 1 and array.axes[0].name not in POSITIONS:
        sides.insert(0, None)
    columns: dict[str, Any] = {}
    places = np.indices([axis.size if axis else 1 for axis in sides[:2]]).reshape(2, -1)
    for name, axis, numbers in zip(("row", "column"), sides, places):
        columns[name] = pandas.array(numbers + 1 if axis else [None] * numbers.size, dtype="Int64")
        labels = axis.labels if axis else None
        columns[f"{name}_label"] = [labels[n] if labels else None for n in numbers]
    order = ("row", "column", "row_label", "column_label")
    return pandas.DataFrame({"address": array.address, **{name: columns[name] for name in order},
                             "value": array.value.ravel()})


def _model(weights: Any, entries: Mapping[str, Any], has_inputs: bool) -> dict[str, Any]:
    """The arguments of `prepare` for weights that are not in a file. Raises Problem for what is none."""
    from attntrace.files.arrays import TEXTS
    from attntrace.files.weights import OF_WORDS, Given, Members, checked, parsed
    if hasattr(weights, "state_dict"):
        from attntrace.files.torch import of_module
        from attntrace.pages.weights import beside_lines
        given, found = of_module(weights)
        return {"weights": given._replace(notes=tuple(beside_lines(found)))}
    if not isinstance(weights, Mapping):
        raise _of_type("weights", weights, "str | os.PathLike | Mapping | torch.nn.Module")
    arrays = _by_name("weights", {name: value for name, value in weights.items() if name not in TEXTS})
    texts = {name: weights[name] for name in TEXTS if name in weights}
    if not texts and not (has_inputs and OF_WORDS.isdisjoint(arrays)):
        return {"arrays": arrays, "config": Config(**entries)}
    config = texts.get("config", Config(**entries))
    if isinstance(config, Config):
        config = config.described()
    elif not isinstance(config, Mapping):
        config = parsed("weights", str(config), "config: ")
    words = {name: list(map(str, text)) if isinstance(text, (list, tuple, np.ndarray)) else text
             for name, text in texts.items() if name != "config"}
    return {"weights": Given(checked("weights", Members({"config": dict(config)} | words, arrays)), "weights")}


def _settings(arguments: Mapping[str, Any], more: Sequence[str] = ()) -> dict[str, Any]:
    """The arguments of `prepare` but the words. Raises Problem for arguments that there are not, or that contradict
    each other."""
    known = (*Arguments.__annotations__, *more)
    for name in arguments:
        if name not in known:
            near = nearest(name, known) or [one for one in known if min(len(one), len(name)) > 3 and (
                one in name or name in one)]
            raise Problem("argument_unknown", name=name, near=did_you_mean(near))
    given = {name: value.item() if isinstance(value, np.generic) else value for name, value in arguments.items()
             if value is not None}
    entries = {name: given.pop(name) for name in ENTRIES if name in given}
    edits = given.pop("set", ())
    numbers = [f"{cell}={float(value)!r}" for cell, value in edits.items()] if isinstance(edits, Mapping) else edits
    edits = Edits(_several("set", numbers), *(_several(name, given.pop(name, ())) for name in ("ablate", "swap")))
    for name in {"inputs", "mask"} & given.keys():
        given[name] = _by_name(name, given[name])
    if "pad" in given:
        _whole("pad", given["pad"])
    if not isinstance(seed := given.get("seed", 0), int) or seed < 0:
        raise Problem("no_such_choice", name="seed", option="seed", value=as_json(seed), choices="0, 1, 2, ...")
    _among("unknown", given.get("unknown", "error"), UNKNOWN)
    weights = given.pop("weights", None)
    own = {name: value for name, value in entries.items() if not ENTRIES[name].of_run}
    is_whole = isinstance(weights, (str, os.PathLike)) or hasattr(weights, "state_dict") or (
        isinstance(weights, Mapping) and "config" in weights)
    contradicting = [*own, *({"seed", "init"} & given.keys())] if is_whole else []
    if contradicting:
        raise Problem("options_with_weights", options=", ".join(contradicting))
    if weights is None:
        model: dict[str, Any] = {"config": Config(**entries)}
    elif isinstance(weights, (str, os.PathLike)):
        model = {"weights": weights}
    else:
        model = _model(weights, entries, "inputs" in given)
    wiring = {name: value for name, value in entries.items() if ENTRIES[name].of_run}
    return {**given, **model, "wiring": wiring, "edits": edits}


def _text(name: str, text: str | None, optional: bool = False) -> str | None:
    if not (isinstance(text, str) or optional and text is None):
        raise _of_type(name, text, "str | None" if optional else "str")
    return text


Function = TypeVar("Function", bound=Callable[..., Any])


def _public(function: Function) -> Function:
    """Raise bad input as Python's exceptions; list and describe the arguments that a function takes by name."""
    raising = in_python()(function)
    signature = inspect.signature(function)
    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=getattr(Config(), name, None),
                               annotation=kind.__forward_arg__) for name, kind in Arguments.__annotations__.items()]
    parameters = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    _, _, named_ones = (inspect.getdoc(Arguments) or "").partition("\n\n")
    raising.__doc__ = f"{inspect.getdoc(function)}\n\n{named_ones}"
    setattr(raising, "__signature__", signature.replace(parameters=[*parameters, *named]))
    return raising


@_public
def trace(sentence: str | None, target: str | None = None, *, sink: Sink | None = None,
          **arguments: Unpack[Arguments]) -> TracedRun:
    """Run the model on a sentence and return its steps as arrays by address.

    sentence: None where `inputs` are given, whose rows it names otherwise. target: what the decoder has written so far;
    None runs only the encoder. sink: is called with each `Step` as soon as it is computed, and no step is kept.

    Raises Problem for bad input, which is a ValueError, TypeError, KeyError or OSError as well."""
    run = prepare(_text("sentence", sentence, "inputs" in arguments), _text("target", target, True),
                  **_settings(arguments, ("sentence", "target", "sink")))
    steps: list[Step] = []
    run(sink or steps.append)
    return TracedRun(run, steps)


@_public
def backprop(sentence: str | None, target: str, *, optimizer: str = "sgd", lr: float | None = None,
             label_smoothing: float = 0.0, label_smoothing_over: str = "all", sink: Sink | None = None,
             **arguments: Unpack[Arguments]) -> TracedTrainingStep:
    """Run one training step on a sentence and its translation, forwards and backwards.

    optimizer: `"sgd"` or `"adam"`; lr: the learning rate, 0.01 of sgd and 0.001 of adam if not given; label_smoothing:
    at least 0 and less than 1, spread over `"all"` words, the `"others"`, or the `"words"` without padding. The rest as
    for `trace`."""
    _among("optimizer", optimizer, tuple(OPTIMIZERS))
    _among("label_smoothing_over", label_smoothing_over, SMOOTHING_OVER)
    if lr is not None and not (isinstance(lr, (int, float)) and 0 < lr < float("inf")):
        raise Problem("not_a_positive_number", name="lr", option=as_option("lr"), value=as_json(lr))
    if not (isinstance(label_smoothing, (int, float)) and 0 <= label_smoothing < 1):
        raise Problem("no_such_choice", name="label_smoothing", option="label_smoothing",
                      value=as_json(label_smoothing), choices="0 <= label_smoothing < 1")
    names = ("sentence", "target", "optimizer", "lr", "label_smoothing", "label_smoothing_over", "sink")
    step = prepare_training_step(
        _text("sentence", sentence, "inputs" in arguments), _text("target", target) or "", optimizer=optimizer, lr=lr,
        smoothing=label_smoothing, over=label_smoothing_over, **_settings(arguments, names))
    steps: list[Step] = []
    step(sink or steps.append)
    return TracedTrainingStep(step, steps)


@_public
def translate(sentence: str, *, max_length: int = MAX_LENGTH, sink: Sink | None = None,
              **arguments: Unpack[Arguments]) -> Translation:
    """Translate a sentence word by word; without `weights`, with the included model that reads its letters.

    max_length: of how many words at most. The rest as for `trace`."""
    from attntrace.files.weights import included_for
    if arguments.get("weights") is None:
        arguments["weights"] = included_for(_text("sentence", sentence) or "")
    settings = _settings(arguments, ("sentence", "max_length", "sink"))
    run = prepare(_text("sentence", sentence, "inputs" in arguments), **settings)
    check_translates(run.config, run.vocabularies, run.weights)
    steps: list[Step] = []
    decoding = Decoding(run, _whole("max_length", max_length))
    words = [step.word for step in decoding.steps(sink or steps.append)]
    return Translation(decoding, steps, words)


@_public
def parameter_shapes(sentence: str | None = None, target: str | None = None, *, optional: bool = False,
                     **arguments: Unpack[Arguments]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters that `trace` needs, by name, where `weights` is a mapping of arrays and its
    other arguments are these. Rows of `encoder.E` and `decoder.E`, and columns of `output.W`, are the words `<s>` and
    `</s>` and then those of the sentence and of the target, in order of appearance. optional: with biases that a model
    may have."""
    run = prepare(_text("sentence", sentence, "inputs" in arguments), _text("target", target, True),
                  **_settings(arguments, ("sentence", "target", "optional")))
    return {spec.name: spec.shape for spec in specs(run.config, run.vocabularies) if optional or not spec.optional}


def compare(one: TracedRun, other: TracedRun, *, tolerance: float | None = None) -> Comparison:
    """Return what differs between two runs: parameters by any amount, steps by more than the tolerance; if that is not
    given, by more than sums in another order."""
    from attntrace.pages.blocks import Prose
    from attntrace.pages.checks import DIGITS
    from attntrace.pages.diff import Side, conclusion, differing, ripple
    with in_python():
        for name, run in (("one", one), ("other", other)):
            if not isinstance(run, TracedRun):
                raise _of_type(name, run, "TracedRun")
        most = max(10.0 ** -DIGITS[run.config.dtype] for run in (one, other)) if tolerance is None else tolerance
        a, b = (Side([*run.parameters], [*run], {**run._run.parameters.by_name, **{
            address: step.tensor for address, step in run._values.items()}}.__getitem__, run._run.source.texts,
            run._run.edits) for run in (one, other))
        steps = list(differing(a.addresses, b.addresses, a, b, most))
        parameters = list(differing(a.parameters, b.parameters, a, b))
        return Comparison(parameters, steps, [Prose(conclusion(steps, a, b)), *ripple(parameters, steps)])
