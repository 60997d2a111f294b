"""The player in Textual: keys, the mouse and the size of the screen, as its own test driver gives them."""
import asyncio
import re
import shlex
import termios
from concurrent.futures import ThreadPoolExecutor

import pytest
from command import BLOG, attntrace
from rich.cells import cell_len

pytest.importorskip("textual")

from terminals import terminal  # noqa: E402

from attntrace.cli.commands import play as play_command  # noqa: E402
from attntrace.player import terminal as player_terminal  # noqa: E402
from attntrace.player.course import Course, Place  # noqa: E402
from attntrace.player.player import Player  # noqa: E402
from attntrace.player.terminal import PlayerApp, player_of  # noqa: E402
from attntrace.runs.prepare import prepare  # noqa: E402

SIZES = (60, 18), (80, 24), (100, 30)
USUAL = termios.ICANON | termios.ECHO | termios.ISIG
SCORES = "encoder.layer1.self_attention.head1.scores"
COURSE = Course(prepare("어제 카페 갔었어"), 3)


def in_a_thread(script) -> None:
    """Run a coroutine in a thread of its own: browser tests leave an event loop running in theirs."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, script).result()


def played(size, script, at=f"{SCORES}:1,2", languages=("en",)) -> tuple[Player, PlayerApp]:
    """Run a script with a pilot on a screen of this size."""
    player = player_of(COURSE, COURSE.found(at), False, languages, lambda address: "page.html")
    app = PlayerApp(player)

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(pilot, app)

    in_a_thread(main())
    return player, app


def drawn(app: PlayerApp) -> list[str]:
    """The text on the screen, as Textual has composed it."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_stage_is_reached_by_n_and_drawn_to_the_size_of_the_screen(size):
    titles = []

    async def script(pilot, app):
        for stage in COURSE.stages[2:]:
            lines = drawn(app)
            assert len(lines) == size[1] and {cell_len(line) for line in lines} == {size[0]}
            assert stage.title.render("en") in lines[0] + lines[2] and lines[-1].rstrip().endswith("q quit")
            titles.append(lines[0])
            await pilot.press("n")

    played(size, script)
    assert len(set(titles)) == len(COURSE.stages) - 2


def test_a_prediction_a_row_and_everything_are_typed_and_hangul_stands_in_two_cells():
    async def script(pilot, app):
        await pilot.press(*"7", "full_stop", "8", "3", "enter")
        assert any("부호가 틀렸습니다." in line for line in drawn(app))
        await pilot.press("minus", "7", "full_stop", "8", "3", "enter")
        assert any("맞았습니다" in line for line in drawn(app)) and app.sheet.player.mask.sum() == 1
        await pilot.press("r")
        assert app.sheet.player.mask.sum() == 3
        await pilot.press("R", "down")
        rows = [line for line in drawn(app) if re.match(r" *=? *(어제|카페|갔었어) ", line)][-3:]
        assert len({cell_len(row[:row.rindex("⎤" if "⎤" in row else "⎥" if "⎥" in row else "⎦")]) for row in rows}) == 1

    player, _ = played((60, 18), script, languages=("ko",))
    assert player.place == Place(SCORES, 1, 1)


def test_the_mouse_goes_to_a_number_reveals_it_follows_operands_and_presses_keys():
    async def click(pilot, app, text, line_with):
        y, line = next((y, line) for y, line in enumerate(drawn(app)) if re.search(line_with, line))
        await pilot.click(offset=(cell_len(line[:re.search(text, line).start()]), y))

    async def script(pilot, app):
        player = app.sheet.player
        player.revealed.clear()
        await pilot.press("escape")
        await click(pilot, app, r"\?(?= +\?? *[⎤⎥⎦])", "갔었어 +⎣ +\\?")
        assert player.place.row == 2
        place = player.place
        await click(pilot, app, r"\?(?= *\])", r"갔었어 +⎣.*\[")
        assert player.is_known
        await click(pilot, app, "1 q", "1 q")
        assert player.place.address.endswith(("query", "key"))
        await pilot.press("backspace")
        assert player.place == place
        await click(pilot, app, r"\?", "q quit")
        assert drawn(app)[3].startswith("Keys")

    played((80, 24), script)


def test_another_size_keeps_the_place_and_q_and_ctrl_c_end_with_their_codes():
    async def script(pilot, app):
        for size in reversed(SIZES):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert {cell_len(line) for line in drawn(app)} == {size[0]}
            assert app.sheet.player.place == Place(SCORES, 0, 1)
        await pilot.press("q")

    assert played(SIZES[0], script)[1].return_code == 0

    async def interrupt(pilot, app):
        await pilot.press("ctrl+c")

    assert played(SIZES[0], interrupt)[1].return_code == 130


