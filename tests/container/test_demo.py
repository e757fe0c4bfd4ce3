"""The demonstration needs nobody outside its container. `container.sh -m long` builds it."""

import pytest

from tests.container.ship import demonstrating

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


async def test_the_demonstration_answers_a_call_all_by_itself() -> None:
    with demonstrating() as ship:
        async with ship.calling("banking") as page:
            about = "1,204.50"
            assert about in await page.answer_to("What is the balance of my account?", about)
            await page.say("end")
        ship.signal("TERM")
        assert ship.exit_status(within_s=60) == 0
