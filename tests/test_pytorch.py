"""Files of torch.save: read number for number as PyTorch reads them, without it, and nothing in them is executed."""
import os
import pickle
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from command import attntrace, refusal

from attntrace.files.torch import read_state
from attntrace.files.weights import load
from attntrace.messages.errors import Problem

RNG = np.random.default_rng(3)
ATTENTION = {"in_proj_weight": RNG.standard_normal((12, 4)), "out_proj.weight": RNG.standard_normal((4, 4))}


# Written by hand, instruction by instruction, where PyTorch is not installed or would not write such a file

def of(value: object) -> bytes:
    """The instructions that make a plain value."""
    return pickle.dumps(value, 2)[2:-1]


def tensor(key: str, numbers: int, offset: int, shape: tuple[object, ...], strides: tuple[int, ...],
           kind: str = "Double", more: bytes = b"") -> bytes:
    storage = b"(" + of("storage") + f"ctorch\n{kind}Storage\n".encode() + of(key) + of("cpu") + of(numbers) + b"tQ"
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + of(offset) + of(shape) + of(strides)
            + b"\x89ccollections\nOrderedDict\n)R" + more + b"tR")


def dict_of(entries: dict[str, bytes]) -> bytes:
    return b"}(" + b"".join(of(name) + value for name, value in entries.items()) + b"u"


def written(path, model: bytes, storages: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> str:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + model + b".")
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
    return str(path)


def attention(path, **changed: bytes) -> str:
    """A file of MultiheadAttention, with entries that are `changed`."""
    entries = {name: tensor(str(n), value.size, 0, value.shape, (value.shape[1], 1))
               for n, (name, value) in enumerate(ATTENTION.items())}
    storages = {str(n): value.tobytes() for n, value in enumerate(ATTENTION.values())}
    return written(path, dict_of(entries | changed), storages)


def imported(path: str, folder) -> tuple[str, ...]:
    return "import", path, "--heads", "2", "-o", str(folder / "w.npz")


def test_a_file_is_imported_where_pytorch_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    path = attention(tmp_path / "state.pt")
    assert attntrace("weights", *imported(path, tmp_path)).code == 0
    model = load(tmp_path / "w.npz").parameters
    assert np.array_equal(model["encoder.layer1.self_attention.W_K"].value, ATTENTION["in_proj_weight"][4:8].T)


