"""The tables. Times named `…_at` are epoch seconds; `…_ms` count from the call's beginning.

A change here needs a migration beside it, in `migrations/versions`; a test compares the two.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from switchboard.records.words import LongWords, Words

Short = String(64)
OPEN = text("ended_at IS NULL")


CALL = "calls.id"


class Base(DeclarativeBase):
    # Named constraints, so that a later migration can find them on every database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Call(Base):
    """One caller joined to one agent."""

    __tablename__ = "calls"

    id: Mapped[str] = mapped_column(Short, primary_key=True)
    principal_id: Mapped[str] = mapped_column(String(200))
    agent: Mapped[str] = mapped_column(Short)
    model: Mapped[str] = mapped_column(Words(64))
    voice: Mapped[str] = mapped_column(Words(64))
    channel: Mapped[str] = mapped_column(Short)
    """`browser`, `webrtc`, `phone`."""
    direction: Mapped[str] = mapped_column(Short, server_default="in")
    """`in`, or `out` where the agent rang somebody."""
    began_at: Mapped[float] = mapped_column(index=True)
    ended_at: Mapped[float | None]
    end_reason: Mapped[str | None] = mapped_column(Words(200))
    replica_id: Mapped[str | None] = mapped_column(Short)
    """The server that has it, or had it last."""
    takeovers: Mapped[int] = mapped_column(server_default="0")
    """How often another server has taken it over."""

    __table_args__ = (
        Index("ix_calls_agent_ended_at", "agent", "ended_at"),  # for the sweeper
        Index("ix_calls_open", "replica_id", sqlite_where=OPEN, postgresql_where=OPEN),
    )


class ReplicaRow(Base):
    """A server that has opened the database. Both times are by the database's clock."""

    __tablename__ = "replicas"

    id: Mapped[str] = mapped_column(Short, primary_key=True)
    began_at: Mapped[float]
    beat_at: Mapped[float]
    """When it last said that it lives."""
    url: Mapped[str | None] = mapped_column(String(300))
    """Where the others reach it, if they can."""


class CommandRow(Base):
    """What one server asks another to do to a call that is the other's. Its times are the
    database's. It is deleted once the answer is read, or soon after."""

    __tablename__ = "commands"

    id: Mapped[str] = mapped_column(Short, primary_key=True)
    call_id: Mapped[str] = mapped_column(Short)
    asker: Mapped[str] = mapped_column(Short)
    target: Mapped[str] = mapped_column(Short, index=True)
    kind: Mapped[str] = mapped_column(Short)
    body: Mapped[str] = mapped_column(Text)
    """JSON; emptied with the answer."""
    asked_at: Mapped[float]
    deadline: Mapped[float]
    """Not to be acted on afterwards."""
    taken_at: Mapped[float | None]
    answered_at: Mapped[float | None]
    answer: Mapped[str | None] = mapped_column(Text)
    """JSON; none where the other server failed."""


class Item(Base):
    """A line of the transcript."""

    __tablename__ = "items"

    call_id: Mapped[str] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    speaker: Mapped[str] = mapped_column(Short)
    text: Mapped[str] = mapped_column(LongWords())
    state: Mapped[str] = mapped_column(Short)
    began_ms: Mapped[float]
    heard_chars: Mapped[int | None]
    typed: Mapped[bool]


class ToolCall(Base):
    """A tool call with its arguments and its answer."""

    __tablename__ = "tool_calls"

    call_id: Mapped[str] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    tool_call_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    name: Mapped[str] = mapped_column(Words(128))
    arguments: Mapped[str] = mapped_column(LongWords())
    state: Mapped[str] = mapped_column(Short)
    began_ms: Mapped[float]
    result: Mapped[str | None] = mapped_column(LongWords())
    duration_ms: Mapped[float | None]


class Interruption(Base):
    """The caller spoke over an item of the agent's."""

    __tablename__ = "interruptions"

    call_id: Mapped[str] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    heard_ms: Mapped[float]
    received_ms: Mapped[float]
    at_ms: Mapped[float]


class Reply(Base):
    """What one reply took: time and tokens."""

    __tablename__ = "replies"

    call_id: Mapped[str] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    reply_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    first_audio_ms: Mapped[float | None]
    first_heard_ms: Mapped[float | None]
    input_text: Mapped[int | None]
    input_audio: Mapped[int | None]
    cached_text: Mapped[int | None]
    cached_audio: Mapped[int | None]
    output_text: Mapped[int | None]
    output_audio: Mapped[int | None]
    cost_usd: Mapped[float | None]
    answered_at: Mapped[float | None]
    """When its first audio was sent: epoch seconds."""


