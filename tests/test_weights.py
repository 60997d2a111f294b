"""Weights files: the same numbers come back, and what is wrong with a file is said by name, at once."""
from __future__ import annotations

import io
import json
import random
import tracemalloc
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from command import attntrace
from random_model import SENTENCE, TRANSLATION, WIRINGS, random_model

from attntrace import trace
from attntrace.model.config import Config
from attntrace.messages.catalog import Localized
from attntrace.messages.errors import Problem
from attntrace.runs.prepare import prepare
from attntrace.messages.unicode import shown
from attntrace.files.weights import load

SMALL = {"d_model": 4, "heads": 2, "layers": 1, "d_ff": 3}
SIZES_ONLY = json.dumps(SMALL)
W_Q = "encoder.layer1.self_attention.W_Q"


def contents(**wiring: object) -> dict[str, np.ndarray]:
    """The members of a small model's file, by name."""
    model = random_model(**SMALL | wiring)
    texts = {"config": json.dumps(asdict(model.config)), "vocabulary.source": model.source,
             "vocabulary.target": model.target}
    return model.parameters | {name: np.array(text) for name, text in texts.items()}


def described(**wiring: object) -> dict:
    """The same as the object of a `.json` file."""
    found = {name: value.tolist() for name, value in contents(**wiring).items()}
    words = {side: found.pop(f"vocabulary.{side}") for side in ("source", "target")}
    return {"config": json.loads(found.pop("config")), "vocabulary": words, "parameters": found}


def npz(folder: Path, members: dict) -> Path:
    np.savez(folder / "model.npz", **members)
    return folder / "model.npz"


def written(folder: Path, text: str | bytes | dict) -> Path:
    path = folder / "model.json"
    text = json.dumps(text) if isinstance(text, dict) else text
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def claiming(folder: Path, members: dict, headers: dict[str, tuple[object, str] | bytes]) -> Path:
    """A file some of whose members are a header alone: of a shape and a dtype, or as given."""
    path = npz(folder, members)
    with zipfile.ZipFile(path) as archive:
        raw = {name: archive.read(name) for name in archive.namelist()}
    for name, header in headers.items():
        if isinstance(header, bytes):
            raw[f"{name}.npy"] = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        else:
            file = io.BytesIO()
            facts = {"shape": header[0], "descr": header[1], "fortran_order": False}
            np.lib.format.write_array_header_1_0(file, facts)
            raw[f"{name}.npy"] = file.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in raw.items():
            archive.writestr(name, data)
    return path


def problem(path: Path) -> Problem:
    """What `load` says of a file, in a sentence of one line."""
    with pytest.raises(Problem) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return caught.value


def assert_problem(path: Path, key: str, **facts: object) -> None:
    found = problem(path)
    assert found.key == key
    given = {name: found.facts.get(name) for name in facts}
    assert {name: fact.render("en") if isinstance(fact, Localized) else fact for name, fact in given.items()} == facts
    for fact in facts.values():
        assert str(fact) in str(found)


# Files that are right

@pytest.mark.parametrize("ending", ("npz", "json"))
@pytest.mark.parametrize("biases", (True, False), ids=("biases", "no_biases"))
@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
def test_model_comes_back_as_it_was_written(tmp_path, wiring, biases, ending):
    model = random_model(biases, **wiring)
    config, vocabularies, parameters = load(model.write(tmp_path / f"model.{ending}"))
    assert config == model.config
    assert vocabularies == (model.source, model.target)
    found = {parameter.address: parameter.value for parameter in parameters}
    assert found.keys() == model.parameters.keys()
    assert all(np.array_equal(found[name], value) for name, value in model.parameters.items())


def test_both_kinds_of_file_give_the_same_run(tmp_path):
    model = random_model()
    one, other = (trace(SENTENCE, TRANSLATION, weights=model.write(tmp_path / f"model.{ending}"))
                  for ending in ("npz", "json"))
    for here, there in zip(one, other, strict=True):
        assert here.address == there.address and np.array_equal(here.value, there.value)


def test_model_without_decoder_has_no_target_vocabulary(tmp_path):
    for ending in ("npz", "json"):
        loaded = load(random_model(decoder=False, **SMALL).write(tmp_path / f"model.{ending}"))
        assert loaded.vocabularies.target is None
        assert all(parameter.address.startswith("encoder") for parameter in loaded.parameters)


