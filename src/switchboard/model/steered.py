"""Which of the service's calls this server steers beside their media, or lately did."""

from switchboard.errors import NotAllowed

REMEMBERED = 4096


class Steered:
    """One owner for each of the service's calls: whoever learns an id cannot steer it a second
    time, nor once its owner has left. Of those that were left, the oldest are forgotten first.

    Knows what this process steers; another replica's calls it does not.
    """

    def __init__(self, *, remember: int = REMEMBERED) -> None:
        self._now: set[str] = set()
        self._lately: dict[str, None] = {}
        self._remember = remember

    def claim(self, call_id: str) -> None:
        """For an id that somebody names. Raises `NotAllowed` where it has, or had, an owner."""
        if call_id in self._now or call_id in self._lately:
            raise NotAllowed("This call is steered by another session.")
        self.hold(call_id)

    def hold(self, call_id: str) -> None:
        """For an id that the service itself has just given us."""
        self._lately.pop(call_id, None)
        self._now.add(call_id)

    def leave(self, call_id: str) -> None:
        """Its owner is done with it. A second time is as good."""
        if call_id not in self._now:
            return
        self._now.remove(call_id)
        self._lately[call_id] = None
        if len(self._lately) > self._remember:
            del self._lately[next(iter(self._lately))]
