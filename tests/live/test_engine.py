"""The page's engine, run by Node, computes what PyTorch computes."""

import base64
import gzip
import re

import pytest
import torch

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
    centre_seed,
    hashed_fire,
    plant_seed,
)
from ncabook.automaton.attention import NeighbourhoodAttention
from ncabook.live import describe
from ncabook.live.engine.build import (
    CORE,
    OUTPUT,
    PAGE,
    STYLE,
    TRAINER_CORE,
    TRAINER_PAGE,
    bundle,
)

pytestmark = pytest.mark.node
HEIGHT, WIDTH, CLASSES, STEPS, SEED = 19, 26, 5, 96, 1234


def automaton(
    hidden=12,
    classes=CLASSES,
    kernel_size=3,
    dilation=1,
    features=40,
    widths=(24,),
    living_threshold=0.1,
    fire_rate=0.5,
    std=0.05,
):
    """Random weights that float16 holds exactly, drawn from a fixed seed."""
    torch.manual_seed(3)
    layout = ChannelLayout(visible=4, hidden=hidden)
    perception = ConvPerception(layout.channels, features, kernel_size, dilation, classes)
    update = MLPUpdate(features, layout.channels, widths)
    torch.nn.init.normal_(update.layers[-1].weight, std=std)
    nca = NCA(layout, perception, update, fire_rate, living_threshold)
    return nca.half().float().requires_grad_(False)


def expected(nca, state, class_index, steps=STEPS, first=0):
    classes = nca.perception.condition_channels
    condition = torch.eye(classes)[[class_index]] if classes else None
    height, width = state.shape[2:]
    return nca.rollout(
        state,
        steps,
        condition,
        fire=lambda t: hashed_fire(height, width, t + first, SEED, nca.fire_rate),
    )


def described(nca, height=HEIGHT, width=WIDTH, **options):
    return describe(nca, height, width, seed=SEED, **options)


@pytest.mark.parametrize("class_index", [0, 3])
def test_trajectory_is_that_of_pytorch(run, class_index):
    nca = automaton()
    actual = run(*described(nca), [["setClass", class_index], ["steps", STEPS]])
    wanted = expected(nca, centre_seed(nca.layout, HEIGHT, WIDTH), class_index)
    assert 0.5 < wanted.abs().max() < 100  # neither dead nor exploded
    assert (actual - wanted).abs().max() <= 1e-4


@pytest.mark.parametrize(
    "variant",
    [
        {"hidden": 5, "features": 30, "widths": (7, 9)},  # nothing is a multiple of four
        {"classes": 0},
        {"kernel_size": 5, "dilation": 2},
        {"kernel_size": 1},
        {"living_threshold": None, "std": 0.02},
        {"fire_rate": 1.0, "std": 0.02},
    ],
    ids=str,
)
def test_other_automata(run, variant):
    nca = automaton(**variant)
    actual = run(*described(nca), [["steps", 32]])
    wanted = expected(nca, centre_seed(nca.layout, HEIGHT, WIDTH), 0, steps=32)
    assert wanted.abs().max() < 100
    assert (actual - wanted).abs().max() <= 1e-4


# Every perception of the package, once with sizes that are multiples of four and once without.
PERCEPTIONS = {
    "sobel": lambda c, d: SobelPerception(c, d),
    "sobel with Laplacian": lambda c, d: SobelPerception(c, d, laplacian=True),
    "residual": lambda c, d: ResidualPerception(c, 24, 3, 1, d),
    "residual, dilated": lambda c, d: ResidualPerception(c, 10, 3, 2, d),
    "deformable": lambda c, d: DeformablePerception(c, 24, 3, d),
    "deformable 5×5": lambda c, d: DeformablePerception(c, 9, 5, d),
    "local attention": lambda c, d: LocalAttention(c, 24, 2, 3, d),
    "local attention 5×5, heads of 3": lambda c, d: LocalAttention(c, 9, 3, 5, d),
    "attention block": lambda c, d: AttentionBlock(c, 12, 16, 4, 3, d),
    "attention block, heads of 5": lambda c, d: AttentionBlock(c, 10, 10, 2, 3, d),
    "two convolutions": lambda c, d: MultiPerception(
        [ConvPerception(c, 10, 3, 1, d), ConvPerception(c, 7, 5, 2, d)]
    ),
    "one of each": lambda c, d: MultiPerception(
        [
            ConvPerception(c, 5, 3, 1, d),
            SobelPerception(c, d),
            DeformablePerception(c, 6, 3, d),
            LocalAttention(c, 8, 4, 3, d),
            AttentionBlock(c, 6, 8, 2, 3, d),
            ResidualPerception(c, 7, 3, 1, d),
        ]
    ),
}