def test_wiring_that_a_file_does_not_mention_is_that_of_the_paper(tmp_path):
    config = load(npz(tmp_path, contents() | {"config": np.array(SIZES_ONLY)})).config
    assert asdict(config) == SMALL | {
        "norm": "post", "final_norm": False, "position": "interleaved", "scale_embedding": True, "source_end": False,
        "activation": "relu", "epsilon": 1e-5, "score_scale": "sqrt_d_k", "dtype": "float64",
        "part": "transformer"}


@pytest.mark.parametrize("dtype", ("float16", "float32", "int8", "uint64", ">f8", "<f8"))
def test_numbers_of_any_real_kind_are_read_as_the_dtype_of_the_config(tmp_path, dtype):
    whole = (np.arange(16).reshape(4, 4) % 7).astype(dtype)
    parameters = load(npz(tmp_path, contents() | {W_Q: whole})).parameters
    assert parameters.vector.dtype == np.float64
    assert parameters[W_Q].value.tolist() == (np.arange(16).reshape(4, 4) % 7).tolist()


def test_compressed_and_column_by_column_arrays_are_read_as_well(tmp_path):
    members = contents()
    np.savez_compressed(tmp_path / "model.npz", **members | {W_Q: np.asfortranarray(members[W_Q])})
    assert np.array_equal(load(tmp_path / "model.npz").parameters[W_Q].value, members[W_Q])


# Files that are none

@pytest.mark.parametrize("name", ("model.npz", "model.json"))
def test_file_that_is_missing_is_named(tmp_path, name):
    assert_problem(tmp_path / name, "weights_missing", file=str(tmp_path / name))


@pytest.mark.parametrize("name", ("model.npz", "model.json", "model"))
def test_directory_is_no_file(tmp_path, name):
    (tmp_path / name).mkdir()
    assert_problem(tmp_path / name, "weights_directory", file=str(tmp_path / name))


@pytest.mark.parametrize("name", ("model.pt", "model", "model.npz.bak", "model.npy"))
def test_other_endings_are_not_opened(tmp_path, name):
    (tmp_path / name).write_text("{}")
    assert_problem(tmp_path / name, "weights_ending", file=str(tmp_path / name))


def test_path_through_a_file_or_in_a_circle_is_a_problem(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "circle.npz").symlink_to("circle.npz")
    for path in (tmp_path / "file" / "model.npz", tmp_path / "circle.npz", tmp_path / ("long" * 100 + ".npz")):
        assert str(path) in str(problem(path))


@pytest.mark.parametrize("data", (b"", b"garbage", b"PK\x03\x04 and no more", bytes(1000), b"\x93NUMPY\x01\x00"),
                         ids=("empty", "garbage", "no_directory", "zeros", "npy"))
def test_garbage_is_no_zip(tmp_path, data):
    path = tmp_path / "model.npz"
    path.write_bytes(data)
    assert_problem(path, "weights_broken", file=str(path))


def test_zip_cut_off_anywhere_is_broken(tmp_path):
    path = npz(tmp_path, contents())
    whole = path.read_bytes()
    for end in random.Random(1).sample(range(len(whole)), 40):
        path.write_bytes(whole[:end])
        assert problem(path).key == "weights_broken"


@pytest.mark.parametrize("save", (np.savez, np.savez_compressed))
def test_one_damaged_byte_is_found_or_does_no_harm(tmp_path, save):
    path = tmp_path / "model.npz"
    save(path, **contents())
    whole, chance = path.read_bytes(), random.Random(2)
    config, vocabularies, parameters = load(path)
    for place in chance.sample(range(len(whole)), 100):
        damaged = bytearray(whole)
        damaged[place] ^= chance.randrange(1, 256)
        path.write_bytes(damaged)
        try:
            found = load(path)
        except Problem:
            continue
        assert found[:2] == (config, vocabularies)
        assert np.array_equal(found.parameters.vector, parameters.vector)


def test_damaged_dtype_of_a_member_is_found(tmp_path):
    """Less is read then, and what is not read to its end is not checked by itself."""
    path = npz(tmp_path, contents(d_ff=512))
    whole = path.read_bytes()
    place = whole.index(b"<f8", whole.index(b"feed_forward.W_1"))
    for other in (b"<i4", b"<i2", b"<f4", b">f8"):
        path.write_bytes(whole[:place] + other + whole[place + 3:])
        assert problem(path).key == "weights_broken"


