"""What the parts of a call that has ended are told by, in place of the call: it is held no more."""


def ignored(*_: object) -> None:
    """Whatever it is, nobody hears it."""


def never(*_: object) -> bool:
    return False


def always() -> bool:
    return True
