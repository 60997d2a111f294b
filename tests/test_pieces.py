"""Words and the pieces of a vocabulary."""
import random
import unicodedata

import numpy as np
import pytest
from command import attntrace, refusal
from trainings import PAIRS, TrainingFolder

from attntrace.files.weights import load
from attntrace.model.pieces import Pieces, join, pieces_of
from attntrace.model.tokens import Reader, detokenize
from attntrace.training.pieces import learned_pieces

PLACES = "부산 서울 학교 카페 공원 바다 시장 회사".split()
STEMS = "먹 읽 입 만들 늦 웃".split()
WORDS = [*(place + ending for place in PLACES for ending in ("에", "에서", "도", "")), "갔어", "간다", "갈게", "죽", "값",
         *(stem + ending for stem in STEMS for ending in ("어", "었어", "고", "지", "을")), "만났어", "가르쳤어", "샀어",
         "don't", "can't", "playing", "play", "walking", "walk", "12:30", "x̂y", "각ᆨ"]
KNOWN = tuple(learned_pieces(WORDS, 150))


def jamo(text):
    """The letters of a text, Korean ones too, without what joins pieces."""
    return unicodedata.normalize("NFD", text)


def new_words(known, count=300):
    """Words over the units of the pieces."""
    draw = random.Random(0)
    first = sorted(piece for piece in known if not piece.startswith("##"))
    later = sorted(piece for piece in known if piece.startswith("##"))
    for _ in range(count):
        yield join([draw.choice(first), *draw.choices(later, k=draw.randrange(4))])


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_text_is_the_pieces_that_it_is_split_into(word):
    pieces = Pieces(KNOWN).split(word)
    assert set(pieces) <= set(KNOWN) and detokenize(pieces) == word
    assert [piece.startswith("##") for piece in pieces] == [False] + [True] * (len(pieces) - 1)


def test_any_word_over_the_same_letters_is_split_and_joined_without_loss():
    split = [(word, Pieces(KNOWN).split(word)) for word in new_words(KNOWN)]
    whole = [word for word, pieces in split if pieces]
    assert len(whole) > 0.9 * len(split)  # a final consonant after another one makes no syllable
    assert all(join(pieces) == word for word, pieces in split if pieces)


def test_each_piece_is_the_longest_that_fits():
    finals = dict(zip("ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ", map(chr, range(0x11A8, 0x11C3))))
    spelled = {piece: jamo(finals.get(piece[2:3], piece[2:3]) + piece[3:] if piece[:2] == "##" else piece)
               for piece in KNOWN}
    for word in WORDS:
        rest = jamo(word)
        for n, piece in enumerate(Pieces(KNOWN).split(word)):
            longer = [one for one, text in spelled.items() if one.startswith("##") == bool(n)
                      and rest.startswith(text) and len(text) > len(spelled[piece])
                      and not "\u1160" < rest[len(text):][:1] < "\u11a8"]  # a vowel: that would cut a syllable
            assert not longer, (word, piece)
            rest = rest.removeprefix(spelled[piece])
        assert not rest


def test_endings_and_particles_are_pieces():
    split = {word: Pieces(KNOWN).split(word) for word in WORDS}
    assert split["부산에서"] == ["부산", "##에서"] and split["읽었어"] == ["읽", "##었어"]
    assert split["바다에"][1:] == ["##에"]
    assert Pieces(KNOWN).split("늦에서") == ["늦", "##에서"]  # as yet unseen together


def test_a_past_tense_without_a_syllable_of_its_own_can_be_split():
    assert Pieces(["가", "##ㅆ어", "##ㅆ"]).split("갔어") == ["가", "##ㅆ어"]
    assert detokenize(["가", "##ㅆ어", "?"]) == "갔어?"
    assert detokenize(["I'm", "twenty", "-", "si", "##x", "."]) == "I'm twenty-six."
    assert detokenize(["-", "a", "-", "2", "-"]) == "- a - 2 -"


def test_pieces_do_not_depend_on_the_order_of_the_words():
    other = random.Random(1).sample(WORDS, len(WORDS))
    assert learned_pieces(other, 150) == list(KNOWN) and len(set(KNOWN)) == len(KNOWN) <= 150


def test_few_pieces_are_single_letters():
    assert set(learned_pieces(["abab", "ab"], 1)) == {"a", "b", "##a", "##b"}


def test_a_letter_that_no_word_had_is_refused_by_the_word():
    assert Pieces(KNOWN).split("부산z") is None and Pieces(KNOWN).split("뷁") is None
    words, _ = Reader().read("부산에 뷁에", KNOWN, "source", "m")
    assert words == ["부산", "##에", "뷁에"]


def test_a_letter_of_its_own_is_not_the_end_of_a_syllable():
    assert Pieces(["가", "##ㅋ"]).split("가ㅋ") is None and join(["가", "##ㅋ"]) == "갘"
    whole = learned_pieces(["하ㅋㅋ", "ㅠㅠ", "하"], 50)
    assert {"하ㅋㅋ", "ㅠㅠ"} <= set(whole)


