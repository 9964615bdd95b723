"""A process with everything imported that forks an ``ncabook`` command per request.

Importing PyTorch takes seconds; a fork takes milliseconds, and its process can be killed like
any other. One JSON line per request on stdin, one number per answer on stdout.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


class Nest:
    """The parent's side."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.nest"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    def start(self, *arguments, cwd, log, **env):
        """Starts ``ncabook ARGUMENTS``; returns its process number."""
        return self._ask(arguments=list(arguments), cwd=str(cwd), log=str(log), env=env)

    def wait(self, pid):
        """Exit status as from ``waitpid``; 9 for a process that was killed."""
        return self._ask(wait=pid)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)

    def _ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def _command(request):
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    # A shell that starts the tests in the background ignores Ctrl-C; what is tested does not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(request["cwd"])
    os.environ.update(request["env"])
    sys.argv = ["ncabook", *request["arguments"]]
    status = 0
    try:
        cli.main()
    except SystemExit as end:
        status = end.code or 0
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        status = 99
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    import pytorch_optimizer  # noqa: F401
    import torch.utils.tensorboard  # noqa: F401

    from ncabook import cli

    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            print(os.waitpid(request["wait"], 0)[1], flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            _command(request)
        print(pid, flush=True)
