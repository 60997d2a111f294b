"""The player without a terminal: sheets that fit, numbers that stay hidden, predictions that are marked."""
import re
from functools import cache
from time import process_time

import numpy as np
import pytest
from command import printed, refusal
from rich.cells import cell_len

from attntrace.model.config import Config
from attntrace.pages.stages import place_title
from attntrace.player.course import Course, Place
from attntrace.player.drawing import screen
from attntrace.player.player import JUMP, SHEET, Player
from attntrace.player.sheets import sheet_of
from attntrace.player.slips import slips_in
from attntrace.runs.decoding import Decoding
from attntrace.runs.prepare import prepare
from attntrace.runs.training_step import prepare_training_step
from attntrace.tensor.expression import Difference, Number, Product, Quotient, Sum
from attntrace.tensor.symbol import Spelling
from attntrace.tracing.addresses import Address, matches, row_of, without_row
from attntrace.writers.page import Page

SIZES = (60, 18), (80, 24), (100, 30)
SENTENCE = "어제 카페 갔었어"
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[-+]\d+)?(?![\w.])")
HEAD = "encoder.layer1.self_attention.head1"


@cache
def course(kind: str) -> Course:
    if kind == "pencil":
        return Course(prepare("she sings", init="integers", pencil=2), 2)
    run = prepare(SENTENCE, "I went")
    return Course({"trace": lambda: run, "translate": lambda: Decoding(run._replace(target=None), 2),
                   "backprop": lambda: prepare_training_step("a b", "c", optimizer="adam")}[kind](), 3)


def player(kind: str = "trace", at: str = "", size: tuple[int, int] = SIZES[1], **page) -> Player:
    made = Player(course(kind), Page(size[0], page.pop("spelling", Spelling.UNICODE), cell_len, **page), size[1], str)
    made.place = course(kind).found(at) if at else made.place
    return made


def lines_of(person: Player) -> list[str]:
    return ["".join(piece.text for piece in line) for line in screen(person)]


def presses(person: Player, *keys: str) -> str:
    """What is on the screen after some keys."""
    for key in keys:
        person.press(key)
    return "\n".join(lines_of(person))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", ["trace", "backprop", "translate"])
def test_every_stage_fits_names_itself_and_its_keys_and_shows_no_number_that_was_not_revealed(kind, size):
    person = player(kind, size=size)
    for stage in course(kind).stages:
        for step in stage.steps if kind != "backprop" or size == SIZES[0] else stage.steps[-1:]:
            person.go(Place(step.address, 0, 0))
            lines = lines_of(person)
            assert len(lines) == size[1] and max(map(cell_len, lines)) <= size[0], step.address
            assert stage.title.render("en")[:40] in lines[0] + lines[2] and "? keys  q quit" in lines[-1]
            sheet = sheet_of(person.course, person.place, person.page, person.height)
            assert sheet.total == 1 or re.search(f"sheet 1 of {sheet.total}( |$)", lines[3])
            figures = person.course.board(step.address).grid.figures
            known = {f"{value:.3f}".replace("-0.000", "0.000") for leaf in step.node.leaves()
                     for value in leaf.value.ravel().tolist()}
            drawn = person.course.board(step.address).operands.values()
            known |= {one.grid.figures.digits(value) for one in drawn for value in one.grid.values.ravel().tolist()}
            hidden = {figures.digits(value) for value in step.value.ravel().tolist()} - known
            assert hidden.isdisjoint(NUMBER.findall("\n".join(lines[3:]))), step.address


def test_everything_in_place_of_a_sheet_fits_in_each_language_and_in_ascii():
    pages = (("ko",), Spelling.UNICODE), (("ko", "en"), Spelling.UNICODE), (("en",), Spelling.ASCII)
    for languages, spelling in pages:
        for key in ("?", "e", "z", "/"):
            person = player(at=f"{HEAD}.weights:2,3", size=SIZES[0], languages=languages, spelling=spelling)
            person.press(key)
            for _ in range(6):
                lines = lines_of(person)
                assert len(lines) == 18 and max(map(cell_len, lines)) <= 60
                assert spelling is Spelling.UNICODE or re.sub("[가-힣]", "", "".join(lines)).isascii()
                person.press("pagedown")


@pytest.mark.parametrize("size", [pytest.param(size, marks=pytest.mark.thorough) if size != (80, 24) else size
                                  for size in SIZES], ids=str)