def test_typed_pieces_stay_and_words_are_split_where_a_vocabulary_has_pieces():
    known = ("[CLS]", "play", "##ing", "the", "##s", "?")
    assert Reader().read("[CLS] play ##ing the plays?", known, "source", "m")[0] == [
        "[CLS]", "play", "##ing", "the", "play", "##s", "?"]
    assert pieces_of(("a", "##", "#", "b")) is None  # only whole words, and signs
    assert detokenize(["##ing", "play", "##ing", "a", ".", "##"]) == "##ing playing a. ##"


def test_a_share_of_the_pieces_is_passed_over():
    pieces, draw = Pieces(KNOWN), random.Random(0)
    split = {tuple(pieces.split("부산에서", lambda: draw.random() < 0.5)) for _ in range(50)}
    assert len(split) > 3 and {join(one) for one in split} == {"부산에서"}
    assert pieces.split("부산에서", lambda: True) == ["부", "##사", "##ㄴ", "##에", "##서"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder, and a way to train there on some pairs: returns the parameters of the model."""
    folder = tmp_path_factory.mktemp("pieces")

    def train(*options, pairs=PAIRS, name="a"):
        one = TrainingFolder(folder / name, pairs)
        result = one.train("--hold-out", "0", *options)
        assert not result.code, result
        return load(one.model)
    train.folder = folder
    return train


def test_a_model_with_pieces_reads_shows_and_writes_them(trained):
    model = trained("--pieces", "100", "--epochs", "2", "--piece-dropout", "0.2")
    assert all(any(word.startswith("##") for word in known) and len(known) <= 100 for known in model.vocabularies)
    file = str(trained.folder / "a" / "model.npz")
    page = attntrace("map", "나는 고양이는 본다", "--weights", file)
    tokens = Reader().read("나는 고양이는 본다", model.vocabularies.source, "source", file)[0]
    assert not page.code and all(token in page.out for token in tokens) and any(token[:2] == "##" for token in tokens)
    text = attntrace("translate", "나는 고양이는 본다", "--weights", file, "--quiet", "--max-length", "9").out
    assert "##" not in text.split("\n")[0].split()[0][1:] and text.strip()
    assert any(line.split("\t")[2].startswith("##")
               for line in attntrace("weights", "info", file, "--words").out.splitlines())


def test_reverse_is_a_file_whose_columns_are_swapped(trained):
    swapped = trained("--epochs", "1", pairs=[(b, a) for a, b in PAIRS], name="b")
    assert (trained("--epochs", "1", "--reverse").parameters.vector == swapped.parameters.vector).all()


def test_of_several_translations_the_first_is_learned(trained):
    several = [*PAIRS[:4], ("나는  간다", "I leave."), *PAIRS[4:]]
    once = trained("--epochs", "1", "--first-translation", pairs=several, name="b")
    assert (once.parameters.vector == trained("--epochs", "1").parameters.vector).all()


def test_the_average_is_that_of_the_models_after_the_last_epochs(trained):
    last = [trained("--epochs", str(n)).parameters.vector for n in (2, 3)]
    average = trained("--epochs", "3", "--average", "2").parameters.vector
    np.testing.assert_allclose(average, (last[0] + last[1]) / 2, atol=1e-7)
    assert (average != last[1]).any()


def test_in_float16_the_same_numbers_take_half_the_space(trained):
    full = trained("--epochs", "1").parameters.vector
    half = trained("--epochs", "1", "--float16", name="b").parameters.vector
    assert (half == full.astype("float16")).all()
    with np.load(trained.folder / "b" / "model.npz") as arrays:
        assert {arrays[name].dtype for name in arrays if "." in name and "vocab" not in name} == {np.dtype("float16")}


@pytest.mark.parametrize("side", ["source", "target"])
def test_words_of_one_side_alone_are_split(trained, side):
    options = "--pieces", "90", "--pieces-of", side, "--piece-dropout", "0.3"
    known = trained(*options, "--epochs", "1", name=side).vocabularies
    split = {name: any(word.startswith("##") for word in words) for name, words in known._asdict().items()}
    assert split == {"source": side == "source", "target": side == "target"}
    whole = trained("--epochs", "1", name="w").vocabularies
    assert all(getattr(known, name) == getattr(whole, name) for name in ("source", "target") if name != side)


@pytest.mark.parametrize("option", [("--pieces-of", "source"), ("--piece-dropout", "0.1")])
def test_what_is_about_pieces_needs_them(tmp_path, option):
    (tmp_path / "pairs.tsv").write_text("a\tb\n", "utf-8")
    error = refusal("train", str(tmp_path / "pairs.tsv"), "-o", str(tmp_path / "m.npz"), *option)
    assert f"{option[0]} applies only to a model with pieces" in error and "--pieces N" in error


def test_an_interrupted_training_with_pieces_and_an_average_goes_on(trained, monkeypatch):
    from attntrace.training.loop import Training
    options = ("--epochs", "4", "--average", "3", "--piece-dropout", "0.3", "--pieces", "90")
    whole = trained(*options, name="c").parameters.vector
    learn, made = Training.learn, []

    def stops(self, *batch):
        made.append(1)
        if len(made) == 9:
            raise KeyboardInterrupt
        return learn(self, *batch)
    monkeypatch.setattr(Training, "learn", stops)
    folder = TrainingFolder(trained.folder / "d")
    assert folder.train("--hold-out", "0", *options).code == 130
    assert not folder.resume().code
    assert (load(folder.model).parameters.vector == whole).all()