def with_perception(kind, hidden, classes, fixed=0, update=None, living_threshold=0.1):
    """An automaton that neither dies nor explodes, with weights that float16 holds."""
    torch.manual_seed(5)
    layout = ChannelLayout(visible=4, hidden=hidden, fixed=fixed)
    perception = PERCEPTIONS[kind](layout.channels, classes)
    for part in perception.modules():
        if isinstance(part, DeformablePerception):  # offsets of several cells, about all weights
            torch.nn.init.normal_(part.offset.conv.weight, std=0.4)
            torch.nn.init.normal_(part.modulator.conv.weight, std=0.4)
        if isinstance(part, NeighbourhoodAttention):  # no window may be mirrored unnoticed
            torch.nn.init.normal_(part.position, generator=torch.Generator().manual_seed(0))
    out = layout.channels - fixed
    update = (update or (lambda i, o: MLPUpdate(i, o, (24,))))(perception.out_channels, out)
    last = update.last if isinstance(update, ResNetUpdate) else update.layers[-1]
    torch.nn.init.normal_(last.weight, std=0.02)
    last.bias.data[layout.alpha - fixed] = 0.03  # alpha rises, so that the pattern spreads
    nca = NCA(layout, perception, update, 0.5, living_threshold)
    return nca.half().float().requires_grad_(False)


@pytest.mark.parametrize("kind", ["two convolutions", "residual", "attention block"])
def test_relaxed_simd_is_as_exact(run, kind):
    """Browsers have it; this Node needs a flag. It rounds once, so the numbers differ a little."""
    nca = with_perception(kind, 12, 4)
    wanted = expected(nca, centre_seed(nca.layout, HEIGHT, WIDTH), 0)
    flags = ["--experimental-wasm-relaxed-simd"]
    plain, relaxed = (run(*described(nca), [["steps", STEPS]], f) for f in ([], flags))
    assert (relaxed - wanted).abs().max() <= 1e-4
    assert not torch.equal(plain, relaxed), "the flag changed nothing: which one was tested?"


