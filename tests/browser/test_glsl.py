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
TOY = """async ({ sections, inputs, width, height, looks, mouse }) => {
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
  const seen = [];
  for (let frame = 0; frame < looks.at(-1); frame++) {
    const pictures = {};
    for (const pass of passes) {
      const { program } = pass;
      gl.useProgram(program);
      const at = (name) => gl.getUniformLocation(program, name);
      gl.uniform3f(at("iResolution"), width, height, 1);
      gl.uniform1i(at("iFrame"), frame);
      gl.uniform4fv(at("iMouse"), frame === looks.at(-1) - 1 ? mouse : [0, 0, 0, 0]);
      for (const [channel, name] of Object.entries(inputs[pass.name])) {
        gl.activeTexture(gl.TEXTURE0 + Number(channel));
        gl.bindTexture(gl.TEXTURE_2D, passes.find((other) => other.name === name).front);
        gl.uniform1i(at(`iChannel${channel}`), Number(channel));
      }
      gl.framebufferTexture2D(
        gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, pass.back, 0);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      if (looks.includes(frame + 1)) pictures[pass.name] = look();
      [pass.front, pass.back] = [pass.back, pass.front];
    }
    if (looks.includes(frame + 1)) seen.push(pictures);
  }
  if (gl.getError() !== 0) throw new Error("WebGL complains");
  return seen;
}"""
HEAD = re.compile(r"^// ===== (.+) =====(.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def browser(launch):
    browser = launch(*SWIFTSHADER)
    yield browser
    browser.close()


@pytest.fixture
def toy(browser):
    """Draws a program; after so many frames, every buffer, ``[rows from below, W, 4]``."""
    page = browser.new_page()

    def draw(text, *looks, width=80, height=48, mouse=(0, 0, 0, 0)):
        _, *parts = HEAD.split(text)
        names, heads, bodies = parts[::3], parts[1::3], parts[2::3]
        channels = [dict(re.findall(r"iChannel(\d): (Buffer \w)", head)) for head in heads]
        job = {
            "sections": dict(zip(names, bodies, strict=True)),
            "inputs": dict(zip(names, channels, strict=True)),
            **{"width": width, "height": height, "looks": looks, "mouse": mouse},
        }
        return [
            {name: torch.tensor(d).view(height, width, 4) for name, d in drawn.items()}
            for drawn in page.evaluate(TOY, job)
        ]

    yield draw
    page.close()


def state_of(drawn, nca, height=HEIGHT, width=WIDTH):
    """``[1, C, H, W]`` from the tiles of Buffer B."""
    quads = []
    for quad in range(-(-nca.layout.channels // 4)):
        row, column = quad // 2 * height, quad % 2 * width
        quads.append(drawn["Buffer B"][row : row + height, column : column + width])
    return torch.cat(quads, dim=2)[..., : nca.layout.channels].permute(2, 0, 1)[None]


def sobel(dice, classes=0, activation="relu", **layout):
    torch.manual_seed(dice)
    channels = ChannelLayout(visible=4, hidden=6, **layout)
    perception = SobelPerception(10, classes, laplacian=classes > 0)
    update = MLPUpdate(perception.out_channels, 10, [18, 7], activation)
    torch.nn.init.normal_(update.layers[-1].weight, std=0.2)
    return NCA(channels, perception, update).requires_grad_(False)


DISTILLED = (0.0, 0.0, 0.0, *[1.0] * 7)
SMALL = {"hidden": 5, "features": 15}  # a shader of many numbers compiles long
AUTOMATA = {
    "every cell fires": lambda: automaton(**SMALL, widths=(7, 9), fire_rate=1.0),
    "two hidden layers": lambda: automaton(**SMALL, widths=(7, 9)),
    "no hidden layer, no class, no living mask": lambda: automaton(
        **SMALL, widths=(), classes=0, living_threshold=None, std=0.1
    ),
    "Sobel and ReLU, a seed of its own": lambda: sobel(3, seed=DISTILLED),
    "Sobel, Laplacian and classes": lambda: sobel(2, 3, "leaky-relu"),
}


def by_pytorch(nca, steps, chosen=0, ring=True, height=HEIGHT, width=WIDTH):
    classes = nca.perception.condition_channels
    return nca.rollout(
        centre_seed(nca.layout, height, width),
        steps,
        torch.eye(classes)[[chosen]] if classes else None,
        fire=lambda t: hashed_fire(height, width, t, SEED, nca.fire_rate),
        ring=ring,
    )


@pytest.mark.parametrize("kind", AUTOMATA)
def test_steps_are_those_of_pytorch(toy, kind):
    nca = AUTOMATA[kind]()
    chosen, steps = nca.perception.condition_channels // 2, 16
    ring = nca.living_threshold is not None and kind != "every cell fires"
    text = to_glsl(nca, HEIGHT, WIDTH, class_index=chosen, seed=SEED, ring=ring)
    wanted = by_pytorch(nca, steps, chosen, ring)
    assert (wanted.abs() > 0.1).sum() > 200  # it grew
    assert wanted.abs().max() < 10
    seed, grown = toy(text, 1, steps + 1)
    assert torch.equal(state_of(seed, nca), centre_seed(nca.layout, HEIGHT, WIDTH))
    assert (state_of(grown, nca) - wanted).abs().max() <= 1e-3


def test_the_picture_is_upright_and_the_mouse_erases_what_it_points_at(toy):
    """80 × 48 pixels for 26 × 19 cells: each is 48 / 19 pixels large, in the middle."""
    nca = AUTOMATA["every cell fires"]()
    scale, steps = 48 / HEIGHT, 12
    wanted = by_pytorch(nca, steps, 3, ring=False)[0]

    def pixel(row, column):
        return int((row + 0.5) * scale), int(40 + (column + 0.5 - WIDTH / 2) * scale)

    row, column = (wanted[3] > 0.1).nonzero()[0].tolist()  # the topmost living cell
    assert row < HEIGHT // 2 - 2
    y, x = pixel(row, column)
    text = to_glsl(nca, HEIGHT, WIDTH, class_index=3, seed=SEED)
    before, after = toy(text, steps, steps + 1, mouse=(x + 0.5, 48 - y - 0.5, 1, 1))

    state, image = state_of(before, nca)[0], before["Image"].flip(0)  # row 0 at the top
    for place in ((9, 13), (row, column), (9, 17), (1, 1)):
        rgba = state[(slice(4), *place)]
        shown = (rgba[:3] + 1 - rgba[3].clamp(0, 1)).clamp(0, 1)
        assert torch.allclose(image[pixel(*place)][:3], shown, atol=1e-4)
    assert image[0, 0, 0] == pytest.approx(0.9)  # beside the grid

    state = state_of(after, nca)[0]
    assert not state[:, row, column].any()
    rows, columns = torch.arange(HEIGHT)[:, None] - row, torch.arange(WIDTH) - column
    apart = (rows**2 + columns**2).sqrt()
    assert not state[:, apart < 0.1 * HEIGHT - 0.8].any()
    far = apart > 0.1 * HEIGHT + 0.8
    assert (state - wanted)[:, far].abs().max() <= 1e-3


def test_a_model_of_the_book(toy):
    """22,976 parameters as constants; some steps of it, with the classes told in the text."""
    model = zoo.load("emoji-conv3")
    nca = model.nca.half().float()  # float16, as the shaders hold it
    told = {"classes": model.live()["classes"], "class_index": 1}
    text = to_glsl(nca, 48, 48, ring=True, seed=SEED, **told)
    assert "1 🦎" in text
    (drawn,) = toy(text, 7, width=96, height=96)
    wanted = by_pytorch(nca, 6, 1, height=48, width=48)
    assert (state_of(drawn, nca, 48, 48) - wanted).abs().max() <= 1e-3
