"""Two runs side by side, and what-if edits: only the edit makes the difference."""
import json
import math
import re

import numpy as np
import pytest
from command import attntrace, refusal
from pages import without_commands
from random_model import SENTENCE, TRANSLATION, random_model

from attntrace.messages.catalog import Message
from attntrace.runs.prepare import prepare
from attntrace.runs.what_if import Edits

HEAD = "decoder.layer2.cross_attention.head3"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(random_model().write(tmp_path_factory.mktemp("weights") / "w.npz"))


def values_of(run) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    run(lambda step: found.__setitem__(step.address, step.value))
    return found


def changed_run(weights: str, **changes) -> dict[str, np.ndarray]:
    return values_of(prepare(SENTENCE, TRANSLATION, weights=weights, edits=Edits(**changes)))


def test_a_head_that_is_ablated_is_one_whose_rows_of_W_O_are_zero(weights, tmp_path):
    model = random_model()
    model.parameters["decoder.layer2.cross_attention.W_O"][8:12] = 0
    by_hand = values_of(prepare(SENTENCE, TRANSLATION, weights=str(model.write(tmp_path / "w.npz"))))
    ablated, before = changed_run(weights, ablate=[HEAD]), changed_run(weights)
    assert all((ablated[name] == value).all() for name, value in by_hand.items())
    assert (ablated[f"{HEAD}.output"] == before[f"{HEAD}.output"]).all()  # its output is computed but not used
    assert (ablated["output.logits"] != before["output.logits"]).all()


def test_a_number_that_is_set_is_that_number(weights, tmp_path):
    model = random_model()
    model.parameters["encoder.layer1.feed_forward.b_1"][4] = -2.5
    model.parameters["output.W"][0, 7] = 0.125
    by_hand = values_of(prepare(SENTENCE, TRANSLATION, weights=str(model.write(tmp_path / "w.npz"))))
    changed = changed_run(weights, set=["encoder.layer1.feed_forward.b_1:5=-2.5", "output.W:1,yesterday=0.125"])
    assert all((changed[name] == value).all() for name, value in by_hand.items())


def test_without_positions_the_order_of_words_is_the_order_of_rows_and_nothing_else(tmp_path):
    file = str(random_model(position="none").write(tmp_path / "w.npz"))
    before, after = changed_run(file), changed_run(file, swap=["1,4"])
    order = [3, 1, 2, 0, 4]
    for name, value in before.items():
        rows = name.startswith("encoder") or re.search(r"cross_attention\.head\d\.(key|value)$", name)
        there = value[order] if rows and value.ndim else value
        if re.search(r"(encoder|cross_attention).*(scores|weights)$", name):
            there = there[:, order]
        assert np.allclose(after[name], there, rtol=0, atol=1e-12 * np.abs(there[np.isfinite(there)]).max()), name


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    place = tmp_path_factory.mktemp("diff")
    names = {name: str(place / f"{name}.npz") for name in ("a", "set", "pre", "swap", "back", "none", "unswapped")}
    change = ("--set", "encoder.layer1.feed_forward.b_2:2=0.5")
    for name, more in (("a", ()), ("set", change), ("pre", ("--norm", "pre")), ("swap", ("--swap", "1,3")),
                       ("none", ("--position", "none", "--swap", "1,3")), ("unswapped", ("--position", "none"))):
        words = "어제 카페 갔었어", "--target", "I went", "--only", "encoder.output"
        assert attntrace("trace", *words, "--save", names[name], *more).code == 0
    assert attntrace("backprop", "a cat", "I", "--only", "loss.mean", "--save", names["back"]).code == 0
    return names