def test_every_heading_tells_the_layer_and_all_else_of_its_place_and_no_two_places_have_the_same(size):
    deep = Course(prepare_training_step("a b", "c", config=Config(layers=2)), 3)
    for languages in ("en",), ("ko",), ("ko", "en"):
        person = Player(deep, Page(size[0], Spelling.UNICODE, cell_len, languages=languages), size[1], str)
        headings = {}
        for stage in deep.stages:
            person.go(Place(stage.steps[0].address, 0, 0))
            line, _, rule = lines_of(person)[:3]
            place = Address.of(stage.steps[0].place)
            told = line.removesuffix(f"{stage.number}/{len(deep.stages)}").split(": ")[0]
            words = [place_title(part).render(languages[0]) for part in place.forward.split(".")]
            assert ", ".join(words) in told, line
            title = stage.title.render(languages[0])
            assert title in line or title[:25] in rule, (line, rule)
            assert headings.setdefault((line.rsplit(" ", 1)[0], rule), place) == place


@pytest.mark.parametrize("kind", ["trace", "translate"])
def test_space_leads_through_every_number_of_every_step_and_back_again(kind):
    person = player(kind, size=SIZES[0])
    places, seen = [], {}
    while not places or places[-1] != person.place:
        places.append(person.place)
        sheet = sheet_of(person.course, person.place, person.page, person.height)
        mask = seen.setdefault(person.place.address, np.zeros_like(person.mask, int))
        mask[sheet.rows[sheet.row], sheet.columns[sheet.column]] += 1
        person.press("space")
    assert list(seen) == person.course.addresses and all((mask == 1).all() for mask in seen.values())
    person.press("pageup")
    assert person.place.address == person.course.addresses[-2] or person.place == places[-2]


@pytest.mark.parametrize("kind", ["trace", "backprop", "translate"])
def test_a_place_that_is_printed_leads_back_to_it(kind):
    steps = course(kind)
    for address in steps.addresses[::3]:
        board = steps.board(address)
        place = Place(address, board.rows - 1, board.columns - 1)
        assert steps.found(steps.typed(place)) == place
    assert course("backprop").typed(course("backprop").found("decoder.layer1.cross_attention.head1.scores:2,b")) == (
        "decoder.layer1.cross_attention.head1.scores:c,b")


@pytest.mark.parametrize("place", ["scores:1,2", "weights:카페,3", "scaled_scores:2,2", "output:3,1", "query:2,4"])
def test_a_number_that_is_revealed_has_the_arithmetic_and_the_result_of_why(place):
    person = player(at=f"{HEAD}.{place}", size=(400, 40))
    said = printed("why", f"{HEAD}.{place}", SENTENCE, "--target", "I went", "--width", "400").out
    shown = presses(person, "enter")
    arithmetic = next(line for line in said.splitlines() if re.match(r"\s+\S+\[\d\] = ", line))
    assert arithmetic.strip() in [line.strip() for line in shown.splitlines()]
    assert arithmetic.split()[-1] in next(line for line in shown.splitlines() if "[" + arithmetic.split()[-1] in
                                          line.replace("[ ", "["))


def test_a_key_reveals_one_number_a_row_or_all_and_letters_of_a_korean_keyboard_mean_the_same():
    for reveal, count in (("enter", 1), ("r", 3), ("ㄱ", 3), ("R", 9), ("ㄲ", 9)):
        person = player(at=f"{HEAD}.scores:2,1")
        person.revealed.clear()
        presses(person, reveal)
        assert person.mask.sum() == count and person.is_known
        assert len(re.findall(r"\?", "\n".join(lines_of(person)[3:-4]))) == 9 - count


def q_and_k():
    steps = course("trace").steps
    return steps[f"{HEAD}.query"].value[0], steps[f"{HEAD}.key"].value


def slips():
    """Predictions of the score of the first word and the second, each with one slip, and what is said of it."""
    q, keys = q_and_k()
    terms, scores = q * keys[1], course("trace").steps[f"{HEAD}.scores"].value
    return {-terms.sum(): "The sign is wrong.", terms[:3].sum(): "A term is missing: -1.274·0.858.",
            terms.sum() - 2 * terms[2]: "The sign of one term is wrong: 1.371·0.749.",
            scores[1, 0]: "row and column are swapped",
            scores[0, 2]: "어제, 갔었어: another column",
            scores[2, 1]: "갔었어, 카페: another row", terms.sum() / 10: "The decimal point is misplaced.",
            terms.sum() - terms[2] + q[2]: "This factor is missing: 0.749.",
            terms.sum() + 0.004: "Only the last digits", 123.456: "No usual single slip"}


