"""The line to the model is cut ten times in ten turns: nobody has to say anything twice."""

from collections import Counter
from pathlib import Path

import pytest

from bench.losses import MOMENTS, Cutter, calling, turn
from tests.soak.town import cloud, product

HEADER = "losses"
pytestmark = pytest.mark.embedded


@pytest.mark.timeout(300)
async def test_ten_cuts_in_ten_turns_with_tools(tmp_path: Path) -> None:
    with cloud(tmp_path, HEADER) as (_, cloud_port):
        cutter = Cutter(cloud_port)
        async with cutter.open():
            with product(
                tmp_path, HEADER, identity_port=cloud_port, model_port=cutter.port
            ) as served:
                async with calling(served.address) as caller:
                    losses = [
                        await turn(caller, cutter, number, MOMENTS[number % len(MOMENTS)])
                        for number in range(10)
                    ]

                    assert caller.ended is None
                    assert Counter(tool["state"] for tool in caller.tools.values()) == {"done": 10}
                    assert all(loss.apologies <= 1 for loss in losses)
                    assert sum(loss.apologies for loss in losses) <= 2, "only for a broken reply"
                assert cutter.connections >= 11
