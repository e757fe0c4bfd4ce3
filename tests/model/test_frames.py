"""Messages that we put on the wire ourselves are what the library reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from switchboard.model.frames import Masks, masked_frame

SIZES = (0, 1, 125, 126, 65_535, 65_536, 200_000)


def read(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    assert not reader.buffer
    return parsed.value.value


@given(st.sampled_from(SIZES), st.booleans(), st.binary(min_size=4, max_size=4))
def test_a_message_comes_out_as_it_went_in(size: int, is_text: bool, key: bytes) -> None:
    message = "é" * (size // 2) if is_text else bytes(size)
    got = read(masked_frame(message, key))
    assert got.opcode is (Opcode.TEXT if is_text else Opcode.BINARY)
    assert got.fin
    assert bytes(got.data) == (message.encode() if isinstance(message, str) else message)


def test_no_mask_is_used_twice_in_a_row_and_none_is_short() -> None:
    masks = Masks()
    drawn = [masks.next() for _ in range(5_000)]
    assert {len(key) for key in drawn} == {4}
    assert len(set(drawn)) > 4_980  # of four thousand million
