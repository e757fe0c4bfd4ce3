"""Whatever comes in, every decoder and verifier answers as it documents, and none is left out."""

import ast
import importlib
import json
import re
import string
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import NASTY_TEXT, mutations
from tests.fuzz.targets import BY_NAME, OTHERS, TARGETS, Target

CORPUS: Final = Path(__file__).parent / "corpus"
SOURCE: Final = Path(__file__).parents[2] / "src" / "switchboard"
QUIET: Final = cast("list[HealthCheck]", list(HealthCheck))
FEW: Final = 10_000
MANY: Final = 100_000
READERS: Final = re.compile(
    r"json\.(decode|Decoder|loads|JSONDecoder)\b|JSONDecoder\(|validate_json\(|jwt\.decode\("
    r"|b64decode\(|parse_qsl\(|query_params|headers\.get(list)?\(|\"subprotocols\""
)
"""How outside text is read here."""

every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@cache
def corpus_of(target: Target) -> Sequence[bytes]:
    kept = [path.read_bytes() for path in sorted((CORPUS / target.name).iterdir())]
    return [*kept, *target.fresh()]


def survives(target: Target, data: bytes) -> None:
    """Fails with the input that was not survived, ready for the corpus."""
    try:
        target.feed(data)
    except target.refusals:
        return
    except Exception as fault:
        fault.add_note(f"{target.name} was fed {data[:2_000]!r}{'…' * (len(data) > 2_000)}")
        raise


@every_target
def test_the_corpus_is_survived(target: Target) -> None:
    seeds = corpus_of(target)
    assert seeds
    for data in (*seeds, *NASTY_TEXT):
        survives(target, data)


@every_target
def test_one_of_the_corpus_at_least_is_good(target: Target) -> None:
    """Else everything would be turned away at the door, and nothing behind it be tried."""
    for data in corpus_of(target):
        try:
            target.feed(data)
        except target.refusals:
            continue
        return
    pytest.fail(f"Nothing in corpus/{target.name} is taken.")


@every_target
def test_ten_thousand_inputs_are_survived(target: Target) -> None:
    for data in mutations(corpus_of(target), FEW, target.name, target.most_bytes):
        survives(target, data)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@every_target
def test_a_hundred_thousand_inputs_are_survived(target: Target) -> None:
    seed = f"{target.name}, at length"
    for data in mutations(corpus_of(target), MANY, seed, target.most_bytes):
        survives(target, data)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
HEADERS = st.text(string.ascii_letters + string.digits + " ,.;:=/_-\t\xe9", max_size=60)


@every_target
def test_what_hypothesis_thinks_of_is_survived(target: Target) -> None:
    written = JSON.map(lambda value: json.dumps(value).encode())
    spoken = HEADERS.map(lambda text: text.encode("latin-1"))

    @settings(max_examples=30, deadline=None, database=None, suppress_health_check=QUIET)
    @given(written | spoken | st.binary(max_size=200))
    def any_input(data: bytes) -> None:
        survives(target, data)

    any_input()


# -- nothing is left out ------------------------------------------------------------------------


def _modules() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        if READERS.search(path.read_text().replace("'", '"')):
            yield name, _code(path)


def _code(path: Path) -> str:
    """Without comments and docstrings, which may speak of anything."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        node.body = [  # pyright: ignore[reportAttributeAccessIssue]
            each
            for each in body  # pyright: ignore[reportUnknownVariableType]
            if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        ] or [ast.Pass()]
    return ast.unparse(tree).replace("'", '"')


def test_every_module_that_reads_from_outside_is_fuzzed_or_says_why_not() -> None:
    covered = {name for target in TARGETS for name in target.covers}
    readers = {name for name, code in _modules() if READERS.search(code)}
    assert readers - covered - set(OTHERS) == set()
    assert set(OTHERS) <= readers  # nothing is excused that is not there
    for name in covered:
        importlib.import_module(f"switchboard.{name}")


def test_every_target_has_a_corpus_and_every_corpus_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(BY_NAME)
    assert len(BY_NAME) == len(TARGETS)


def test_inputs_are_the_same_each_time_and_differ() -> None:
    seeds = corpus_of(BY_NAME["page_frames"])
    first, again = list(mutations(seeds, 500, "x")), list(mutations(seeds, 500, "x"))
    assert first == again
    assert len(set(first)) > 300
    assert first != list(mutations(seeds, 500, "y"))


def test_a_decoder_that_raises_what_it_does_not_document_is_told_of() -> None:
    def careless(data: bytes) -> int:
        return int(data[:40])

    target = Target("careless", careless, (KeyError,), ())
    with pytest.raises(ValueError, match="invalid literal") as told:
        for data in mutations([b"12"], 1_000, "careless"):
            survives(target, data)
    assert "careless was fed" in told.value.__notes__[0]