MARKER = "executed"
RUNS = f"touch {MARKER}"
TRAPS = {  # the instructions of an entry that would run a command, and the name that the refusal has
    "reduce": (b"cposix\nsystem\n(" + of(RUNS) + b"tR", "posix.system"),
    "by its texts": (of("os") + of("system") + b"\x93(" + of(RUNS) + b"tR", "os.system"),
    "instance": (b"(" + of(RUNS) + b"iposix\nsystem\n", "INST"),
    "object": (b"(cos\nsystem\n" + of(RUNS) + b"o", "os.system"), "evaluated": (b"cbuiltins\neval\n", "builtins.eval"),
    "new object": (b"ccollections\nOrderedDict\n)\x81", "NEWOBJ"), "extension": (b"\x82\x01", "EXT1"),
    "state": (b"cos\nsystem\n}b", "os.system"),
    "module": (b"ctorch.nn.modules.linear\nLinear\n)R", "torch.nn.modules.linear.Linear"),
    "attribute": (b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n", "torch._utils._rebuild_tensor_v2.__globals__"),
    "a function of ours": (b"cattntrace.files.pytorch\nread\n", "attntrace.files.pytorch.read"),
    "sparse": (b"ctorch._utils\n_rebuild_sparse_tensor\n", "torch._utils._rebuild_sparse_tensor"),
    "hidden": (b"cos\nsys\x1btem\n", "os.sys\\u{1B}tem")}


@pytest.mark.parametrize("trap, name", TRAPS.values(), ids=TRAPS)
@pytest.mark.parametrize("ending", ("pt", "pth", "bin", "ckpt"))
def test_a_file_that_would_execute_something_is_refused_by_name(tmp_path, monkeypatch, ending, trap, name):
    monkeypatch.chdir(tmp_path)
    path = attention(tmp_path / f"evil.{ending}", evil=trap)
    for arguments in (imported(path, tmp_path), ("info", path)):
        assert f"contains {name}, which is neither a tensor" in refusal("weights", *arguments)
    assert not (tmp_path / MARKER).exists() and not (tmp_path / "w.npz").exists()


def test_the_trap_of_these_tests_would_close(tmp_path, monkeypatch):
    """Python's own unpickler executes it."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(b"\x80\x02" + TRAPS["reduce"][0] + b".")
    assert (tmp_path / MARKER).exists()


ALIASES = b"}" + of("x") + b"Ns"  # a dict that is twice in a dict, which is twice in a dict ...
for n in range(30):
    ALIASES = b"}(" + of("a") + ALIASES + b"q%c" % n + of("b") + b"h%cu" % n
LIES = {  # entries that claim what is not there, or would take memory or time without end
    "more than its storage": tensor("0", 10 ** 12, 0, (10 ** 6, 10 ** 6), (10 ** 6, 1)),
    "less than its storage": tensor("0", 47, 0, (47,), (1,)), "no storage": tensor("nowhere", 4, 0, (4,), (1,)),
    "of another file": tensor("../../etc/passwd", 4, 0, (4,), (1,)),
    "a storage of two types": tensor("0", 96, 0, (96,), (1,), "Float"),
    "a storage that is read twice": tensor("1", 16, 0, (16,), (1,), "Long"),
    "beyond the end": tensor("0", 48, 40, (9,), (1,)), "steps beyond the end": tensor("0", 48, 0, (12, 4), (5, 1)),
    "one number repeated": tensor("0", 48, 0, (10 ** 6, 10 ** 6), (0, 0)),
    "negative offset": tensor("0", 48, -1, (2,), (1,)),
    "negative shape": tensor("0", 48, 0, (-2, -2), (1, 1)), "negative steps": tensor("0", 48, 4, (2,), (-1,)),
    "axes without steps": tensor("0", 48, 0, (2, 2), (1,)), "shape of texts": tensor("0", 48, 0, ("2",), (1,)),
    "many axes": tensor("0", 48, 0, (1,) * 99, (1,) * 99),
    "another sign": tensor("0", 48, 0, (2,), (1,), more=of({"neg": True})),
    "no tensor": b"ctorch._utils\n_rebuild_tensor_v2\n)R",
    "a long text": b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc", "a long number": b"\x8b\xff\xff\xff\x7f1",
    "nothing on the stack": b"0" * 9, "no mark": b"t" * 9, "never put": b"h\x63", "not a dict": b"NNNs",
    "no list": b"NNa", "a key that is a tuple": b"}" + b"N" + b"\x85" * 100_000 + b"Ns",
    "bytes": b"C\x01a",
    "a dict in itself": b"}q\x00X\x01\x00\x00\x00ah\x00s", "dicts twice at each depth": ALIASES,
    "called without arguments": b"ctorch\nDoubleStorage\n)R",
    "a storage that is a text": b"(" + of("storage") * 5 + b"tQ"}


@pytest.mark.parametrize("entry", LIES.values(), ids=LIES)
def test_a_file_that_lies_is_refused_in_one_line_and_costs_nothing(tmp_path, entry):
    path = attention(tmp_path / "lie.pt", x=entry)
    tracemalloc.start()
    try:
        error = refusal("weights", *imported(path, tmp_path))
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()
    assert "is broken" in error or "contains" in error
    assert not (tmp_path / "w.npz").exists()


def test_nested_dicts_and_lists_end_somewhere(tmp_path):
    deep = b"}" + (of("a") + b"}") * 100_000 + b"s" * 100_000
    lists = b"]" * 100_000 + b"a" * 99_999
    far = b"Nr\xff\xff\xff\x7f"  # put at place 2³¹ of a memo
    path = attention(tmp_path / "deep.pt", deep=deep, lists=lists, far=far)
    assert "left out: lists, far, deep.*" in attntrace("weights", *imported(path, tmp_path)).out


def test_what_compresses_well_is_not_unpacked(tmp_path):
    path = written(tmp_path / "bomb.pt", dict_of({"x": tensor("0", 2 ** 22, 0, (2 ** 22,), (1,))}),
                   {"0": bytes(2 ** 25)}, zipfile.ZIP_DEFLATED)
    assert os.path.getsize(path) < 1e5 and "is compressed" in refusal("weights", *imported(path, tmp_path))


def test_members_that_overlap_are_refused(tmp_path):
    """Two entries of the directory for one place: each byte of the file would count as often as it likes."""
    path = attention(tmp_path / "overlap.pt")
    archive = zipfile.ZipFile(path, "a")
    first = archive.getinfo("archive/data/0")
    for n in range(99):
        again = zipfile.ZipInfo(f"archive/data/more{n}")
        again.header_offset, again.file_size, again.compress_size, again.CRC = (
            first.header_offset, first.file_size, first.compress_size, first.CRC)
        archive.filelist.append(again)
        archive.NameToInfo[again.filename] = again
    archive._didModify = True  # type: ignore[attr-defined]
    archive.close()
    assert "claims more data" in refusal("weights", *imported(path, tmp_path))


def test_file_cut_off_anywhere_is_broken(tmp_path):
    whole = open(attention(tmp_path / "state.pt"), "rb").read()
    for end in range(0, len(whole), len(whole) // 40):
        (tmp_path / "cut.pt").write_bytes(whole[:end])
        assert "is broken" in refusal("weights", *imported(str(tmp_path / "cut.pt"), tmp_path))


def test_one_damaged_byte_is_found_or_does_no_harm(tmp_path):
    whole = open(attention(tmp_path / "state.pt"), "rb").read()
    right = read_state(tmp_path / "state.pt").arrays
    for place in RNG.integers(0, len(whole), 300):
        (tmp_path / "x.pt").write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1:])
        try:
            arrays = read_state(tmp_path / "x.pt").arrays
        except Problem:
            continue
        assert all(np.array_equal(arrays[name], right[name]) for name in right)


@pytest.mark.parametrize("data, words", (
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "since version 1.6; convert it in Python: torch.save(torch.load("),
    (b"", "not a zip"), (b"PK\x03\x04", "not a zip"), (b"x" * 99, "not a zip")))
def test_what_is_no_file_of_today_says_so(tmp_path, data, words):
    (tmp_path / "old.pt").write_bytes(data)
    assert words in refusal("weights", *imported(str(tmp_path / "old.pt"), tmp_path))


@pytest.mark.parametrize("model", (of([1, 2]), of(3), b"N", tensor("0", 48, 0, (48,), (1,)), dict_of(
    {"epoch": of(3)}), b"}"), ids=("list", "3", "none", "tensor", "epoch", "empty"))
def test_what_holds_no_dict_says_so(tmp_path, model):
    path = written(tmp_path / "x.pt", model, {"0": ATTENTION["in_proj_weight"].tobytes()})
    assert "does not contain a dict of tensors" in refusal("weights", *imported(path, tmp_path))


@pytest.mark.parametrize("order, mark", ((b"little", "<"), (b"big", ">")))
def test_bytes_are_read_in_the_order_that_the_file_names(tmp_path, order, mark):
    with zipfile.ZipFile(tmp_path / "s.pt", "w") as archive:
        archive.writestr("s/data.pkl", b"\x80\x02" + dict_of({"x": tensor("0", 3, 0, (3,), (1,), "Float"), "y": tensor(
            "1", 2, 0, (2,), (1,), "BFloat16")}) + b".")
        archive.writestr("s/byteorder", order)
        archive.writestr("s/data/0", np.array([1, 2.5, -3], f"{mark}f4").tobytes())
        archive.writestr("s/data/1", np.array([0x3fc0, 0xc000], f"{mark}u2").tobytes())
    arrays = read_state(tmp_path / "s.pt").arrays
    assert arrays["x"].tolist() == [1, 2.5, -3] and arrays["y"].tolist() == [1.5, -2]


# Written by PyTorch

@pytest.mark.parametrize("protocol", (2, 3, 4, 5))
def test_every_tensor_is_read_as_pytorch_reads_it(tmp_path, protocol):
    torch = pytest.importorskip("torch")
    base = torch.randn(4, 6, 5, dtype=torch.float64)
    model = {"transposed": base.transpose(0, 2), "part": base[1:3, ::2, 3], "tied": base, "number": torch.tensor(2.5),
             "empty": torch.zeros(0, 3), "parameter": torch.nn.Parameter(base[2].clone()),
             **{str(dtype): torch.arange(-3, 4).to(dtype) for dtype in (
                 torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
                 torch.int8, torch.bool)}, "torch.uint8": torch.arange(7, dtype=torch.uint8),
             "torch.complex64": torch.ones(2, dtype=torch.complex64)}
    torch.save({"epoch": 3, "inner": {"model": model, "rates": [0.1, None]}, 7: "x"}, tmp_path / "s.pt",
               pickle_protocol=protocol)
    state = read_state(tmp_path / "s.pt")
    assert state.arrays.keys() == {f"inner.model.{name}" for name in model}
    assert state.others == ("epoch", "7", "inner.rates")
    for name, value in model.items():
        found, wanted = state.arrays[f"inner.model.{name}"], value.detach()
        is_bfloat16 = value.dtype == torch.bfloat16
        assert state.dtypes[f"inner.model.{name}"] == str(value.dtype).removeprefix("torch.")
        wanted = (wanted.float() if is_bfloat16 else wanted).numpy()
        assert found.dtype == wanted.dtype and found.shape == wanted.shape and np.array_equal(found, wanted), name


def test_numbers_that_pytorch_keeps_with_another_sign_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"x": torch.complex(torch.ones(3), torch.ones(3)).conj().imag}, tmp_path / "s.pt")
    assert "is broken" in refusal("weights", *imported(str(tmp_path / "s.pt"), tmp_path))


def test_modules_and_what_pytorch_saves_beside_tensors_are_refused_by_name(tmp_path):
    torch = pytest.importorskip("torch")
    for value, name in ((torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"), (torch.float32, "torch.float32"),
                        (torch.device("cpu"), "torch.device"), (np.float64(3), "multiarray.scalar"),
                        (torch.zeros(2, 2).to_sparse(), "_rebuild_sparse_tensor")):
        torch.save({"x": value}, tmp_path / "s.pt")
        assert f"{name}, which is neither" in refusal("weights", *imported(str(tmp_path / "s.pt"), tmp_path))
    torch.save({"x": torch.zeros(2)}, tmp_path / "s.pt", _use_new_zipfile_serialization=False)
    assert "since version 1.6" in refusal("weights", *imported(str(tmp_path / "s.pt"), tmp_path))
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "s.pt"))
    assert "linear.Linear, which is neither" in refusal("weights", *imported(str(tmp_path / "s.pt"), tmp_path))
