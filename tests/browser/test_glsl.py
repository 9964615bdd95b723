"""The shaders for Shadertoy compile in WebGL2, and their steps are those of PyTorch."""

import re

import pytest
import torch

from ncabook import zoo
from ncabook.automaton import (
    NCA,
    ChannelLayout,
    MLPUpdate,
    SobelPerception,
    centre_seed,
    hashed_fire,
)
from ncabook.live import to_glsl
from tests.browser.conftest import SWIFTSHADER
from tests.live.test_engine import automaton

pytestmark = pytest.mark.browser
HEIGHT, WIDTH, SEED = 19, 26, 77
# Shadertoy's part: its uniforms, its buffers of float32, drawn in order, each of which sees what
# the earlier ones have drawn in this frame and the later ones, and itself, in the frame before.
TOY = """async ({ sections, inputs, width, height, frames, mouse }) => {
  const gl = new OffscreenCanvas(width, height).getContext("webgl2");
  if (!gl.getExtension("EXT_color_buffer_float")) throw new Error("no float buffers");
  const prelude = `#version 300 es
    precision highp float; precision highp int; precision highp sampler2D;
    uniform vec3 iResolution; uniform float iTime; uniform int iFrame; uniform vec4 iMouse;
    uniform sampler2D iChannel0; uniform sampler2D iChannel1;
    uniform sampler2D iChannel2; uniform sampler2D iChannel3;
    out vec4 drawn;\n`;
  const shader = (kind, source) => {
    const made = gl.createShader(kind);
    gl.shaderSource(made, source);
    gl.compileShader(made);
    if (!gl.getShaderParameter(made, gl.COMPILE_STATUS)) {
      throw new Error(gl.getShaderInfoLog(made));
    }
    return made;
  };
  const corners = `#version 300 es
    void main() {
      gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
    }`;
  const texture = () => {
    const made = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, made);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, width, height);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    return made;
  };
  const { Common, ...tabs } = sections;
  const passes = Object.entries(tabs).map(([name, text]) => {
    const program = gl.createProgram();
    gl.attachShader(program, shader(gl.VERTEX_SHADER, corners));
    const main = "void main() { mainImage(drawn, gl_FragCoord.xy); }";
    gl.attachShader(program,
      shader(gl.FRAGMENT_SHADER, [prelude, Common, text, main].join("\\n")));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      throw new Error(gl.getProgramInfoLog(program));
    }
    return { name, program, front: texture(), back: texture() };
  });
  const target = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, target);
  gl.viewport(0, 0, width, height);
  const look = () => {
    const numbers = new Float32Array(4 * width * height);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, numbers);
    return [...numbers];
  };
  const pictures = {};
  for (let frame = 0; frame < frames; frame++) {
    for (const pass of passes) {
      const { program } = pass;
      gl.useProgram(program);
      const at = (name) => gl.getUniformLocation(program, name);
      gl.uniform3f(at("iResolution"), width, height, 1);
      gl.uniform1i(at("iFrame"), frame);
      gl.uniform4fv(at("iMouse"), frame === frames - 1 && mouse ? mouse : [0, 0, 0, 0]);
      for (const [channel, name] of Object.entries(inputs[pass.name])) {
        gl.activeTexture(gl.TEXTURE0 + Number(channel));
        gl.bindTexture(gl.TEXTURE_2D, passes.find((other) => other.name === name).front);
        gl.uniform1i(at(`iChannel${channel}`), Number(channel));
      }
      gl.framebufferTexture2D(
        gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, pass.back, 0);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      if (frame === frames - 1) pictures[pass.name] = look();
      [pass.front, pass.back] = [pass.back, pass.front];
    }
  }
  if (gl.getError() !== 0) throw new Error("WebGL complains");
  return pictures;
}"""
HEAD = re.compile(r"^// ===== (.+) =====(.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def browser(launch):
    browser = launch(*SWIFTSHADER)
    yield browser
    browser.close()


@pytest.fixture
def toy(browser):
    """Draws so many frames of a program; the last of every buffer, ``[rows from below, W, 4]``."""
    page = browser.new_page()

    def draw(text, frames, width=80, height=48, mouse=None):
        _, *parts = HEAD.split(text)
        names, heads, bodies = parts[::3], parts[1::3], parts[2::3]
        channels = [dict(re.findall(r"iChannel(\d): (Buffer \w)", head)) for head in heads]
        job = {
            "sections": dict(zip(names, bodies, strict=True)),
            "inputs": dict(zip(names, channels, strict=True)),
            **{"width": width, "height": height, "frames": frames, "mouse": mouse},
        }
        drawn = page.evaluate(TOY, job)
        return {name: torch.tensor(d).view(height, width, 4) for name, d in drawn.items()}

    yield draw
    page.close()


def state_of(drawn, nca, height=HEIGHT, width=WIDTH):
    """``[1, C, H, W]`` from the tiles of Buffer B."""
    quads = []
    for quad in range(-(-nca.layout.channels // 4)):
        row, column = quad // 2 * height, quad % 2 * width
        quads.append(drawn["Buffer B"][row : row + height, column : column + width])
    return torch.cat(quads, dim=2)[..., : nca.layout.channels].permute(2, 0, 1)[None]


def sobel(classes=0, activation="relu", **layout):
    torch.manual_seed(2)
    channels = ChannelLayout(visible=4, hidden=6, **layout)
    perception = SobelPerception(10, classes, laplacian=classes > 0)
    update = MLPUpdate(perception.out_channels, 10, [18, 7], activation)
    torch.nn.init.normal_(update.layers[-1].weight, std=0.1)
    return NCA(channels, perception, update).requires_grad_(False)


DISTILLED = (0.0, 0.0, 0.0, *[1.0] * 7)
AUTOMATA = {
    "a convolution": lambda: automaton(),
    "every cell fires": lambda: automaton(fire_rate=1.0, std=0.02),
    "nothing is a multiple of four": lambda: automaton(hidden=5, features=30, widths=(7, 9)),
    "no hidden layer, no class": lambda: automaton(
        classes=0, widths=(), living_threshold=None, std=0.01
    ),
    "no living mask": lambda: automaton(living_threshold=None, std=0.02),
    "Sobel and ReLU, a seed of its own": lambda: sobel(seed=DISTILLED),
    "Sobel, Laplacian and classes": lambda: sobel(3, "leaky-relu"),
}


@pytest.mark.parametrize("kind", AUTOMATA)
def test_steps_are_those_of_pytorch(toy, kind):
    nca = AUTOMATA[kind]()
    classes = nca.perception.condition_channels
    chosen, steps = classes // 2, 32
    ring = nca.living_threshold is not None and kind != "every cell fires"
    text = to_glsl(nca, HEIGHT, WIDTH, class_index=chosen, seed=SEED, ring=ring)
    wanted = nca.rollout(
        centre_seed(nca.layout, HEIGHT, WIDTH),
        steps,
        torch.eye(classes)[[chosen]] if classes else None,
        fire=lambda t: hashed_fire(HEIGHT, WIDTH, t, SEED, nca.fire_rate),
        ring=ring,
    )
    assert 0.3 < wanted.abs().max() < 100  # neither dead nor exploded
    drawn = toy(text, steps + 1)  # the first frame is the seed
    assert (state_of(drawn, nca) - wanted).abs().max() <= 1e-3
    assert torch.equal(state_of(toy(text, 1), nca), centre_seed(nca.layout, HEIGHT, WIDTH))


def test_the_picture_is_upright_and_the_mouse_erases_what_it_points_at(toy):
    """80 × 48 pixels for 26 × 19 cells: each is 48 / 19 pixels large, in the middle."""
    nca = automaton()
    text = to_glsl(nca, HEIGHT, WIDTH, class_index=2, seed=SEED, ring=True)
    drawn = toy(text, 25)
    state, image = state_of(drawn, nca)[0], drawn["Image"].flip(0)  # row 0 at the top
    scale = 48 / HEIGHT

    def pixel(row, column):
        return int((row + 0.5) * scale), int(40 + (column + 0.5 - WIDTH / 2) * scale)

    for row, column in ((9, 13), (6, 13), (9, 17), (1, 1)):
        rgba = state[:4, row, column]
        wanted = (rgba[:3] + 1 - rgba[3].clamp(0, 1)).clamp(0, 1)
        assert torch.allclose(image[pixel(row, column)][:3], wanted, atol=1e-4)
    assert image[0, 0, 0] == pytest.approx(0.9)  # beside the grid

    row, column = (state[3] > 0.1).nonzero()[0].tolist()
    assert row != HEIGHT // 2
    y, x = pixel(row, column)
    after = state_of(toy(text, 25, mouse=[x + 0.5, 48 - y - 0.5, 1, 1]), nca)[0]
    gone = ((after == 0) & (state != 0)).any(0).nonzero()
    assert len(gone) >= 2
    assert (gone.double() - torch.tensor([row, column])).norm(dim=1).max() < 0.1 * HEIGHT + 1
    assert not after[:, row, column].any()
    far = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    far[row - 3 : row + 4, column - 3 : column + 4] = False
    assert torch.equal(after[:, far], state[:, far])


def test_a_model_of_the_book(toy):
    """22,976 parameters as constants; some steps of it, with the classes told in the text."""
    model = zoo.load("emoji-conv3")
    told = {"classes": model.live()["classes"], "class_index": 1}
    text = to_glsl(model.nca, 20, 20, ring=True, seed=SEED, **told)
    assert "1 🦎" in text
    wanted = model.nca.rollout(
        centre_seed(model.nca.layout, 20, 20),
        8,
        torch.eye(5)[[1]],
        fire=lambda t: hashed_fire(20, 20, t, SEED, 0.5),
        ring=True,
    )
    actual = state_of(toy(text, 9), model.nca, 20, 20)
    assert (actual - wanted).abs().max() <= 3e-3  # weights are float16 there
