"""Builds the live engine: C kernels, JavaScript and style, into text without dependencies.

``python -m ncabook.live.engine.build`` writes three files to ``ncabook/live/``: the core, the
tail of the ES module and that of the classic script, which :mod:`ncabook.live.script` joins; and
the same three of the trainer, which only the page that trains holds.
They are committed, so that nobody needs the compiler to use the package; the same sources and
compiler give the same bytes.
"""

import base64
import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ncabook.live import script

HERE = Path(__file__).parent
OUTPUT = HERE.parent
# In the order in which they need each other: a file may import only from those before it. The core
# becomes one function, which a worker can be given as text.
CORE = [
    *("description.js", "events.js", "doubling.js", "plain.js", "turn.js", "kernels.js"),
    *("memory.js", "contents.js", "critic.js", "shapes.js", "grid.js", "latents.js"),
    *("points.js", "engine.js", "flights.js", "reel.js", "screening.js", "film.js"),
    *(
        "shaders.js",
        "gpu.js",
        "operations.js",
        "guided.js",
        "decode.js",
        "points_gpu.js",
        "webgl.js",
        "backend.js",
        "paint.js",
        "timeline.js",
    ),
    *("snapshot.js", "simulation.js"),
]
SHARED = [
    *("Engine", "GpuEngine", "Simulation", "createEngine", "decodeBase64", "isDevice"),
    *("rendererName", "classColor", "colour", "MOST_STEPS", "MOST_SPEED", "checkMoment", "wrap"),
]
PAGE = [
    *(
        "link.js",
        "icons.js",
        "lens.js",
        "elements.js",
        "tools.js",
        "extra.js",
        "zoom.js",
        "watch.js",
        "view.js",
    ),
    *("thumbs.js", "votes.js", "chart.js", "moment.js", "share.js", "hold.js", "brush.js"),
    *("clock.js", "display.js", "player.js", "mount.js"),
]
STYLE = ["figure.css", "panel.css", "readings.css", "layout.css"]
COMPILE = [
    *("-target", "wasm32-freestanding", "-O3", "-msimd128", "-nostdlib", "-s", "-Wl,--no-entry"),
    *("-Wl,-z,stack-size=16384",),
]
KERNELS = ["kernels.c", "layers.c", "conv.c", "points.c", "-Wl,--export=__heap_base"]
FAST_CONV = ["conv.c", "points.c", "-mrelaxed-simd", "-Wl,--import-memory"]
TRAIN = ["train.c", "-Wl,--export=__heap_base"]
FAST_TRAIN = [*TRAIN, "-mrelaxed-simd"]
TRAINER_CORE = ["muon.js", "trainer.js", "learner.js", "classroom.js"]
TRAINER_SHARED = ["Classroom", "Learner", "SETTINGS", "Trainer", "dice"]
TRAINER_PAGE = ["desk.js", "losses.js", "pad.js", "takeaway.js", "trainer_figure.js"]


def compile_module(what: list[str]) -> bytes:
    """A WebAssembly module of C sources.

    Raises:
        RuntimeError: the compiler is missing (package ``ziglang``) or refuses a source.

    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "module.wasm"
        command = [sys.executable, "-m", "ziglang", "cc", *COMPILE, "-o", str(target), *what]
        result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"{what[0]} was not compiled:\n{result.stderr.strip()}")
        return target.read_bytes()


def bundle() -> dict[str, str]:
    """The built files' contents, by name."""
    parts = {
        script.CORE: _core({"KERNELS": KERNELS, "FAST_CONV": FAST_CONV}, CORE, SHARED, PAGE, STYLE),
        script.WIDGET: _inline("host_widget.js", exports=True),
        script.PAGE: _inline("host_page.js"),
        script.TRAINER_CORE: _core(
            {"TRAIN": TRAIN, "FAST_TRAIN": FAST_TRAIN},
            TRAINER_CORE,
            TRAINER_SHARED,
            TRAINER_PAGE,
            ["trainer.css"],
        ),
        script.TRAINER_MODULE: _inline("host_training.js", exports=True),
        script.TRAINER_PAGE: _inline("host_trainer.js"),
    }
    return {name: script.BANNER + text for name, text in parts.items()}


def _core(
    kernels: dict[str, list[str]],
    core: list[str],
    shared: list[str],
    page: list[str],
    styles: list[str],
) -> str:
    """A function that a worker can be given as text; then style, and what only a page needs."""
    modules = "".join(
        f'const {name} = "{_packed(compile_module(what))}";\n' for name, what in kernels.items()
    )
    style = _squeeze_css("".join((HERE / name).read_text(encoding="utf-8") for name in styles))
    return (
        f"const core = () => {{\n{modules}{''.join(_inline(name) for name in core)}"
        f"return {{ {', '.join(shared)} }};\n}};\n"
        f"const STYLE = {json.dumps(style)};\n"
        f"const {{ {', '.join(shared)} }} = core();\n" + "".join(_inline(n) for n in page)
    )


def main() -> None:
    """Writes them."""
    for name, content in bundle().items():
        (OUTPUT / name).write_text(content, encoding="utf-8", newline="\n")
        print(f"{name}: {len(content.encode()):,} bytes")


def _packed(module: bytes) -> str:
    """Base64 of gzip: a third smaller in a page than base64 alone, even where pages are zipped."""
    return base64.b64encode(gzip.compress(module, 9, mtime=0)).decode("ascii")


def _inline(name: str, exports: bool = False) -> str:
    """A source file as a part of one script: no imports, comments, indentation; few exports."""
    source = (HERE / name).read_text(encoding="utf-8")
    source = re.sub(r"^import \{[^}]*\} from \"\./[a-z_]+\.js\";\n", "", source, flags=re.M)
    if not exports:
        source = re.sub(r"^export (?=(async |function|class|const))", "", source, flags=re.M)
    # No string or template in the sources holds what looks like a comment.
    source = re.sub(r"^\s*/\*\*.*?\*/\n", "", source, flags=re.M | re.S)
    source = re.sub(r"^\s*//.*\n", "", source, flags=re.M)
    source = re.sub(r"  // .*$", "", source, flags=re.M)
    return re.sub(r"\n\s*", "\n", source).lstrip()


def _squeeze_css(style: str) -> str:
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.S)
    return re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", style)).strip()


if __name__ == "__main__":
    main()
