"""Recorded human speech over the telephone band: Debian's Asterisk prompts, with their texts.

One professional American speaker at 8 kHz. The packages are fetched once with `apt-get download`
and unpacked under `.cache/`, which needs no root; nothing of them is committed.
"""

import gzip
import hashlib
import re
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bench.words import normal_words

PACKAGES: Final = ("asterisk-core-sounds-en", "asterisk-core-sounds-en-wav")
_CACHE: Final = Path(__file__).parent.parent / ".cache" / "bench" / "asterisk"
_TEXTS: Final = "usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"
_SOUNDS: Final = "usr/share/asterisk/sounds/en_US_f_Allison"
_MISSPELT: Final = re.compile(r"umute|represenatives|indentified|witheld", re.IGNORECASE)
"""Texts that cannot be trusted to be what was read aloud."""
_TUNING_SHARE: Final = 0.25

type Part = Literal["tuning", "held out"]


@dataclass(frozen=True, slots=True)
class Clip:
    """One recorded prompt."""

    name: str
    text: str
    path: Path

    def pcm(self) -> tuple[bytes, int]:
        """Its 16-bit mono audio, and the rate of it in hertz."""
        with wave.open(str(self.path)) as file:
            return file.readframes(file.getnframes()), file.getframerate()

    @property
    def seconds(self) -> float:
        with wave.open(str(self.path)) as file:
            return file.getnframes() / file.getframerate()

    @property
    def part(self) -> Part:
        """By the hash of its words, so that one sentence is never in both parts."""
        digest = hashlib.sha256(" ".join(normal_words(self.text)).encode()).digest()
        return "tuning" if digest[0] < 256 * _TUNING_SHARE else "held out"


def clips(part: Part) -> list[Clip]:
    """Every prompt of `part` of 3 words or more and 30 s or less whose text can be trusted.

    Left out: texts with remarks in brackets (tones, silence, notes to the reader), texts with
    spelling mistakes, and recordings whose pace no reading of the text could have.
    """
    folder = _unpacked()
    texts = gzip.decompress((folder / _TEXTS).read_bytes()).decode()
    found = [clip for line in texts.splitlines() if (clip := _clip(folder, line)) is not None]
    return sorted((clip for clip in found if clip.part == part), key=lambda clip: clip.name)


def _clip(folder: Path, line: str) -> Clip | None:
    name, colon, text = line.partition(":")
    path = folder / _SOUNDS / f"{name.strip()}.wav"
    if line.startswith(";") or not colon or re.search(r"[\[(]", text) or not path.is_file():
        return None
    words, clip = len(normal_words(text)), Clip(name.strip(), text.strip(), path)
    plausible = 1.0 <= words / max(0.1, clip.seconds) <= 6.0
    trusted = plausible and not _MISSPELT.search(text)
    return clip if trusted and words >= 3 and clip.seconds <= 30 else None


def _unpacked() -> Path:
    """The folder the packages are unpacked in. Raises `OSError` where there is no apt."""
    folder = _CACHE / "files"
    if not (folder / _SOUNDS).is_dir() or not (folder / _TEXTS).is_file():
        _CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["apt-get", "download", *PACKAGES],
            cwd=_CACHE,
            check=True,
            timeout=120,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for package in sorted(_CACHE.glob("*.deb")):
            subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True, timeout=60)
    return folder
