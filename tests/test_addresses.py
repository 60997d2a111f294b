"""Addresses as values: taken apart once, and written back as they were."""
import pytest

from attntrace.tracing.addresses import Address

HEAD = "encoder.layer2.self_attention.head12.scores"


@pytest.mark.parametrize("text", [HEAD, f"step3.{HEAD}", "layer01.head0.step", "", ".", "a..b", "layer" + "9" * 5000,
                                  "gradient.encoder.input.from.encoder.layer1.self_attention.residual"])
def test_an_address_is_written_as_it_was_read(text):
    assert ".".join(Address.of(text).parts) == text


@pytest.mark.parametrize("text, facts", [
    (HEAD, {"phase": "", "region": "encoder.layer2", "stack": "encoder", "sub_layer": "self_attention",
            "place": "encoder.layer2.self_attention.head12", "name": "scores", "forward": HEAD}),
    (f"step3.decoder.{HEAD}", {"phase": "step3", "stack": "decoder", "region": "step3.decoder.encoder.layer2"}),
    ("gradient.encoder.E", {"phase": "gradient", "region": "gradient.encoder", "stack": "encoder", "sub_layer": "",
                            "forward": "encoder.E", "is_of_training": True, "is_partial": False}),
    ("gradient.output.W.from.output.logits", {"is_partial": True, "is_of_training": True}),
    ("update.encoder.layer1.feed_forward.W_1.old", {"phase": "update", "region": "update.encoder.layer1"}),
    ("encoder.final_norm.mean", {"region": "encoder", "sub_layer": "", "is_of_training": False}),
    ("loss.mean", {"phase": "", "stack": "loss", "is_of_training": True}),
    ("gradient", {"phase": "", "stack": "gradient", "is_of_training": False, "forward": "gradient"})])
def test_an_address_knows_its_parts(text, facts):
    assert {name: getattr(Address.of(text), name) for name in facts} == facts


def test_an_address_knows_the_numbers_of_its_step_layer_and_head():
    address = Address.of(f"step3.{HEAD}")
    assert [address.number(word) for word in ("step", "layer", "head")] == [3, 2, 12]
    assert Address.of("encoder.input").number("layer") is None
    assert address.words == ("encoder", "self_attention", "scores")


@pytest.mark.parametrize("end, fits", [("scores", True), ("head12.scores", True), (HEAD, True), ("cores", False),
                                       ("head2.scores", False)])
def test_an_address_ends_with_whole_parts_only(end, fits):
    assert Address.of(HEAD).ends_with(end) is fits
