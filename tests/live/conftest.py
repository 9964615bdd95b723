"""The built engine, run by Node."""

import base64
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from ncabook.live.script import module_script


@pytest.fixture(scope="session")
def engine_file(tmp_path_factory):
    """The built module under a name that tells Node that it is one."""
    target = tmp_path_factory.mktemp("engine") / "engine.mjs"
    target.write_text(module_script(), encoding="utf-8")
    return target


@pytest.fixture
def node(engine_file, tmp_path):
    """Runs a job, and gives what was printed, the state as a tensor ``[1, C, H, W]``."""

    def node(description, weights, flags=(), **job):
        job = {
            "description": description,
            "weights": base64.b64encode(weights).decode(),
            **job,
        }
        (tmp_path / "job.json").write_text(json.dumps(job))
        script = Path(__file__).parent / "run_engine.mjs"
        out = subprocess.run(
            ["node", *flags, script, tmp_path / "job.json", engine_file],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        answer = json.loads(out)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        flat = np.frombuffer(base64.b64decode(answer["state"]), np.float32)
        shape = (description["height"], description["width"], description["channels"])
        answer["state"] = torch.from_numpy(flat.reshape(shape).copy()).permute(2, 0, 1)[None]
        return answer

    return node


@pytest.fixture
def run(node):
    """The state after some actions of the engine."""

    def run(description, weights, actions, flags=(), **job):
        return node(description, weights, flags, actions=actions, **job)["state"]

    return run


@pytest.fixture
def simulate(node):
    """The report after some messages to a simulation."""
    return lambda description, weights, *messages: node(description, weights, messages=messages)
