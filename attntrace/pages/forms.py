"""Steps become blocks: the vector form, the matrix form, the arithmetic of cells, and the checks that close a stage."""
import itertools
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

import numpy as np

from attntrace.messages.catalog import Joined, Message
from attntrace.pages import blocks
from attntrace.pages.blocks import Block, Check, Formula, Grid
from attntrace.pages.checks import DIGITS, check_postconditions, check_rows, check_rows_sum_to_one, is_rounding, rows_of
from attntrace.pages.numbers import Figures
from attntrace.pages.stages import Stage, place_title
from attntrace.pages.view import (View, any_row_formula, cell_line, followed, grid, hidden, hues_along, label_of,
                                  parameter_name, row_formula, whole_formula)
from attntrace.tensor.evaluate import evaluate
from attntrace.tensor.expression import Call, HasValue
from attntrace.tensor.tensor import Tensor, Term, drawn_in
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Step

CHECKED, BARS = "checked", "bars"  # the notes about the ✓ in a heading, and about bars of weights
BACKWARD = "gradient_note"  # and about gradients
SIGNS = "columns", "into_rows", "repeated", "positive"  # names of operations whose sign is explained where it is new
PLAIN = {"rows_agree", "wholes_agree", "rows_sum_to_one", "masked_weights_are_zero", "shares_agree"}  # what it says


