"""Descriptions, HTML and the widget's two faces; what the engine makes of them is in tests/live."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image
from traitlets import TraitError

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    MLPUpdate,
    centre_seed,
    hashed_fire,
)
from ncabook.live import LivePlayer, controls, describe, figure_html, to_html
from ncabook.live.poster import poster
from ncabook.live.script import page_script

NASTY = "<script>alert('a')</script> & \"b\" ' </figure>"


def automaton(classes=2, layout=None):
    torch.manual_seed(0)
    layout = layout or ChannelLayout(visible=4, hidden=4)
    perception = ConvPerception(layout.channels, 8, condition_channels=classes)
    return NCA(layout, perception, MLPUpdate(8, layout.channels - layout.fixed, [8]))


class Elements(HTMLParser):
    """All start tags with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def one(self, tag):
        (attributes,) = [a for t, a in self.found if t == tag]
        return attributes


def test_description_is_json_and_names_its_numbers():
    nca = automaton()
    description, weights = describe(nca, 12, 16, classes=["😀", "🦎"], seed=7)
    assert json.loads(json.dumps(description)) == description
    assert (description["format"], description["version"]) == ("nca-live", 3)
    assert (description["height"], description["width"]) == (12, 16)
    assert (description["channels"], description["living"], description["seed"]) == (8, 3, 7)
    assert description["classes"] == [
        {"label": "😀", "name": "grinning face"},
        {"label": "🦎", "name": "lizard"},
    ]
    assert len(weights) == description["weights_bytes"]
    assert description["buffers"] == [8, 8, 8]
    first, *_, last = description["ops"]
    assert (first["in"], first["out"], first["kernel"], first["slope"]) == (8, 8, 3, 0.2)
    assert (last["to"], last["kernel"], last["slope"]) == (2, 1, 1)


def test_weights_are_half_precision_kernels_and_a_bias_per_class():
    nca = automaton()
    description, weights = describe(nca, 12, 16, classes=["a", "b"])
    layer = description["ops"][0]
    conv = nca.perception.conv
    kernel = np.frombuffer(weights, "<f2", 9 * 8 * 8, layer["weight"]).reshape(3, 3, 8, 8)
    wanted = conv.weight[:, :8].detach().permute(2, 3, 1, 0).numpy().astype("f2")
    np.testing.assert_array_equal(kernel, wanted)
    bias = np.frombuffer(weights, "<f4", 2 * 8, layer["bias"]).reshape(2, 8)
    encoded = nca.perception.encode(torch.eye(2))[:, :, 0, 0] + conv.bias
    np.testing.assert_allclose(bias, encoded.detach().numpy(), rtol=1e-6)


