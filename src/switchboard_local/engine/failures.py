"""What the engine's parts raise on purpose.

EngineFailure
├── PartMissing    a part cannot be had here; the text says why, and start-up repeats it
├── EarsFailed     this stretch of speech could not be transcribed
└── VoiceFailed    this text could not be spoken
    └── VoiceBusy  too much is waiting to be spoken already
"""


class EngineFailure(Exception):
    """The root of the tree; never raised itself."""


class PartMissing(EngineFailure):
    """A part cannot be had on this machine. The message is fit for one line at start-up."""


class EarsFailed(EngineFailure):
    """One stretch of speech could not be transcribed; the next one may be."""


class VoiceFailed(EngineFailure):
    """One text could not be spoken; the next one may be."""


class VoiceBusy(VoiceFailed):
    """Too many texts are waiting for the voice."""
