"""What is done after calls, built and joined: who reads them, and who tells the webhooks."""

from collections.abc import Callable, Mapping
from functools import partial

import anyio

from switchboard.after.delivery import Deliveries
from switchboard.after.guard import Allowed
from switchboard.after.reading import Job, Reading
from switchboard.after.signing import Signer
from switchboard.agents.after import AfterEntry, Webhook
from switchboard.conversation.legs import Dial
from switchboard.errors import ConfigurationError, ModelUnavailable, NotAllowed
from switchboard.model.aside import ask_by_dialling
from switchboard.model.chat import ChatModel
from switchboard.model.config import ModelConfig
from switchboard.reception import Reception
from switchboard.records.after import Ended
from switchboard.records.store import Store
from switchboard.services import Identities
from switchboard.settings import Settings

BUSY_SHARE = 0.75
"""Of the lines: beyond it, calls that are over wait for those that live."""


class Aftermath:
    """`live` counts the calls that last. Raises `ConfigurationError`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        reception: Reception,
        dial: Dial,
        identities: Identities,
        *,
        live: Callable[[], int],
    ) -> None:
        self._reception = reception
        self._dial = dial
        self._chat = _chat(settings, identities)
        secret = settings.webhook_secret
        signer = Signer(secret.get_secret_value()) if secret else None
        most = BUSY_SHARE * settings.max_calls
        self.reading = Reading(store, self, busy=lambda: live() > most)
        self.deliveries = Deliveries(
            store,
            self.webhook_of,
            signer,
            Allowed(private=settings.webhook_private, loopback=settings.is_local),
        )

    async def run(self) -> None:
        """Until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.reading.run)
            tasks.start_soon(self.deliveries.run)

    def wanted(self) -> Mapping[str, AfterEntry]:
        return self._reception.after()

    def webhook_of(self, agent: str) -> Webhook | None:
        after = self._reception.after().get(agent)
        return None if after is None else after.webhook

    def job(self, ended: Ended) -> Job | None:
        after = self._reception.after().get(ended.agent)
        if after is None:
            return None
        language = self._reception.language(ended.agent)
        redaction = self._reception.redaction(ended.agent)
        if self._chat is not None:
            return Job(after, language, redaction, self._chat.model, self._chat.ask)
        try:
            spec, price = self._reception.beside(ended.agent, ended.model)
        except NotAllowed as why:
            raise ModelUnavailable(str(why), retryable=False) from None
        ask = partial(ask_by_dialling, self._dial, spec)
        return Job(after, language, redaction, spec.model, ask, price)


def _chat(settings: Settings, identities: Identities) -> ChatModel | None:
    if settings.after_model is None:
        return None
    if settings.azure_openai_endpoint is None:
        raise ConfigurationError(
            "AFTER_MODEL is set, but AZURE_OPENAI_ENDPOINT is not: say where it is deployed."
        )
    config = ModelConfig(settings.azure_openai_endpoint, settings.azure_openai_scope)
    return ChatModel(config, identities.towards(settings.azure_openai_scope), settings.after_model)
