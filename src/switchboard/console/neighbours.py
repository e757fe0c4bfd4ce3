"""The servers beside this one, and the ways to them: built together, run together."""

from collections.abc import Callable

from switchboard.console.elsewhere import Elsewhere
from switchboard.console.far import Far
from switchboard.console.links import Links
from switchboard.console.passes import Passes, PassRows
from switchboard.records.bus import Bus
from switchboard.records.store import Store
from switchboard.records.whereabouts import Whereabouts


class Neighbours:
    """On SQLite there are none: nothing of this asks then."""

    def __init__(
        self, store: Store, bus: Bus, rows: PassRows, *, title_of: Callable[[str], str]
    ) -> None:
        """`rows` keep the passes."""
        where = Whereabouts(store)
        self.listeners = Passes(rows, "listen")
        """For operators who listen to a call."""
        self.seats = Passes(rows, "desk")
        """For operators who take a call over."""
        self.linked = Passes(rows, "link")
        """For one server to another."""
        links = Links(self.linked, store.replica)
        self.far = Far(store, where, bus, links, title_of=title_of)
        self.elsewhere = Elsewhere(where, links)