def test_the_ripple_begins_where_the_change_is_first_read_and_names_every_step(files):
    result = attntrace("diff", files["a"], files["set"], "--width", "120")
    assert result.code == 1
    assert "differ; the first is encoder.layer1.feed_forward.output." in result.out
    lines = [line.split() for line in result.out.splitlines()]
    printed = {words[0]: words[1:] for words in lines if len(words) == 7 and "." in words[0]}
    with np.load(files["a"]) as one, np.load(files["set"]) as other:
        expected = {}
        for name in set(one.files) - {"run"}:
            apart = np.abs(np.nan_to_num(one[name], neginf=0) - np.nan_to_num(other[name], neginf=0))
            if apart.any():
                at = ",".join(str(i + 1) for i in np.unravel_index(apart.argmax(), apart.shape))
                expected[name] = [at, *(f"{x:.3f}" if x >= 0.01 else f"{x:.3e}" for x in (apart.max(), apart.mean())),
                                  f"{np.count_nonzero(apart)}/{apart.size}"]
                ends = [float(file[name].flat[apart.argmax()]) for file in (one, other)]
                assert [float(text) for text in printed[name][1:3]] == pytest.approx(ends, abs=5.1e-4), name
    assert {name: [at, *rest] for name, (at, _, _, *rest) in printed.items()} == expected and len(printed) > 30


def test_on_a_narrow_page_names_stand_below_their_place_and_nothing_else_changes(files):
    wide, narrow = (attntrace("diff", files["a"], files["set"], "--width", width).out for width in ("120", "80"))
    assert max(map(len, narrow.splitlines())) <= 80
    place, rows = "", []
    for line in narrow[narrow.index("  Steps"):narrow.index("  at:")].splitlines()[2:]:
        words = line.split()
        rows += [[f"{place}.{words[0]}", *words[1:]]] if len(words) == 7 else []
        place = words[0] if len(words) == 1 else place
    assert rows == [line.split() for line in wide[wide.index("  Steps"):wide.index("  at:")].splitlines()[2:]]


def test_steps_of_one_run_only_are_listed_apart_from_those_that_differ(files):
    for order, alone in ((("a", "unswapped"), "first"), (("unswapped", "a"), "second")):
        result = attntrace("diff", *(files[name] for name in order), "--width", "120").out
        assert f"Only the {alone} run has encoder.positional_encoding, decoder.positional_encoding." in result
        assert "differ; the first is encoder.input." in result


def test_the_first_step_is_the_first_in_order_of_computation(files):
    with np.load(files["a"]) as one, np.load(files["pre"]) as other:
        names = [name for name in one.files if name in other.files and name.count(".") > 1 or name == "encoder.input"]
        first = next(name for name in names if not np.array_equal(one[name], other[name]))
    assert f"differ; the first is {first}." in attntrace("diff", files["a"], files["pre"], "--width", "200").out


def test_a_swapped_word_is_compared_with_itself(files):
    assert attntrace("diff", files["unswapped"], files["none"], "--tolerance", "1e-12").code == 0
    assert attntrace("diff", files["a"], files["swap"], "--tolerance", "1e-12", "--quiet").out.count("\n") == 1


def test_a_tolerance_forgives_no_more_than_it_says(files):
    with np.load(files["a"]) as one, np.load(files["set"]) as other:
        largest = max(float(np.abs(np.nan_to_num(one[name], neginf=0) - np.nan_to_num(other[name], neginf=0)).max())
                      for name in one.files if name != "run")
    assert attntrace("diff", files["a"], files["set"], "--tolerance", repr(largest)).code == 0
    assert attntrace("diff", files["a"], files["set"], "--tolerance", repr(largest * 0.999)).code == 1


def test_runs_of_different_kinds_are_not_compared(files):
    assert "trace, backprop" in refusal("diff", files["a"], files["back"])


def heads_of(page: str) -> dict[tuple[str, str], list[str]]:
    """What the page of an experiment says of each row of each head."""
    found, head = {}, ""
    for line in page.partition("Steps that differ")[0].splitlines():
        words = line.split()
        if re.fullmatch(r"\S+\.head\d", line.strip()):
            head = words[0]
        elif head and len(words) == 7:
            found[head, words[0]] = words[1:]
    return found


