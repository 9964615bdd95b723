"""How many steps per second the live engine does in headless Chromium, on one thread.

``python benchmarks/live_engine.py`` writes ``benchmarks/live_engine.json``. For each model and
grid the automaton first grows a picture for 96 steps; then rounds of equal duration are timed, in
turn: every cell computed ("dense"), idle cells skipped ("sparse"), and every cell without relaxed
SIMD ("plain"), so that a disturbance of the machine hits all. Reported: median and range over the
rounds, of steps per second and of ratios within a round. ``peak`` is what a loop of multiply-adds
in registers reaches in the same browser, at best; ``share_of_peak`` the dense step's part of it.
``webgl``: a large grid, steps by WebGL2 and by the CPU ("wasm", idle cells skipped) in turn, with
a look at the state after every eighth. Where the renderer is a program on the CPU, such as
SwiftShader, its figure is no claim about any graphics processor; the live figure never uses it.
``decode``: milliseconds from 32×32 latents of 64 numbers to 256×256 pixels, and from 64×64 of 8 to
512×512 with alpha, by both; the decoder's weights are random, which changes nothing in what there
is to compute. Textures (``lacelike-…``)
grow on a canvas where every cell lives: there "sparse" is to skip the half that does not fire.
"""

import base64
import json
import shutil
import statistics
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Page, sync_playwright

from ncabook import experiments, zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.evaluation.counts import flops_per_cell
from ncabook.experiments.provenance import provenance
from ncabook.live import describe
from ncabook.live.engine.build import OUTPUT as BUILT
from ncabook.live.engine.build import compile_module
from ncabook.live.script import module_script
from ncabook.networks import Decoder
from ncabook.tasks import build_network
from ncabook.training.texture import gray_canvas

CASES = [
    ("emoji-conv3", 40),
    ("emoji-conv3", 72),
    ("emoji-sobel", 48),
    ("emoji-conv5", 48),
    ("emoji-combined", 48),
    ("lacelike-conv3", 96),  # a texture: every cell lives, half of them fire
    ("lacelike-conv3", 256),
    ("lacelike-combined", 256),
]
LARGE = ("emoji-conv3", 128)
# Decoders: channels of a latent, cells on a side, channels of the picture, width at full size.
DECODERS = {
    "base 16": (64, 32, 3, 16),
    "base 32": (64, 32, 3, 32),
    "512x512, base 16": (8, 64, 4, 16),
}
ROUNDS, MILLISECONDS = 9, 300
HERE = Path(__file__).parent
OUTPUT = Path(__file__).with_suffix(".json")
START = """async ({ source, description, weights }) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
  const began = performance.now();
  window.engines = { fast: await module.Engine.create(description, bytes),
                     plain: await module.Engine.create(description, bytes, false) };
  window.engines.fast.step();
  const first = performance.now() - began;
  for (const engine of Object.values(window.engines)) {
    engine.reset();
    for (let i = 0; i < 96; i++) engine.step();
  }
  return { first, kernels: window.engines.fast.kernels.kind };
}"""
ROUND = """([name, skip, milliseconds]) => {
  const engine = window.engines[name];
  engine.skip = skip;
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < milliseconds) { engine.step(); steps++; }
  return 1000 * steps / (performance.now() - start);
}"""
WEBGL = """async ({ source, description, weights, rounds, milliseconds }) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
  const engine = await module.createEngine(description, bytes, "webgl");
  const { gpu } = engine;
  const renderer = module.rendererName(gpu.gl);
  engine.gpu = null;
  for (let i = 0; i < 96; i++) engine.step();
  const { state, stepCount } = engine;
  const rate = (where) => {
    engine.gpu = where;
    engine.restore(state, stepCount);
    const start = performance.now();
    let steps = 0;
    while (steps % 8 > 0 || performance.now() - start < milliseconds) {
      engine.step();
      steps++;
      if (steps % 8 === 0) engine.cellsToRead;
    }
    return 1000 * steps / (performance.now() - start);
  };
  const rates = Array.from({ length: rounds + 1 }, () => ({ webgl: rate(gpu), wasm: rate(null) }));
  return { renderer, device: module.isDevice(renderer), rates: rates.slice(1) };
}"""
DECODE = """async ({ source, description, weights, rounds }) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
  const engine = await module.createEngine(description, bytes, "webgl");
  const { gpu } = engine;
  const time = (where) => {
    engine.gpu = where;
    const start = performance.now();
    engine.decode();
    return performance.now() - start;
  };
  const times = Array.from({ length: rounds + 1 }, () => ({ webgl: time(gpu), wasm: time(null) }));
  return times.slice(1);
}"""
PEAK = """async (code) => {
  const bytes = Uint8Array.from(atob(code), (c) => c.charCodeAt(0));
  const { instance } = await WebAssembly.instantiate(bytes);
  const rates = [];
  for (let i = 0; i < 9; i++) {
    const start = performance.now();
    instance.exports.run(2e7);
    rates.push(2 * 4 * 12 * 2e7 / (performance.now() - start) * 1000);
  }
  return rates;
}"""


def spread(values: list[float], digits: int = 2) -> dict[str, Any]:
    """Median and range."""
    return {
        "median": round(statistics.median(values), digits),
        "range": [round(min(values), digits), round(max(values), digits)],
    }


