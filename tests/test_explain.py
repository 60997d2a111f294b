"""What is explained: every kind of step, in both languages, with the formulas of the run, once on a page."""
import math
import re
from functools import cache

import pytest
from command import attntrace, printed, words_of
from pages import without_commands
from random_model import WIRINGS

from attntrace.messages.catalog import EXAMPLE, LANGUAGES, template
from attntrace.model.config import Config
from attntrace.pages.topic_table import TOPICS
from attntrace.pages.topics import by_any_name, kind_of, simple, topic_in, topic_of, topics_by_kind
from attntrace.runs.decoding import Decoding
from attntrace.runs.prepare import prepare
from attntrace.runs.training_step import prepare_training_step
from attntrace.tracing.trace import Step
from attntrace.writers.page import ASCII_PROSE

SMALL = ("--d-model", "2", "--heads", "1", "--d-ff", "2")
COMMAND = re.compile(r"^\$ (.+)$", re.M)
ADDRESSES = prepare_training_step(*EXAMPLE, optimizer="adam").addresses()
PROSE = {language: {name: {
    "title": template(language, f"explain.{name}.title"), "short": template(language, f"explain.{name}.short"),
    "more": template(language, f"more.{name}")} for name in TOPICS} for language in LANGUAGES}
COMMANDS = sorted({command for texts in PROSE.values() for text in texts.values()
                   for command in COMMAND.findall(text["more"])})
SENTENCES = {}  # commands that are the same but for what is quoted: of these one is run, the others are thorough
for command in COMMANDS:
    SENTENCES.setdefault(re.sub('"[^"]*"', "", command), command)


@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_kind_of_step_has_a_topic(wiring, optimizer):
    steps = prepare_training_step(*EXAMPLE, optimizer=optimizer, config=Config(layers=2, **wiring)).addresses()
    assert [address for address in steps if not topic_of(address)] == []


def test_every_kind_of_step_of_a_translation_has_the_topic_that_it_has_elsewhere():
    for address in Decoding(prepare("집 갔어", weights="ko-en")).addresses():
        assert topic_of(address) and topic_of(address) == topic_of(re.sub(r"^step\d+\.", "", address))


@pytest.mark.parametrize("address, topic", [
    ("encoder.layer1.self_attention.head2.output", "head.output"), ("decoder.output", "decoder.output"),
    ("decoder.layer3.cross_attention.output", "self_attention.output"), ("output.logits", "logits"),
    ("encoder.layer1.feed_forward.output", "feed_forward.output"), ("decoder.embedding", "embedding"),
    ("step12.decoder.layer1.cross_attention.head10.query", "cross_attention.query"),
    ("encoder.layer1.self_attention.head1.query", "query"), ("encoder.final_norm.mean", "mean"),
    ("gradient.output.logits", "gradient.logits"), ("gradient.decoder.layer1.feed_forward.W_2", "gradient.W"),
    ("gradient.encoder.layer1.self_attention.b_K", "gradient.b"), ("gradient.encoder.E", "gradient.E"),
    ("gradient.encoder.input.from.encoder.layer1.self_attention.residual", "gradient.from"),
    ("gradient.encoder.input", "gradient"), ("gradient.loss.mean", "gradient.loss.mean"),
    ("update.encoder.layer1.feed_forward.b_1.old", "update"), ("update.output.W.v_hat", "update.m_hat"),
    ("encoder.nothing", None)])
def test_the_most_specific_kind_decides(address, topic):
    assert topic_of(address) == topic


def test_all_topics_are_complete_in_both_languages():
    for texts in PROSE.values():
        for name, text in texts.items():
            assert all(map(str.strip, text.values())), name
            assert len(text["title"]) <= 32 and "\n" not in text["short"], name
            assert len(text["short"]) <= 230, "a page is for numbers"
            assert len(COMMAND.findall(text["more"])) == 1, name
            assert not re.search(r"[{}\t]|  ", "".join(text.values())), name


def test_english_explanations_can_be_spelled_in_ascii():
    for text in PROSE["en"].values():
        prose = COMMAND.sub("", "".join(text.values()))
        assert prose.translate(ASCII_PROSE).isascii(), prose


def test_a_number_of_another_activation_leads_to_the_topic_that_explains_it():
    for word, topic in (("relu", "encoder.layer1.feed_forward.activation"), ("silu", "silu")):
        out = attntrace("why", "encoder.layer1.feed_forward.activation:1,1", "a cat", "--activation", word).out
        assert out.rstrip().endswith(f"$ attntrace explain {topic}")


