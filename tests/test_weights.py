"""Weights files: the same numbers come back, and what is wrong with a file is said by name, at once."""
import functools
import io
import json
import operator
import random
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command import refusal
from random_model import SENTENCE, TRANSLATION, WIRINGS, random_model

from attntrace import trace
from attntrace.files.weights import load
from attntrace.messages.catalog import Localized
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config

SMALL = {"d_model": 4, "heads": 2, "layers": 1, "d_ff": 3}
SIZES_ONLY = json.dumps(SMALL)
W_Q = "encoder.layer1.self_attention.W_Q"


def contents(**wiring: object) -> dict[str, np.ndarray]:
    """The members of a small model's file, by name."""
    model = random_model(**SMALL | wiring)
    texts = {"config": json.dumps(vars(model.config)), "vocabulary.source": model.source,
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
    """A file some of whose members are only a header: of a shape and a dtype, or as given."""
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
    texts = {name: fact.render("en") if isinstance(fact, Localized) else str(fact)
             for name, fact in found.facts.items()}
    assert (found.key, {name: texts.get(name) for name in facts}) == (
        key, {name: str(fact) for name, fact in facts.items()})
    assert all(texts[name] in str(found) for name in facts)


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


def test_wiring_that_a_file_does_not_mention_is_that_of_the_paper(tmp_path):
    config = load(npz(tmp_path, contents() | {"config": np.array(SIZES_ONLY)})).config
    assert vars(config) == SMALL | {
        "norm": "post", "final_norm": False, "position": "interleaved", "position_base": 10000,
        "position_offset": 0, "max_positions": 64, "shared_embeddings": "none", "scale_embedding": True,
        "source_end": False, "activation": "relu", "epsilon": 1e-5, "score_scale": "sqrt_d_k", "dtype": "float64",
        "part": "transformer", "norm_epsilon": "inside", "norm_variance": "population", "residual": True,
        "feed_forward": True, "decoder_layers": "layers", "d_k": "d_model/h", "d_v": "d_model/h", "k_dim": "d_model",
        "v_dim": "d_model", "output_projection": True, "causal": False, "mean_weights": False}


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


# Files that are broken

PATHS = [(name, "model_missing") for name in ("model.npz", "model.json")] + [
    (name, "weights_directory") for name in ("model.npz", "model.json", "model")] + [
    (name, "weights_ending") for name in ("model.pt", "model", "model.npz.bak", "model.npy")]


@pytest.mark.parametrize("name, key", PATHS)
def test_a_path_without_a_weights_file_is_named(tmp_path, name, key):
    path = tmp_path / name
    if key == "weights_directory":
        path.mkdir()
    elif key == "weights_ending":
        path.write_text("{}")
    assert_problem(path, key, file=str(path))


def test_path_through_a_file_or_in_a_circle_is_a_problem(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "circle.npz").symlink_to("circle.npz")
    for path in (tmp_path / "file" / "model.npz", tmp_path / "circle.npz", tmp_path / ("long" * 100 + ".npz")):
        assert str(path) in str(problem(path))


BROKEN = {"npz": [b"", b"garbage", b"PK\x03\x04 and no more", bytes(1000), b"\x93NUMPY\x01\x00"],
          "json": [b"", b"{", b"{'config': 1}", b"[" * 100_000, b"\xff\xfe{", b"NaN,"]}


@pytest.mark.parametrize("ending, data", [(ending, data) for ending in BROKEN for data in BROKEN[ending]],
                         ids=lambda value: repr(value)[:20])
def test_garbage_is_broken(tmp_path, ending, data):
    path = tmp_path / f"model.{ending}"
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


HUGE = {f"{stack}.layer1.feed_forward.{name}": (shape, "<f8") for stack in ("encoder", "decoder")
        for name, shape in {"W_1": (4, 10 ** 12), "b_1": (10 ** 12,), "W_2": (10 ** 12, 4)}.items()}


@pytest.mark.parametrize("sizes, headers", (
    ({}, {"encoder.E": ((11, 10 ** 9), "<f8")}), ({}, {"surplus": ((10 ** 10,), "<f8")}),
    ({}, {"vocabulary.source": ((10 ** 10,), "<U1")}), ({}, {"vocabulary.source": ((10 ** 10,), "<U0")}),
    ({}, {"config": ((), "<U500000000")}), ({"d_ff": 10 ** 12}, HUGE), ({"layers": 2000}, {})), ids=str)
def test_what_a_file_claims_costs_no_memory(tmp_path, sizes, headers):
    path = claiming(tmp_path, contents() | {"config": np.array(json.dumps(SMALL | sizes))}, headers)
    tracemalloc.start()
    try:
        problem(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


# Members and entries that are wrong

MEMBERS = contents()


def config(**changes: object) -> dict[str, np.ndarray]:
    return {"config": np.array(json.dumps(SMALL | changes))}


def edited(name: str, index: object, value: object) -> dict[str, np.ndarray]:
    array = MEMBERS[name].copy()
    array[index] = value
    return {name: array}


WRONG_MEMBERS = [  # other members of an archive (None: without it), the problem, and facts that it names
    *((edited(W_Q, (2, 1), number), "parameter_not_finite", {"name": f"{W_Q}:3,2", "value": str(number)})
      for number in (np.nan, np.inf, -np.inf)),
    (edited("output.b", [4, 6], np.nan), "parameter_not_finite", {"name": "output.b:5"}),
    (config(dtype="float32") | edited(W_Q, (0, 3), 1e39), "parameter_not_finite", {"name": f"{W_Q}:1,4"}),
    *(({W_Q: np.zeros(shape)}, "parameter_shape",
       {"name": W_Q, "is_": text, "should": "4 × 4", "axes": "d_model × d_concat"})
      for shape, text in (((4, 5), "4 × 5"), ((5, 4), "5 × 4"), ((16,), "16"), ((4, 4, 1), "4 × 4 × 1"),
                          ((), "()"), ((0, 4), "0 × 4"))),
    ({"decoder.E": MEMBERS["decoder.E"][:-1]}, "parameter_shape",
     {"name": "decoder.E", "is_": "7 × 4", "should": "8 × 4"}),
    *(({name: None}, "parameter_missing", {"name": name}) for name in (
        "encoder.E", W_Q, "encoder.layer1.self_attention.gain", "encoder.layer1.feed_forward.b_1",
        "decoder.layer1.cross_attention.W_O", "decoder.layer1.feed_forward.bias", "output.W")),
    (config(layers=2), "parameter_missing", {"name": "encoder.layer2.self_attention.W_Q"}),
    *(({name: np.zeros(4)}, "parameter_surplus", {"name": name}) for name in (
        "encoder.layer2.self_attention.W_Q", "encoder.layer1.cross_attention.W_Q", "encoder.final_norm.gain",
        "lm_head", "output.w")),
    ({"vocabulary.target": None}, "parameter_surplus", {"name": "decoder.E"}),
    *(({W_Q: value}, "parameter_kind", {"name": W_Q}) for value in (
        np.full((4, 4), "1.0"), np.full((4, 4), 1j), np.full((4, 4), True), np.zeros((4, 4), "M8[s]"),
        np.zeros((4, 4), "V8"))),
    ({"config": None}, "weights_no_config", {}),
    *(({"config": value}, "weights_text_kind", {"name": "config"}) for value in (
        np.array(3), np.array([SIZES_ONLY]), np.array(SIZES_ONLY.encode()))),
    *(({"config": np.array(text)}, key, {}) for text, key in (
        ("{", "weights_broken"), ("[8, 2, 1, 16]", "config_not_an_object"), ("null", "config_not_an_object"),
        ("[" * 50_000, "weights_broken"))),
    *(({"config": np.array(json.dumps({other: SMALL[other] for other in SMALL if other != size}))},
       "config_lacks_size", {"entry": size}) for size in SMALL),
    (config(hidden_size=8), "config_unknown_key", {"entry": "hidden_size"}),
    (config(heads=3), "config.heads_do_not_divide", {"heads": 3, "d_model": 4, "divisors": "1, 2 or 4"}),
    (config(shared_embeddings="all"), "vocabularies_differ", {}),
    (config(shared_embeddings="decoder"), "parameter_missing", {"name": "shared.E"}),
    (config(part="encoder_only", shared_embeddings="decoder"), "config.shared_without_decoder",
     {"part": "encoder_only"}),
    (config(position_base=0.5), "config.base_below_one", {"value": "0.5"}),
    (config(position_offset=10_001), "config.offset_range", {"value": "10001", "most": 10_000}),
    (config(part="encoder_layer", layers=2), "config.part_of_one_layer", {"part": "encoder_layer", "layers": 2}),
    *((edited(f"vocabulary.{side}", -1, "</s>"), "vocabulary_twice", {"side": side, "word": "</s>"})
      for side in ("source", "target")),
    (edited("vocabulary.target", MEMBERS["vocabulary.target"] == "<s>", "other"), "vocabulary_no_start",
     {"word": "<s>"}),
    *(({"vocabulary.source": value}, "weights_text_kind", {"name": "vocabulary.source"}) for value in (
        np.arange(11), np.array("a b c"), np.array([["a", "b"]]))),
    ({"vocabulary.source": np.array([], "U1"), "encoder.E": np.zeros((0, 4))}, "vocabulary_kind", {"side": "source"}),
    ({"vocabulary.source": None}, "vocabulary_kind", {"side": "source"})]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("members, key, facts", WRONG_MEMBERS, ids=lambda value: str(value)[:40])
def test_a_member_of_an_archive_that_is_wrong_is_named(tmp_path, members, key, facts):
    whole = {name: value for name, value in (MEMBERS | members).items() if value is not None}
    assert_problem(npz(tmp_path, whole), key, **facts)


WRONG_ENTRIES = [  # other values in a JSON file, by their keys, the problem, and facts that it names
    ({("config", "heads"): 3}, "config.heads_do_not_divide", {"heads": 3, "d_model": 4, "divisors": "1, 2 or 4"}),
    *(({("parameters", W_Q, 2, 1): number}, "parameter_not_finite", {"name": f"{W_Q}:3,2", "value": str(number)})
      for number in (np.nan, np.inf, -np.inf)),
    *(({("parameters", W_Q): rows}, "parameter_not_numbers", {"name": W_Q}) for rows in (
        [[1, 2], [3]], [[1, 2], 3], "text", [["1", "2"]], [[1, None]], None, {}, [[True]], [[10 ** 400]])),
    *(({("vocabulary", "source"): words}, "vocabulary_kind", {"side": "source"}) for words in (
        "abc", [], [1, 2], {"a": 1}, None, 3, [["a"]])),
    ({("vocabulary", "source", 3): "e\u0301", ("vocabulary", "source", 4): "é"}, "vocabulary_twice",
     {"side": "source", "word": "é"}),
    ({("vocabulary", "source"): [f"w{n}" for n in range(11)], ("config", "source_end"): True}, "vocabulary_no_end",
     {"word": "</s>"})]


@pytest.mark.parametrize("changes, key, facts", WRONG_ENTRIES, ids=lambda value: str(value)[:40])
def test_an_entry_of_a_json_file_that_is_wrong_is_named(tmp_path, changes, key, facts):
    whole = described()
    for (*path, last), value in changes.items():
        functools.reduce(operator.getitem, path, whole)[last] = value
    assert_problem(written(tmp_path, whole), key, **facts)


@pytest.mark.parametrize("text", ("[]", "3", '"text"', "null", "{}", '{"config": {}, "vocabulary": {}}',
                                  '{"config": {}, "vocabulary": [], "parameters": {}}',
                                  '{"config": {}, "vocabulary": {}, "parameters": {}, "more": 1}'))
def test_json_file_has_three_parts_and_no_others(tmp_path, text):
    assert_problem(written(tmp_path, text), "weights_json_parts")


def test_file_without_config_shows_a_config(tmp_path):
    assert '"d_model"' in str(problem(npz(tmp_path, {"x": np.zeros(1)})))


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
    assert f"the word {shown(word)} " in refusal("weights", "new", "-o", str(file), "--", f"a {word} b")
    assert not list(tmp_path.iterdir())


# A sentence for a file

def test_target_needs_a_file_with_a_decoder(tmp_path):
    path = random_model(decoder=False, **SMALL).write(tmp_path / "encoder.npz")
    assert trace(SENTENCE, weights=path).steps[-1].address == "encoder.output"
    with pytest.raises(Problem) as caught:
        trace(SENTENCE, TRANSLATION, weights=path)
    assert caught.value.key == "no_decoder" and caught.value.facts["file"] == str(path)


# Words and numbers that could never be right

def test_vocabulary_in_another_normal_form_knows_the_same_words(tmp_path):
    whole = described()
    whole["vocabulary"]["source"][3] = "e\u0301"
    vocabulary = load(written(tmp_path, whole)).vocabularies.source
    assert "é" in vocabulary and "e\u0301" not in vocabulary


def test_name_that_stands_twice_in_a_json_file_is_named(tmp_path):
    text = json.dumps(described()).replace('"config"', '"config": {}, "config"', 1)
    assert_problem(written(tmp_path, text), "weights_broken", why="config occurs twice")


def test_json_file_may_begin_with_a_byte_order_mark(tmp_path):
    assert load(written(tmp_path, b"\xef\xbb\xbf" + json.dumps(described()).encode())).config.d_model == 4


@pytest.mark.parametrize("entry, value", (("score_scale", 1e-60), ("score_scale", 1e39), ("epsilon", 1e39)))
def test_number_that_single_precision_cannot_hold_is_refused(entry, value):
    assert getattr(Config(**{entry: value}), entry) == value
    with pytest.raises(Problem):
        Config(dtype="float32", **{entry: value})
