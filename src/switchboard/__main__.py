"""The command line: `serve`, `doctor`, `tools`, `export`, `erase`, `eval`, `schema`, `openapi`."""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from switchboard.errors import ConfigurationError
from switchboard.settings import Settings

USAGE = """usage: switchboard COMMAND

  serve             answer calls (HOST, PORT, AZURE_OPENAI_ENDPOINT, … in the environment)
  doctor [--json]   check settings, files, identity and services, and say how to mend them
  tools [--json]    list the tools of the agents
  tools call NAME '{…}'
                    run one tool
  export CALL [--format json|vtt|wav] [--out FILE]
                    what is kept of a call, as a file
  erase --number +… | --principal ID
                    take a person out of the records; prints a receipt
  eval [PATH …]     hold conversations with the agents, and judge them (--help)
  schema            print the JSON Schema of session_config.json
  openapi           print what can be asked over HTTP, as OpenAPI
"""
MISCONFIGURED = 2
UNHEARD = 141
"""As a shell says that nobody read on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. A wrong setting is one sentence and status 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words[0] if words else ""
    try:
        status = _run(command, words[1:])
        sys.stdout.flush()
        return status
    except ConfigurationError as reason:
        print(f"switchboard: {reason}", file=sys.stderr)
        return MISCONFIGURED
    except BrokenPipeError:
        # Who reads what we print, as `head` does, has read enough. What is left to be printed when
        # Python ends must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNHEARD


def _run(command: str, words: Sequence[str]) -> int:
    match command, words:
        case "serve", []:
            return serve(Settings.read())
        case "schema", []:
            return schema()
        case "openapi", []:
            return openapi()
        case "-h" | "--help" | "help", _:
            print(USAGE, end="")
            return 0
        case _:
            return _run_with(command, words)


def _run_with(command: str, words: Sequence[str]) -> int:
    """Those that take words of their own."""
    match command:
        case "doctor":
            status = doctor(words)
            return misuse() if status is None else status
        case "tools":
            return tools(Settings.read(), words)
        case "export":
            return export(Settings.read(), words)
        case "erase":
            return erase(Settings.read(), words)
        case "eval":
            return evaluate(words)
        case _:
            return misuse()


def serve(settings: Settings) -> int:
    """Serve until told to stop. Raises `ConfigurationError` before anything is answered."""
    # Imported here: the other commands need neither the web nor the model's libraries.
    if settings.workers > 1:
        from switchboard.workers.parent import serve_together

        return serve_together(settings)
    from switchboard.serving import serve_alone

    return serve_alone(settings)


def doctor(arguments: Sequence[str]) -> int | None:
    """`switchboard doctor …`; `None` where it does not know the words."""
    from switchboard.doctor.command import doctor_command

    out = sys.stdout
    with redirect_stdout(sys.stderr):  # a tool's file may print as it is imported
        return doctor_command(arguments, lambda line: print(line, file=out, flush=True))


def misuse() -> int:
    """Explain the commands to whoever got them wrong."""
    print(USAGE, end="", file=sys.stderr)
    return MISCONFIGURED


def tools(settings: Settings, arguments: Sequence[str]) -> int:
    """`switchboard tools …`"""
    from switchboard.reception import Reception
    from switchboard.tools.cli import tools_command

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    reception = Reception(settings.session_config, settings.data_dir, reattach_s=0, version="")
    return tools_command(
        arguments,
        toolbox=reception.book.edition.tools,
        agents=reception.sheets(),
        resources=reception.resources,
    )


def export(settings: Settings, arguments: Sequence[str]) -> int:
    """`switchboard export …`"""
    from switchboard.keeping import export_command

    return export_command(settings, arguments)


def erase(settings: Settings, arguments: Sequence[str]) -> int:
    """`switchboard erase …`"""
    from switchboard.keeping import erase_command

    return erase_command(settings, arguments)


def evaluate(arguments: Sequence[str]) -> int:
    """`switchboard eval …`"""
    try:
        import yaml  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise ConfigurationError(
            "Scenarios are YAML, which is not installed: install switchboard[eval]."
        ) from None
    from switchboard.evals.command import eval_command

    return eval_command(arguments)


def schema() -> int:
    """`switchboard schema`"""
    from switchboard.agents.config import schema_text

    sys.stdout.write(schema_text())
    return 0


def openapi() -> int:
    """`switchboard openapi`"""
    from switchboard.openapi import document_text

    sys.stdout.write(document_text())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
