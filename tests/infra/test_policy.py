"""Every rule, on every level, with whatever is brought."""

import pytest

from tests.infra.rules import RULES
from tests.infra.scenarios import SCENARIOS, planned


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_deployment_keeps_every_rule(scenario: str) -> None:
    plan = planned(scenario)
    broken = {
        name: found
        for name, rule in RULES.items()
        if (found := list(rule(plan, SCENARIOS[scenario])))
    }
    assert broken == {}
