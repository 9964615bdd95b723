"""An automaton as shaders for Shadertoy: text to be pasted, a section for each tab.

Shadertoy draws its buffers in order, and a buffer that reads an earlier one sees what that one has
just drawn. Four buffers of four channels could therefore not make a step together: the second
would already see the first one's new cells. So all channels lie side by side in one buffer, as
tiles of four, and a step is two passes: Buffer A adds the change, Buffer B takes out what is dead
and does what the mouse asks for. Buffer C draws the weights, which are constants of its own, into a
texture once: some compilers copy a whole array of constants wherever one number of it is read.

Weights are float16, eight in a ``uvec4``; Sobel filters and the layer after them become one
convolution, as both are linear. In the buffers row 0 lies at the bottom; the image turns it
upright.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ncabook.automaton import NCA, ConvPerception, MLPUpdate, SobelPerception
from ncabook.automaton.known import check_unchanged
from ncabook.automaton.perception import LEAKY_SLOPE
from ncabook.automaton.state import RGBA
from ncabook.live.labels import class_labels
from ncabook.live.program import padded
from ncabook.live.start import HALF_MAX

LANES = 4  # numbers in a texel
MOST_CHANNELS = 16
MOST_NUMBERS = 2**15  # of float16; 4,096 uvec4, what Direct3D indexes as constants
COLUMNS = 2  # tiles side by side
SHADERS = "the export for Shadertoy"

COMMON = """\
// {title}
// {height} × {width} cells of {channels} channels, a neural cellular automaton; from ncabook.
//
// On shadertoy.com/new: paste each section into the tab that it names, and set the channels that
// stand there. Drag to erase; the rewind button plants the seed anew. The picture needs at least
// {columns} × {least} pixels, which is what the tiles take.
{classes}
const ivec2 GRID = ivec2({width}, {height});
const int QUADS = {quads};           // tiles of four channels
const int FIRES = {fires};  // of 2^24: how often a cell fires
const uint COINS = {coins}u;         // names the trajectory
const bool LIVES = {lives};       // whether cells can be dead
const float LIVING = {living};      // an alpha above this lives
const bool RING = {ring};        // the seed's neighbours fire first: it never dies by chance
const vec4 SEED[QUADS] = vec4[]({seed});
const int WEIGHTS = {weights};  // texels of Buffer C, in rows as wide as two tiles
const int BIASES = {biases};     // the same, after them

vec4 w(sampler2D numbers, int i) {{
  return texelFetch(numbers, ivec2(i % ({columns_} * GRID.x), i / ({columns_} * GRID.x)), 0);
}}

ivec2 wrap(ivec2 cell) {{
  return (cell + GRID) % GRID;
}}

vec4 read(sampler2D cells, ivec2 cell, int quad) {{
  return texelFetch(cells, cell + GRID * ivec2(quad % {columns_}, quad / {columns_}), 0);
}}

// Which cell and which four channels a pixel holds; false for none.
bool holds(vec2 pixel, out ivec2 cell, out int quad) {{
  ivec2 at = ivec2(pixel), tile = at / GRID;
  cell = at - tile * GRID;
  quad = tile.y * {columns_} + tile.x;
  return tile.x < {columns_} && quad < QUADS;
}}

// The largest alpha within so many cells.
float alpha(sampler2D cells, ivec2 cell, int reach) {{
  float most = -1e30;
  for (int y = -reach; y <= reach; y++)
    for (int x = -reach; x <= reach; x++)
      most = max(most, read(cells, wrap(cell + ivec2(x, y) + GRID), 0).a);
  return most;
}}

bool fires(ivec2 cell, int step) {{
  if (RING && step == 0) {{
    ivec2 away = abs(cell - GRID / 2);
    if (max(away.x, away.y) <= 1) return away != ivec2(0);
  }}
  uint h = (uint(cell.x) * 0x8da6b343u) ^ (uint(cell.y) * 0xd8163841u);
  h = h ^ (uint(step) * 0xcb1ab31fu) ^ COINS;
  h ^= h >> 16; h *= 0x7feb352du;
  h ^= h >> 15; h *= 0x846ca68bu;
  h ^= h >> 16;
  return int(h >> 8) < FIRES;
}}

// Four channels of U(P(s, c)).
vec4 change(sampler2D cells, sampler2D numbers, ivec2 cell, int quad) {{
{network}
}}