@pytest.mark.parametrize("n", range(10))
def test_a_wrong_prediction_is_told_what_may_have_gone_wrong_and_stays_hidden(n):
    number, said = list(slips().items())[n]
    person = player(at=f"{HEAD}.scores:1,2", size=SIZES[2])
    person.revealed.clear()
    shown = presses(person, *f"{number:.3f}", "enter")
    assert said in shown and f"Not {number:.3f}." in shown and not person.is_known


@pytest.mark.parametrize("place, typed, said", [
    ("scaled_scores:1,2", "-7.830", "The division by √d_k = √4 is missing."),
    ("scaled_scores:1,2", "-0.255", "Numerator and denominator are swapped."),
    ("scaled_scores:1,2", "-1.958", "The square root is missing: d_k = 4."),
    ("scaled_scores:1,2", "-15.660", "It was multiplied by √d_k = √4, not divided by it."),
    ("weights:2,2", "0.066",
     "The division by e^(-3.808 - 0.456) + e^(-2.265 - 0.456) + e^(0.456 - 0.456) is missing."),
    ("weights:2,2", "0.104", "The division by e^(-3.808 - 0.456)"), ("weights:2,2", "-2.265", "one of the operands"),
    ("weights:1,2", "0.047", "The scores are not divided by √d_k = √4."),
    ("weights:1,2", "0.077", "The softmax of the scores is taken over the queries"),
    ("mean:1", "0.574", "It was divided by one less than 8."), ("variance:1", "0.940", "one less than 8."),
    ("variance:1", "0.907", "That is the square root of the result."),
    ("variance:1", "1.075", "Every term has the same slip. This was not subtracted: 0.502.")])
def test_slips_are_those_of_the_expression(place, typed, said):
    person = player(at=f"{HEAD}.{place}" if "," in place else f"{HEAD.removesuffix('.head1')}.{place}", size=SIZES[2])
    person.revealed.clear()
    assert said in " ".join(presses(person, *typed, "enter").split())


def test_scores_of_a_softmax_that_were_not_divided_are_told_with_its_mask_and_with_the_divisor_that_is_printed():
    scaled = Course(prepare("a b", config=Config(score_scale=3.5)), 3)
    for steps, place, divisor in ((course("trace"), "decoder.layer1.self_attention.head1", "√d_k = √4"),
                                  (scaled, HEAD, "3.5")):
        scores = steps.steps[f"{place}.scores"].value[1, :2]  # of the second word, which reads two words in both
        person = Player(steps, Page(100, Spelling.UNICODE, cell_len), 30, str)
        person.place = steps.found(f"{place}.weights:2,1")
        typed = f"{np.exp(scores[0]) / np.exp(scores).sum():.3f}"
        assert f"The scores are not divided by {divisor}." in presses(person, *typed, "enter")


def test_a_divisor_that_is_not_whole_is_not_one_of_n_and_terms_with_unlike_slips_or_too_many_have_no_common_one():
    two, three = Number(2), Number(3)
    assert "one_less" in {slip.key for slip in slips_in(Quotient(two, three))}
    assert "one_less" not in {slip.key for slip in slips_in(Quotient(two, Number(3.5)))}
    for terms, is_slip in (([Product(two, three), Product(three, three)], True),
                           ([Product(two, three), Difference(two, three)], False),
                           ([Sum(*[Product(two, three)] * 10)] * 14, False)):
        assert any(slip.in_each for slip in slips_in(Sum(*terms))) == is_slip


@pytest.mark.parametrize("typed, is_right, said", [
    ("-7.830", True, "Right."), ("-7.83", True, "Right"), ("-7.8", False, "now with 3 decimals"),
    ("-8", False, "now with 3 decimals"), ("-.", False, "is not a number"), ("-inf", False, "Not -inf"),
    ("-7,83", True, "Right"), ("−７．８３０", True, "Right."), ("-783/100", True, "Right."), ("-783%", True, "Right."),
    ("-7.830;) ", True, "Right."), ("1/0", False, "Not 1/0"), ("0", False, "No usual single slip"),
    ("-7.826", False, "Only the last digits"), ("-7.3", False, "No usual single slip"),
    ("1e400", False, "No usual single slip"), ("-1e309%", False, "No usual single slip")])
