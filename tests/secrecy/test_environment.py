"""Keys lie about in many an environment. This product does not pick them up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.secrecy.peers import KEY, TYPED, Upstream, product, upstream, with_key
from tests.secrecy.talk import proxied, spoken, typed

NAMES = (
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "OPENAI_API_KEY",
    "AZURE_VOICELIVE_API_KEY",
    "AZURE_VOICELIVE_KEY",
    "VOICELIVE_API_KEY",
    "VOICELIVE_KEY",
    "VOICE_LIVE_API_KEY",
    "AZURE_AI_FOUNDRY_KEY",
    "AZURE_AI_SERVICES_KEY",
    "AZURE_INFERENCE_CREDENTIAL",
    "AZURE_COGNITIVE_SERVICES_KEY",
    "SPEECH_KEY",
    "AZURE_SPEECH_KEY",
    "ACS_CONNECTION_STRING",
    "COMMUNICATION_SERVICES_CONNECTION_STRING",
    "EVENT_GRID_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_KEYVAULT_SECRET",
    "API_KEY",
)
LYING_ABOUT = {name: f"lying-about-{number}-{name.lower()}" for number, name in enumerate(NAMES)}


@pytest.fixture
def there() -> Iterator[Upstream]:
    with upstream() as there:
        yield there


@pytest.mark.parametrize("keyed", [False, True], ids=["tokens", "a key from the vault"])
async def test_no_key_of_the_environment_is_asked_for_or_goes_anywhere(
    there: Upstream, tmp_path: Path, keyed: bool
) -> None:
    settings = with_key(there) if keyed else {}
    async with product(tmp_path, there, **LYING_ABOUT, **settings) as served:
        for model in ("gpt-realtime", "live"):
            async with served.talking(model=model) as (page, _):
                await typed(page)
                await spoken(page)
                await page.say("end")
        await proxied(served)
        await proxied(served, there.user_token())
        logged = await served.stop()
    assert "IDENTITY_HEADER" in served.asked  # it does take down what is asked for
    assert served.asked.isdisjoint(NAMES)
    came = there.everything
    assert TYPED.encode() in came  # and what goes upstream
    assert (KEY.encode() in came) is keyed
    for value in LYING_ABOUT.values():
        assert value.encode() not in came
        assert value not in logged
    assert there.values(b"api-key") == ({KEY} if keyed else set())