def test_members_that_the_directory_hides_are_missed(tmp_path):
    """A damaged length of a member's comment can swallow the next ones; biases, being optional, would not be missed."""
    path = npz(tmp_path, contents())
    whole = bytearray(path.read_bytes())
    first, third = (whole.rindex(f"layer1.self_attention.{name}.npy".encode()) for name in ("b_Q", "b_V"))
    entry = whole.rindex(b"PK\x01\x02", 0, first)
    swallowed = whole.rindex(b"PK\x01\x02", 0, third) - whole.index(b"PK\x01\x02", entry + 1)
    whole[entry + 32:entry + 34] = swallowed.to_bytes(2, "little")
    path.write_bytes(whole)
    assert problem(path).key == "weights_broken"


HEADERS = (b"{'descr': '<f8', 'shape': (11, '''", b"((((", b"{[]: 1}", b"{1: 2, 'descr': 3}", b"",
           b"{'descr': 'f8,,', 'fortran_order': False, 'shape': (1,)}", b"\xff\xfe\x00")


@pytest.mark.parametrize("header", HEADERS, ids=map(repr, HEADERS))
def test_header_that_cannot_be_read_is_broken(tmp_path, header):
    path = claiming(tmp_path, contents(), {W_Q: header})
    assert_problem(path, "weights_broken", file=str(path))


@pytest.mark.parametrize("name", (W_Q, "encoder.E", "vocabulary.source", "config"))
def test_pickled_object_is_never_opened(tmp_path, name):
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("it was opened",)

    assert_problem(npz(tmp_path, contents() | {name: np.array([Trap()], object)}), "weights_pickled", name=name)


@pytest.mark.parametrize("headers", (
    {"encoder.E": ((11, 10 ** 9), "<f8")}, {"surplus": ((10 ** 10,), "<f8")},
    {"vocabulary.source": ((10 ** 10,), "<U1")}, {"vocabulary.source": ((10 ** 10,), "<U0")},
    {"config": ((), "<U500000000")}), ids=str)
def test_member_that_claims_gigabytes_costs_no_memory(tmp_path, headers):
    assert_costs_no_memory(claiming(tmp_path, contents(), headers))


def test_config_that_claims_gigabytes_as_well_costs_no_memory(tmp_path):
    huge = {f"{stack}.layer1.feed_forward.{name}": (shape, "<f8") for stack in ("encoder", "decoder")
            for name, shape in {"W_1": (4, 10 ** 12), "b_1": (10 ** 12,), "W_2": (10 ** 12, 4)}.items()}
    members = contents() | {"config": np.array(json.dumps(SMALL | {"d_ff": 10 ** 12}))}
    assert_costs_no_memory(claiming(tmp_path, members, huge))


def test_config_that_claims_many_layers_costs_no_memory(tmp_path):
    assert_costs_no_memory(npz(tmp_path, contents() | {"config": np.array(json.dumps(SMALL | {"layers": 2000}))}))