def test_a_prediction_is_right_to_the_decimals_that_are_shown(typed, is_right, said):
    person = player(at=f"{HEAD}.scores:1,2")
    person.revealed.clear()
    assert said in presses(person, *typed.replace(" ", ""), *["space"] * typed.count(" "), "enter")
    assert person.is_known == is_right


def test_a_small_number_may_be_typed_as_it_stands_in_its_matrix_and_is_not_near_its_double():
    gradient = course("backprop").steps["gradient.encoder.layer1.self_attention.head1.scores"].value
    person = player("backprop", at="gradient.encoder.layer1.self_attention.head1.scores:2,1")
    power = person.course.board(person.place.address).grid.figures.power
    number = gradient[1, 0] / 10 ** power
    assert power < 0 and "now with 3 decimals" in presses(person, *f"{number:.1f}", "enter")
    for wrong, said in ((-number, "sign is wrong"), (number * 10, "decimal point"), (number + 0.004, "last digits")):
        assert said in presses(person, *f"{wrong:.3f}", "enter") and not person.is_known
    for right, said in (f"{number:.3f}", "Right."), (f"{1000 * number:.0f}/1000", "Right."), (f"{number:.2f}", "fewer"):
        assert said in presses(person, *right, "enter") and person.is_known
        person.revealed.clear()
    person = player(at=f"{HEAD}.weights:2,1")
    assert "Only the last" not in presses(person, *"0.018", "enter") and not person.is_known  # 0.013


def test_a_prediction_by_pencil_is_right_where_every_operation_was_rounded():
    person = player("pencil", at=f"{HEAD}.weights:1,1")
    assert "Right." in presses(person, *f"{course('pencil').steps[f'{HEAD}.weights'].value[0, 0]:.2f}", "enter")


def test_an_operand_is_followed_to_its_place_which_is_known_and_backspace_returns():
    q, keys = q_and_k()
    largest = int(np.abs(q * keys[1]).argmax())
    person = player(at=f"{HEAD}.scores:1,2")
    begin = person.place
    person.revealed.clear()
    assert "Your prediction, then Enter: 1_" in presses(person, "1")  # hidden: a digit is the beginning of a number
    assert "Terms of" in presses(person, "z") and person.typed == ""  # a key of the player ends a prediction
    presses(person, "z", "enter", "1")
    assert person.place == Place(f"{HEAD}.query", 0, largest) and person.is_known
    said = presses(person, "2")  # x · W: one of both is a parameter
    assert "a parameter, not computed" in said or person.place.address == "encoder.input"
    person.place, person.trail = Place(f"{HEAD}.query", 0, largest), [begin]
    presses(person, "backspace")
    assert person.place == begin
    assert "There is no way back" in presses(person, "backspace")


def test_an_address_is_completed_and_a_wrong_one_is_told_why():
    person = player()
    shown = presses(person, "/", *"encoder.layer1.self_attention.head2.sco")
    assert "encoder.layer1.self_attention.head2.scores" in shown
    presses(person, "tab", *":갔", "tab", *",2", "enter")
    assert person.place == Place("encoder.layer1.self_attention.head2.scores", 2, 1)
    shown = presses(person, "/", *"head7.scores", "enter")
    assert "there is no step or parameter head7.scores" in shown
    presses(person, "escape", "backspace")
    assert person.place == Place(course("trace").addresses[0], 0, 0)


@pytest.mark.parametrize("kind, typed, place", [
    ("trace", f" {HEAD}.scores : 2 ,3".replace(" :", ":"), Place(f"{HEAD}.scores", 1, 2)),
    ("trace", f'{HEAD}.scores:"카페","어제"', Place(f"{HEAD}.scores", 1, 0)),
    ("trace", f"{HEAD}.scores:갔었어", Place(f"{HEAD}.scores", 2, 0)),
    ("trace", "encoder*head1.S", Place(f"{HEAD}.scores", 0, 0)),
    ("trace", "encoder*head1.q₂:3", Place(f"{HEAD}.query", 1, 2)),
    ("trace", "encoder*head1.q2", Place(f"{HEAD}.query", 1, 0)),
    ("trace", "encoder*.E", Place("encoder.embedding", 0, 0)),  # not the parameter encoder.E
    ("trace", "probabilities:I,went", Place("output.probabilities", 1, 3)),
    ("backprop", "∂L/∂logits:2,c", Place("gradient.output.logits", 1, 2)),
    ("backprop", "encoder.E.new:a", Place("update.encoder.E.new", 2, 0)),
    ("translate", "step2*cross_attention.head1.scores:2,카페",
     Place("step2.decoder.layer1.cross_attention.head1.scores", 1, 1))])
