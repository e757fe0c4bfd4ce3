"""What the settings say, in each room's own words."""

from functools import partial
from typing import TYPE_CHECKING

from switchboard.access.rates import Rate
from switchboard.browser.proxy.relay import RelayLimits
from switchboard.browser.proxy.routes import ProxyConfig
from switchboard.exchange import Lines
from switchboard.reception import Reception
from switchboard.records.budgets import Budget, Budgets
from switchboard.records.dialled import Quotas
from switchboard.settings import Settings

if TYPE_CHECKING:
    from switchboard.telephone import TelephoneConfig


def per_minute(times: float) -> Rate:
    """Half of them may come at once."""
    return Rate(times / 60, max(1.0, times / 2))


def lines_of(settings: Settings, *, people: bool) -> Lines:
    """`people`: they sign in, so some lines may be kept for them."""
    kept = 0
    if people and settings.allow_anonymous:
        wanted = settings.lines_for_people
        kept = settings.max_calls // 4 if wanted is None else wanted
    return Lines(
        settings.max_calls,
        settings.ticket_seconds,
        user=settings.calls_user_at_once,
        address=settings.calls_address_at_once,
        agent=settings.calls_agent_at_once,
        kept=kept,
        agent_rate=per_minute(settings.call_agent_per_minute),
    )


def budgets_of(settings: Settings) -> Budgets:
    return Budgets(
        Budget(settings.budget_user_usd_a_day, settings.budget_user_minutes_a_day),
        Budget(settings.budget_usd_a_day, settings.budget_minutes_a_day),
    )


def proxy_config(settings: Settings) -> ProxyConfig:
    return ProxyConfig(
        max_connections=settings.proxy_max_connections,
        address_rate=per_minute(settings.proxy_address_per_minute),
        user_rate=per_minute(settings.proxy_user_per_minute),
        relay=RelayLimits(
            max_frame_bytes=settings.proxy_max_frame_bytes,
            idle_s=settings.proxy_idle_seconds,
            lifetime_s=settings.proxy_max_seconds,
        ),
    )


def telephone_config(settings: Settings, reception: Reception) -> "TelephoneConfig":
    # Not at the top: what it needs takes a while to import, and few servers have one.
    from switchboard.phone.admission import CallerLimits
    from switchboard.telephone import TelephoneConfig

    secret = settings.event_grid_secret
    return TelephoneConfig(
        endpoint=settings.acs_endpoint or "",
        resource_id=settings.acs_resource_id,
        public_url=settings.public_url or "",
        choose=partial(reception.answering, otherwise=settings.phone_agent),
        data_dir=settings.data_dir,
        number=settings.acs_number,
        issuer=settings.acs_issuer,
        ca_file=settings.acs_ca_file,
        latency_ms=settings.acs_latency_ms,
        reattach_s=settings.reattach_seconds,
        tenant_id=settings.event_grid_tenant_id,
        audience=settings.event_grid_audience,
        secret=secret.get_secret_value() if secret else None,
        max_sockets=2 * settings.max_calls + 16,
        allowed=settings.dial_allowed,
        quiet_hours=settings.dial_quiet_hours,
        quotas=Quotas(
            settings.dial_user_a_day,
            settings.dial_number_a_day,
            settings.dial_a_day,
            settings.dial_at_once,
        ),
        ring_s=settings.dial_ring_seconds,
        callers=CallerLimits(
            per_minute(settings.phone_caller_per_minute), settings.phone_caller_at_once
        ),
        redact=reception.redacted,
    )