class Form:
    """A sink that gathers steps into stages and writes each stage as blocks once it is complete."""
    part: int
    name: str

    def __init__(self, view: View, write: Callable[[Iterator[Block]], None], parameters: Container[str],
                 explained: set[str] | None = None, more: Callable[[Step], list[Check]] = lambda step: []) -> None:
        self.view, self.write, self.parameters, self.more = view, write, parameters, more
        self.explained = set[str]() if explained is None else explained  # topics, on the whole page
        self.stage = Stage(1)
        self.failed: list[Check] = []
        self._rows: dict[str, list[Tensor]] = {}
        self.region: str | None = None  # the last that was headed, once anything was shown
        self._weights: set[str] = set()  # addresses of attention weights: an operand has dropped its history
        self._shown: set[tuple[str | None, int | None]] = set()  # parameters, by name and block of columns
        self._figures: dict[HasValue, Figures] = {}
        self._rounding: set[str] = set()  # addresses of tensors that are 0 but for rounding

    def __call__(self, step: Step) -> None:
        if step.rounding.decimals is None and is_rounding(step, self._rounding):
            self._rounding.add(step.address)
        if self.stage.steps and not self.stage.goes_on_with(step, self.rows(step)[0]):
            self.close()
            self.stage = Stage(self.stage.number + 1)
        self.stage.steps.append(step)
        if step.is_attention:
            self._weights.add(step.address)

    def close(self) -> None:
        """Write the last stage, below the headings of its part and its place."""
        steps = [step for step in self.stage.steps if self.view.shows(step)]
        if steps and self.view.rows(steps[0]):
            self.write(itertools.chain(self.headings(), self.blocks_of(steps), self.wiring(steps)))
        for step in self.stage.steps:
            self._rows.pop(step.address, None)
        self._figures.clear()

    def rows(self, step: Step) -> list[Tensor]:
        """The recomputed rows of a step (only the first, if it is not shown), kept until its stage is written."""
        if step.address not in self._rows:
            self._rows[step.address] = rows_of(step, None if self.view.shows(step) else 1)
        return self._rows[step.address]

    def headings(self) -> Iterator[Block]:
        if self.region is None:
            yield blocks.PartHeading(Message("messages.part", number=self.part),
                                     Message(f"messages.{self.name}_form"),
                                     Message(f"messages.{self.name}_form_subtitle"))
            if CHECKED not in self.explained:
                self.explained.add(CHECKED)
                step = self.stage.steps[0]
                key = CHECKED if step.rounding.decimals is None else f"{CHECKED}_exactly"
                yield blocks.Prose(Message(f"messages.{key}", digits=DIGITS[str(step.value.dtype)]), note=True,
                                   apart=True)
        if self.stage.region != self.region:
            self.region = self.stage.region
            first = self.stage.steps[0].address
            here = self.region if Address.of(first).number("layer") else first
            yield blocks.Heading(place_title(self.region), of_place=True, here=here)
            if Address.of(first).phase == "gradient":
                yield from self.notes([BACKWARD])

    def notes(self, keys: Iterable[str]) -> Iterator[Block]:
        """Notes that are new on this page."""
        new = [key for key in dict.fromkeys(keys) if key not in self.explained]
        self.explained.update(new)
        if new:
            yield blocks.Prose(Joined(" ", [Message(f"messages.{key}") for key in new]), note=True, apart=True)

    def signs(self, steps: Iterable[Step], formulas: Iterable[Formula]) -> Iterator[str]:
        """The keys of notes about what is in the formulas of gradients."""
        for step, formula in zip(steps, formulas, strict=True):
            address = Address.of(step.address)
            if address.phase == "gradient":
                calls = {node.name.partition(" ")[0] for node in formula.right.nodes() if isinstance(node, Call)}
                yield from (f"sign_{name}" for name in SIGNS if name.partition("_")[0] in calls)
                yield from ["key_bias_note"] * (address.name == "b_K")

    def blocks_of(self, steps: list[Step]) -> Iterator[Block]:
        raise AssertionError("every form has its blocks")

    def wiring(self, steps: list[Step]) -> Iterator[Block]:
        if self.view.wired:
            yield blocks.Wiring(tuple(blocks.Wired(
                step.tensor, step.node, self.figures(step.tensor),
                {leaf: self.figures(leaf) for leaf in step.node.leaves()}, step.rounding.decimals) for step in steps))

    def figures(self, tensor: HasValue) -> Figures:
        if tensor not in self._figures:
            figures = Figures.of(tensor.value, self.view.precision, self.view.exact)
            if figures.power and getattr(tensor, "address", None) in self._rounding:
                figures = Figures.fixed(self.view.precision)  # what rounding leaves is written 0.000
            self._figures[tensor] = figures
        return self._figures[tensor]

    def heading(self, checks: Sequence[Check], *formulas: Formula) -> blocks.StageHeading:
        right = not any(check.failed for check in checks) if checks else None
        return blocks.StageHeading(f"{self.part}.{self.stage.number}", self.stage.title, self.stage.steps[0].place,
                                   formulas, self.stage.steps[0].address, right)

    def explanations(self, steps: list[Step]) -> Iterator[Block]:
        """Explain the topics of these steps that are new on this page."""
        topics = dict.fromkeys(self.view.topic(step.address) for step in steps) if self.view.explain else ()
        new = [topic for topic in topics if topic is not None and topic not in self.explained]
        self.explained.update(new)
        if new:
            yield blocks.Explained(tuple((Message(f"explain.{topic}.title"), Message(f"explain.{topic}.short"))
                                         for topic in new))

    def grid(self, tensor: Tensor, head: int | None) -> Grid:
        return grid(tensor, head, self.figures(tensor), self.view.corner(tensor), tensor.address in self._weights,
                    self.stage.steps[0].address, self.view.shortens(tensor))

    def parameter_grid(self, tensor: Tensor, head: int | None) -> Grid:
        """Of a parameter, or of some of its columns."""
        value = tensor.value
        constant = not self.view.in_full and value.size > 1 and bool((value == value.flat[0]).all())
        return self.grid(tensor, head)._replace(address=parameter_name(tensor), constant=constant)

    def new_parameters(self, steps: list[Step]) -> list[Tensor]:
        """The parameters that these steps use and that this part has not shown yet, in order of use."""
        new = []
        for step in steps:
            formula = step.node.formula()
            for tensor in drawn_in(formula):
                is_whole = isinstance(formula, Term) and tensor.address  # the step is the parameter itself
                if not tensor.axes or tensor.symbol is None or is_whole:
                    continue
                address = parameter_name(tensor)
                key = address, tensor.symbol.superscript
                if address in self.parameters and key not in self._shown:
                    self._shown.add(key)
                    new.append(tensor)
        return new

    def checks(self, steps: list[Step], rows: list[Check]) -> list[Check]:
        """The checks of some steps in addition to those of their rows."""
        checks = [*rows, *check_postconditions(steps), *(check for step in steps for check in self.more(step))]
        self.failed += [check for check in checks if check.failed]
        return checks

    def verdicts(self, checks: Sequence[Check]) -> Iterator[Block]:
        """What the ✓ in the heading does not say: what failed, and what was found beyond right and wrong."""
        said = tuple(check for check in checks if check.failed or check.key.removesuffix("_exactly") not in PLAIN)
        if said:
            yield blocks.Checks(said)