def test_topics_speak_of_topics_and_of_steps_that_there_are():
    for name, topic in TOPICS.items():
        assert set(topic.see) <= TOPICS.keys() - {name} and topic.see, name
        there = (prepare_training_step(*EXAMPLE, config=Config(**topic.wiring)).addresses() if topic.wiring
                 else ADDRESSES)
        assert set(topic.steps) <= there.keys(), name
    assert len(topics_by_kind()) == len(TOPICS) + sum(len(topic.also) for topic in TOPICS.values())


def test_each_topic_is_found_by_its_name_and_by_its_title_in_each_language():
    for language, texts in PROSE.items():
        titles = [text["title"] for text in texts.values()]
        assert len(set(titles)) == len(titles), language
    assert {by_any_name()[simple(called)] for called in (
            "layer_norm", "층_정규화", "층정규화", "adam", "query", "쿼리", "softmax", "head.output", "output_projection")} == {
        "layer_norm", "adam", "query", "softmax", "head.output", "self_attention.output"}


@pytest.mark.parametrize("asked", [
    "scaled_scores", "head1.scaled_scores", "Scaled scores", "스케일링한 점수", "스케일링한 점수 (scaled)",
    "encoder.layer7.self_attention.head3.scaled_scores", "scaled-scores"])
def test_a_topic_may_be_asked_for_in_many_ways(asked):
    expected = without_commands(printed("explain", "scaled_scores").out)
    assert without_commands(attntrace("explain", asked).out) == expected
    assert without_commands(attntrace("explain", *asked.split(" ")).out) == expected


@cache
def steps_of(optimizer: str, **wiring: object) -> dict[str, Step]:
    """The first steps of a training step, by address."""
    steps: dict[str, Step] = {}
    prepare_training_step(*EXAMPLE, optimizer=optimizer, config=Config(**wiring))(
        lambda step: steps.setdefault(step.address, step))
    return steps


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_explained_with_the_formulas_of_the_run(name):
    code, out, _ = printed("explain", name, "--width", "400")
    assert code == 0
    title, other = PROSE["en"][name]["title"], PROSE["ko"][name]["title"]
    assert out.startswith(f"  {title} / {other}\n" if title != other else f"  {title}\n")
    assert PROSE["en"][name]["short"] in out and PROSE["en"][name]["more"].split("\n")[1] in out
    topic = TOPICS[name]
    assert (f"Section {topic.section} of the paper." in out) == bool(topic.section)
    steps = steps_of(topic.optimizer, **topic.wiring)
    shown = [line.split() for line in out.splitlines() if " = " in line and line.split()[0] in steps]
    for address, *formula in shown:
        assert " ".join(formula).startswith(steps[address].formula()), address
    if topic.steps:
        assert {line[0] for line in shown} == set(topic.steps)
    elif shown:
        assert {topic_in(line[0], Config(**topic.wiring)) for line in shown} == {name}
        assert len(shown) <= 1 + len(topic.also)
    kinds = {kind_of(address) for address in steps}
    is_step = any(kind.endswith(f".{name}") or kind == name for kind in kinds)
    assert shown or not is_step


@pytest.mark.parametrize("command", [
    pytest.param(command, marks=[] if command in SENTENCES.values() else pytest.mark.thorough) for command in COMMANDS])
def test_each_command_that_an_explanation_names_runs(command):
    code, out, errors = printed(*words_of(command))
    assert (code, errors) == (0, "") and out


@pytest.mark.thorough
def test_each_page_ends_with_other_commands_that_run():
    commands = set()
    for name in TOPICS:
        text, heading, ending = printed("explain", name, "--width", "400").out.partition("\n  Try next:\n")
        assert heading and 2 <= len(ending.splitlines()) <= 3 and not set(ending.splitlines()) & set(text.splitlines())
        commands.update(line[4:] for line in ending.splitlines())
    for command in commands:
        code, out, errors = printed(*words_of(command))
        assert (code, errors) == (0, "") and out, command


@pytest.mark.parametrize("topic", ["masking", "pencil", "gradient.scaled_scores"])
def test_a_command_can_be_pasted_from_a_narrow_page(topic):
    lines = iter(attntrace("explain", topic, "--width", "60").out.splitlines())
    command = next(line for line in lines if line.startswith("  $ "))
    while command.endswith("\\"):
        command = command[:-1] + next(lines)
    assert words_of(command[4:]) in [words_of(line[2:]) for line in PROSE["en"][topic]["more"].splitlines()
                                     if line.startswith("$ ")]


def test_without_a_topic_there_is_the_glossary_in_both_languages():
    out = attntrace("explain").out
    lines = {line.split("  ")[1]: line for line in out.splitlines()}
    for name in TOPICS:
        assert PROSE["en"][name]["title"] in lines[name] and PROSE["ko"][name]["title"] in lines[name]
    assert max(map(len, out.splitlines())) <= 100