def test_labels():
    plain, _ = describe(automaton(), 8, 8)
    assert [c["name"] for c in plain["classes"]] == ["class 1", "class 2"]
    named, _ = describe(automaton(), 8, 8, classes=["🕸️", "x"], class_names=None)
    assert [c["name"] for c in named["classes"]] == ["spider web", "x"]
    given, _ = describe(automaton(), 8, 8, classes=["😀", "🦎"], class_names=["face", "gecko"])
    assert [c["name"] for c in given["classes"]] == ["face", "gecko"]
    none, _ = describe(automaton(classes=0), 8, 8)
    assert none["classes"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"classes": ["a"]},
            "classes has 1 labels; the automaton's condition has 2 channels for them",
        ),
        ({"classes": ["a", "b"], "class_names": ["a"]}, "class_names has 1 names for 2 classes"),
        ({"class_index": 2}, "class_index is 2; there are 2 classes"),
        ({"class_index": -1}, "class_index is -1"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        describe(automaton(), 8, 8, **options)


def test_automata_that_the_engine_does_not_know():
    nca = automaton()
    nca.update = torch.nn.Conv2d(8, 8, 1)
    with pytest.raises(TypeError, match="the live engine does not know Conv2d"):
        describe(nca, 8, 8)
    layout = ChannelLayout(visible=1, hidden=7, fixed=1)
    parts = ConvPerception(9, 8), MLPUpdate(8, 8)
    gray = NCA(layout, *parts, living_threshold=None)
    with pytest.raises(ValueError, match="has 1 visible channels; the figure shows RGB"):
        describe(gray, 8, 8)
    with pytest.raises(ValueError, match="a grid of 0×8 cells; expected at least 1×1"):
        describe(automaton(), 0, 8)


@pytest.mark.parametrize("value", [1e6, float("nan")])
def test_weights_that_half_precision_cannot_hold(value):
    nca = automaton()
    with torch.no_grad():
        nca.update.layers[1].weight[0, 0] = value
    with pytest.raises(ValueError, match="update.layers.1.weight has weights that float16 cannot"):
        describe(nca, 8, 8)


def test_figure_keeps_any_text_in_its_place():
    description, weights = describe(
        automaton(), 8, 8, classes=["'", '"><b>'], title=NASTY, alt=NASTY
    )
    elements = Elements(figure_html([description], weights, NASTY))
    assert [tag for tag, _ in elements.found] == ["figure", "noscript", "p", "figcaption"]
    figure = elements.one("figure")
    assert json.loads(figure["data-nca"]) == [description]
    assert base64.b64decode(figure["data-weights"]) == weights


def test_a_picture_of_what_grows_stands_in_for_the_figure():
    """Side by side, from the same coins as in the figure, on white."""
    nca, other = automaton(), automaton()
    torch.nn.init.normal_(nca.update.layers[-1].weight, std=0.1)
    url = poster([nca, other], 12, 9, 1, 5)
    image = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))
    pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape == (12, 2 * 9 + 2, 3)
    state = nca.rollout(
        centre_seed(nca.layout, 12, 9),
        96,
        torch.eye(2)[[1]],
        fire=lambda t: hashed_fire(12, 9, t, 5, nca.fire_rate),
    )
    red, alpha = state[0, 0].detach().numpy(), state[0, 3].clamp(0, 1).detach().numpy()
    wanted = 255 * np.clip(red + 1 - alpha, 0, 1)
    assert wanted.std() > 10
    assert np.abs(pixels[:, :9, 0] - wanted).max() < 8  # at most 256 colours
    figure = Elements(to_html(nca, 12, 9, alt=NASTY)).one("img")
    assert figure["alt"] == NASTY


def test_page_needs_nothing_else():
    page = to_html(automaton(), 8, 8, title=NASTY)
    elements = Elements(page)
    for _, attributes in elements.found:
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert attributes.get("href", "data:,") == "data:,"
    assert not re.search(r"https?://|@import|url\(", page)
    assert page.count("<script>") == page.count("</script>") == 1
    assert "</script" not in page_script()
    assert elements.one("html")["lang"] == "en"


def test_widget_in_a_notebook(monkeypatch):
    monkeypatch.delenv("NCABOOK_STATIC", raising=False)
    player = LivePlayer(automaton(), 8, 8, class_index=1)
    data, _ = player._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "text/html" not in data
    state = player.get_state()
    assert (state["class_index"], state["steps_shown"]) == (1, 0)
    assert len(state["weights"]) == json.loads(state["descriptions"])[0]["weights_bytes"]
    assert "export default" in state["_esm"]
    player.class_index = 0
    with pytest.raises(TraitError, match="class_index is 2; expected 0 to 1"):
        player.class_index = 2


def test_widget_in_the_book(monkeypatch):
    monkeypatch.setenv("NCABOOK_STATIC", "1")
    player = LivePlayer(automaton(), 8, 8, title="Two <classes>", alt="They grow.")
    player.class_index = 1
    data, metadata = player._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html"}
    assert data["text/plain"] == "Two <classes>: They grow."
    assert metadata == {}
    (description,) = json.loads(Elements(data["text/html"]).one("figure")["data-nca"])
    assert description["class_index"] == 1
    assert player.comm is None  # nothing is sent, so no notebook stores the weights again


