"""A checkpoint gives back what it was given; a killed run ends as if it had never been killed."""

import math
import os
import signal
import time
from contextlib import suppress

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from ncabook.files import CorruptFileError
from ncabook.training import tree
from ncabook.training.checkpoint import load_record, save_record, save_tensors
from tests.unit.test_processes import assert_close, train, write

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool)


@st.composite
def tensors(draw):
    """Of any type, empty ones and ones of no axes included, lying in any order of their axes."""
    shape = draw(st.lists(st.integers(0, 3), max_size=4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    tensor = torch.randn(shape, generator=generator).mul(3).to(draw(st.sampled_from(DTYPES)))
    return tensor.permute(draw(st.permutations(range(len(shape)))))


keys = st.integers(-9, 9) | st.text(max_size=3)
leaves = tensors() | st.none() | st.booleans() | st.integers() | st.floats() | st.text()
records = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=12,
)


def assert_same(a, b):
    """Types, values and, of tensors, dtypes and strides; of axes that have any."""
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert torch.equal(a, b)
        long = [axis for axis, size in enumerate(a.shape) if size > 1]
        if a.numel():
            assert [a.stride(axis) for axis in long] == [b.stride(axis) for axis in long]
        assert b.data_ptr() % 64 == 0  # else some products are rounded in another order
    elif isinstance(a, dict):
        assert list(a) == list(b)
        assert list(map(type, a)) == list(map(type, b))
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    else:
        assert a == b or (math.isnan(a) and math.isnan(b))


@settings(max_examples=50, deadline=None)  # each writes a file
@given(record=st.dictionaries(keys, records, max_size=4))
def test_whatever_goes_into_a_checkpoint_comes_out(tmp_path_factory, record):
    path = tmp_path_factory.getbasetemp() / "record.safetensors"
    save_record(path, record)
    assert_same(record, load_record(path))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": [torch.Size([1])]}, "a/0: of type Size"),
        ({"a": {1, 2}}, "a: of type set"),
        ({"a": {None: 1}}, "a: a key of type NoneType"),
        ({"a": {True: 1}}, "a: a key of type bool"),
    ],
)
def test_what_would_not_come_back_is_refused(tmp_path, value, where):
    with pytest.raises(TypeError, match=f"^{where}; expected"):
        save_record(tmp_path / "c.safetensors", value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "rest", [None, {"tensor": "b", "axes": [0]}, {"tensor": "a", "axes": [0, 1]}, {"odd": 1}]
)
def test_a_file_that_is_no_record_is_named(tmp_path, rest):
    path = tmp_path / "c.safetensors"
    save_tensors(path, {"a": torch.zeros(2)}, {"record": {"dict": [["identity", rest]]}})
    if rest is None:
        save_tensors(path, {"a": torch.zeros(2)}, {"iteration": 3})
    with pytest.raises(CorruptFileError, match="is no training checkpoint of this version"):
        load_record(path)


def test_two_keys_of_one_name_stay_two():
    record = {1: torch.zeros(1), "1": torch.ones(1), "1'": torch.ones(2)}
    assert_same(record, tree.unflatten(*tree.flatten(record)))


@pytest.mark.parametrize("kind", ["soap", "muon", "adam"])
def test_killed_and_resumed_in_new_processes_not_a_bit_differs(nest, tmp_path, kind):
    """Weights, optimiser, pool and coins; SOAP turns its basis every tenth iteration."""
    path = write(
        tmp_path,
        training__iterations=44,
        training__checkpoint_every=1,
        training__optimizer={"kind": kind, "learning_rate": 0.01},
    )
    assert train(nest, tmp_path, path, "straight")[0] == [0]
    checkpoint = tmp_path / "killed/checkpoint.safetensors"
    log = tmp_path / "killed.txt"
    arguments = ["train", str(path), "--output", str(checkpoint.parent), "--device", "cpu"]
    for reached in (9, 23):
        pid = nest.start(*arguments, *["--resume"] * (reached > 9), cwd=tmp_path, log=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.01)
            # Opened between two renamings, it is not there.
            with suppress(FileNotFoundError, RuntimeError):
                if load_record(checkpoint)["iteration"] >= reached:
                    break
        os.kill(pid, signal.SIGKILL)
        assert nest.wait(pid) == signal.SIGKILL, log.read_text()  # it had not ended by itself
    assert train(nest, tmp_path, path, "killed", "--resume")[0] == [0], log.read_text()
    assert_close(
        *(load_file(tmp_path / f"{n}/weights.safetensors") for n in ("straight", "killed")), 0
    )
    straight, killed = (
        load_record(tmp_path / f"{n}/checkpoint.safetensors") for n in ("straight", "killed")
    )
    assert_same(straight["losses"], killed["losses"])
    assert straight["parts"].keys() == {"model", "optimizer", "pool", "random", "skipped"}
    for name, part in straight["parts"].items():
        assert_same(part, killed["parts"][name])