def test_an_experiment_shows_of_each_row_both_entropies_their_bound_and_where_it_looks():
    result = attntrace("compare", "어제 카페 갔었어", "--target", "I went", "--what-if", "--score-scale 1")
    printed = heads_of(result.out)
    source, target = ["어제", "카페", "갔었어"], ["<s>", "I", "went"]
    for n, more in enumerate(((), ("--score-scale", "1"))):
        out = attntrace("trace", "어제 카페 갔었어", "--target", "I went", "--format", "jsonl", *more).out
        for record in map(json.loads, out.splitlines()):
            if not (address := record.get("address", "")).endswith(".weights"):
                continue
            looking = source if address.startswith("encoder") else target
            looked_at = target if "decoder.layer1.self" in address else source
            for i, row in enumerate(record["value"]):
                both = (words := printed[address.removesuffix(".weights"), looking[i]])[:2]
                entropy = -sum(a * math.log(a) for a in row if a)
                assert both[n] == f"{abs(entropy):.3f}"
                assert words[2 + 2 * n:4 + 2 * n] == [f"{max(row):.3f}", looked_at[row.index(max(row))]]
    assert result.code == 0 and len(printed) == 18
    assert f"(log 1 = 0, log 2 = {math.log(2):.3f}, log 3 = {math.log(3):.3f})" in " ".join(result.out.split())


def test_an_experiment_shows_the_likeliest_words_of_both_runs():
    head = "decoder.layer2.cross_attention.head4"
    words = ("어제 카페 갔었어", "--weights", "ko-en", "--target", "I went to the")
    page = attntrace("compare", *words, "--ablate", head).out
    assert "All attention weights are the same in both runs." in page
    assert "The likeliest next words are the same." in page
    likeliest = []
    for more in ((), ("--ablate", head)):
        run = prepare(words[0], words[-1], weights="ko-en", edits=Edits(ablate=[head] if more else []))
        likeliest.append([f"{row.max():.3f} {run.vocabularies.target[row.argmax()]}"
                          for row in values_of(run)["output.probabilities"]])
    for word, *both in zip(("<s>", "I", "went", "to", "the"), *likeliest, strict=True):
        assert [word, *" ".join(both).split()] in [line.split() for line in page.splitlines()]


@pytest.mark.parametrize("edits", [
    ("--set", "output.W:1,2=-0.5"), ("--swap", "1,3"), ("--ablate", HEAD, "--swap", "1,2")])
def test_edits_alone_are_the_experiment_and_beside_others_are_in_both_runs(edits, weights):
    sentence = (SENTENCE, "--target", TRANSLATION, "--weights", weights, "--width", "200")
    quoted = " ".join(edits)
    pages = [attntrace("compare", *sentence, *words).out for words in (edits, ("--what-if", quoted))]
    shown = [page[page.index("  \"First\""):page.index("Details")] for page in pages]
    assert shown[0] == shown[1] and pages[0].startswith(f"What if {quoted}?\n")
    both = attntrace("compare", *sentence, *edits, "--what-if", "--score-scale 3").out
    assert both.count("what if: ") == len(edits) // 2 and "same run, except: --score-scale 3.\n" in both


def test_the_edits_of_an_experiment_are_said_once():
    words = "compare", "a b", "--ablate", "head1", "--what-if", "--ablate head2 --norm pre"
    page = attntrace(*words, "--width", "200").out
    assert page.count("is ablated") == 2 and "what if: encoder.layer1.self_attention.head1 is ablated" in page
    assert "except: --norm pre; encoder.layer1.self_attention.head2 is ablated (its rows of W_O are set to 0)." in page