def assert_costs_no_memory(path: Path) -> None:
    tracemalloc.start()
    try:
        problem(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


# Names, shapes and numbers that are wrong

@pytest.mark.parametrize("value, text", ((np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")))
@pytest.mark.parametrize("ending", ("npz", "json"))
def test_number_that_is_none_is_named_by_its_cell(tmp_path, ending, value, text):
    members, whole = contents(), described()
    members[W_Q][2, 1] = whole["parameters"][W_Q][2][1] = value
    path = npz(tmp_path, members) if ending == "npz" else written(tmp_path, whole)
    assert_problem(path, "parameter_not_finite", name=f"{W_Q}:3,2")
    assert f"is {text};" in str(problem(path))


def test_number_of_a_vector_is_named_by_its_place(tmp_path):
    members = contents()
    members["output.b"][[4, 6]] = np.nan
    assert_problem(npz(tmp_path, members), "parameter_not_finite", name="output.b:5")


@pytest.mark.filterwarnings("error")
def test_number_too_large_for_single_precision_is_named(tmp_path):
    members = contents(dtype="float32")
    members[W_Q][0, 3] = 1e39
    assert_problem(npz(tmp_path, members), "parameter_not_finite", name=f"{W_Q}:1,4")


@pytest.mark.parametrize("shape, is_", (((4, 5), "4 × 5"), ((5, 4), "5 × 4"), ((16,), "16"), ((4, 4, 1), "4 × 4 × 1"),
                                        ((), "one number"), ((0, 4), "0 × 4")))
def test_wrong_shape_is_named_with_the_right_one(tmp_path, shape, is_):
    assert_problem(npz(tmp_path, contents() | {W_Q: np.zeros(shape)}), "parameter_shape", name=W_Q, is_=is_,
                   should="4 × 4", axes="d_model × d_concat")


def test_table_has_as_many_rows_as_the_vocabulary_has_words(tmp_path):
    members = contents()
    members["decoder.E"] = members["decoder.E"][:-1]
    assert_problem(npz(tmp_path, members), "parameter_shape", name="decoder.E", is_="7 × 4", should="8 × 4")


@pytest.mark.parametrize("name", (
    "encoder.E", W_Q, "encoder.layer1.self_attention.gain", "encoder.layer1.feed_forward.b_1",
    "decoder.layer1.cross_attention.W_O", "decoder.layer1.feed_forward.bias", "output.W"))
def test_missing_parameter_is_named(tmp_path, name):
    members = contents()
    del members[name]
    assert_problem(npz(tmp_path, members), "parameter_missing", name=name)


def test_missing_layer_is_named_by_its_first_parameter(tmp_path):
    members = contents() | {"config": np.array(json.dumps(SMALL | {"layers": 2}))}
    first = "encoder.layer2.self_attention.W_Q"
    assert_problem(npz(tmp_path, members), "parameter_missing", name=first)


@pytest.mark.parametrize("name", ("encoder.layer2.self_attention.W_Q", "encoder.layer1.cross_attention.W_Q",
                                  "encoder.final_norm.gain", "lm_head", "output.w"))
def test_surplus_parameter_is_named(tmp_path, name):
    assert_problem(npz(tmp_path, contents() | {name: np.zeros(4)}), "parameter_surplus", name=name)


def test_decoder_is_surplus_without_its_vocabulary(tmp_path):
    members = contents()
    del members["vocabulary.target"]
    assert_problem(npz(tmp_path, members), "parameter_surplus", name="decoder.E")


@pytest.mark.parametrize("value", (np.full((4, 4), "1.0"), np.full((4, 4), 1j), np.full((4, 4), True),
                                   np.zeros((4, 4), "M8[s]"), np.zeros((4, 4), "V8")),
                         ids=lambda value: value.dtype.name)
def test_parameter_that_is_no_number_is_named(tmp_path, value):
    assert_problem(npz(tmp_path, contents() | {W_Q: value}), "parameter_kind", name=W_Q)


@pytest.mark.parametrize("rows", ([[1, 2], [3]], [[1, 2], 3], "text", [["1", "2"]], [[1, None]], None, {}, [[True]],
                                  [[10 ** 400]]), ids=lambda rows: repr(rows)[:20])
def test_rows_of_a_json_file_are_equally_long_lists_of_numbers(tmp_path, rows):
    whole = described()
    whole["parameters"][W_Q] = rows
    assert_problem(written(tmp_path, whole), "parameter_not_numbers", name=W_Q)


# A config that is wrong

def test_file_without_config_is_told_what_a_config_is(tmp_path):
    members = contents()
    del members["config"]
    path = npz(tmp_path, members)
    assert_problem(path, "weights_no_config", file=str(path))
    assert '"d_model"' in str(problem(path))


@pytest.mark.parametrize("value", (np.array(3), np.array([SIZES_ONLY]), np.array(SIZES_ONLY.encode())))
def test_config_is_one_string(tmp_path, value):
    assert_problem(npz(tmp_path, contents() | {"config": value}), "weights_text_kind", name="config")


@pytest.mark.parametrize("text, key", (("{", "weights_broken"), ("[8, 2, 1, 16]", "config_not_an_object"),
                                       ("null", "config_not_an_object"), ("[" * 50_000, "weights_broken")))
def test_config_is_a_json_object(tmp_path, text, key):
    assert problem(npz(tmp_path, contents() | {"config": np.array(text)})).key == key


@pytest.mark.parametrize("change, key, facts", (
    ({"hidden_size": 8}, "config_unknown_key", {"entry": "hidden_size"}),
    ({"heads": 3}, "config.heads_do_not_divide", {"heads": 3, "d_model": 4, "divisors": "1, 2 or 4"}),
    ({"d_model": 5, "heads": 1}, "config.odd_d_model", {"d_model": 5, "near": "4 or 6"}),
    ({"layers": 0}, "config.size_not_positive", {"name": "layers", "value": "0"}),
    ({"layers": -1}, "config.size_not_positive", {"name": "layers", "value": "-1"}),
    ({"d_ff": 3.0}, "config.size_not_positive", {"name": "d_ff", "value": "3.0"}),
    ({"heads": True}, "config.size_not_positive", {"name": "heads", "value": "true"}),
    ({"d_model": "4"}, "config.size_not_positive", {"name": "d_model", "value": '"4"'}),
    ({"norm": "middle"}, "config.no_such_choice", {"name": "norm", "value": '"middle"', "choices": "post, pre"}),
    ({"position": None}, "config.no_such_choice", {"name": "position"}),
    ({"activation": "gelu"}, "config.no_such_choice", {"name": "activation", "value": '"gelu"'}),
    ({"dtype": ["float32"]}, "config.no_such_choice", {"name": "dtype"}),
    ({"final_norm": 1}, "config.no_such_choice", {"name": "final_norm", "value": "1", "choices": "true or false"}),
    ({"epsilon": 0}, "config.not_a_positive_number", {"name": "epsilon", "value": "0"}),
    ({"epsilon": float("nan")}, "config.not_a_positive_number", {"name": "epsilon"}),
    ({"epsilon": 10 ** 400}, "config.not_a_positive_number", {"name": "epsilon"}),
    ({"score_scale": -1}, "config.score_scale", {"value": "-1"}),
    ({"score_scale": "sqrt"}, "config.score_scale", {"value": '"sqrt"'})), ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("ending", ("npz", "json"))
def test_entry_of_a_config_that_makes_no_sense_is_named(tmp_path, ending, change, key, facts):
    config = SMALL | change
    path = (npz(tmp_path, contents() | {"config": np.array(json.dumps(config))}) if ending == "npz"
            else written(tmp_path, described() | {"config": config}))
    assert_problem(path, key, **facts)


@pytest.mark.parametrize("size", SMALL)
def test_size_that_a_config_lacks_is_named(tmp_path, size):
    rest = {name: value for name, value in SMALL.items() if name != size}
    assert_problem(npz(tmp_path, contents() | {"config": np.array(json.dumps(rest))}), "config_lacks_size", entry=size)


def test_odd_d_model_is_fine_without_positions():
    assert Config(d_model=5, heads=1, position="none").d_k == 5


# Words that are wrong

@pytest.mark.parametrize("side", ("source", "target"))
def test_word_that_a_vocabulary_has_twice_is_named(tmp_path, side):
    members = contents()
    members[f"vocabulary.{side}"][-1] = "</s>"
    assert_problem(npz(tmp_path, members), "vocabulary_twice", side=side, word="</s>")


def test_target_vocabulary_needs_the_start_token(tmp_path):
    members = contents()
    words = members["vocabulary.target"]
    words[words == "<s>"] = "other"
    assert_problem(npz(tmp_path, members), "vocabulary_no_start", word="<s>")


@pytest.mark.parametrize("value", (np.arange(11), np.array("a b c"), np.array([["a", "b"]])))
def test_vocabulary_of_an_npz_is_an_array_of_strings(tmp_path, value):
    assert_problem(npz(tmp_path, contents() | {"vocabulary.source": value}), "weights_text_kind",
                   name="vocabulary.source")


@pytest.mark.parametrize("code", [0x110000, 0xFFFFFFFF, 0xD800, 0xDFFF], ids=hex)
@pytest.mark.parametrize("name", ["config", "vocabulary.source", "vocabulary.target"])
def test_text_that_is_not_unicode_is_a_broken_file(tmp_path, name, code):
    members = contents()
    members[name] = members[name].copy()
    members[name].reshape(-1).view("u4")[-1] = code
    with pytest.raises(Problem, match=f"is broken .{name} is not valid Unicode text") as caught:
        load(npz(tmp_path, members))
    assert caught.value.key == "weights_broken"


@pytest.mark.parametrize("word", ["\0", "\udcff"])
@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_word_that_no_file_would_give_back_is_not_written(tmp_path, word, ending):
    pytest.importorskip("safetensors")
    file = tmp_path / f"w.{ending}"
    said = attntrace("weights", "new", "-o", str(file), "--", f"a {word} b")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1) and f"the word {shown(word)} " in said.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", ("abc", [], [1, 2], {"a": 1}, None, 3, [["a"]]), ids=repr)
def test_vocabulary_of_a_json_file_is_a_list_of_strings(tmp_path, value):
    whole = described()
    whole["vocabulary"]["source"] = value
    assert_problem(written(tmp_path, whole), "vocabulary_kind", side="source")


def test_vocabulary_has_words(tmp_path):
    members = contents() | {"vocabulary.source": np.array([], "U1"), "encoder.E": np.zeros((0, 4))}
    assert_problem(npz(tmp_path, members), "vocabulary_kind", side="source")


def test_file_without_vocabulary_is_told_so(tmp_path):
    members = contents()
    del members["vocabulary.source"]
    assert_problem(npz(tmp_path, members), "vocabulary_kind", side="source")


# JSON files that are wrong

@pytest.mark.parametrize("text", ("", "{", "{'config': 1}", "[" * 100_000, b"\xff\xfe{", "NaN,"),
                         ids=("empty", "open", "single_quotes", "deep", "utf-16", "comma"))
def test_text_that_is_no_json_is_broken(tmp_path, text):
    path = written(tmp_path, text)
    assert_problem(path, "weights_broken", file=str(path))


@pytest.mark.parametrize("text", ("[]", "3", '"text"', "null", "{}", '{"config": {}, "vocabulary": {}}',
                                  '{"config": {}, "vocabulary": [], "parameters": {}}',
                                  '{"config": {}, "vocabulary": {}, "parameters": {}, "more": 1}'))
def test_json_file_has_three_parts_and_no_others(tmp_path, text):
    assert_problem(written(tmp_path, text), "weights_json_parts")


# A sentence for a file

def test_word_that_a_file_does_not_know_is_named(tmp_path):
    path = npz(tmp_path, contents())
    for sentence, target in (("어제 카폐", None), ("어제 카페", "I wont")):
        with pytest.raises(Problem) as caught:
            prepare(sentence, target, weights=path)
        assert caught.value.key == "unknown_word"
        assert caught.value.facts["word"] == (target or sentence).split()[1]
        assert caught.value.facts["near"].split(", ")[0] == ("went" if target else "카페")


def test_target_needs_a_file_with_a_decoder(tmp_path):
    path = random_model(decoder=False, **SMALL).write(tmp_path / "encoder.npz")
    assert trace(SENTENCE, weights=path)[-1].address == "encoder.output"
    with pytest.raises(Problem) as caught:
        trace(SENTENCE, TRANSLATION, weights=path)
    assert caught.value.key == "no_decoder" and caught.value.facts["file"] == str(path)


def test_file_brings_its_own_sizes(tmp_path):
    with pytest.raises(Problem) as caught:
        trace(SENTENCE, weights=npz(tmp_path, contents()), heads=4)
    assert caught.value.key == "options_with_weights" and caught.value.facts["options"] == "heads"


# Words and numbers that could never be right

def test_vocabulary_in_another_normal_form_knows_the_same_words(tmp_path):
    whole = described()
    whole["vocabulary"]["source"][3] = "e\u0301"
    vocabulary = load(written(tmp_path, whole)).vocabularies.source
    assert "é" in vocabulary and "e\u0301" not in vocabulary
    whole["vocabulary"]["source"][4] = "é"
    assert_problem(written(tmp_path, whole), "vocabulary_twice", side="source", word="é")


def test_end_token_that_the_config_asks_for_must_be_in_the_vocabulary(tmp_path):
    whole = described(source_end=True)
    whole["vocabulary"]["source"] = [f"w{n}" for n in range(len(whole["vocabulary"]["source"]))]
    assert_problem(written(tmp_path, whole), "vocabulary_no_end", word="</s>")


def test_name_that_stands_twice_in_a_json_file_is_named(tmp_path):
    text = json.dumps(described()).replace('"config"', '"config": {}, "config"', 1)
    assert_problem(written(tmp_path, text), "weights_broken", why="config stands there twice")


def test_json_file_may_begin_with_a_byte_order_mark(tmp_path):
    assert load(written(tmp_path, b"\xef\xbb\xbf" + json.dumps(described()).encode())).config.d_model == 4


@pytest.mark.parametrize("entry, value", (("score_scale", 1e-60), ("score_scale", 1e39), ("epsilon", 1e39)))
def test_number_that_single_precision_cannot_hold_is_refused(entry, value):
    assert getattr(Config(**{entry: value}), entry) == value
    with pytest.raises(Problem):
        Config(dtype="float32", **{entry: value})
