"""Writes ``ncabook/data/emoji_manifest.json``: the sha256 of every glyph that can be downloaded.

The images are those of the npm package emoji-datasource-google. Unpack it, then run
``python scripts/emoji_manifest.py package/img/google/64``: 64×64 pixels each, named by their code
points; families, flags, skin tones and keycaps have several.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

OUTPUT = Path(__file__).parents[1] / "ncabook" / "data" / "emoji_manifest.json"


def main(folder: Path) -> None:
    """Hashes the folder's images into the manifest."""
    files = sorted(
        p for p in folder.glob("*.png") if re.fullmatch(r"[0-9a-f]+(-[0-9a-f]+)*", p.stem)
    )
    if not files:
        sys.exit(f"error: no glyphs in {folder}; expected the unpacked package's img/google/64")
    digests = {p.stem: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    OUTPUT.write_text(json.dumps(digests, indent=0, sort_keys=True) + "\n")
    print(f"{len(digests)} glyphs, {OUTPUT.stat().st_size // 1024} kB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
