"""The text of the shaders: what it says, and what is refused (it is run in tests/browser)."""

import re
import sys

import numpy as np
import pytest
import torch

from ncabook import cli
from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    LocalAttention,
    MLPUpdate,
    ResNetUpdate,
)
from ncabook.live import to_glsl


def automaton(perception=None, update=None, living=0.1, **layout):
    channels = ChannelLayout(**({"visible": 4, "hidden": 4} | layout))
    perception = perception or ConvPerception(channels.channels, 12)
    written = channels.channels - channels.fixed
    update = update or MLPUpdate(perception.out_channels, written, [8])
    return NCA(channels, perception, update, living_threshold=living)


def test_sections_and_weights():
    nca = automaton(ConvPerception(8, 12, condition_channels=2))
    text = to_glsl(
        nca, 20, 30, classes=["🦎", "🐠"], title="One\nline \\", class_index=1, ring=True
    )
    heads = re.findall(r"^// ===== (.+?) =====", text, re.MULTILINE)
    assert heads == ["Common", "Buffer A", "Buffer B", "Buffer C", "Image"]
    assert "// One line /\n" in text
    assert "const int CLASS = 1;" in text
    assert "0 🦎, 1 🐠" in text
    assert max(map(len, text.splitlines())) < 400
    words = re.findall(r"0x([0-9a-f]+)u", text.split("uvec4 W[")[1].split(");\n")[0])
    halves = np.array([int(word, 16) for word in words], "<u4").view("<f2")
    taps = nca.perception.conv.weight[:, :8].permute(2, 3, 1, 0).flatten()
    assert np.allclose(halves[: taps.numel()], taps.detach().numpy(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (lambda: automaton(hidden=13), ValueError, "at most 16 channels in all; this one has 17"),
        (lambda: automaton(visible=3, living=None), ValueError, "RGBA pictures .* 3 visible"),
        (lambda: automaton(ConvPerception(8, 12, 5)), TypeError, "a 5×5 convolution of dilation 1"),
        (lambda: automaton(ConvPerception(8, 12, 3, 2)), TypeError, "of dilation 2"),
        (lambda: automaton(LocalAttention(8, 12)), TypeError, "LocalAttention with MLPUpdate"),
        (lambda: automaton(update=ResNetUpdate(12, 8, 8)), TypeError, "with ResNetUpdate"),
        (lambda: automaton(ConvPerception(8, 500)), ValueError, "at most 32,768 weights.* 40,064"),
        (lambda: automaton(fixed=1), ValueError, "1 fixed"),
    ],
)
def test_what_no_shader_is_made_of_is_one_line(made, error, message):
    nca = made()
    with pytest.raises(error, match=message) as raised:
        to_glsl(nca, 20, 20)
    assert "\n" not in str(raised.value)


def test_numbers_that_float16_cannot_hold_and_changed_parts():
    nca = automaton()
    torch.nn.init.constant_(nca.update.layers[0].weight, 1e6)
    with pytest.raises(ValueError, match="a weight lies beyond"):
        to_glsl(nca, 20, 20)
    nca = automaton()
    nca.update.register_forward_hook(lambda *_: None)
    with pytest.raises(TypeError, match="MLPUpdate with a hook"):
        to_glsl(nca, 20, 20)
    with pytest.raises(ValueError, match="class_index is 1; there are 0 classes"):
        to_glsl(automaton(), 20, 20, class_index=1)


def test_the_command(monkeypatch, capsys, tmp_path):
    def export(*arguments):
        monkeypatch.setattr(sys, "stderr", sys.stderr)
        monkeypatch.setattr(sys, "argv", ["ncabook", "export", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code or 0, "".join(capsys.readouterr())

    file = tmp_path / "emoji.glsl"
    status, said = export("emoji-conv3", "--glsl", file)
    assert status == 0, said
    assert "paste its sections" in said
    assert "// ===== Buffer C =====" in file.read_text("utf-8")
    status, said = export("emoji-conv3", "--glsl", file)
    assert (status, "add --force" in said) == (1, True)
    status, said = export("emoji-conv3", "--glsl", tmp_path / "a", "--html", tmp_path / "a")
    assert (status, "--html and --glsl are both" in said) == (1, True)
    for name, why in (("emoji-combined", "MultiPerception"), ("digits-mse", "at most 16|seeds")):
        status, said = export(name, "--glsl", tmp_path / "b")
        assert status == 1
        assert re.search(why, said), said
        assert said.count("\n") == 1