class VectorForm(Form):
    """Part 1: one token at a time, each row recomputed from rows."""
    part, name = 1, "vector"

    def blocks_of(self, steps: list[Step]) -> Iterator[Block]:
        head = steps[0].symbol.head
        rebuilt = [self.rows(step) for step in steps]
        over_tokens = {step.address: step.node.op.over_tokens(*step.node.operands) for step in steps}
        checks = self.checks(steps, [*check_rows(steps, rebuilt), *(
            check_rows_sum_to_one(step, terms[1]) for step in steps if (terms := over_tokens[step.address]))])
        formulas = [any_row_formula(step, rows[0]) for step, rows in zip(steps, rebuilt, strict=True)]
        yield self.heading(checks, *formulas)
        yield from self.notes(self.signs(steps, formulas))
        yield from self.explanations(steps)
        used = self.new_parameters(steps)
        if used:
            yield blocks.Grids(tuple(self.parameter_grid(tensor, head) for tensor in used))
            yield from hidden(self.view, [(parameter_name(tensor), tensor) for tensor in used])
        by_rows = [(step, rows) for step, rows in zip(steps, rebuilt, strict=True) if not over_tokens[step.address]]
        labels = steps[0].labels
        limit = min(self.view.corner(step.tensor)[0] if len(step.axes) == 2 else len(labels) for step in steps)
        shown = self.view.rows(steps[0])[:limit]
        if by_rows:
            hues = hues_along(steps[0].tensor, 0) if steps[0].axes else ()
            lines = tuple(self.line(step, rows, shown) for step, rows in by_rows)
            first = BARS not in self.explained and any(line.weights for line in lines)
            self.explained.update([BARS] * first)
            yield blocks.VectorRows(tuple(labels[i] for i in shown), tuple(shown), lines,
                                    tuple(hues[i] for i in shown) if hues else (), first)
            yield from hidden(self.view, [(step.address, step.tensor) for step, _ in by_rows],
                              (len(shown), len(self.view.rows(steps[0]))))
        for step in steps:
            if terms := over_tokens[step.address]:
                yield from self.shares(step, *terms)
        yield from self.arithmetic(steps, tuple(labels[i] for i in shown), shown)
        yield from self.verdicts(checks)

    def shares(self, step: Step, parts: list[Tensor], total: Tensor) -> Iterator[Block]:
        """A weight's gradient, token by token."""
        head, parts = step.symbol.head, [evaluate(part, step.rounding) for part in parts]
        alike = Figures.of(np.concatenate([step.value.ravel(), *(part.value.ravel() for part in parts)]),
                           self.view.precision, self.view.exact)  # so that they can be added up
        grids = [self.grid(Tensor(part.value, part.axes, step.symbol), head)._replace(
            formula=part.history.formula(), figures=alike) for part in parts]
        yield blocks.Grids(tuple(grids), Formula(step.symbol, total.history.formula(), head))
        yield blocks.Grids((self.grid(step.tensor, head)._replace(figures=alike),))
        yield from hidden(self.view, [(step.address, step.tensor)])

    def arithmetic(self, steps: list[Step], labels: tuple[str, ...], shown: Sequence[int]) -> Iterator[Block]:
        """The arithmetic of the cells that the view shows: one block a row, so that only one row is kept."""
        first = True
        for step in steps if self.view.arithmetic != "none" else ():
            figures: dict[HasValue, Figures] = {leaf: self.figures(leaf) for leaf in step.node.leaves()}
            whole = Tensor(step.value, step.axes, node=step.node)  # without its name, so that it can be followed
            for start, row in itertools.groupby(self.indices(step, shown), key=lambda index: index[:1]):
                part, left = followed(whole, start)
                yield blocks.CellLines(tuple(cell_line(step, index, *followed(part, left + index[1:]),
                                                       self.figures(step.tensor), figures)
                                             for index in row), labels, first)
                first = False

    def line(self, step: Step, rows: list[Tensor], shown: Sequence[int]) -> blocks.RowLine:
        columns = self.view.corner(step.tensor)[1]
        some = [rows[i] for i in shown]
        axes = some[0].axes
        labels = axes[0].labels if axes else None
        line = blocks.RowLine(tuple(row_formula(step, rows[i], i) for i in shown),
                              np.stack([row.value[:columns] if axes else row.value for row in some]),
                              self.figures(step.tensor), labels and labels[:columns],
                              hues_along(step.tensor, 1)[:columns] if len(step.axes) == 2 else (),
                              weights=step.node.op.rows_sum_to_one,
                              more=max(some[0].value.size - columns, 0) if axes else 0, address=step.address,
                              name=label_of(step), short=self.view.shortens(step.tensor))
        mixtures = [row.node.op.mixes(*row.node.operands) if row.node and not line.more else None for row in some]
        if mixtures[0]:
            whole = mixtures[0][1]
            assert whole.symbol is not None
            mixed = tuple(whole.symbol.indexed(0, n, whole.axis_names) for n in range(whole.axes[0].size))
            weights = next(mixtures[0][0].leaves())
            line = line._replace(mixture=mixed, shares=np.stack([mixture[0].value for mixture in mixtures if mixture]),
                                 share_figures=self.figures(weights), hues=hues_along(weights, 1))
        return line

    def indices(self, step: Step, shown: Sequence[int]) -> list[tuple[int, ...]]:
        """The indices whose arithmetic is shown: all in the shown rows, or only the first."""
        view = self.view._replace(short=False) if self.view.short else self.view
        corner = view.corner(step.tensor)
        along: list[Sequence[int]] = [range(size) for size in corner[2 - len(step.axes):]]
        if step.has_rows:
            along[0] = [i for i in shown if i in along[0]] or shown  # what was asked for, also beyond the limit
        every = itertools.product(*along)
        if self.view.arithmetic == "all" or step.node.op.show_every_cell:
            return list(every)
        first = next(every)
        if step.symbol.gradient:  # of which many are 0
            return [next((index for index in (first, *every) if step.value[index]), first)]
        return [first]


