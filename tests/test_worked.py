"""The worked examples of docs/*/worked.md: their published results, typed from where they were published."""
import csv
import io
import re

import numpy as np
import pytest
from command import attntrace, words_of
from documents import COMMANDS, DOCUMENTED, ROOT, SAMPLES

HEAD = "encoder.layer1.self_attention.head1"
UNCHANGED = [3.4989, 2.2427]  # the last of three words sees all of them, with a mask as well
PUBLISHED: list[tuple[str, float, dict[str, list[list[float]]]]] = [  # in the order of the commands: a part of the
    # command, how exact the result is, and the rows of the steps that the command shows
    ("self-attention", 5e-5, {f"{HEAD}.output": [
        [1.9366, 6.6831, 1.5951], [2, 7.9640, .0540], [1.9997, 7.7599, .3584]]}),
    ("--pencil 1", 1e-9, {f"{HEAD}.output": [[2, 7, 1.5], [2, 8, 0], [2, 7.8, .3]]}),
    ("two-scores", 5e-3, {"attention.head1.weights": [[.88, .12]]}),
    ("four-words", 5e-9, {f"{HEAD}.output": [
        [.98522025, 1.74174051, .75652026], [.90965265, 1.40965265, .5], [.99851226, 1.75849334, .75998108],
        [.99560386, 1.90407309, .90846923]]}),
    ("six-words", 5e-5, {
        f"{HEAD}.weights": [[.2098, .2006, .1981, .1242, .1220, .1452], [.1385, .2379, .2333, .1240, .1082, .1581],
                            [.1390, .2369, .2326, .1242, .1108, .1565], [.1435, .2074, .2046, .1462, .1263, .1720],
                            [.1526, .1958, .1975, .1367, .1879, .1295], [.1385, .2184, .2128, .1420, .0988, .1896]],
        f"{HEAD}.output": [[.4421, .5931, .5790], [.4419, .6515, .5683], [.4431, .6496, .5671], [.4304, .6298, .5510],
                           [.4671, .5910, .5266], [.4177, .6503, .5645]]}),
    ("three-words", 3e-4, {f"{HEAD}.output": [[1.0100, 1.0641], [.2040, .7057], UNCHANGED]}),  # of printed weights
    ("--causal", 3e-4, {f"{HEAD}.output": [[.6038, .7434], [-.0062, .6072], UNCHANGED]}),
    ("running-means", 5e-5, {f"{HEAD}.output": [[2, 7], [4, 5.5], [4.6667, 5.3333]]}),
    ("lookup", 1e-12, {"attention.head1.output": [[10, 0], [550, 5.5], [5.5, 0]]}),
    ("valid-lengths", 1e-12, {"attention.head1.output": [[2, 3, 4, 5], [10, 11, 12, 13]]}),
    ("--position-base 100", 5e-5, {"encoder.positional_encoding": [
        [0, 1, 0, 1], [.8415, .5403, .0998, .9950], [.9093, -.4161, .1987, .9801], [.1411, -.9900, .2955, .9553]]})]
PAGES = {language: (ROOT / f"docs/{language}/worked.md").read_text("utf-8") for language in DOCUMENTED}
EXAMPLES = {language: [command for command, _ in COMMANDS.findall(page) if command.startswith("attntrace trace ")]
            for language, page in PAGES.items()}


def test_the_pages_trace_the_same_examples_and_all_files_of_them():
    assert [language for language in DOCUMENTED if EXAMPLES[language] != EXAMPLES["en"]] == []
    read = set(re.findall(r"samples/worked/(\S+)", " ".join(EXAMPLES["en"])))
    assert read == {file.name for file in (SAMPLES / "worked").iterdir()}


@pytest.mark.parametrize("command, published", list(zip(EXAMPLES["en"], PUBLISHED, strict=True)),
                         ids=[name for name, *_ in PUBLISHED])
def test_an_example_gives_what_was_published(command, published):
    name, within, steps = published
    assert name in command
    words = words_of(re.sub(r" --(precision|token) \S+", "", command))  # all digits of all rows
    rows: dict[str, list[list[float]]] = {}
    for cell in csv.DictReader(io.StringIO(attntrace(*words, "--format", "csv").out)):
        of_step = rows.setdefault(cell["address"], [])
        of_step += [[]] * (int(cell["row"]) > len(of_step))
        of_step[-1] = [*of_step[-1], float(cell["value"])]
    assert rows.keys() == steps.keys()
    for address, values in steps.items():
        assert np.abs(np.array(rows[address]) - values).max() <= within, rows[address]
