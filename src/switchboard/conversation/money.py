"""What a reply cost."""

from switchboard.conversation.events import Usage
from switchboard.conversation.rules import Price


def cost_usd(usage: Usage, price: Price) -> float:
    """USD. Cached tokens are a subset of the input tokens and have their own price."""
    return (
        (usage.input_text - usage.cached_text) * price.input_text
        + (usage.input_audio - usage.cached_audio) * price.input_audio
        + usage.cached_text * price.cached_text
        + usage.cached_audio * price.cached_audio
        + usage.output_text * price.output_text
        + usage.output_audio * price.output_audio
    ) / 1_000_000
