"""How an agent's telephone calls are recorded: `phone.recording` of its entry."""

from typing import Annotated

from pydantic import Field

from switchboard.agents.turns import Written
from switchboard.conversation.rules import Recording


class RecordingEntry(Written):
    """Its telephone calls are recorded, once the caller has heard so."""

    notice: Annotated[str, Field(min_length=1, max_length=400)]
    """What the caller hears first, word for word. Nothing is recorded before it was heard."""
    consent: bool = False
    """The notice is a question, asked after the greeting; only a yes, or key 1, begins it."""
    required: bool = False
    """A call whose recording fails is ended, in words. Otherwise it goes on unrecorded."""
    storage: Annotated[str, Field(max_length=300, pattern=r"^https://[A-Za-z0-9./_-]+$")] | None = (
        None
    )
    """Your own container, `https://<account>.blob.core.windows.net/<container>`, that the carrier's
    identity may write to. Without a signature. Left out, the carrier keeps it for a day or two."""

    def rule(self) -> Recording:
        return Recording(self.notice, self.consent, self.required, self.storage)
