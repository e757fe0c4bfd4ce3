from pathlib import Path

import pytest

from switchboard_local.mind import vectors
from switchboard_local.mind.chat import ChatMind
from switchboard_local.mind.load import load_mind, load_offline_mind
from switchboard_local.mind.parts import Call, Request
from switchboard_local.mind.vectors import NoEmbeddings, load_embeddings
from tests.local.mind.peers import TODAY, heard, tool


async def test_a_chat_endpoint_is_used_where_one_is_given() -> None:
    mind = await load_mind(llm_url="http://127.0.0.1:9/v1", llm_model="small")
    assert isinstance(mind, ChatMind)
    assert mind.info.name == "chat model small"
    assert mind.address == "http://127.0.0.1:9/v1/chat/completions"


@pytest.mark.embedded
async def test_the_offline_mind_reads_its_embeddings() -> None:
    mind = await load_mind(today=lambda: TODAY)
    assert (mind.info.kind, mind.info.fallback) == ("mind", False)
    asked = Request("", [tool("list_cards", "List the bank cards.")], "auto", [heard("my cards")])
    assert [thought async for thought in mind.reply(asked)] == [Call("list_cards", "{}")]


@pytest.mark.embedded
def test_near_words_have_near_vectors() -> None:
    embeddings = load_embeddings()
    near = embeddings.word("cab") @ embeddings.word("taxi")
    far = embeddings.word("dog") @ embeddings.word("mortgage")
    assert near > far + 0.2


def test_without_its_data_the_mind_goes_by_words_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vectors, "_package_folder", lambda: tmp_path)
    mind = load_offline_mind(lambda: TODAY)
    assert mind.info.fallback
    assert "cannot be read" in mind.info.reason


def test_data_that_is_not_what_we_know_is_refused(tmp_path: Path) -> None:
    for name, _ in (vectors.WEIGHTS, vectors.TOKENIZER):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(NoEmbeddings, match="not the one we know"):
        load_embeddings(tmp_path)
