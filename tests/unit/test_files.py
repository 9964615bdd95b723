"""Writing files: whole or not at all, with the permissions and in the place that were meant."""

import errno
import os
import stat
from pathlib import Path

import pytest

from ncabook.files import remove_leftovers, write_atomically


@pytest.fixture
def umask():
    """A umask that lets the group read, and nobody else."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def permissions(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path, umask):
    write_atomically(tmp_path / "a", b"new")
    assert permissions(tmp_path / "a") == "0o640"


def test_a_replaced_file_passes_on_its_permissions(tmp_path, umask):
    """A file that its owner hid does not become readable for all."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o604)
    write_atomically(path, b"new")
    assert (path.read_bytes(), permissions(path)) == (b"new", "0o604")


def test_a_symlink_stays_and_what_it_names_is_replaced(tmp_path):
    real, link, dangling = tmp_path / "disk" / "a", tmp_path / "link", tmp_path / "dangling"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link.symlink_to(real)
    dangling.symlink_to(real.with_name("b"))
    for path in (link, dangling):
        write_atomically(path, b"new")
        assert path.is_symlink()
        assert path.resolve().read_bytes() == b"new"
    (real.parent / ".a.0").write_bytes(b"half")
    remove_leftovers(link)
    assert sorted(p.name for p in real.parent.iterdir()) == ["a", "b"]


def told(path):
    """What a file's entry says, but for when it was last looked at: following a link is a look."""
    entry = path.lstat()
    return entry.st_mode, entry.st_ino, entry.st_size, entry.st_mtime_ns, entry.st_ctime_ns


@pytest.mark.parametrize("kind", ["folder", "fifo", "device", "standard output", "loop"])
def test_what_is_no_file_is_refused_and_left_alone(tmp_path, kind):
    path = tmp_path / "a"
    match kind:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/null")
        case "standard output":
            reader, writer = os.pipe()
            path.symlink_to(f"/proc/self/fd/{writer}")
        case "loop":
            path.symlink_to(path)
    before = told(path)
    with pytest.raises(OSError, match=r"expected a file|symbolic links"):
        write_atomically(path, b"new")
    assert told(path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    if kind == "standard output":
        os.close(reader)
        os.close(writer)


def test_a_full_disk_is_an_error_with_the_files_name(tmp_path, monkeypatch):
    """The system's message names no file, since it speaks of a descriptor."""
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"No space left on device: '{path}'"):
        write_atomically(path, b"new", keep=tmp_path / "previous")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a": b"old"}