def test_an_experiment_may_wire_a_trained_model_otherwise(tmp_path):
    words = ("어제 카페 갔었어", "--target", "I went")
    for option in ("--norm pre", "--position none", "--score-scale 1", "--no-scale-embedding"):
        drawn = attntrace("compare", *words, "--what-if", option)
        file = str(tmp_path / "w.npz")
        assert attntrace("weights", "new", *words, "-o", file).code == 0
        loaded = attntrace("compare", *words, "--weights", file, "--what-if", option)
        pages = [page[page.index("  \"First\" is"):page.index("Try next")] for page in (drawn.out, loaded.out)]
        assert loaded.code == 0
        assert pages[1] == pages[0].replace("random weights, generated with seed 0", "weights from w.npz")


def test_an_experiment_cannot_give_a_trained_model_other_sizes():
    result = attntrace("compare", "카페", "--weights", "ko-en", "--what-if", "--heads 4 --norm pre")
    assert result.code == 2 and "--heads" in result.err and "--norm" not in result.err


def test_changes_are_shown_in_the_header_and_saved(tmp_path):
    file = str(tmp_path / "f.npz")
    options = ("--set", "encoder.E:어제,1=2", "--ablate", "head2", "--swap", "1,갔었어")
    result = attntrace("trace", "어제 카페 갔었어", *options, "--save", file)
    for words in ("encoder.E:3,1 is 2", "encoder.layer1.self_attention.head2 is ablated", "words 1 and 3"):
        assert words in result.out
    head = json.loads(attntrace("trace", "어제 카페 갔었어", *options, "--format", "jsonl").out.splitlines()[0])
    assert [sorted(change) for change in head["changes"]] == [["set", "value", "was"], ["ablate"], ["swap"]]
    assert [word["text"] for word in head["tokens"]["source"]] == ["갔었어", "카페", "어제"]
    assert without_commands(attntrace("show", "--from", file).out) == without_commands(result.out)


@pytest.mark.parametrize("options, words", [
    (("--set", "encoder.E:1,1"), "has no value"), (("--set", "encoder.E:1,1=x"), "x is not a number"),
    (("--set", "encoder.E:1,1=inf"), "not a finite number"), (("--set", "encoder.F:1,1=2"), "encoder.E"),
    (("--set", "encoder.output:1,1=1"), "encoder.output"),
    (("--set", "encoder.E:1,9=2"), "1 to 8"), (("--set", "encoder.E:1=2"), "needs 2 ("),
    (("--set", "encoder.E:a,1=2"), "one of <s>, </s>, 어제, 카페, 갔었어, or a position from 1 to 5"),
    (("--ablate", "head3"), "head2"),
    (("--ablate", "encoder.layer1.self_attention"), "head1"), (("--swap", "1"), "not a pair"),
    (("--swap", "1,4"), "1 to 3"), (("--swap", "어제,카패"), "카페"), (("--swap", "1,2,3"), "not a pair")])
def test_a_change_that_cannot_be_made_is_refused_in_one_line(options, words):
    assert words in refusal("trace", "어제 카페 갔었어", *options)


@pytest.mark.parametrize("target, rows", [
    ("b c d", {"<s>": "d", "c": "d", "d": "d"}), ("", {"<s>": "</s>"}), ("q", {"<s>": "q"})])
def test_each_run_is_described_with_the_words_that_it_knows(target, rows):
    """An experiment may change what the decoder reads, and with it the vocabulary."""
    result = attntrace("compare", "cat sleeps", "--target", "고양이가", "--what-if", f'--target "{target}"')
    assert (result.code, result.err) == (0, "")
    table = result.out[result.out.index("  The likeliest next word\n"):].partition("\n\n")[0].splitlines()
    shown = {line.split()[0]: line.split()[-1] for line in table[2:] if line.split()}
    run = prepare("cat sleeps", target)
    likeliest = [run.vocabularies.target[i] for i in values_of(run)["output.probabilities"].argmax(axis=1)]
    assert {word: shown[word] for word in rows} == rows
    assert [rows[word] for word in rows if word in run.target.texts] == [
        likeliest[run.target.texts.index(word)] for word in rows if word in run.target.texts]


