"""Check a template from the command line: `python -m tests.infra.bicep FILE…`."""

import sys
from pathlib import Path

from tests.infra.bicep.errors import BicepError
from tests.infra.bicep.names import complaints
from tests.infra.bicep.parser import read


def main(files: list[str]) -> int:
    found: list[str] = []
    for file in files:
        try:
            found += complaints(read(Path(file).resolve()))
        except BicepError as fault:
            found.append(str(fault))
    sys.stdout.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