def test_a_jump_takes_every_form_of_an_address(kind, typed, place):
    person = player(kind)
    presses(person, "/", *typed, "enter")
    assert person.place == place and person.said.text == ""


@pytest.mark.parametrize("typed, said", [
    ("encoder.E:1,1", "encoder.E is a parameter, used by encoder.embedding"),
    ("encoder*W_Q", "encoder.layer1.self_attention.W_Q is a parameter"),
    ("q₁", "6 addresses fit q₁, listed above"), ("W_Q", "3 addresses fit W_Q, listed above"),
    ("encoder.layer1.self_attention.con", "1 address fits encoder.layer1.self_attention.con, listed above"),
    ("gradient.output.logits", "gradient.output.logits belongs to a training step"),
    ("decoder*head1.scores", "2 addresses fit decoder*head1.scores, listed above"),
    (f"{HEAD}.scores:4", "give a number from 1 to 3"), (f"{HEAD}.scores:어재", "did you mean 어제?"),
    (f"{HEAD}.scores:1,2,3", "is not a valid address")])
def test_where_a_jump_cannot_go_two_lines_say_why_and_stay_until_the_next_key(typed, said):
    person = player(size=SIZES[0])
    begin = person.place
    shown = presses(person, "/", *typed, "enter")
    assert said in " ".join(shown.split()) and ".. " not in shown.splitlines()[-2] and person.place == begin
    assert f"/{typed}"[:57] in presses(person, "backspace", typed[-1])
    assert presses(person, "escape") == presses(player(size=SIZES[0]))


def test_what_a_name_may_mean_is_offered_in_full_with_its_row():
    person = player()
    presses(person, "/", *"head2.scores:2")
    assert person.offers() == [f"{one}.head2.scores:2" for one in (
        "encoder.layer1.self_attention", "decoder.layer1.self_attention", "decoder.layer1.cross_attention")]
    presses(person, "tab", "enter")
    assert person.place == Place("encoder.layer1.self_attention.head2.scores", 1, 0)
    for typed, offers in (("bias", [name for name in person.course.parameters if name.endswith(".bias")]),
                          (f"{HEAD}.scores:2", [f"{HEAD}.scores:카페"])):
        presses(person, "/", *typed)
        assert person.offers() == offers
        person.press("escape")


def test_tab_gives_an_address_that_goes_on_with_what_was_typed_or_is_one():
    alone = Course(prepare("a b"), 3)
    for typed, completed in (("S", f"{HEAD}.scores"), ("head", "head1.query"), (f"{HEAD}.s", f"{HEAD}.sc")):
        person = Player(alone, Page(80, Spelling.UNICODE, cell_len), 24, str)
        presses(person, "/", *typed, "tab")
        assert person.typed == completed


@pytest.mark.parametrize("kind", ["trace", "backprop"])
def test_what_is_typed_is_looked_up_as_going_through_all_addresses_finds_it(kind):
    for names in (course(kind).of_steps, course(kind).of_parameters):
        known = names.known
        ends = [one.split(".", one.count(".") - n)[-1] for one in known for n in range(one.count("."))]
        for typed in ("q1", "head1.q₁", "encoder*head1.q2", "W_Q", "S", "s", "scores", "head2.scores", "∂L/∂Ŝ", "dL/dS",
                      "*", "hea?1.sc*", "[eh]*1.q", "gradient.encoder", "encoder.layer1.", "layer1.self", "W_1", "X",
                      "x_2", "zebra", "", ".", "E", "h1"):
            address, row = row_of(typed, known)
            few = names.may_fit(typed, without_row(typed)[0])
            assert row_of(typed, few) == (address, row)
            assert matches(address, few) == matches(address, known)
            begun = [one for one in known if one.startswith(typed)] or [one for one in ends if one.startswith(typed)]
            assert names.begun_with(typed) == list(dict.fromkeys(begun))