@pytest.mark.parametrize("kind", PERCEPTIONS)
@pytest.mark.parametrize("living_threshold", [0.1, None])
def test_a_browser_without_webassembly_computes_the_same(run, kind, living_threshold):
    nca = with_perception(kind, 8, 3, fixed=1, living_threshold=living_threshold)
    actions = [["setClass", 1], ["steps", STEPS // 2]]
    actions += [["erase", {"shape": "circle", "x": 9, "y": 11, "size": 4, "share": 0.7, "salt": 3}]]
    actions += [["steps", STEPS // 2]]
    wasm, plain = (run(*described(nca), actions, wasm=there) for there in (True, False))
    assert wasm.abs().max() > 0.5
    assert (wasm - plain).abs().max() <= 1e-4
    assert not torch.equal(wasm, plain), "bits alike: which one was tested?"


@pytest.mark.parametrize("kind", PERCEPTIONS)
@pytest.mark.parametrize(("hidden", "classes"), [(12, 4), (5, 3), (8, 0)])
def test_every_perception(run, kind, hidden, classes):
    nca = with_perception(kind, hidden, classes)
    chosen = classes // 2
    actions = [["setClass", chosen]] if classes else []
    wanted = expected(nca, centre_seed(nca.layout, HEIGHT, WIDTH), chosen)
    assert 0.5 < wanted.abs().max() < 100
    assert (wanted[:, 3] > 0.1).float().mean() > 0.02, "too little is alive to tell"
    description, weights = described(nca)
    actual = run(description, weights, [*actions, ["steps", STEPS]])
    assert (actual - wanted).abs().max() <= 1e-4
    dense = run(description, weights, [["skip", False], *actions, ["steps", STEPS]])
    assert torch.equal(dense, actual)


@pytest.mark.parametrize("kind", ["two convolutions", "sobel", "attention block"])
def test_other_updates_and_layouts(run, kind):
    """A deeper update; channels that a step never writes; no living mask."""
    nca = with_perception(
        kind, 6, 2, fixed=1, update=lambda i, o: ResNetUpdate(i, o, 18, 2), living_threshold=None
    )
    wanted = expected(nca, centre_seed(nca.layout, HEIGHT, WIDTH), 0, steps=32)
    actual = run(*described(nca), [["steps", 32]])
    assert wanted.abs().max() < 100
    assert (actual - wanted).abs().max() <= 1e-4
    assert not actual[:, 0].any()


@pytest.mark.parametrize("kind", ["two convolutions", "residual", "sobel", "deformable"])
def test_a_condition_that_differs_from_cell_to_cell(run, kind):
    """A map is an input like the state; on the torus, windows see it beyond the edge, too."""
    nca = with_perception(kind, 6, 2)
    generator = torch.Generator().manual_seed(0)
    told = torch.rand(2, HEIGHT, WIDTH, generator=generator).half().float()
    wanted = nca.rollout(
        centre_seed(nca.layout, HEIGHT, WIDTH),
        32,
        told[None],
        fire=lambda t: hashed_fire(HEIGHT, WIDTH, t, SEED, nca.fire_rate),
    )
    actual = run(*described(nca, condition=told), [["steps", 20], ["reset"], ["steps", 32]])
    assert wanted[:, 3].max() > 0.5
    assert (actual - wanted).abs().max() <= 1e-4
    other = nca.rollout(centre_seed(nca.layout, HEIGHT, WIDTH), 32, torch.eye(2)[[0]])
    assert (wanted - other).abs().max() > 0.01  # the map matters


def test_a_condition_map_of_another_size_is_refused():
    nca = with_perception("sobel", 6, 2)
    with pytest.raises(ValueError, match=r"condition of shape \[2, 3, 3\], 0 classes; expected"):
        described(nca, condition=torch.zeros(2, 3, 3))
    with pytest.raises(ValueError, match=r"2 classes; expected \[2, 19, 26\] and no classes"):
        described(nca, condition=torch.zeros(2, HEIGHT, WIDTH), classes=["a", "b"])


def test_leaving_out_cells_is_exact(run):
    described_nca = described(automaton())
    sparse = run(*described_nca, [["steps", STEPS]])
    dense = run(*described_nca, [["skip", False], ["steps", STEPS]])
    assert torch.equal(sparse, dense)


def test_a_dead_cell_may_keep_its_neighbour_alive(run):
    """The alpha of a cell that was dead before the step counts for its neighbours after it."""
    nca = automaton(hidden=0, classes=0, features=4, widths=(), fire_rate=1.0)
    with torch.no_grad():
        # Alpha moves two cells to the right in one step, out of the seed's own window; red rises
        # everywhere. What survives is the red of the three cells that lie between the two alphas.
        nca.perception.conv.weight.zero_()
        nca.perception.conv.bias.zero_()
        nca.perception.conv.weight[3, 3, 1, 0] = 1.0
        nca.perception.conv.weight[2, 3, 1, 1] = 1.0
        nca.perception.dilation, nca.perception.reach = 2, 2
        nca.update.layers[0].weight.zero_()
        nca.update.layers[0].bias.copy_(torch.tensor([0.5, 0.0, 0.0, 0.0]))
        nca.update.layers[0].weight[3, 3] = 1.0
        nca.update.layers[0].weight[3, 2] = -1.0
    actual = run(*described(nca), [["steps", 1]])
    wanted = expected(nca, centre_seed(nca.layout, HEIGHT, WIDTH), 0, steps=1)
    assert wanted.count_nonzero() == 3
    assert torch.equal(actual, wanted)


def test_reset_replays_the_same_steps(run):
    described_nca = described(automaton())
    once = run(*described_nca, [["steps", 20]])
    assert torch.equal(run(*described_nca, [["steps", 7], ["reset"], ["steps", 20]]), once)


def test_plant_and_erase(run):
    nca = automaton()
    state = run(*described(nca), [["plant", 1, 18], ["plant", -1, 0]])
    wanted = centre_seed(nca.layout, HEIGHT, WIDTH)
    for row, column in [(18, 1), (0, -1)]:
        wanted = plant_seed(wanted, nca.layout, row, column)
    assert torch.equal(state, wanted)
    disc = {"shape": "circle", "x": 0, "y": 0, "size": 2}
    # A disc around the corner reaches the seed on the other side of the torus.
    erased = run(*described(nca), [["plant", 25, 18], ["plant", 3, 0], ["erase", disc]])
    wanted = plant_seed(centre_seed(nca.layout, HEIGHT, WIDTH), nca.layout, 0, 3)
    assert torch.equal(erased, wanted)


def test_mutation_keeps_the_state(run):
    nca = automaton()
    actual = run(*described(nca), [["steps", 10], ["setClass", 3], ["steps", 10]])
    wanted = expected(nca, centre_seed(nca.layout, HEIGHT, WIDTH), 0, steps=10)
    wanted = expected(nca, wanted, 3, steps=10, first=10)
    assert (actual - wanted).abs().max() <= 1e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "gif"}, 'format "gif", expected "nca-live"'),
        ({"version": 2}, "description version 2; this engine reads version 3"),
        ({"height": 0}, "height is 0; expected a whole number ≥ 1"),
        ({"width": None}, "width is null"),
        ({"channels": 17}, r"ops is \"conv\"; expected a conv at the end, into a buffer of 20"),
        ({"visible": 17}, "visible is 17"),
        ({"visible": 2}, "visible is 2; expected 3, red, green and blue, or 4, with alpha"),
        ({"living": 16}, "living is 16"),
        ({"start": 1}, "start is 1; expected null, or an even offset"),
        ({"fire_rate": 0}, r"fire_rate is 0; expected a probability in \(0, 1\]"),
        ({"living_threshold": "no"}, "living_threshold"),
        ({"seed": 0.5}, "seed is 0.5"),
        ({"class_index": 5}, "class_index is 5; expected a whole number from 0 to 4"),
        ({"classes": []}, r"class_index|bias_rows is 5"),
        ({"ops": []}, "ops is .*; expected a list of operations"),
        ({"buffers": [40, 3]}, "buffers is .*; expected a list of sizes, each a multiple of 4"),
        ({"buffers": []}, r"ops\[0\].to is 1; expected a whole number less than 1"),
        ({"planes": 3}, "planes is 3; expected 0 or 5"),
        ({"fixed": 16}, "fixed is 16"),
        ({"weights_bytes": 8}, "within the weights"),
        ({"weights_bytes": 10**6}, "bytes of weights, the description expects 1000000"),
    ],
    ids=str,
)
def test_bad_description(run, change, message):
    description, weights = described(automaton())
    with pytest.raises(RuntimeError, match=message):
        run({**description, **change}, weights, [])


