"""The laboratory on one's own machine: a server on the loopback address that serves nothing else.

There are no files behind its addresses, only a fixed list of names; who asks has to be a page of
this very server, by ``Host`` and ``Origin``, so that no other page in the same browser can read
from it; and all that can be done is to ``GET``.
"""

import json
import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ncabook import zoo
from ncabook.files import CorruptFileError
from ncabook.lab import runs, shelf
from ncabook.lab.runs import Run
from ncabook.lab.shelf import HERE, SHELF, Shown
from ncabook.live.script import page_script
from ncabook.reading import ConfigError

HOST = "127.0.0.1"
PORT = 8765
NAMES = (HOST, "localhost")
MOST = 4  # on the bench
KEPT = 16  # figures in memory
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HTML, SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"
STYLE, PICTURE, JSON = "text/css; charset=utf-8", "image/png", "application/json"
UNREADABLE = (ConfigError, CorruptFileError, OSError, RuntimeError, TypeError, ValueError)

Answer = tuple[str, bytes]


class Laboratory:
    """What the server has to say, by address.

    Args:
        names: models and runs that come first, the first four of them on the bench; if none are
            given, all runs in ``runs`` come first.

    Raises:
        FileNotFoundError: a run has no checkpoint yet.
        UnknownNameError: there is no such model or run.
        TypeError, ValueError: one cannot be shown.

    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.runs: dict[str, Run] = {}
        first = [self._take(found) for found in map(runs.find, names)]
        if not names:
            first = self._take_all()
        self.first = first[:MOST] if names else first[:1]
        rest = [name for name in shelf.shown_names() if name not in first]
        self.names = [*dict.fromkeys(first), *rest]
        self._kept: dict[tuple[str, str], Shown] = {}
        self._thumbs: dict[str, bytes] = {}
        self._lock = threading.Lock()
        # One picture at a time, each takes a hundred steps: figures that are chosen come first.
        self._painting = threading.Lock()
        self._entries: dict[str, dict[str, Any]] = {}
        self.first = self.first or self.names[:1]
        for key in self.first:
            self._shown(
                key
            )  # the first one brings half of PyTorch with it: not while somebody waits

    def _take(self, found: str | Path) -> str:
        """A run's or model's key; what cannot be shown is refused now."""
        if isinstance(found, str) and found in zoo.folders() | zoo.stages():
            runs.check_shown(zoo.read_card(zoo.find(found)).experiment, found)
            return found
        known = {run.folder: key for key, run in self.runs.items()}
        if (folder := Path(found)) in known:
            return known[folder]
        run = Run(f"run-{len(self.runs) + 1}", folder)
        run.shown()
        self.runs[run.key] = run
        return run.key

    def _take_all(self) -> list[str]:
        """All runs that can be shown; others are no reason to stop."""
        keys = []
        for folder in runs.all_runs():
            try:
                keys.append(self._take(folder))
            except UNREADABLE as error:
                print(f"{folder} is left out: {error}", file=sys.stderr)
        for folder in runs.waiting():
            print(
                f"{folder} is left out: it has no checkpoint yet; open the laboratory again then",
                file=sys.stderr,
            )
        return keys

    def answer(self, path: str) -> Answer | None:
        """What lies at an address; None where nothing does."""
        fixed: dict[str, Callable[[], Answer]] = {
            "/": lambda: (HTML, self._page()),
            "/lab/engine.js": lambda: (SCRIPT, page_script().encode()),
            "/lab/lab.js": lambda: (SCRIPT, (HERE / "lab.js").read_bytes()),
            "/lab/state.js": lambda: (SCRIPT, (HERE / "state.js").read_bytes()),
            "/lab/lab.css": lambda: (STYLE, (HERE / "lab.css").read_bytes()),
            f"/lab/{SHELF}": lambda: (SCRIPT, self._shelf()),
            "/lab/runs.json": lambda: (JSON, json.dumps(self._progress()).encode()),
        }
        if path in fixed:
            return fixed[path]()
        room, _, file = path.rpartition("/")
        key, dot, kind = file.rpartition(".")
        if key not in self.names or not dot:
            return None
        if (room, kind) == ("/lab/models", "js"):
            return SCRIPT, self._shown(key).script().encode()
        if (room, kind) == ("/lab/models", "png"):
            return PICTURE, self._thumb(key)
        if (room, kind) == ("/live", "html"):
            return HTML, self._shown(key).page().encode()
        if (room, kind) == ("/files", "json") and key not in self.runs:
            return JSON, (zoo.find(key) / zoo.CARD).read_bytes()
        return None

    def _page(self) -> bytes:
        text = (HERE / "lab.html").read_text(encoding="utf-8")
        return text.replace("FIRST", ",".join(self.first)).encode()

    def _shelf(self) -> bytes:
        for key in self.names:
            if key not in self._entries and key not in self.runs:
                self._entries[key] = made = shelf.entry(key)
                del made["links"]["settings"]  # they stand in the card
        found = {key: run.entry() for key, run in self.runs.items()} | self._entries
        return shelf.shelf_script([found[key] for key in self.names]).encode()

    def _progress(self) -> list[dict[str, Any]]:
        """Of each run: whether there is something new, and how far it is."""
        told = []
        for key, run in self.runs.items():
            try:
                made = {"key": key, "version": run.version(), "age": run.age()}
                progress = run.progress()
            except UNREADABLE as error:
                print(f"{run.name}: {error}", file=sys.stderr)
                continue
            told.append(made | (vars(progress) if progress else {}))
        return told

    def _version(self, key: str) -> str:
        return self.runs[key].version() if key in self.runs else ""

    def _shown(self, key: str) -> Shown:
        """The automaton as it is now; kept until there is a newer one, or too many."""
        version = self._version(key)
        with self._lock:
            found = self._kept.get((key, version))
            if found is None:
                found = self.runs[key].shown() if key in self.runs else Shown.of(key)
                self._kept = {k: v for k, v in self._kept.items() if k[0] != key}
                while len(self._kept) >= KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key, version] = found
        return found

    def _thumb(self, key: str) -> bytes:
        """The picture on the shelf; a run's is that of its first visit."""
        with self._painting:
            if key not in self._thumbs:
                self._thumbs[key] = self._shown(key).thumb()
        return self._thumbs[key]


