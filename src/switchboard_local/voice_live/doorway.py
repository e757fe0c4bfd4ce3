"""How a Voice Live session is asked for, and what others are told before the upgrade.

The documents name what a request must have, not how the service words its refusals: the statuses
here are those that its SDKs treat as final, the words are ours.
"""

from collections.abc import Mapping
from typing import Final

from switchboard_local.realtime.doorway import MAX_MODEL_CHARS, TurnedAway

API_VERSIONS: Final = frozenset(
    {
        "2025-05-01-preview",
        "2025-10-01",
        "2026-01-01-preview",
        "2026-04-10",
        "2026-06-01-preview",
        "2026-07-15",
    }
)
PROFILES: Final = frozenset({"byom-azure-openai-realtime", "byom-azure-openai-chat-completion"})
"""Kinds of deployment that people bring along."""
_CLASSIC: Final = ("agent-id", "agent-access-token")
_MISSING: Final = "missing_required_parameter"


def judge(query: Mapping[str, str]) -> TurnedAway | None:
    """What is wrong with the form of an upgrade request, if anything."""
    version = query.get("api-version", "")
    if not version:
        return _bad(_MISSING, "Say which version: ?api-version=….")
    if version not in API_VERSIONS:
        return _bad("UnsupportedApiVersion", f"Known are: {', '.join(sorted(API_VERSIONS))}.")
    if any(name in query for name in _CLASSIC):
        return _bad("BadRequest", "Agents are named by agent-name and agent-project-name.")
    return _agent(query) if _has_agent(query) else _model(query)


def _has_agent(query: Mapping[str, str]) -> bool:
    return "agent-name" in query or "agent-project-name" in query


def _agent(query: Mapping[str, str]) -> TurnedAway | None:
    for name in ("agent-name", "agent-project-name"):
        if not 0 < len(query.get(name, "")) <= MAX_MODEL_CHARS:
            return _bad(_MISSING, f"An agent needs its name and project: {name}=….")
    return None


def _model(query: Mapping[str, str]) -> TurnedAway | None:
    if not 0 < len(query.get("model", "")) <= MAX_MODEL_CHARS:
        return _bad(_MISSING, "Say which model (model=…) or agent (agent-name=…).")
    profile = query.get("profile")
    if profile is not None and profile not in PROFILES:
        return _bad("BadRequest", f"Known profiles are: {', '.join(sorted(PROFILES))}.")
    return None


def _bad(code: str, message: str) -> TurnedAway:
    return TurnedAway(400, code, message)