def test_a_swapped_word_keeps_its_name_in_the_entropies():
    plain = attntrace("compare", "a b c", "--position", "none", "--what-if", "--score-scale 1").out
    swapped = attntrace("compare", "a b c", "--position", "none", "--swap", "1,3", "--what-if", "--score-scale 1").out
    where = "Attention weights that differ"
    assert len({page[page.index(where):page.index("Details")] for page in (plain, swapped)}) == 1


def test_a_file_is_written_where_nothing_differs_as_well(tmp_path):
    run, page = str(tmp_path / "run.npz"), tmp_path / "page.txt"
    attntrace("trace", "a", "--save", run, "-q")
    page.write_text("stale")
    assert attntrace("diff", run, run, "-o", str(page)) == (0, "", "")
    assert "  None of the 34 steps differs." in page.read_text("utf-8").splitlines()
    assert attntrace("diff", run, run) == (0, "", "")


@pytest.mark.parametrize("language, words", [
    ("en", "give --ablate, --set or --swap"), ("ko", "--ablate, --set, --swap 옵션")])
def test_an_experiment_that_changes_nothing_says_what_can_be_changed(language, words):
    assert words in refusal("compare", "a cat", "--norm", "pre", "--lang", language)


@pytest.mark.parametrize("text, words", [("--foo", "no option --foo"), ("", "changes nothing"), ("'", "quote"),
                                         ("--norm both", "norm"), ("hello", "hello")])
def test_an_experiment_without_a_change_is_refused_in_one_line(text, words):
    assert words in refusal("compare", "a cat", "--what-if", text)


def test_what_if_needs_no_parameter_that_the_file_lacks(tmp_path):
    file = str(tmp_path / "w.npz")
    assert attntrace("weights", "new", "a b", "--norm", "none", "-o", file).code == 0
    assert "has no encoder.layer1.self_attention.gain, " in refusal("compare", "a", "--weights", file, "--what-if",
                                                                    "--norm post")
    assert attntrace("compare", "a", "--weights", file, "--what-if", "--no-residual").code == 0


def test_without_positions_a_swap_changes_nothing_and_the_page_says_why():
    said = Message("messages.compare_no_order").render("en")
    page = attntrace("compare", "a b c", "--position", "none", "--swap", "1,3").out
    assert said in " ".join(page.split()) and "Random weights" not in page
    for words in (("--position", "none", "--what-if", "--ablate head1 --swap 1,3"), ("--swap", "1,3")):
        page = attntrace("compare", "a b c", *words).out
        assert said not in " ".join(page.split()) and "Random weights" in page
    tries = attntrace("compare", "a b a", "--what-if", "--position none").out.partition("Try next")[2]
    assert tries.splitlines()[1] == '  $ attntrace compare "a b a" --position none --swap 1,2'


@pytest.mark.parametrize("ablated, other", [
    (("head1",), "head2"), (("head2",), "head1"), (("head1", "head2", "head3", "head4"), None)])
def test_no_head_is_taken_out_that_is_out_already(ablated, other):
    place = "decoder.layer2.cross_attention."
    options = [word for head in ablated for word in ("--ablate", place + head)]
    tries = attntrace("translate", "카페", *options, "--width", "999").out.partition("Try next")[2]
    assert f'--what-if "--ablate {place}{other}"' in tries if other else "compare" not in tries


def test_changes_have_the_same_decimals_unless_they_are_too_small():
    page = attntrace("compare", "a b", "--set", "encoder.layer1.feed_forward.bias:1=0.00001", "--width", "200").out
    assert page.count(" 1.000e-05  1.250e-06 ") == 3
    page = attntrace("compare", "a b", "--what-if", "--position none", "--width", "200").out
    columns = re.findall(r"^  encoder\S+ +[\d,]+ +\S+ +\S+ +(\S+) +(\S+) +\d+/\d+$", page, re.M)
    assert len(columns) > 20 and all(re.fullmatch(r"\d\.\d{3}", number) for row in columns for number in row)
