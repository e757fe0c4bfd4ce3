"""Toolboxes from configuration: modules by name, files by path."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from types import CodeType, ModuleType

from switchboard.errors import ConfigurationError
from switchboard.tools.toolbox import Toolbox, ToolFunction, is_tool


def load_toolbox(sources: Sequence[str], base: Path) -> Toolbox:
    """Every `@tool` function of these sources: an importable module's name, or a `.py` file.

    A file's path is relative to `base`, and the file is read afresh each time, so an edit is seen.
    Raises `ConfigurationError` naming file, line and reason.
    """
    found: list[ToolFunction] = []
    for source in sources:
        module = _from_file(base / source) if source.endswith(".py") else _by_name(source)
        functions = _tools_in(module)
        if not functions:
            raise ConfigurationError(f"{source}: there is no function marked with @tool in it")
        found += functions
    return Toolbox(*found)


def _tools_in(module: ModuleType) -> list[ToolFunction]:
    # What a module merely imported from another is that other's to offer.
    return [
        thing
        for thing in vars(module).values()
        if is_tool(thing) and thing.__module__ == module.__name__
    ]


def _by_name(name: str) -> ModuleType:
    return _guarded(name, lambda: importlib.import_module(name))


def _from_file(path: Path) -> ModuleType:
    name = f"switchboard_tools_{path.stem}_{sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path.name}: this is not a Python file")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module  # pydantic looks a model's module up by its name
    try:
        # Not the loader's exec_module: its cached bytecode may miss an edit made within a second.
        _guarded(path.name, lambda: exec(_compiled(path), vars(module)))  # noqa: S102 - the operator's own file
    except ConfigurationError:
        sys.modules.pop(name)
        if before:
            sys.modules[name] = before
        raise
    return module


def _compiled(path: Path) -> CodeType:
    return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)


def _guarded[R](source: str, load: Callable[[], R]) -> R:
    try:
        return load()
    except SyntaxError as error:
        place = f"{Path(error.filename or source).name}, line {error.lineno}"
        raise ConfigurationError(f"{place}: {error.msg}") from error
    except OSError as error:
        raise ConfigurationError(f"{source}: {error.strerror or error}") from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"{_place(source, error)}: {_reason(error)}") from error


def _place(source: str, error: BaseException) -> str:
    """File and line of the last step taken in a tool file, or the source itself."""
    steps = traceback.extract_tb(error.__traceback__)
    own = [step for step in steps if Path(step.filename).stem == Path(source).stem]
    own = own or [s for s in steps if Path(s.filename).stem == source.rpartition(".")[2]]
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else source


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
