"""What a tool is told of the call it serves, and what it may lean on."""

from dataclasses import dataclass, field

from switchboard.errors import ToolFailed
from switchboard.tools.private import Keypad, PrivateEntries, PrivateKeys


class Resources:
    """The things tools lean on (a database, a client), found by their type.

    Built once where the house is put together and handed to every call, so that no tool needs a
    global.
    """

    def __init__(self, *things: object) -> None:
        self._things = {type(thing): thing for thing in things}

    def joined(self, *things: object) -> "Resources":
        """These things, and more."""
        return Resources(*self._things.values(), *things)

    def need[T](self, kind: type[T]) -> T:
        """The one thing of exactly this type. Raises `LookupError` where the house has none."""
        thing = self._things.get(kind)
        if not isinstance(thing, kind):
            raise LookupError(f"no {kind.__name__} among the resources of this server")
        return thing


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Who is calling. A tool that wants it names a parameter of this type, which no model sees."""

    call_id: str = ""
    """The model's id of this tool call."""
    principal_id: str = ""
    """Who the caller is known to be; empty for an anonymous one."""
    principal_name: str = ""
    agent_id: str = ""
    resources: Resources = field(default_factory=Resources)
    keypad: Keypad | None = field(default=None, repr=False)
    """On the telephone: the caller's."""
    entries: PrivateEntries | None = field(default=None, repr=False)

    def keep_private(self, keys: PrivateKeys) -> str:
        """A token for the model, in the place of what it may not know. Raises `ToolFailed`."""
        return self._entries.keep(keys)

    def private(self, token: str) -> PrivateKeys:
        """What the caller keyed privately: once, soon, and on this call only.

        `with ctx.private(token) as pin:` wipes it when the block ends. Raises `ToolFailed`.
        """
        return self._entries.take(token)

    @property
    def _entries(self) -> PrivateEntries:
        if self.entries is None:
            raise ToolFailed("This works on the telephone only.")
        return self.entries
