"""The scripted attack, shortened: refused on all counts. What calls notice is for the bench."""

import pytest

from bench import attack

ATTACKS = {
    "cross-call",
    "cross-origin",
    "flood",
    "forgery: callbacks",
    "forgery: media",
    "forgery: people",
    "oversized",
    "replay: Event Grid",
    "replay: callback",
    "replay: ticket",
    "slowloris",
    "stolen ticket",
    "token for another audience",
    "toll fraud",
    "toll fraud: quota",
}


@pytest.mark.timeout(400)
async def test_a_scripted_attack_is_refused_on_all_counts() -> None:
    result = await attack.run(
        calls=2, seconds=2, warm_up_s=0.2, flood_per_s=10, connections=3, judge=0
    )
    scores = {row["attack"]: row for row in result["attacks"]}
    assert set(scores) >= ATTACKS
    assert all(row["tried"] and row["tried"] == row["refused"] for row in scores.values())