def automaton(name: str) -> NCA:
    """A trained model; where there is none, its experiment's automaton, untrained."""
    if name in zoo.names():
        return zoo.load(name).nca
    torch.manual_seed(0)
    return build_network(experiments.find(name))


def measure(page: Page, name: str, grid: int, peak: float) -> dict[str, Any]:
    """Steps per second of one model on one grid, and their ratios round by round."""
    nca = automaton(name)
    canvas = nca.living_threshold is None
    description, weights = describe(
        nca, grid, grid, start=gray_canvas(nca, grid, grid) if canvas else None
    )
    start = page.evaluate(
        START,
        {
            "source": module_script(),
            "description": description,
            "weights": base64.b64encode(weights).decode(),
        },
    )
    kinds = {"dense": ("fast", False), "sparse": ("fast", True), "plain": ("plain", False)}
    rounds = [
        {kind: page.evaluate(ROUND, [*how, MILLISECONDS]) for kind, how in kinds.items()}
        for _ in range(ROUNDS + 1)
    ][1:]  # the first warms up
    flops = flops_per_cell(nca) * grid**2
    return {
        "kernels": start["kernels"],
        "first_step_ms": round(start["first"], 1),
        "weights_bytes": len(weights),
        **{kind: spread([r[kind] for r in rounds]) for kind in kinds},
        "sparse_over_dense": spread([r["sparse"] / r["dense"] for r in rounds]),
        "dense_over_plain": spread([r["dense"] / r["plain"] for r in rounds]),
        "share_of_peak": spread([r["dense"] * flops / peak for r in rounds]),
    }


def measure_webgl(page: Page, name: str, grid: int) -> dict[str, Any]:
    """The same of WebGL2 beside the CPU, and who draws there."""
    description, weights = describe(zoo.load(name).nca, grid, grid)
    answer = page.evaluate(
        WEBGL,
        {
            "source": module_script(),
            "description": description,
            "weights": base64.b64encode(weights).decode(),
            "rounds": ROUNDS,
            "milliseconds": MILLISECONDS,
        },
    )
    return {
        "model": name,
        "grid": grid,
        "renderer": answer["renderer"],
        "renderer_is_a_device": answer["device"],
        **{kind: spread([r[kind] for r in answer["rates"]]) for kind in ("webgl", "wasm")},
        "webgl_over_wasm": spread([r["webgl"] / r["wasm"] for r in answer["rates"]], digits=4),
    }


def measure_decoder(page: Page, latent: int, cells: int, image: int, base: int) -> dict[str, Any]:
    """Milliseconds of decoding, and the decoder's size."""
    nca = NCA(
        ChannelLayout(visible=latent, hidden=0),
        ConvPerception(latent, 8),
        MLPUpdate(8, latent),
        living_threshold=None,
    )
    decoder = Decoder(latent, image, base)
    description, weights = describe(nca, cells, cells, decoder=decoder)
    rounds = page.evaluate(
        DECODE,
        {
            "source": module_script(),
            "description": description,
            "weights": base64.b64encode(weights).decode(),
            "rounds": ROUNDS,
        },
    )
    return {
        "parameters": sum(p.numel() for p in decoder.parameters()),
        **{f"{kind}_ms": spread([r[kind] for r in rounds], 1) for kind in ("webgl", "wasm")},
    }


def main() -> None:
    """Measures every case and writes the file."""
    results: dict[str, Any] = {}
    source = str(HERE / "peak.c")
    include = f"-I{BUILT / 'engine'}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        version = browser.version
        peaks = {
            name: page.evaluate(
                PEAK, base64.b64encode(compile_module([source, include, *flags])).decode()
            )
            for name, flags in (("relaxed", ["-mrelaxed-simd"]), ("plain", []))
        }
        for name, grid in CASES:
            best = max(peaks["relaxed"])
            key = f"{grid}x{grid}" + ("" if name == "emoji-conv3" else f" {name}")
            results[key] = measure(page, name, grid, best)
            print(key, json.dumps(results[key]), flush=True)
        browser.close()
        # With the machine's graphics processor if it has one, else with SwiftShader.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--ignore-gpu-blocklist", "--enable-unsafe-swiftshader"],
        )
        webgl = measure_webgl(browser.new_page(), *LARGE)
        print("webgl", json.dumps(webgl), flush=True)
        decode = {
            name: measure_decoder(browser.new_page(), *sizes) for name, sizes in DECODERS.items()
        }
        print("decode", json.dumps(decode), flush=True)
        browser.close()
    record = {
        "what": "steps per second of the live engine, one thread",
        "models": {
            name: zoo.load(name).card.weights_sha256 for name, _ in CASES if name in zoo.names()
        },
        "browser": f"Chromium {version}, headless",
        "rounds": ROUNDS,
        **provenance(),
        "peak_gflops": {k: spread([v / 1e9 for v in rates]) for k, rates in peaks.items()},
        "results": results,
        "webgl": webgl,
        "decode": decode,
    }
    OUTPUT.write_text(json.dumps(record, indent=2) + "\n")
    print(f"peak: {record['peak_gflops']}")


if __name__ == "__main__":
    main()