def test_automata_side_by_side():
    """One figure, one run of bytes, each automaton under its own name."""
    first, second = automaton(), automaton()
    player = LivePlayer({"one": first, "two": second}, 8, 8, title="Both", class_index=1)
    descriptions = json.loads(player.descriptions)
    assert [d["title"] for d in descriptions] == ["one", "two"]
    assert {d["class_index"] for d in descriptions} == {1}
    assert len(player.weights) == sum(d["weights_bytes"] for d in descriptions)
    with pytest.raises(ValueError, match="need the same classes"):
        LivePlayer({"one": first, "two": automaton(classes=3)}, 8, 8)
    with pytest.raises(ValueError, match="no automaton is given"):
        LivePlayer({}, 8, 8)


def test_python_reaches_the_front_end(monkeypatch):
    """What the methods send, what comes back, and what is refused before it is sent."""
    monkeypatch.delenv("NCABOOK_STATIC", raising=False)
    player, sent = LivePlayer(automaton(), 6, 8), []
    monkeypatch.setattr(
        player, "send", lambda content, buffers=None: sent.append((content, buffers))
    )
    player.step(5)
    player.damage(3, 2, 1.5, "square")
    player.read_state()
    state = torch.rand(1, 8, 6, 8)
    player.write_state(state)
    kinds = [content["kind"] for content, _ in sent]
    assert kinds == ["advance", "act", "getState", "setState"]
    assert sent[1][0]["event"] == {"kind": "erase", "shape": "square", "x": 3, "y": 2, "size": 1.5}
    assert player.state is None
    answer = {"kind": "state", "height": 6, "width": 8}
    player._receive(player, answer, [memoryview(sent[3][1][0])])
    assert torch.equal(player.state, state)  # there and back
    player.fire_rate = 0.25
    for action, message in (
        (lambda: player.step(0), "steps is 0; expected a whole number"),
        (lambda: player.damage(1, 1, shape="star"), "shape is 'star'; expected one of circle"),
        (lambda: player.write_state(state[:, :3]), r"expected \[1, 8, 6, 8\]"),
    ):
        with pytest.raises(ValueError, match=message):
            action()
    with pytest.raises(TraitError, match="fire_rate is 0.0; expected a probability"):
        player.fire_rate = 0
    assert len(sent) == 4


def test_controls_are_linked_to_the_player(monkeypatch):
    monkeypatch.delenv("NCABOOK_STATIC", raising=False)
    box = controls(automaton(), 8, 8, classes=["a", "b"])
    player, rate, steps, erase, menu = box.children
    sent = []
    monkeypatch.setattr(player, "send", sent.append)
    rate.value, menu.value, steps.children[0].value = 0.8, 1, 3
    assert (player.fire_rate, player.class_index) == (0.8, 1)
    player.class_index = 0  # as when the reader chooses it in the figure
    assert menu.value == 0
    steps.children[1].click()
    erase.children[1].click()
    assert [content["kind"] for content in sent] == ["advance", "act"]
    assert len(controls(automaton(classes=0), 8, 8).children) == 4


@pytest.mark.parametrize(
    ("name", "classes", "options"),
    [
        ("start", 0, {"start": np.zeros((1, 8, 6, 8), np.float32)}),
        ("targets", 0, {"targets": np.zeros((1, 4, 6, 8), np.float32)}),
        ("condition", 2, {"condition": np.zeros((2, 6, 8), np.float32)}),
        ("the input 'ink'", 0, {"inputs": {"ink": np.zeros((1, 6, 8), np.float32)}}),
    ],
)
def test_arrays_are_told_to_become_tensors(name, classes, options):
    with pytest.raises(TypeError, match=f"^{name} is of type ndarray; expected a tensor: convert"):
        describe(automaton(classes), 6, 8, **options)


def test_a_written_state_is_a_tensor():
    with pytest.raises(TypeError, match="^state is of type ndarray; expected a tensor"):
        LivePlayer(automaton(0), 6, 8).write_state(np.zeros((1, 8, 6, 8), np.float32))
