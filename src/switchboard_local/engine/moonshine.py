"""Moonshine's C library, called without its Python package: no lists of floats, no lock held.

The package's own wrapper turns audio into Python lists while it holds the interpreter, which stalls
every conversation; through this binding the interpreter is free while the model works.
"""

import ctypes
import sys
from pathlib import Path
from typing import Final

import numpy as np

from switchboard_local.engine.failures import EarsFailed, PartMissing
from switchboard_local.engine.samples import Samples

SAMPLE_RATE_HZ: Final = 16_000
SHORTEST_S: Final = 0.1
"""Less audio than this the model refuses."""

_HEADER_VERSION: Final = 30_000
_TINY: Final = 0


class _Option(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("value", ctypes.c_char_p))


class _Line(ctypes.Structure):
    text: bytes | None
    _fields_ = (
        ("text", ctypes.c_char_p),
        ("audio", ctypes.c_void_p),
        ("audio_count", ctypes.c_size_t),
        ("start_s", ctypes.c_float),
        ("duration_s", ctypes.c_float),
        ("id", ctypes.c_uint64),
        ("flags", ctypes.c_int8 * 5),
        ("speakers", ctypes.c_void_p),
        ("speaker_count", ctypes.c_uint64),
        ("latency_ms", ctypes.c_uint32),
        ("words", ctypes.c_void_p),
        ("word_count", ctypes.c_uint64),
    )


class _Transcript(ctypes.Structure):
    lines: "ctypes._Pointer[_Line]"  # pyright: ignore[reportPrivateUsage] - its public name has no item type
    count: int
    _fields_ = (("lines", ctypes.POINTER(_Line)), ("count", ctypes.c_uint64))


class Recogniser:
    """One loaded model. Not to be called by two threads at once: it keeps its last answer."""

    def __init__(self, library: Path, model: Path) -> None:
        """Raises `PartMissing` when the library or the model does not load."""
        try:
            self._library = ctypes.CDLL(str(library))
        except OSError as error:
            raise PartMissing(f"Moonshine's library does not load: {error}") from error
        _declare(self._library)
        # Our own voice activity has cut the audio already; theirs drops quiet words.
        options = (_Option * 1)(_Option(b"vad_threshold", b"0.0"))
        self._handle: int = self._library.moonshine_load_transcriber_from_files(
            str(model).encode(), _TINY, options, len(options), _HEADER_VERSION
        )
        if self._handle < 0:
            raise PartMissing(f"Moonshine does not load its model (error {self._handle})")

    def transcribe(self, samples: Samples) -> str:
        """The words in 16 kHz audio, as the model gives them. Blocks; frees the interpreter.

        Raises `EarsFailed` when the model does.
        """
        audio = np.ascontiguousarray(samples, dtype=np.float32)
        answer = ctypes.POINTER(_Transcript)()
        error: int = self._library.moonshine_transcribe_without_streaming(
            self._handle,
            audio.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
            len(audio),
            SAMPLE_RATE_HZ,
            0,
            ctypes.byref(answer),
        )
        if error:
            raise EarsFailed(f"Moonshine gave error {error}")
        transcript = answer.contents
        texts = [transcript.lines[index].text or b"" for index in range(transcript.count)]
        return b" ".join(texts).decode("utf-8", "replace")

    def close(self) -> None:
        """Free the model."""
        self._library.moonshine_free_transcriber(self._handle)


def library_name() -> str:
    """What the library's file is called on this platform."""
    return "libmoonshine.dylib" if sys.platform == "darwin" else "libmoonshine.so"


def _declare(library: ctypes.CDLL) -> None:
    library.moonshine_load_transcriber_from_files.restype = ctypes.c_int32
    library.moonshine_load_transcriber_from_files.argtypes = [
        ctypes.c_char_p,
        ctypes.c_uint32,
        ctypes.POINTER(_Option),
        ctypes.c_uint64,
        ctypes.c_int32,
    ]
    library.moonshine_transcribe_without_streaming.restype = ctypes.c_int32
    library.moonshine_transcribe_without_streaming.argtypes = [
        ctypes.c_int32,
        ctypes.POINTER(ctypes.c_float),
        ctypes.c_uint64,
        ctypes.c_int32,
        ctypes.c_uint32,
        ctypes.POINTER(ctypes.POINTER(_Transcript)),
    ]
    library.moonshine_free_transcriber.restype = None
    library.moonshine_free_transcriber.argtypes = [ctypes.c_int32]