class TicketRow(Base):
    """A single-use right to open one socket. Only the SHA-256 of the ticket is kept."""

    __tablename__ = "tickets"

    digest: Mapped[str] = mapped_column(Short, primary_key=True)
    call_id: Mapped[str] = mapped_column(Short, index=True)
    principal_id: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(Short)
    facts: Mapped[str] = mapped_column(Text, server_default="")
    """JSON: who calls whom, for the replica that the caller comes to. Goes with the row."""
    expires_at: Mapped[float] = mapped_column(index=True)
    token_until: Mapped[float | None]
    """When the token ends that it was bought with."""


class SpentRow(Base):
    """What one call took of one day's budget, and holds of it until it says more."""

    __tablename__ = "spent"

    call_id: Mapped[str] = mapped_column(Short, primary_key=True)
    day: Mapped[str] = mapped_column(Short, primary_key=True)
    """`2026-03-04`, by UTC."""
    who: Mapped[str] = mapped_column(String(200))
    """Whose budget it is."""
    used_usd: Mapped[float]
    used_s: Mapped[float]
    held_usd: Mapped[float]
    """Not used yet, and nobody else's."""
    held_s: Mapped[float]
    held_until: Mapped[float]
    """After this a server that has said nothing is dead, and nothing is held."""

    __table_args__ = (Index("ix_spent_day_who", "day", "who"),)


class MediaTicketRow(Base):
    """The right of one telephone call's media to come in, again and again while it lives."""

    __tablename__ = "media_tickets"

    digest: Mapped[str] = mapped_column(Short, primary_key=True)
    call_id: Mapped[str] = mapped_column(Short, index=True)
    connection_id: Mapped[str | None] = mapped_column(String(200))
    """The carrier's name for the call, from the first socket on."""
    facts: Mapped[str] = mapped_column(Text, server_default="")
    """JSON: who calls whom, for the replica that the media come to. Goes with the row."""
    expires_at: Mapped[float] = mapped_column(index=True)


class SeenEvent(Base):
    """An event that was acted upon, on whatever replica: its second delivery is none."""

    __tablename__ = "seen_events"

    digest: Mapped[str] = mapped_column(Short, primary_key=True)
    until: Mapped[float] = mapped_column(index=True)


class Dialled(Base):
    """A telephone call that we were asked to place: what the quotas count."""

    __tablename__ = "dialled"

    operation: Mapped[str] = mapped_column(Short, primary_key=True)
    """SHA-256 of whose operation it is, and its id: asked for twice, it is placed once."""
    call_id: Mapped[str] = mapped_column(Short, index=True)
    principal_id: Mapped[str] = mapped_column(String(200))
    number: Mapped[str] = mapped_column(Short)
    """E.164."""
    at: Mapped[float] = mapped_column(index=True)
    ended_at: Mapped[float | None]
    agent: Mapped[str] = mapped_column(Short, server_default="")
    state: Mapped[str] = mapped_column(Short, server_default="ended")
    reason: Mapped[str | None] = mapped_column(Words(64))
    code: Mapped[int | None]
    """The carrier's, like an HTTP or SIP status."""
    subcode: Mapped[int | None]
    answered_at: Mapped[float | None]
    replica_id: Mapped[str | None] = mapped_column(Short)
    """The server that placed it, or heard of it last."""

    __table_args__ = (
        Index("ix_dialled_open", "replica_id", sqlite_where=OPEN, postgresql_where=OPEN),
    )


class Promised(Base):
    """A call that an agent promised somebody on the telephone."""

    __tablename__ = "promised"

    id: Mapped[str] = mapped_column(Short, primary_key=True)
    number: Mapped[str] = mapped_column(Short, index=True)
    """E.164."""
    agent: Mapped[str] = mapped_column(Short)
    principal_id: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Words(200))
    due_at: Mapped[float] = mapped_column(index=True)
    """When it is to be placed, or tried again."""
    until: Mapped[float]
    """After this it is not worth a call any more."""
    attempts: Mapped[int]
    state: Mapped[str] = mapped_column(Short)
    """`waiting`, `dialling`, `kept`, `given_up`."""
    call_id: Mapped[str | None] = mapped_column(Short, index=True)
    """The call of the latest attempt."""


class DoNotCall(Base):
    """A number that does not want to be called."""

    __tablename__ = "do_not_call"

    number: Mapped[str] = mapped_column(Short, primary_key=True)
    """E.164."""
    since: Mapped[float]
    reason: Mapped[str] = mapped_column(Words(200))