// The cell under a pixel of the picture, row 0 at its top; its square is as large as fits.
vec2 seen(vec2 pixel, vec2 resolution) {{
  vec2 grid = vec2(GRID);
  float scale = min(resolution.x / grid.x, resolution.y / grid.y);
  vec2 place = (pixel - 0.5 * resolution) / scale + 0.5 * grid;
  return vec2(place.x, grid.y - place.y);
}}
"""

BUFFER_A = """\
// Adds the change of the cells that fire: s + m U(P(s, c)).
void mainImage(out vec4 color, in vec2 pixel) {
  ivec2 cell;
  int quad;
  color = vec4(0.0);
  if (!holds(pixel, cell, quad)) return;
  color = read(iChannel0, cell, quad);
  bool near = !LIVES || alpha(iChannel0, cell, 2) > LIVING;  // else it will be dead all the same
  if (near && fires(cell, iFrame - 1)) color += change(iChannel0, iChannel1, cell, quad);
}
"""

BUFFER_B = """\
// Takes out what was dead before or is dead now; seed and mouse.
void mainImage(out vec4 color, in vec2 pixel) {
  ivec2 cell;
  int quad;
  color = vec4(0.0);
  if (!holds(pixel, cell, quad)) return;
  if (iFrame == 0) {
    if (cell == GRID / 2) color = SEED[quad];
    return;
  }
  bool alive = !LIVES || (alpha(iChannel1, cell, 1) > LIVING && alpha(iChannel0, cell, 1) > LIVING);
  if (alive) color = read(iChannel0, cell, quad);
  vec2 away = abs(vec2(cell) + 0.5 - seen(iMouse.xy, iResolution.xy));
  if (iMouse.z > 0.0 && length(away) < 0.1 * float(GRID.y)) color = vec4(0.0);
}
"""

BUFFER_C = """\
// Draws the weights, and then the biases, in the first frame; and keeps them.
const vec4 B[{biases}] = vec4[](  // biases
{bias_text}
);
const uvec4 W[{words}] = uvec4[](  // weights, eight float16 each
{weight_text}
);

