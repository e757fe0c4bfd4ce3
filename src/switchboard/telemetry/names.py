"""What is sent, by name. `docs/operations.md` and the workbook go by these.

`gen_ai.*` and `error.type` are OpenTelemetry's conventions for generative AI (v1.41, in
development); what they do not know has `switchboard.` before it.
"""

from typing import Final

# -- measurements -------------------------------------------------------------------------------

CALLS_ACTIVE: Final = "switchboard.calls.active"
CALLS_LIMIT: Final = "switchboard.calls.limit"
CALLS_STARTED: Final = "switchboard.calls.started"
CALLS_ENDED: Final = "switchboard.calls.ended"
CALL_DURATION: Final = "switchboard.call.duration"
FIRST_AUDIO: Final = "switchboard.turn.first_audio"
FIRST_HEARD: Final = "switchboard.turn.first_heard"
INTERRUPTIONS: Final = "switchboard.interruptions"
NOTICES: Final = "switchboard.notices"
DIAL_DURATION: Final = "switchboard.model.dial.duration"
SESSIONS: Final = "switchboard.model.sessions"
TOKENS_CACHED: Final = "switchboard.tokens.cached"
COST: Final = "switchboard.cost"
DRAIN_LEFT: Final = "switchboard.drain.calls_left"
RECORDS_DROPPED: Final = "switchboard.records.dropped"
RECORDS_SPOOLED: Final = "switchboard.records.spooled"
PROXY_CONNECTIONS: Final = "switchboard.proxy.connections"
OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105  (tokens of a model)
REQUEST_DURATION: Final = "http.server.request.duration"
ACTIVE_REQUESTS: Final = "http.server.active_requests"

# -- attributes ---------------------------------------------------------------------------------

CHANNEL: Final = "switchboard.channel"
DIRECTION: Final = "switchboard.direction"
END_REASON: Final = "switchboard.end_reason"
SESSION: Final = "switchboard.session"
"""Which one it is: `first`, `renewal`, `recovery`."""
SERVICE: Final = "switchboard.service"
NOTICE: Final = "switchboard.notice"
MODALITY: Final = "switchboard.modality"
TOOL_STATE: Final = "switchboard.tool.state"
FIRST_HEARD_MS: Final = "switchboard.turn.first_heard_ms"
TURNS: Final = "switchboard.turns"
INTERRUPTED: Final = "switchboard.interruptions"
COST_USD: Final = "switchboard.cost_usd"
ERROR: Final = "error.type"
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
AGENT: Final = "gen_ai.agent.name"
MODEL: Final = "gen_ai.request.model"
CONVERSATION: Final = "gen_ai.conversation.id"
OUTPUT: Final = "gen_ai.output.type"
REPLY: Final = "gen_ai.response.id"
TOOL: Final = "gen_ai.tool.name"
TOOL_CALL: Final = "gen_ai.tool.call.id"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOKENS_IN: Final = "gen_ai.usage.input_tokens"
TOKENS_OUT: Final = "gen_ai.usage.output_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105  (likewise)

OTHER: Final = "_OTHER"
"""In place of a name that is not one of ours: those have no end, and may be words of a caller."""

OF_REQUESTS: Final = frozenset(
    {"http.request.method", "http.response.status_code", "http.route", "url.scheme", ERROR}
)
"""All that is told of an HTTP request: neither path nor query, nor who asked."""
OF_CALLS: Final = frozenset(
    {CHANNEL, DIRECTION, END_REASON, SESSION, SERVICE, TOOL_STATE, FIRST_HEARD_MS, TURNS}
    | {INTERRUPTED, COST_USD, ERROR, OPERATION, PROVIDER, AGENT, MODEL, CONVERSATION, OUTPUT, REPLY}
    | {TOOL, TOOL_CALL, TOOL_TYPE, TOKENS_IN, TOKENS_OUT}
)