@pytest.mark.parametrize("keys, code", [("q", 0), ("\x03", 130)])
def test_a_terminal_is_left_as_it_was_with_the_command_that_comes_back(keys, code):
    with terminal("play", "a b", "--at", "head1.scores:b,a", columns=60, rows=18) as person:
        person.reads("q quit")
        person.types(keys)
        person.reads("--at head1.scores:b,a")
        assert person.settings()[3] & USUAL == USUAL and person.ends()[0] == code
    for mode in (1049, 1000, 1003, 1006, 2004):
        assert person.seen.rfind(f"\x1b[?{mode}l") > person.seen.rfind(f"\x1b[?{mode}h")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The files of a trace and of a translation."""
    files = {kind: str(tmp_path_factory.mktemp("saved") / f"{kind}.npz") for kind in ("trace", "translate")}
    for kind, arguments in (("trace", BLOG), ("translate", BLOG[:1])):
        assert attntrace(kind, *arguments, "--save", files[kind]).code == 0
    return files


@pytest.fixture
def plays(monkeypatch):
    """Run the command on a screen of 100 x 30 that is no terminal; a script of it goes on with what it yields."""
    def run(script, *arguments):
        def drive(player):
            app = PlayerApp(player)

            async def main():
                async with app.run_test(size=(100, 30)) as pilot:
                    await pilot.pause()
                    await script(pilot, app)
                    await pilot.press("q")

            in_a_thread(main())
            return app.return_code

        monkeypatch.setattr(player_terminal, "play", drive)
        result = attntrace("play", *arguments)
        assert (result.code, result.err) == (0, ""), result
        return result.out

    monkeypatch.setattr(play_command, "terminal_check", lambda: None)
    return run


@pytest.mark.parametrize("kind, made, typed, title, place", [
    ("trace", (), "decoder*cross_attention.head2.S:cafe,어제", "token to the source",
     "cross_attention.head2.scores:cafe,어제"),
    ("backprop", (BLOG[0], "--target", "I went", "--backprop"), "gradient.encoder.layer1.self_attention.W_K:2,3",
     "Gradient of W_K", "gradient.encoder.layer1.self_attention.W_K:2,3"),
    ("translate", (BLOG[0], "--translate"), "step3*layer2.cross*head2.output:2,9", "token to the source",
     "step3.decoder.layer2.cross_attention.head2.output:I,9"),
    ("translate", (), "step3.output.logits:2,went", "next-word prob", "step3.output.logits:I,went")])
def test_each_kind_of_run_is_played_as_why_explains_it_and_the_printed_command_comes_back(
        kind, made, typed, title, place, saved, plays):
    screens = []

    async def jump(pilot, app):
        for key in ("/", *typed):
            app.sheet.player.press(key)
        await pilot.press("enter", "enter")
        screens.append(drawn(app))

    async def look(pilot, app):
        await pilot.press("enter")
        screens.append(drawn(app))

    arguments = made or ("--from", saved[kind])
    out = plays(jump, *arguments)
    again = shlex.split(out.splitlines()[1].strip(" $"))
    assert again[:2] == ["attntrace", "play"] and again[-2:] == ["--at", place]
    plays(look, *again[2:])
    assert screens[0][:-1] == screens[1][:-1] and title in screens[0][0] + screens[0][2]
    said = attntrace("why", place, *(("--from", saved[kind]) if kind in saved else made[:-1]), "--width", "100").out
    result = " ".join(re.split(r"\s(?:comes\s+from|ends\s+at)\s", said)[1].split()[-2:])
    shown = "\n".join(screens[0])
    assert re.search(rf"{re.escape(result)} *$", shown, re.M) and re.search(rf"\[ *{re.escape(result[2:])}", shown)


def test_o_writes_the_page_of_the_stage_to_a_new_file_each_time(plays, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def script(pilot, app):
        for name in ("attntrace-head1.weights.html", "attntrace-head1.weights-2.html"):
            await pilot.press("o")
            assert f"The page of this place is in {name}." in "\n".join(drawn(app))

    plays(script, "--from", saved["trace"], "--at", "encoder.layer1.self_attention.head1.weights:2,1")
    one, two = ((tmp_path / f"attntrace-head1.weights{end}.html").read_text() for end in ("", "-2"))
    assert one == two
    steps = [f"encoder.layer1.self_attention.head1.{name}" for name in ("scores", "scaled_scores", "weights", "output")]
    assert [step for step in steps if f'id="{step}"' in one] == steps
    assert 'id="encoder.layer1.self_attention.head2' not in one and "--at" in one
