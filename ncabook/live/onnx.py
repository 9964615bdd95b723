"""One step of a trained automaton as an ONNX model, for any runtime that reads ONNX.

The model is the textbook step ``s' = (s + m ⊙ U(P(s, c))) ⊙ M`` and keeps no state. Its fire mask
is an input, since a graph with a random generator in it would give other numbers in every
runtime; loop and coins stay with the caller::

    import numpy as np, onnxruntime

    session = onnxruntime.InferenceSession("emoji.onnx")
    rng = np.random.default_rng(0)
    state = np.zeros((1, 16, 48, 48), np.float32)
    state[:, :4, 24, 24] = 1.0  # the seed: one living cell
    condition = np.eye(5, dtype=np.float32)[[1]]  # the second of five classes
    for _ in range(96):
        fire = rng.random((1, 1, 48, 48)) < 0.5
        inputs = {"state": state, "fire": fire, "condition": condition}
        (state,) = session.run(["next_state"], inputs)
"""

import copy
import json
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from ncabook.automaton import NCA
from ncabook.extras import need
from ncabook.live.labels import class_labels

FORMAT, VERSION = "ncabook-step", 1
OPSET = 20  # the first with all three: Pad that wraps, DeformConv, Gelu
MOST = 2**30  # states, rows and columns
FREE = {0: "batch", 2: "height", 3: "width"}
INPUTS = ("state", "fire", "condition")


class _Step(nn.Module):
    """The step with its inputs in the order of ``INPUTS``."""

    def __init__(self, nca: NCA) -> None:
        super().__init__()
        self.nca = nca

    def forward(self, state: Tensor, fire: Tensor, condition: Tensor | None = None) -> Tensor:
        # `NCA.step` less its checks: counting a batch would fix its size in the graph.
        return self.nca._dense_step(state, self.nca.perception.encode(condition), fire)


def to_onnx(
    nca: NCA,
    *,
    classes: Sequence[str] = (),
    title: str = "A neural cellular automaton",
    weights_sha256: str | None = None,
) -> bytes:
    """One step of ``nca`` as the bytes of an ONNX file.

    Inputs:

    - ``state``: float32 ``[batch, channels, height, width]``;
    - ``fire``: bool ``[batch, 1, height, width]``, the cells that fire in this step, such as
      :func:`ncabook.automaton.hashed_fire` gives or coins thrown with probability ``fire_rate``;
    - ``condition``: float32 ``[batch, classes]``, only where the automaton has one.

    Output: ``next_state``, of the shape of ``state``. Batch, height and width are free, down to
    grids of ``reach`` cells, the perception's reach; runtimes do not check that.

    The model's metadata, numbers and lists as JSON: ``format``, ``version``, ``title``,
    ``classes``, ``channels`` (how many are fixed, visible, hidden and classes, in that order),
    ``fire_rate``, ``living_threshold`` (null: no cell is ever dead), ``reach``, and, if given,
    ``weights_sha256``.

    A :class:`~ncabook.automaton.DeformablePerception` becomes ONNX's DeformConv, which
    onnxruntime's CPU knows from 1.25 on; PyTorch 2.6 cannot translate it.

    Args:
        nca: the automaton, of any perception and update of the package; it is not changed.
        classes: one short label, such as an emoji, per channel of the condition.
        title: what the automaton grows.
        weights_sha256: of the weights file that the automaton was loaded from.

    Raises:
        ModuleNotFoundError: the packages of the extra ``onnx`` are missing.
        TypeError: a perception or update that ONNX cannot express for grids of any size.
        ValueError: not one label for each channel of the condition.

    """
    if nca.has_own_step():
        raise TypeError(f"{type(nca).__name__} has a step of its own; expected an NCA")
    onnx = _packages()
    perception, layout = nca.perception, nca.layout
    labels = class_labels(perception.condition_channels, classes, None)
    model = onnx.load_model_from_string(_translate(nca))
    _tidy(model)
    metadata = {
        "format": FORMAT,
        "version": json.dumps(VERSION),
        "title": title,
        "classes": json.dumps(labels, ensure_ascii=False),
        "channels": json.dumps(
            {
                "fixed": layout.fixed,
                "visible": layout.visible,
                "hidden": layout.hidden,
                "classes": layout.classes,
            }
        ),
        "fire_rate": json.dumps(nca.fire_rate),
        "living_threshold": json.dumps(nca.living_threshold),
        "reach": json.dumps(perception.reach),
    }
    if weights_sha256 is not None:
        metadata["weights_sha256"] = weights_sha256
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _packages() -> ModuleType:
    """Imports what the export needs; slow, and most users never export."""
    import torchvision  # noqa: F401  (registers the deformable convolution)

    need("onnxscript", "onnx", "ONNX export")  # PyTorch's exporter needs it
    return need("onnx", "onnx", "ONNX export")


def _tidy(model: Any) -> None:
    """Names the free sizes, and takes out the exporter's notes, paths of this machine among them.

    What is left depends on the weights alone: the same automaton gives the same bytes.
    """
    graph = model.graph
    for tensor in (*graph.input, *graph.output):
        for axis, size in enumerate(tensor.type.tensor_type.shape.dim):
            if axis in FREE:
                size.dim_param = FREE[axis]
    graph.name = "step"
    del graph.value_info[:]  # runtimes infer the shapes in between
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""


def _translate(nca: NCA) -> bytes:
    """PyTorch's translation of the step, for any batch and grid."""
    # A copy: the caller's may be on a GPU, wider than float32 or in training.
    step = _Step(copy.deepcopy(nca)).to("cpu", torch.float32).eval()
    least = max(1, nca.perception.reach)
    height, width = least + 5, least + 7  # anything that is neither 1 nor one another
    # Without an upper end PyTorch 2.6 asks what becomes of 2⁶³ − 1.
    ends = {0: 1, 2: least, 3: least}
    grid = {axis: Dim(name, min=ends[axis], max=MOST) for axis, name in FREE.items()}
    inputs = [
        (torch.zeros(2, nca.layout.channels, height, width), grid),
        (torch.zeros(2, 1, height, width, dtype=torch.bool), grid),
    ]
    told = nca.perception.condition_channels
    if told:
        inputs.append((torch.zeros(2, told), {0: grid[0]}))
    arguments, shapes = zip(*inputs, strict=True)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter about itself
            # Exported here, since torch.onnx.export would try other ways if this one failed,
            # and some of them fix the grid's size without a word.
            program = torch.export.export(step, arguments, dynamic_shapes=shapes, strict=False)
            if torch.__version__ < "2.7":  # whose exporter stumbles over linear layers
                program = program.run_decompositions()
            translated = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                input_names=INPUTS[: len(arguments)],
                output_names=["next_state"],
                verbose=False,
            )
    except Exception as error:  # the exporters raise some ten kinds
        cause: BaseException = error
        while cause.__cause__ is not None:  # what they raise tells of themselves, its cause of us
            cause = cause.__cause__
        reason = str(cause).strip().splitlines() or [type(cause).__name__]
        raise TypeError(
            f"ONNX export cannot translate {type(nca.perception).__name__} with "
            f"{type(nca.update).__name__} for grids of any size: {reason[0]}"
        ) from error
    assert translated is not None  # only the exporter without dynamo gives none
    return translated.model_proto.SerializeToString()
