"""What is wrong with a template, and where."""


class BicepError(Exception):
    """A fault that a reader of the template can find: file, line and words."""

    def __init__(self, what: str, line: int, file: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.file = file

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"
