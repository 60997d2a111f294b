"""What people type by mistake, and the one line, in every language, that says what to type instead."""
import pytest
from command import refusal

SLIPS = [
    (("verify", "run.npz"), "run.npz is the name of a file", "saved run: --from run.npz; for weights: --weights run.npz"),
    (("verify", "nosuch.npz", "--backprop"), "--from nosuch.npz"), (("why", "head1.scores:1,1", "run.npz"), "--from run.npz"),
    (("why", "run.npz"), "--from run.npz"), (("show", "run.npz"), "saved run: --from run.npz\n"),
    (("trace", "my/Run.NPZ"), "attntrace show --from my/Run.NPZ; for weights: --weights my/Run.NPZ"),
    (("map", "run.npz"), "attntrace show --from run.npz"), (("translate", "w.npz"), "for weights: --weights w.npz"),
    (("backprop", "run.npz", "x"), "show --from run.npz"), (("backprop", "x", "run.npz"), "show --from run.npz"),
    (("trace", "w.json"), "or an address; for weights: --weights w.json\n"),
    (("steps", "w.safetensors"), "or an address; for weights: --weights w.safetensors\n"),
    (("trace", "a", "--weights", "ko_en"), "ko_en does not exist (did you mean ko-en?)"),
    (("translate", "a", "--weights", "ko-en.npz"), "ko-en.npz does not exist (did you mean ko-en?)"),
    (("trace", "a", "--weights", "nosuch.npz"), "not exist; check", "that is included in attntrace: ko-en\n"),
    (("weights", "info", "ko_en"), "(did you mean ko-en?)"),
    (("show",), "such as: --from run.npz")]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_with_what_to_type(slip):
    arguments, *said = slip
    error = refusal(*arguments)
    assert all(text in error for text in said), error


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_in_one_line_in_korean_and_in_both_languages(slip):
    korean, both = (refusal(*slip[0], "--lang", language) for language in ("ko", "both"))
    assert both == f"{korean[:-1]} / {refusal(*slip[0]).removeprefix('attntrace: ')}"
    assert any("가" <= char <= "힣" for char in korean)
