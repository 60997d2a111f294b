"""Keys of sentences that are put together: each with all values that it can have, and all sentences are spoken."""
from __future__ import annotations

import ast
import functools
import tomllib

import click
import pytest
from command import ROOT

from attntrace.cli.app import COMMANDS, attntrace
from attntrace.messages.catalog import LANGUAGES
from attntrace.model import config
from attntrace.pages import topics
from attntrace.training.schedule import OPTIMIZERS
from attntrace.verify.invariants import KINDS

PACKAGE = ROOT / "attntrace"
SAYS = {"sentence", "sentence_of", "sentence_in"}


def commands(command: click.Command = attntrace, name: str = "attntrace") -> dict[str, click.Command]:
    """All commands by their names, groups and those in them included."""
    found = {name: command}
    if isinstance(command, click.Group):
        for inner in command.list_commands(click.Context(command)):
            found |= commands(command.get_command(click.Context(command), inner), inner)
    return found


@functools.cache
def literals() -> set[str]:
    """All strings of the package that are no parts of others."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        found |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
                  and id(node) not in parts}
    return found


ALL = commands().values()
HELP = {command.text for command in ALL} | {
    param.text for command in ALL for param in command.params if hasattr(param, "text")}
SHORT = {command.text.removesuffix("_group") for command in ALL} - {"attntrace"} | {*COMMANDS}
PROBLEMS = {*tomllib.loads((PACKAGE / "messages/en/problem.toml").read_text("utf-8"))} - {"why"}  # see test_structure
SIDES = "source", "target"
BOTH_WAYS = "rows_sum_to_one", "masked_weights_are_zero", "central_differences", "teacher_forced"
VALUES = {  # of each key that is put together, by what stands in its brackets
    "help.{name}_short": COMMANDS, "help.{self.text}": HELP, "help.{self.text.removesuffix('_group')}_short": SHORT,
    "explain.{name}.title": topics.TOPICS, "explain.{name}.short": topics.TOPICS, "more.{name}": topics.TOPICS,
    "explain.{topic}.title": topics.TOPICS, "explain.{topic}.short": topics.TOPICS,
    "problem.{self.key}": PROBLEMS - {"config"}, "problem.why.{'no_value' if takes_none else 'value'}":
    ["no_value", "value"], "problem.why.whole_{key}": ["any", "from", "within", "long"],
    "problem.why.{self.wanted}": ["not_negative", "share", "positive"],
    "problem.why.system.{errno.errorcode.get(error.errno or 0)}": None,  # another is said by the system
    "{kind}.{key}": None,  # only where there is a sentence
    "messages.side_{side}": SIDES, "messages.diff_{kind}": ["parameters", "steps"],
    "messages.diff_{name}": ["at", "first", "second", "largest", "mean", "numbers"],
    "messages.diff_{key}": ["only_a", "only_b"], "messages.{self.name}_form": ["vector", "matrix"],
    "messages.{self.name}_form_subtitle": ["vector", "matrix"], "messages.info_{which}": ["all", "some", "none"],
    "messages.ledger_{name}": ["word", "logit", "probability"], "messages.seed_{run.init}": config.INITIAL,
    "messages.optimizer_{training_step.optimizer}": OPTIMIZERS,
    "messages.loss_{key}": ["lower", "higher", "same", "none"],
    "messages.part_{part}": ["attention", "encoder", "decoder", "output"],
    "messages.why_{key}": ["ends", "above", "not_followed"], "messages.{kind}": ["columns", "rows"],
    "messages.import_{name}{'_given' * (name in given)}":
        ["norm", "epsilon", "norm_given", "epsilon_given"],
    "messages.import_next{'_' * bool(kind)}{kind}": ["", "_memory", "_decoder"],
    "messages.{note}": ["ids_note", "positions_note", "given_note"],
    "messages.{name}": [
        "address", "formula", "shape", "numbers",  # steps
        "compare_most", "diff_first", "diff_second", "compare_first_at", "compare_second_at", "compare_after",
        "source_word", "memory_word", "target_word", "label"],
    "messages.{key}": [
        "train_exact", "train_sample", "train_held_out", "info_not_there", "info_not_there_attention",
        "ledger_differ", "ledger_second", "ledger_same", "drift", "no_drift",
        "fingerprint", "fingerprint_large", "fingerprint_float32", "largest_weight", "largest_weight_in_tenths",
        *(f"norm_{norm}" for norm in config.CHOICES["norm"]), "final_norm",
        *(f"position_{position}" for position in config.CHOICES["position"]),
        "embedding_scaled", "embedding_unscaled", "no_embedding", "epsilon", "score_sqrt_d_k", "score_number",
        "source_end"],
    "messages.{'failed' if check.failed else 'true'}.{check.key}": [
        *(f"true.{key}{how}" for key in ("rows_agree", "wholes_agree", "shares_agree") for how in ("", "_exactly")),
        *(f"{which}.{key}" for which in ("true", "failed") for key in BOTH_WAYS), "true.cancels",
        "true.rows_sum_to_one_but_for", "failed.row_differs", "failed.whole_differs", "failed.shares_agree"],
    "messages.verify.{name}": ["numbers", "difference", "step", "count", "deviation", "invariant"],
    "messages.verify.{key}": ["all_right", "all_equal", "but", "but_at"],
    "messages.verify.why.{facts['why']}": [
        "op", "no_axis", "sizes", "axes", "product", "columns", "row", "lengths", "unknown", "length", "number_of_axes",
        "no_result", "malformed", "parameter", "torch"],
    "messages.verify.true.{finding.key}": [*KINDS, "fingerprint"],
    "messages.verify.true.{invariant.key}": [*KINDS, "fingerprint"],
    "messages.verify.wrong.{key}": [
        "changed", "differs", "shape", "undefined", "record_shape", "record_twice", "invariant", "parameters",
        "fingerprint", *(f"torch_{key}" for key in ("changed", "differs", "shape", "missing", "stuck", "surplus"))],
}


def put_together() -> dict[str, list[ast.expr]]:
    """Each f-string that is a key, as it stands in the package, and where its values go."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SAYS and len(node.args):
                key = node.args[node.func.id == "sentence_in"]
                if isinstance(key, ast.JoinedStr):
                    text = "".join(part.value if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
                                   for part in key.values)
                    found[text] = key.values
    return found


