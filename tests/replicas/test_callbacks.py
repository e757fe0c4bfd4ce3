"""The carrier tells server B of a call that server A carries: real processes, a local ACS."""

from pathlib import Path

import anyio
import pytest

from tests.local.acs.softphones import HUMAN
from tests.local.realtime.doubles import Cloud
from tests.phone.handing import receptionist, they_talk, with_humans
from tests.phone.ringing import SPEECH
from tests.replicas.town import WAIT_S, town

pytestmark = pytest.mark.timeout(300)

CALLBACKS = "/api/phone/events/"


async def test_a_transfer_that_another_server_is_told_of_is_recorded_as_one(
    cloud: Cloud, shared_url: str, tmp_path: Path
) -> None:
    cloud.doubles.mind.script = receptionist
    agents = with_humans(tmp_path / "agents")
    async with town(
        cloud,
        shared_url,
        tmp_path,
        telephone=True,
        SESSION_CONFIG=str(agents),
        DIAL_ALLOWED="+442079460",
        DIAL_QUIET_HOURS="none",
    ) as there:
        assert there.acs is not None and there.doorway is not None
        there.doorway.to[CALLBACKS] = there.b.port
        call_id, telephone = await there.ring()
        cloud.doubles.ears.words = ["put me through"]
        await telephone.say_out(SPEECH)
        with anyio.fail_after(WAIT_S):
            human = (await there.acs.phone(HUMAN).ringing()).answer()
        ended = await there.b.until(call_id, lambda call: not call["live"])
        assert ended["call"]["endReason"] == "transferred"
        [tool] = ended["tools"]
        assert (tool["name"], tool["state"]) == ("transfer_to_human", "done")
        await they_talk(telephone, human)
        told = {port for path, port in there.doorway.passed if path.startswith(CALLBACKS)}
        assert told == {there.b.port}