def test_a_page_of_80_columns_says_what_a_section_is_and_breaks_no_formula_that_fits_a_line():
    assert "    Transformer   트랜스포머   section 3\n" in attntrace("explain", "--width", "80").out
    page = attntrace("explain", "learning rate", "--width", "80").out
    assert "    W_E,new[i,:] = W_E,old[i,:] - lr · W_E,grad[i,:]\n" in page
    page = attntrace("explain", "cross-entropy", "--width", "100").out
    assert re.search(r" lossᵢ = -Σ_vocab\(labelsᵢ ⊙ log\(probabilitiesᵢ\)\)\n", page)


@pytest.mark.parametrize("asked, formula", [
    ("decoder.layer1.self_attention.head1.weights", "decoder.layer1.self_attention.head1.weights  A = softmax(Ŝ′)"),
    ("decoder.layer1.cross_attention.head1.value", "decoder.layer1.cross_attention.head1.value  V = M W_V⁽¹⁾"),
    ("gradient.encoder.E", "gradient.encoder.E  ∂L/∂W_E = into rows(id, ∂L/∂E)"),
    ("encoder.layer9.self_attention.head7.query:1,2", "encoder.layer1.self_attention.head1.query  Q = X W_Q⁽¹⁾"),
    ("step3.decoder.output", "decoder.output  D = Y⁽¹⁾")])
def test_an_address_is_explained_with_its_own_formula(asked, formula):
    out = attntrace("explain", asked).out
    assert re.search(rf"^  {re.escape(formula)}(?=  |$)", out, re.M), out


def explained(out: str) -> list[str]:
    """The titles of what a page explains, in its order."""
    titles = "|".join(re.escape(text["title"]) for text in PROSE["en"].values())
    return re.findall(rf"^     ({titles}): ", out, re.M)


@pytest.mark.parametrize("arguments", [
    ("trace", "a b", "--target", "c", "--layers", "2"), ("trace", "a b", "--form", "matrix"),
    ("backprop", "a", "c", *SMALL, "--optimizer", "adam", "--form", "vector"),
    ("translate", "집 갔어", "--step", "2", "--form", "vector")])
def test_each_kind_is_explained_once_on_a_page_where_it_is_first_shown(arguments):
    out = attntrace(*arguments).out
    titles = explained(out)
    assert titles and len(set(titles)) == len(titles)
    assert out.count(PROSE["en"]["key"]["short"][:40]) == 1
    assert explained(attntrace(*arguments, "--no-explain", "--arithmetic", "none").out) == []


def test_of_one_step_only_its_kind_is_explained():
    assert explained(attntrace("trace", "a b", "--only", "head2.scores").out) == ["Scores"]


def test_explanations_take_no_number_and_no_line_from_a_page():
    whole, without = (without_commands(attntrace("trace", "a b", "--target", "c", *more).out).splitlines()
                      for more in ((), ("--no-explain",)))
    rest = iter(whole)
    assert all(line in rest for line in without)
    assert len(whole) - len(without) < len(without) / 10


@pytest.mark.parametrize("arguments", [("--width", "60"), ("--ascii", "--width", "60"), ("--width", "60", "--big")])
def test_explanations_keep_to_the_width_of_the_page(arguments):
    out = attntrace("trace", "a b", "--target", "c", "--only", "*.scaled_scores", "--only", "*.query", *arguments).out
    assert "Scaled scores: " in out
    assert max(map(len, out.splitlines())) <= 60
    assert without_commands(out).isascii() == ("--ascii" in arguments)


def softmax(*scores: float) -> list[float]:
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize("name, numbers", [
    ("softmax", [f"{share:.3f}" for scores in ((1, 2, 3), (10, 20, 30)) for share in softmax(*scores)]),
    ("scaled_scores", [f"{share:.4f}" for share in softmax(0, 8)] + [f"{share:.2f}" for share in softmax(0, 1)]
     + [f"{softmax(0, 1)[0] * softmax(0, 1)[1]:.2f}"]),
    ("entropy", [f"{math.log(3):.3f}", f"{-sum(a * math.log(a) for a in (0.9, 0.05, 0.05)):.3f}"]),
    ("scaled_embedding", [f"{math.sqrt(512 / 2):.0f}"]), ("positional_encoding", [f"{2 * math.pi:.1f}"]),
    ("label_smoothing", ["0.925", "0.025"]), ("logits", [f"{math.e:.3f}"]),
    ("cross_entropy", [f"{-math.log(p):.3f}" for p in (0.5, 0.01)]), ("gradient.loss.mean", [f"{1 / 7:.3f}"])])
def test_numbers_in_explanations_are_true(name, numbers):
    for texts in PROSE.values():
        assert [number for number in numbers if number not in texts[name]["more"]] == []