void mainImage(out vec4 color, in vec2 pixel) {{
  ivec2 at = ivec2(pixel);
  int wide = {columns_} * GRID.x, i = at.y * wide + at.x;
  color = vec4(0.0);
  if (at.x >= wide || i >= WEIGHTS + BIASES) return;
  if (iFrame > 0) {{
    color = texelFetch(iChannel0, at, 0);
  }} else if (i < WEIGHTS) {{
    uvec4 both = W[i >> 1];
    uvec2 own = (i & 1) == 0 ? both.xy : both.zw;
    color = vec4(unpackHalf2x16(own.x), unpackHalf2x16(own.y));
  }} else {{
    color = B[i - WEIGHTS];
  }}
}}
"""

IMAGE = """\
// The colours on white; they are multiplied by alpha already.
void mainImage(out vec4 color, in vec2 pixel) {
  vec2 place = seen(pixel, iResolution.xy);
  color = vec4(0.9, 0.9, 0.9, 1.0);
  if (any(lessThan(place, vec2(0.0))) || any(greaterThanEqual(place, vec2(GRID)))) return;
  vec4 rgba = read(iChannel0, ivec2(place), 0);
  color = vec4(clamp(rgba.rgb + 1.0 - clamp(rgba.a, 0.0, 1.0), 0.0, 1.0), 1.0);
}
"""

SECTIONS = {
    "Common": "",
    "Buffer A": "iChannel0: Buffer B, iChannel1: Buffer C",
    "Buffer B": "iChannel0: Buffer A, iChannel1: Buffer B",
    "Buffer C": "iChannel0: Buffer C",
    "Image": "iChannel0: Buffer B",
}


def to_glsl(
    nca: NCA,
    height: int,
    width: int,
    *,
    classes: Sequence[str] = (),
    class_index: int = 0,
    title: str = "A neural cellular automaton",
    seed: int = 0,
    ring: bool = False,
) -> str:
    """Shaders of ``nca`` for Shadertoy, all tabs in one text.

    Args:
        nca: grows from a seed, RGBA and hidden channels, at most 16 in all; sees through a 3×3
            convolution or Sobel filters; its update is an :class:`~ncabook.automaton.MLPUpdate`.
        height: cells from top to bottom.
        width: cells from left to right.
        classes: one label per channel of the condition.
        class_index: which of them grows; the text says how to choose another.
        title: a line above the text.
        seed: of the fire masks, which are those of :func:`ncabook.automaton.hashed_fire`.
        ring: whether a seed's first step is decided by no coin.

    Returns:
        Sections that begin with ``// ===== NAME =====``: Common, Buffer A, B and C, Image.

    Raises:
        TypeError: a perception or an update of another kind, or a changed one.
        ValueError: too many channels or weights; or there is no such class.

    """
    layers, slopes = _layers(nca)
    layout, told = nca.layout, nca.perception.condition_channels
    labels = class_labels(told, classes, None)
    if not 0 <= class_index < max(1, told):
        raise ValueError(f"class_index is {class_index}; there are {told} classes")
    if min(height, width) < 3:
        raise ValueError(f"a grid of {height}×{width} cells; expected at least 3×3")
    channels = padded(layout.channels)
    quads = channels // LANES
    weights = torch.cat([kernel.flatten() for kernel, _ in layers])
    texels = len(weights) // LANES
    weights = torch.cat([weights, weights.new_zeros(-len(weights) % (2 * LANES))])
    biases = [bias.reshape(-1) for _, bias in layers]
    if not bool((torch.cat([weights, *biases]).abs() <= HALF_MAX).all()):  # nor is NaN
        raise ValueError(f"a weight lies beyond ±{HALF_MAX}, or is none at all (NaN)")
    cell = torch.zeros(1, channels)
    cell[0, : layout.channels] = torch.tensor(layout.seed or _usual_seed(layout.channels))
    chosen = [
        f"const int CLASS = {class_index};"
        + "           // what grows: "
        + ", ".join(f"{i} {_plain(label['label'])}" for i, label in enumerate(labels))
    ]
    words, count = _halves(weights), sum(map(len, biases)) // LANES
    common = COMMON.format(
        title=_plain(title),
        height=height,
        width=width,
        channels=layout.channels,
        columns=COLUMNS * width,
        least=max(-(-quads // COLUMNS) * height, -(-(texels + count) // (COLUMNS * width))),
        classes=chosen[0] if told else "const int CLASS = 0;",
        quads=quads,
        fires=int(nca.fire_rate * 2**24),
        coins=seed & 0xFFFFFFFF,
        lives=str(nca.living_threshold is not None).lower(),
        living=_float(nca.living_threshold or 0.0),
        ring=str(ring).lower(),
        seed=", ".join(_vec4s(cell)),
        weights=texels,
        biases=count,
        columns_=COLUMNS,
        network=_network(layers, slopes, quads),
    )
    numbers = BUFFER_C.format(
        biases=count,
        bias_text=",\n".join(_vec4s(torch.cat(biases)[None])),
        words=len(words),
        weight_text=",\n".join(words),
        columns_=COLUMNS,
    )
    texts = dict(zip(SECTIONS, (common, BUFFER_A, BUFFER_B, numbers, IMAGE), strict=True))
    return "\n".join(
        f"// ===== {name} ====={'  ' + inputs if inputs else ''}\n{texts[name]}"
        for name, inputs in SECTIONS.items()
    )


def _usual_seed(channels: int) -> list[float]:
    return [1.0] * RGBA + [0.0] * (channels - RGBA)


Layer = tuple[Tensor, Tensor]  # [taps · in, out], [classes or 1, out]; both padded to fours


@torch.no_grad()
def _layers(nca: NCA) -> tuple[list[Layer], list[float]]:
    """A convolution and the linear layers after it, and the slopes of the activations between."""
    if not isinstance(nca, NCA) or nca.has_own_step():
        raise TypeError(f"{SHADERS} does not know {type(nca).__name__}; expected an NCA")
    check_unchanged(nca, SHADERS)
    layout, perception, update = nca.layout, nca.perception, nca.update
    if layout.fixed or layout.classes or layout.visible != RGBA or layout.channels > MOST_CHANNELS:
        raise ValueError(
            f"{SHADERS} takes automata that grow RGBA pictures with at most {MOST_CHANNELS} "
            f"channels in all; this one has {layout.channels}: {layout.fixed} fixed, "
            f"{layout.visible} visible, {layout.hidden} hidden, {layout.classes} classes"
        )
    simple = isinstance(perception, SobelPerception) or (
        isinstance(perception, ConvPerception)
        and perception.conv.kernel_size == (3, 3)
        and perception.dilation == 1
    )
    if not simple or not isinstance(update, MLPUpdate):
        raise TypeError(
            f"{SHADERS} takes a 3×3 convolution or Sobel filters with an MLP; this automaton has "
            f"{_kind(perception)} with {type(update).__name__}"
        )
    linear = cast(list[nn.Linear], list(update.layers))
    slopes = [update.slope] * (len(linear) - 1)
    if isinstance(perception, SobelPerception):
        first = linear.pop(0)
        bank = perception.get_buffer("bank")
        by_filter = first.weight.unflatten(1, (len(bank), -1))
        kernel = torch.einsum("ofc,fyx->ocyx", by_filter, bank)
        bias = first.bias
    else:
        assert isinstance(perception, ConvPerception)
        slopes.insert(0, LEAKY_SLOPE)
        kernel, bias = perception.conv.weight, perception.bias
    told = kernel[:, layout.channels :].sum((2, 3)).T  # the same in every cell: a bias per class
    rows = bias + told if len(told) else bias[None]
    pieces = [(kernel[:, : layout.channels].permute(2, 3, 1, 0).flatten(0, 1), rows)]
    pieces += [(layer.weight.T[None], layer.bias[None]) for layer in linear]
    layers = [
        (_fours(weight).flatten(0, 1), _fours(row[None])[0][: len(row)]) for weight, row in pieces
    ]
    count = sum(weight.numel() for weight, _ in layers)
    if count > MOST_NUMBERS:
        raise ValueError(
            f"{SHADERS} takes at most {MOST_NUMBERS:,} weights, which a shader can hold as "
            f"constants; this automaton has {count:,}"
        )
    return layers, slopes


def _kind(perception: object) -> str:
    if isinstance(perception, ConvPerception):
        size = perception.conv.kernel_size[0]
        return f"a {size}×{size} convolution of dilation {perception.dilation}"
    return type(perception).__name__


def _fours(matrix: Tensor) -> Tensor:
    """``[…, in, out]`` with zeros, so that both are multiples of four."""
    rows, columns = matrix.shape[-2:]
    size = (*matrix.shape[:-2], padded(rows), padded(columns))
    wide = matrix.new_zeros(size)
    wide[..., :rows, :columns] = matrix
    return wide


def _network(layers: list[Layer], slopes: list[float], quads: int) -> str:
    """The body of ``change``: a loop for each layer; of the last one, four channels only."""
    lines: list[str] = []
    weight_at, bias_at = 0, 0
    for i, (kernel, rows) in enumerate(layers):
        outputs, last = kernel.shape[1] // LANES, i == len(layers) - 1
        inputs = len(kernel) // (9 if i == 0 else 1)
        chosen = f"CLASS * {outputs} + " if i == 0 else ""
        bias = f"w(numbers, WEIGHTS + {bias_at} + {chosen}{{}})"
        weight = f"w(numbers, {weight_at} + {{}} * {outputs} + {{}})"
        if last:
            lines.append(f"vec4 x{i} = {bias.format('quad')};")
            adds = f"x{i} += {{}} * {weight.format('{}', 'quad')};"
        else:
            lines += [
                f"vec4 x{i}[{outputs}];",
                f"for (int o = 0; o < {outputs}; o++) x{i}[o] = {bias.format('o')};",
            ]
            adds = (
                f"for (int o = 0; o < {outputs}; o++) x{i}[o] += {{}} * {weight.format('{}', 'o')};"
            )
        if i == 0:
            lines += [
                "for (int t = 0; t < 9; t++) {",
                "  ivec2 there = wrap(cell + ivec2(t % 3 - 1, t / 3 - 1));",
                f"  for (int q = 0; q < {quads}; q++) {{",
                "    vec4 v = read(cells, there, q);",
                "    for (int k = 0; k < 4; k++) {",
                f"      int row = t * {inputs} + 4 * q + k;",
                "      " + adds.format("v[k]", "row"),
                "    }",
                "  }",
                "}",
            ]
        else:
            lines += [
                f"for (int row = 0; row < {inputs}; row++) {{",
                f"  float v = x{i - 1}[row >> 2][row & 3];",
                "  " + adds.format("v", "row"),
                "}",
            ]
        if not last:
            slope = _float(slopes[i])
            lines.append(
                f"for (int o = 0; o < {outputs}; o++) x{i}[o] = max(x{i}[o], {slope} * x{i}[o]);"
            )
        weight_at += len(kernel) * outputs
        bias_at += len(rows) * outputs
    lines.append(f"return x{len(layers) - 1};")
    return "\n".join("  " + line for line in lines)


def _plain(text: str) -> str:
    """In a comment: one line, and no backslash that would join it to the next."""
    return " ".join(text.replace("\\", "/").split())


def _float(value: float) -> str:
    text = f"{value:.9g}"
    return text if any(c in text for c in ".e") else text + ".0"


def _vec4s(rows: Tensor) -> list[str]:
    values = cast(list[float], rows.flatten().tolist())
    return [
        f"vec4({', '.join(map(_float, values[i : i + LANES]))})"
        for i in range(0, len(values), LANES)
    ]


def _halves(values: Tensor) -> list[str]:
    """As float16, eight in a ``uvec4``, the first in the low bits."""
    words = values.float().numpy().astype("<f2").view("<u4").tolist()
    return [
        f"uvec4({','.join(f'0x{word:x}u' for word in words[i : i + LANES])})"
        for i in range(0, len(words), LANES)
    ]
