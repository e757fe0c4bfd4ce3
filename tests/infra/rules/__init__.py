"""What must hold of every plan. Each rule gives sentences; none is good."""

from collections.abc import Callable, Iterator
from typing import Final

from tests.infra.bicep.expand import Plan
from tests.infra.rules import app, keys, network, private, roles, upkeep
from tests.infra.scenarios import Scenario

type Rule = Callable[[Plan, Scenario], Iterator[str]]


def _typed(plan: Plan, scenario: Scenario) -> Iterator[str]:
    yield from plan.problems


RULES: Final[dict[str, Rule]] = {
    "azure's types": _typed,
    "no keys": keys.no_keys,
    "local authentication is off": keys.local_authentication_off,
    "tls": keys.tls,
    "roles": roles.exactly_those,
    "role assignments": roles.well_formed,
    "diagnostics": upkeep.diagnostics,
    "tags": upkeep.tags,
    "names": upkeep.names,
    "backups": upkeep.backups,
    "alerts": upkeep.alerts,
    "private services": private.closed,
    "private endpoints": private.endpoints,
    "private zones": private.zones,
    "security groups": network.groups,
    "subnets": network.subnets,
    "ways out": network.ways_out,
    "ways in": network.ways_in,
    "probes": app.probes,
    "port": app.port,
    "replicas": app.replicas,
    "draining": app.draining,
    "container": app.container_itself,
    "features": app.features,
    "variables": app.values,
}