class Server(ThreadingHTTPServer):
    """Serves a laboratory on the loopback address.

    Args:
        laboratory: what it serves.
        port: where; 0 takes one that is free.

    Raises:
        OSError: the port is in use, or may not be used.

    """

    daemon_threads = True

    def __init__(self, laboratory: Laboratory, port: int = PORT) -> None:
        self.laboratory = laboratory
        try:
            super().__init__((HOST, port), Handler)
        except OverflowError:
            raise ValueError(f"port {port}: expected a number from 0 to 65535") from None
        except OSError as error:
            reason = (
                "is in use"
                if error.errno in (48, 98, 10048)
                else f"cannot be used ({error.strerror})"
            )
            raise OSError(
                f"port {port} {reason}; name another with --port, or 0 for any that is free"
            ) from None

    @property
    def hosts(self) -> set[str]:
        """Names by which it may be called."""
        port = self.server_address[1]
        return {f"{name}:{port}" for name in NAMES} | ({*NAMES} if port == 80 else set())

    @property
    def address(self) -> str:
        """To be opened in a browser."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no error; others are told in a line."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            print(f"error: {type(error).__name__}: {error}", file=sys.stderr)


class Handler(BaseHTTPRequestHandler):
    """Answers ``GET`` by pages of this server, and nothing else."""

    server: Server
    server_version, sys_version = "ncabook", ""
    timeout = 60  # seconds for a request to come

    def do_GET(self) -> None:
        """Whatever the laboratory has at the address."""
        wrong = self._refusal()
        if wrong is not None:
            return self._say(403, wrong)
        target = urlsplit(self.path)
        if not self.path.startswith("/") or self.path.startswith("//"):
            return self._say(404, "there is nothing at this address")
        try:
            answer = self.server.laboratory.answer(unquote(target.path))
        except ConnectionError:
            raise
        except UNREADABLE as error:
            return self._say(503, f"error: {error}")
        if answer is None:
            return self._say(404, "there is nothing at this address")
        return self._send(200, *answer)

    def _refusal(self) -> str | None:
        """Why a request is not answered: it came under another name, or from another page."""
        hosts = self.server.hosts
        if self.headers.get_all("Host", []) not in [[host] for host in hosts]:
            return f"this is the laboratory at {self.server.address}; it has no other name"
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}" for host in hosts}:
            return "this laboratory is not for pages of others"
        opened = self.headers.get("Sec-Fetch-Mode") == "navigate"
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not opened:
            return "this laboratory is not for pages of others"
        return None

    def _no(self) -> None:
        self.close_connection = True
        self._say(405, "this laboratory is to be looked at only: GET")

    def _say(self, status: int, text: str) -> None:
        self._send(status, "text/plain; charset=utf-8", f"{text}\n".encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        if kind == HTML and self.path.split("?")[0] == "/":  # a page in one file has its own
            self.send_header("Content-Security-Policy", POLICY)
        if status == 405:
            self.send_header("Allow", "GET")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are no news."""


for _method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"):
    setattr(Handler, f"do_{_method}", Handler._no)
