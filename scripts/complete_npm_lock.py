"""Complete an npm lock file with the platform packages that a partial registry left out of it.

npm writes an optional package into the lock only where the registry it asks has it; from a mirror
that carries one platform, the lock then suits no other, and `npm ci` refuses it everywhere. This
adds the missing entries, by their names: `@biomejs/cli-darwin-arm64` is for arm64 macOS.

Usage: complete_npm_lock.py package-lock.json...    after every `npm install` that changed one
"""

import json
import sys
from pathlib import Path
from typing import Any

SYSTEMS = {
    "aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos",
    "win32",
}  # fmt: skip
PROCESSORS = {
    "arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64",
}  # fmt: skip
LIBRARIES = {"musl": "musl", "gnu": "glibc", "musleabihf": "musl", "gnueabihf": "glibc"}


def complete(lock: dict[str, Any]) -> list[str]:
    """Add what is missing to `lock`, and return the names that were added."""
    packages: dict[str, dict[str, Any]] = lock["packages"]
    wanted = {
        name: (version, bool(package.get("dev")))
        for package in packages.values()
        for name, version in package.get("optionalDependencies", {}).items()
        if f"node_modules/{name}" not in packages and version[0].isdigit()
    }
    for name, (version, dev) in wanted.items():
        packages[f"node_modules/{name}"] = _entry(name, version, dev=dev)
    lock["packages"] = dict(sorted(packages.items()))
    return sorted(wanted)


def _entry(name: str, version: str, *, dev: bool) -> dict[str, Any]:
    words = name.rpartition("/")[2].split("-")
    entry: dict[str, Any] = {"version": version, "optional": True}
    if dev:
        entry["dev"] = True
    if system := [word for word in words if word in SYSTEMS]:
        entry["os"] = system
    if processor := [word for word in words if word in PROCESSORS]:
        entry["cpu"] = processor
    if system == ["linux"] and (
        library := [LIBRARIES[word] for word in words if word in LIBRARIES]
    ):
        entry["libc"] = library
    return entry


def main(paths: list[str]) -> None:
    for path in map(Path, paths):
        lock = json.loads(path.read_text(encoding="utf-8"))
        added = complete(lock)
        path.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path}: {len(added)} added\n")


if __name__ == "__main__":
    main(sys.argv[1:])