BAD_FIELDS = {
    "two convolutions": [
        (0, {"kind": "gabor"}, r"ops\[0\].kind is \"gabor\"; expected one of conv, bank"),
        (0, {"in": 30}, r"ops\[0\].in is 30; expected something that fits the 16 numbers"),
        (1, {"offset": 14}, r"ops\[1\].offset is 14"),
        (1, {"out": 30}, r"ops\[1\].offset is 12; expected something that fits"),
        (0, {"kernel": 2}, "kernel is 2; expected an odd number"),
        (0, {"kernel": 3, "dilation": 30}, "at least 30, the reach of operation 0"),
        (0, {"slope": 2}, "slope is 2"),
        (0, {"add": 1}, "add is 1; expected true or false"),
        (0, {"near": -1}, "near is -1"),
        (0, {"bias_rows": 2}, "bias_rows is 2; expected 1 or 4"),
        (0, {"weight": 1}, "weight is 1; expected an even offset"),
        (0, {"bias": 10**9}, "bias is 1000000000"),
    ],
    "sobel": [(0, {"filters": 9}, "offset is 0; expected something that fits")],
    "attention block": [
        (1, {"size": 6}, "size is 6; expected a multiple of 4"),
        (1, {"heads": 40}, "heads is 40; expected something that fits"),
        (1, {"kernel": 9}, "kernel is 9; expected at most 7"),
        (1, {"position": -4}, "position is -4"),
        (4, {"eps": 0}, "eps is 0"),
        (4, {"channels": 99}, "channels is 99"),
    ],
    "deformable": [(1, {"where": 77}, "where is 77"), (1, {"kernel": 7}, "kernel is 7")],
}


@pytest.mark.parametrize(
    ("kind", "index", "change", "message"),
    [(kind, *case) for kind, cases in BAD_FIELDS.items() for case in cases],
    ids=str,
)
def test_bad_operation(run, kind, index, change, message):
    description, weights = described(with_perception(kind, 12, 4))
    description["ops"][index].update(change)
    with pytest.raises(RuntimeError, match=message):
        run(description, weights, [])


def test_unknown_class(run):
    with pytest.raises(RuntimeError, match="class 5; this automaton has 5"):
        run(*described(automaton()), [["setClass", 5]])


def test_built_files_are_those_of_the_sources():
    """``make live`` would change nothing."""
    pytest.importorskip("ziglang")
    for name, content in bundle().items():
        committed = unpacked((OUTPUT / name).read_text(encoding="utf-8"))
        assert committed == unpacked(content), f"{name} is not what the sources build; run build.py"


def test_every_source_is_built_in():
    sources = {file.name for file in (OUTPUT / "engine").glob("*.js")}
    hosts = {f"host_{kind}.js" for kind in ("page", "widget", "trainer", "training")}
    assert {*CORE, *PAGE, *TRAINER_CORE, *TRAINER_PAGE, *hosts} == sources
    assert {*STYLE, "trainer.css"} == {file.name for file in (OUTPUT / "engine").glob("*.css")}


def unpacked(script):
    """A built script with its modules as bytes: compressors differ, the modules do not."""
    return re.sub(
        r'"(H4sI[\w+/=]+)"', lambda m: gzip.decompress(base64.b64decode(m[1])).hex(), script
    )
