"""Where telemetry goes, as the environment says."""

import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from switchboard.errors import ConfigurationError

MONITOR: Final = "https://monitor.azure.com/"
"""Whom the token is for, where the connection string names nobody else."""
_KEY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WANTED: Final = (
    "APPLICATIONINSIGHTS_CONNECTION_STRING must be the whole connection string of Application "
    "Insights: InstrumentationKey=<GUID>;IngestionEndpoint=https://…"
)


@dataclass(frozen=True, slots=True)
class Insights:
    """An Application Insights resource. No secret: it takes data with a token only."""

    connection_string: str = field(repr=False)
    scope: str
    """Of that token: `https://monitor.azure.com//.default` in the public cloud."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises `ConfigurationError`."""
        parts = [part.partition("=") for part in text.strip().strip(";").split(";")]
        named = {name.strip().lower(): value.strip() for name, _, value in parts}
        if not _KEY.fullmatch(named.get("instrumentationkey", "")):
            raise ConfigurationError(f"{_WANTED}.")
        endpoint = named.get("ingestionendpoint", "")
        if not endpoint.startswith("https://"):
            # The token goes there, and nowhere by default.
            raise ConfigurationError(f"{_WANTED}.")
        audience = named.get("aadaudience") or MONITOR
        return cls(";".join("=".join((n, v)) for n, _, v in parts), f"{audience}/.default")


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """Raises `ConfigurationError` for what cannot be right."""

    version: str
    insights: Insights | None = None
    otlp_endpoint: str | None = None
    """A collector's base address. Its other settings are those of OpenTelemetry
    (`OTEL_EXPORTER_OTLP_…`, `OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES`, …), which its
    libraries read by themselves."""
    worker: int | None = None
    """This process's number, where the machine has several."""

    def __post_init__(self) -> None:
        if self.otlp_endpoint is None:
            return
        try:
            parts = urlsplit(self.otlp_endpoint)
            right = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            right = False
        if not right:
            raise ConfigurationError(
                "OTEL_EXPORTER_OTLP_ENDPOINT must be a collector's address, such as "
                "http://127.0.0.1:4318."
            )

    @property
    def off(self) -> bool:
        """Nobody collects anything."""
        return self.insights is None and self.otlp_endpoint is None

    @classmethod
    def read(
        cls,
        version: str,
        *,
        connection_string: str | None,
        otlp_endpoint: str | None,
        worker: int | None = None,
    ) -> Self:
        """Raises `ConfigurationError`."""
        insights = Insights.of(connection_string) if connection_string else None
        return cls(version, insights, otlp_endpoint, worker)
