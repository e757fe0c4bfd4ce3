"""What is made of an agent's calls once they are over: `after` of its entry."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import Field, field_validator

from switchboard.agents.turns import Written

type Event = Literal["after.done", "after.failed"]
type Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,40}$")]
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Goal(Written):
    """What a call should come to."""

    id: Name
    """Its name in records and messages."""
    description: Annotated[str, Field(min_length=1, max_length=300)]
    """When it is achieved, in a sentence: "The appointment was booked"."""


class Webhook(Written):
    """Who is told of it."""

    url: Annotated[str, Field(min_length=1, max_length=500)]
    """`https://…`; plain http on loopback only."""
    events: Annotated[tuple[Event, ...], Field(min_length=1)] = ("after.done", "after.failed")
    """`after.done`: here is what the call came to; `after.failed`: that could not be found out."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            _ = parts.port  # checked only when it is read
        except ValueError:
            raise ValueError("this is no address") from None
        if not parts.hostname or parts.fragment or "@" in parts.netloc:
            raise ValueError("an address has a host, and neither user nor fragment")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError("a webhook is https; plain http is for loopback")
        return url


class AfterEntry(Written):
    """What is made of its calls once they are over."""

    summary: bool = True
    """Two or three sentences, in the agent's language."""
    goals: Annotated[tuple[Goal, ...], Field(max_length=10)] = ()
    """What a call should come to; each is judged."""
    fields: Mapping[str, Any] | None = None
    """A JSON Schema of an object: what is to be taken from the call. Each of its properties may
    also be null: what was not said is not guessed."""
    webhook: Webhook | None = None
    """Who is told of it."""

    @field_validator("goals")
    @classmethod
    def _are_different(cls, goals: tuple[Goal, ...]) -> tuple[Goal, ...]:
        names = [goal.id for goal in goals]
        if len(set(names)) != len(names):
            raise ValueError("two goals have the same id")
        return goals

    @field_validator("fields")
    @classmethod
    def _is_a_schema(cls, fields: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if fields is None:
            return None
        try:
            Draft202012Validator.check_schema(dict(fields))
        except SchemaError as fault:
            raise ValueError(f"this is no JSON Schema: {fault.message[:200]}") from None
        if fields.get("type") != "object" or not fields.get("properties"):
            raise ValueError('a JSON Schema with `"type": "object"` and `properties` is wanted')
        if "$ref" in str(fields):
            raise ValueError("`$ref` is not followed here: write the schema out")
        return fields