def test_a_key_in_the_address_box_answers_within_50_ms_in_a_run_of_5000_steps():
    large = Course(prepare_training_step("a b", "c", config=Config(layers=7, heads=8, d_model=16)), 3)
    person = Player(large, Page(80, Spelling.UNICODE, cell_len), 24, str)
    assert len(large.steps) > 5_000
    for key in ("/", *"gradient.encoder.layer2.self_attention.W_Q", "tab", *":2", "enter"):
        start = process_time()
        presses(person, key)
        assert process_time() - start < 0.05, (key, person.typed)


def test_every_address_that_fits_is_listed_and_counted_where_one_is_not_complete():
    person = player("backprop")
    count = len([address for address in person.course.addresses if address.startswith("gradient.")])
    shown = presses(person, "/", *"gradient.", "enter")
    assert f"{count} addresses fit gradient., listed above" in shown and " /gradient." in shown and count > 100
    assert f"  1/{-(-count // 17)}" in shown and person.mode == JUMP
    presses(person, "escape", "/", "enter")
    assert (person.mode, person.place) == (SHEET, player("backprop").place)


def test_terms_have_their_shares_once_the_number_is_known_also_behind_a_mask():
    person = player(at="decoder.layer1.self_attention.head1.masked_scores:1,2", size=SIZES[0])
    assert " % " not in presses(person, "z").replace("? %", "")
    person.press("enter")
    shown = "\n".join(lines_of(person))
    assert re.search(r" 0 % .*-0\.924.*\n 100 % .*-inf", shown) and "Space next" not in shown
    assert "Space next" in presses(player(at="encoder.layer1.feed_forward.output:1,1", size=SIZES[0]), "z")


def test_another_size_of_the_screen_keeps_the_place_and_what_was_revealed():
    person = player(at="encoder.layer1.feed_forward.hidden:3,13", size=SIZES[2])
    presses(person, "enter")
    number = person.result().split()[-1]
    for width, person.height in SIZES:
        person.page = Page(width, Spelling.UNICODE, cell_len)
        (row,) = [line for line in lines_of(person) if "갔었어" in line and number in line]
        assert re.search(rf"\[ *{re.escape(number)} *\]", row)


def test_without_textual_or_a_terminal_one_line_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "textual", None)
    assert "pip install textual" in refusal("play", "a b")
    monkeypatch.setitem(__import__("sys").modules, "textual", pytest)
    assert "needs a terminal" in refusal("play", "a b")


def test_a_long_equation_has_its_matrices_above_the_result_where_there_is_no_room_beside_it():
    shown = lines_of(player("backprop", at="gradient.encoder.layer1.self_attention.head1.scaled_scores:2,1"))
    above, below = (next(n for n, line in enumerate(shown) if line.strip().startswith(name)) for name in (
        "A 2×2", "∂L/∂Ŝ 2×2"))
    assert "∂L/∂A 2×2" in shown[above] and above < below and "?" not in "".join(shown[above:below])


def test_a_result_in_several_sheets_has_the_numbers_that_are_read_above_it_where_they_fit():
    person = player(at="encoder.layer1.feed_forward.hidden:2,14", size=SIZES[2])
    shown = lines_of(person)
    assert "sheet 2 of 2" in shown[3] and ["X′ 3×8", "W_1 8×16", "b_1 16"] == re.split("  +", shown[4].strip())
    X, W = (person.course.steps["encoder.layer1.self_attention.norm"].value[1],
            person.course.parameters["encoder.layer1.feed_forward.W_1"].value[:, 13])
    drawn = [float(number) for line in shown[6:14] for number in NUMBER.findall(line)]
    assert drawn == pytest.approx([*X, *W], abs=5e-4)


def test_the_result_has_its_line_also_where_its_arithmetic_is_longer_than_that_of_the_first_number():
    step = prepare_training_step("a", "c", config=Config(d_ff=1100), optimizer="adam")
    person = Player(Course(step, 3), Page(60, Spelling.UNICODE, cell_len), 18, str)
    for place in ("1,1", "1001,8"):
        person.place = person.course.found(f"update.encoder.layer1.feed_forward.W_2.v_hat:{place}")
        assert "= ?" in "\n".join(lines_of(person)[3:-3])