class MatrixForm(Form):
    """Part 2: all tokens at once."""
    part, name = 2, "matrix"

    def blocks_of(self, steps: list[Step]) -> Iterator[Block]:
        checks = {step.address: self.checks([step], check_rows([step], [self.rows(step)])) for step in steps}
        yield self.heading([check for step in steps for check in checks[step.address]])
        yield from self.notes(self.signs(steps, map(whole_formula, steps)))
        yield from self.explanations(steps)
        drawn: set[Tensor] = set()
        for step in steps:
            formula = whole_formula(step)
            copied = formula.right.tensor if isinstance(formula.right, Term) else None  # whose numbers the result has
            terms = [tensor for tensor in drawn_in(formula.right) if tensor.axes and tensor is not copied]
            new = self.new_parameters([step])
            if any(self.view.cuts(tensor) for tensor in (*terms, step.tensor)):  # corners make no equation
                terms = []
            else:
                new = []
            operands = {tensor: self.grid(tensor, step.symbol.head) for tensor in terms}
            yield blocks.MatrixEquation(formula, label_of(step), step.tensor.axis_names, operands,
                                        self.grid(step.tensor, step.symbol.head), frozenset(drawn),
                                        tuple(self.parameter_grid(tensor, step.symbol.head) for tensor in new))
            yield from hidden(self.view, [*((parameter_name(tensor), tensor) for tensor in new),
                                          (step.address, step.tensor)])
            drawn |= {*operands} if copied in drawn else {*operands, step.tensor}
            yield from self.verdicts(checks[step.address])


FORMS: dict[str, type[Form]] = {"vector": VectorForm, "matrix": MatrixForm}
