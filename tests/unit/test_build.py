"""The compiled step's library: made once and whole, found again, and honest where it cannot be."""

import os
import shutil
import sys
import time
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from ncabook.automaton.cpu import build

FLAGS = ["-O0"]


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A C++ file with a header, and an empty folder for what is made of it."""
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path / "made"))
    (tmp_path / "one.h").write_text("#define ONE 1\n")
    path = tmp_path / "one.cpp"
    path.write_text('#include "one.h"\nextern "C" int ncabook_test_one() { return ONE; }\n')
    return path


@pytest.fixture
def compiler(monkeypatch):
    """Stands in for PyTorch's: notes where it is to work and what it finds, makes an empty file."""
    calls = []

    def compile_(name, sources, extra_cflags, build_directory, is_python_module):
        calls.append((list(Path(build_directory).iterdir()), shutil.which("ninja")))
        Path(build_directory, f"{name}.so").touch()

    monkeypatch.setattr("torch.utils.cpp_extension.load", compile_)
    monkeypatch.setattr(torch.ops, "load_library", lambda _: None)
    return calls


def load(source):
    build.load("one", [source], FLAGS)
    return build.folder_of("one", [source], FLAGS)


needs_compiler = pytest.mark.skipif(
    not shutil.which("c++"), reason="no C++ compiler here to be asked"
)


@needs_compiler
def test_a_library_is_compiled_once(source, caplog, monkeypatch):
    """What is there already, broken, is no library; what is made is loaded without a compiler."""
    folder = build.folder_of("one", [source], FLAGS)
    folder.mkdir(parents=True)
    (folder / "one.so").write_bytes(b"half of it")
    assert load(source) == folder
    assert [r.message.split(",")[0] for r in caplog.records] == ["compiling the CPU step"]
    assert sorted(p.name for p in folder.iterdir() if p.name[0] != ".") == ["one.so"]
    caplog.clear()
    monkeypatch.setitem(sys.modules, "torch.utils.cpp_extension", None)  # cannot be imported
    load(source)
    assert not caplog.records


@needs_compiler
@pytest.mark.parametrize(
    ("content", "flags", "reason"),
    [
        ("int a = no_such_thing;\n", [], r"one.cpp:1:\d+: error: .*no_such_thing"),
        ('#include "no_such.h"\n', [], r"one.cpp:1:\d+: fatal error: .*no_such.h"),
        ("int a;\n", ["-std=nonsense"], r"error: .*-std=nonsense"),
    ],
)
def test_what_the_compiler_says_is_the_reason(source, content, flags, reason):
    """And not the command, which comes first."""
    source.write_text(content)
    with pytest.raises(build.NotCompiledError, match=reason) as caught:
        build.load("one", [source], flags)
    assert "\n" not in str(caught.value)
    assert not list(build.folder_of("one", [source], flags).glob(f"{build.SCRATCH}*"))


def test_no_compiler_is_the_reason(source, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(build.NotCompiledError, match="no-such-compiler: (command )?not found"):
        load(source)


def test_what_killed_processes_left_is_no_obstacle(source, compiler):
    """PyTorch's own `lock`, for which some of its versions wait for ever, and half a build."""
    folder = build.folder_of("one", [source], FLAGS)
    left_over = folder / f"{build.SCRATCH}by-another"
    left_over.mkdir(parents=True)
    for place in (folder, left_over):
        (place / "lock").touch()
    (folder / ".lock").touch()
    load(source)
    assert compiler[0][0] == []
    assert not left_over.exists()


def test_another_process_is_not_waited_for_without_end(source, compiler, monkeypatch, caplog):
    monkeypatch.setattr(build, "PATIENCE", 0.1)
    folder = build.folder_of("one", [source], FLAGS)
    folder.mkdir(parents=True)
    start = time.monotonic()
    with (
        FileLock(folder / ".lock"),
        pytest.raises(build.NotCompiledError, match="another process has been compiling it"),
    ):
        load(source)
    assert time.monotonic() - start < 5
    assert "another process is compiling the CPU step; waiting for it" in caplog.text
    load(source)
    assert len(compiler) == 1


def test_ninja_is_found_where_the_environment_is_not_activated(source, compiler, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    load(source)
    assert compiler[0][1] is not None
    assert os.environ["PATH"] == "/nowhere"


def test_a_folder_that_cannot_be_written(source, compiler, tmp_path):
    (tmp_path / "made").write_text("a file in the way")
    with pytest.raises(build.NotCompiledError, match="made"):
        load(source)


def test_other_sources_headers_and_flags_have_folders_of_their_own(source):
    """Two checkouts would compile over each other, each time that they take turns."""
    folders = [build.folder_of("one", [source], FLAGS)]
    assert build.folder_of("one", [source], FLAGS) == folders[0]
    folders.append(build.folder_of("one", [source], ["-O1"]))
    source.with_name("one.h").write_text("#define ONE 2\n")
    folders.append(build.folder_of("one", [source], FLAGS))
    source.write_text("int two;\n")
    folders.append(build.folder_of("one", [source], FLAGS))
    assert len(set(folders)) == 4
