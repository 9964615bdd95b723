"""Writes the 1,000 fixed test films into a file, in the shape of the public set.

``python scripts/moving_films.py FILE.npy``: uint8 ``[20, 1000, 64, 64]``, as ``mnist_test_seq.npy``
has its 10,000. The book makes them in a second when it needs them; this is for other programs.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

from ncabook.data.moving import TEST_SHA256, fixed_films

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python scripts/moving_films.py FILE.npy")
    target = Path(sys.argv[1])
    films = fixed_films().pictures
    partial = target.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, np.ascontiguousarray(films.transpose(0, 1).numpy()), allow_pickle=False)
    partial.replace(target)
    print(f"{target}: sha256 {hashlib.sha256(target.read_bytes()).hexdigest()}")
    print(f"the films alone, one after another: sha256 {TEST_SHA256}")