def expanded() -> dict[str, str]:
    """All keys that can be put together, and from what."""
    found = {}
    for text, values in VALUES.items():
        for value in values or ():
            before, after = text[:text.index("{")], text[text.rindex("}") + 1:]
            found[f"{before}{value}{after}"] = text
    return found


@functools.cache
def sentences(language: str) -> dict[str, str]:
    def flat(table: dict, before: str) -> dict[str, str]:
        return {key: text for name, one in table.items() for key, text in (
            flat(one, f"{before}{name}.") if isinstance(one, dict) else {before + name: one}).items()}
    return {key: text for path in (PACKAGE / "messages" / language).glob("*.toml")
            for key, text in flat(tomllib.loads(path.read_text("utf-8")), f"{path.stem}.").items()}


def test_every_key_that_is_put_together_is_declared_with_its_values():
    assert put_together().keys() == VALUES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_can_be_put_together_has_a_sentence(language):
    assert {key: text for key, text in expanded().items() if key not in sentences(language)} == {}


def test_every_key_that_stands_in_the_package_has_a_sentence():
    kinds = {key.split(".")[0] for key in sentences("en")}
    keys = {text for text in literals() if text.split(".")[0] in kinds and text.count(".") and " " not in text}
    assert {key for key in keys if key[-1] != "." and key not in sentences("en")} <= {
        "problem.why.system", "messages.errors"}  # what a key begins with, a module


def test_every_sentence_has_something_that_speaks_it():
    by_step = "titles.", "problem.why.system.", "problem.config."
    unspoken = {key for key in sentences("en") if key not in literals() and not key.startswith(by_step)}
    assert unspoken - expanded().keys() == set()