class RecordingRow(Base):
    """The recording of a call: as the carrier keeps it, or beside the database. No sound here."""

    __tablename__ = "recordings"

    call_id: Mapped[str] = mapped_column(Short, primary_key=True)
    recording_id: Mapped[str | None] = mapped_column(String(1000), index=True)
    """The carrier's name for it; none where it could not be begun."""
    state: Mapped[str] = mapped_column(Short)
    """`running`, `paused`, `stopped`, `failed`, `filed`."""
    began_at: Mapped[float]
    ended_at: Mapped[float | None]
    kept: Mapped[str] = mapped_column(Short, server_default="carrier")
    """By whom: `carrier`, or `here`, in the server's `DATA_DIR`."""
    places: Mapped[str | None] = mapped_column(Text)
    """JSON: the addresses of its parts, once they are filed."""
    duration_ms: Mapped[float | None]


class OperatorAction(Base):
    """What an operator did to a call. Written before it is done, so that nothing goes unwritten."""

    __tablename__ = "operator_actions"

    id: Mapped[str] = mapped_column(Short, primary_key=True)
    call_id: Mapped[str] = mapped_column(Short, index=True)
    """Without a foreign key: the call's own row may be written later."""
    principal_id: Mapped[str] = mapped_column(String(200))
    principal_name: Mapped[str] = mapped_column(Words(200))
    kind: Mapped[str] = mapped_column(Short)
    """`whisper`, `say`, `approve`, `refuse`, `human`, `decline`, `end`, `cut`, `listen`,
    `take_over`, `hand_back`, `desk_lost`."""
    text: Mapped[str | None] = mapped_column(LongWords())
    tool_call_id: Mapped[str | None] = mapped_column(String(128))
    at: Mapped[float]
    """Epoch seconds."""
    outcome: Mapped[str] = mapped_column(Short)
    """`asked`, then `taken` by the call or `refused`."""


class AfterCall(Base):
    """What a call came to, once it is over: told by a model, checked, and redacted again."""

    __tablename__ = "after_calls"

    call_id: Mapped[str] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(Short)
    """`working`, `waiting` (to be tried again), `done`, `failed`."""
    due_at: Mapped[float] = mapped_column(index=True)
    """While it waits, when it is tried again; while somebody works on it, until when it is
    theirs."""
    attempts: Mapped[int]
    summary: Mapped[str | None] = mapped_column(LongWords())
    outcome: Mapped[str | None] = mapped_column(Short, index=True)
    """All goals together: `achieved`, `partly`, `not_achieved`, `unknown`; none without goals."""
    goals: Mapped[str | None] = mapped_column(LongWords())
    """JSON: `[{"id", "outcome", "reason"}]`."""
    fields: Mapped[str | None] = mapped_column(LongWords())
    """JSON: an object, as the profile's schema has it."""
    error: Mapped[str | None] = mapped_column(Words(300))
    """Why there is nothing, in words."""
    finished_at: Mapped[float | None]
    model: Mapped[str | None] = mapped_column(Words(64))
    input_text: Mapped[int | None]
    cached_text: Mapped[int | None]
    output_text: Mapped[int | None]
    """Tokens of all attempts; they are in no row of `replies`."""
    cost_usd: Mapped[float | None]


class WebhookDelivery(Base):
    """A message to a profile's webhook. Its body is read from the other tables when it is sent."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[str] = mapped_column(Short, primary_key=True)
    """`webhook-id`: the same at every attempt."""
    call_id: Mapped[str] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), index=True)
    event: Mapped[str] = mapped_column(Short)
    """`after.done`, `after.failed`."""
    state: Mapped[str] = mapped_column(Short)
    """`waiting`, `sending`, `delivered`, `stopped` (410), `given_up`."""
    due_at: Mapped[float] = mapped_column(index=True)
    created_at: Mapped[float]
    attempts: Mapped[int]
    host: Mapped[str | None] = mapped_column(Words(255))
    """Where it was sent to last."""
    status: Mapped[int | None]
    """What was answered last: an HTTP status."""
    error: Mapped[str | None] = mapped_column(Words(200))
    """Why the last attempt came to nothing, in words."""
    last_at: Mapped[float | None]


class EvalRunRow(Base):
    """An evaluation that was held: no call, and nobody's."""

    __tablename__ = "eval_runs"

    id: Mapped[str] = mapped_column(Short, primary_key=True)
    began_at: Mapped[float] = mapped_column(index=True)
    by: Mapped[str] = mapped_column(Short)
    """The channel: `text`, `voice`, `socket`, `phone`."""
    seed: Mapped[int] = mapped_column(BigInteger)
    repeat: Mapped[int]
    took_s: Mapped[float]
    conversations: Mapped[int]
    passed: Mapped[int]
    report: Mapped[str] = mapped_column(LongWords())
    """JSON, as `switchboard eval --json` writes it."""
    page: Mapped[bytes | None] = mapped_column(LargeBinary)
    """HTML, as `--html` writes it."""
