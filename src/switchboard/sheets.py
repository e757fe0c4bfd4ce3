"""An agent as operators see it: what it is told, what it can do, and what is kept of its calls."""

from collections.abc import Iterable
from itertools import chain

from switchboard.agents.profile import AgentProfile
from switchboard.agents.recording import recorded
from switchboard.console import protocol as wire
from switchboard.conversation.session import ToolSpec
from switchboard.reception import Reception


def sheet_of(reception: Reception, agent: str, retention_days: int) -> wire.AgentSheet | None:
    """`None` for an agent that there is not. `retention_days`: of those that do not say."""
    roster = reception.book.edition.roster
    profile = roster.agents.get(agent)
    if profile is None:
        return None
    titles = {each.id: each.title for each in chain(roster.models, roster.voices)}
    phone = profile.phone
    return wire.AgentSheet(
        agent=wire.AgentName(profile.id, profile.title, profile.accent, profile.accent_dark),
        tagline=profile.tagline,
        instructions=profile.instructions,
        greeting=profile.greeting,
        model=titles.get(profile.model, profile.model),
        voice=titles.get(profile.voice, profile.voice),
        language=profile.language,
        tools=list(_tools(reception, profile)),
        humans=[wire.AgentHuman(each.name, each.about) for each in phone.humans],
        numbers=list(phone.numbers),
        limits=_limits(profile),
        privacy=_privacy(profile, retention_days),
    )


def _tools(reception: Reception, profile: AgentProfile) -> Iterable[wire.AgentTool]:
    toolbox = reception.book.edition.tools
    questions = {
        name: rule.confirm
        for name, rule in toolbox.rules([*profile.tools, *profile.phone.tools]).items()
    }

    def tool(spec: ToolSpec, *, on_telephone: bool) -> wire.AgentTool:
        return wire.AgentTool(
            name=spec.name,
            title=toolbox.title_of(spec.name),
            description=spec.description,
            parameters=spec.parameters,
            confirm=questions.get(spec.name),
            on_telephone=on_telephone,
        )

    yield from (tool(spec, on_telephone=False) for spec in toolbox.specs(profile.tools))
    there = [*toolbox.specs(profile.phone.tools), *profile.phone.specs()]
    yield from (tool(spec, on_telephone=True) for spec in there)


def _limits(profile: AgentProfile) -> wire.AgentLimits:
    limits = profile.limits
    return wire.AgentLimits(
        max_call_s=limits.max_call_s,
        budget_usd=limits.budget_usd,
        silence_ms=limits.silence_ms,
        reprompts=limits.reprompts,
        slow_tool_ms=limits.slow_tool_ms,
        confirm_window_s=limits.confirm_window_s,
    )


def _privacy(profile: AgentProfile, otherwise: int) -> wire.AgentPrivacy:
    redaction, kept = profile.redaction, profile.retention_days
    return wire.AgentPrivacy(
        redacted=[*redaction.kinds, *(each.name for each in redaction.patterns)],
        countries=list(redaction.countries),
        retention_days=otherwise if kept is None else kept,
        recorded=recorded(profile.recording),
        notice=profile.recording.notice if profile.recording else None,
        recorded_on_telephone=profile.phone.recording is not None,
    )
