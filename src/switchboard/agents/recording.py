"""How an agent's calls are recorded: `recording` of its entry, and of its `phone`."""

from typing import Annotated, Literal

from pydantic import Field

from switchboard.agents.turns import Written
from switchboard.conversation.rules import Recording


class RecordingEntry(Written):
    """Its calls are recorded, once the caller has heard so."""

    notice: Annotated[str, Field(min_length=1, max_length=400)]
    """What the caller hears first, word for word, and reads on the page. Nothing is recorded before
    it was heard."""
    consent: bool = False
    """The notice is a question, asked after the greeting; only a yes, key 1 or the page's button
    begins it."""
    without_consent: Literal["go_on", "end"] = "go_on"
    """What becomes of a call whose caller does not agree: it goes on unrecorded, or ends, in
    words."""
    required: bool = False
    """A call whose recording fails is ended, in words. Otherwise it goes on unrecorded."""

    def rule(self) -> Recording:
        ends = self.without_consent == "end"
        return Recording(self.notice, self.consent, self.required, ends)

    @property
    def is_a_must(self) -> bool:
        """There is no call that is not recorded."""
        return self.required or self.without_consent == "end"


def recorded(entry: RecordingEntry | None) -> Literal["never", "maybe", "always"]:
    """Whether calls are, once the caller knows."""
    if entry is None:
        return "never"
    return "always" if entry.is_a_must else "maybe"


class PhoneRecordingEntry(RecordingEntry):
    """Its telephone calls are, by the carrier."""

    storage: Annotated[str, Field(max_length=300, pattern=r"^https://[A-Za-z0-9./_-]+$")] | None = (
        None
    )
    """Your own container, `https://<account>.blob.core.windows.net/<container>`, that the carrier's
    identity may write to. Without a signature. Left out, the carrier keeps it for a day or two."""

    def rule(self) -> Recording:
        ends = self.without_consent == "end"
        return Recording(self.notice, self.consent, self.required, ends, self.storage)
