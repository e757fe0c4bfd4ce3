"""What waits for the link to the service. Commands wait their turn; late audio is let go."""

import asyncio
from collections import deque

from switchboard.conversation.audio import PCM_24K
from switchboard.model.codec import append


class Outbox:
    """Two bounded queues and one reader. Commands go first, and audio only once it is wanted."""

    def __init__(self, *, command_limit: int, audio_limit_ms: int) -> None:
        self._commands: deque[bytes] = deque()
        self._command_limit = command_limit
        self._audio: deque[str] = deque()
        self._audio_limit_chars = PCM_24K.size_bytes(audio_limit_ms) * 4 // 3
        self._audio_chars = 0
        self._audio_wanted = False
        self._filled = asyncio.Event()
        self.is_idle = False
        """Nothing waits, nothing is being sent, and audio may leave."""
        self.dropped = 0
        """Pieces of caller audio that were let go."""

    def put_command(self, frame: bytes) -> bool:
        """Queue a frame that must arrive. False when the queue is full: the link is stalled."""
        if len(self._commands) >= self._command_limit:
            return False
        self.is_idle = False
        self._commands.append(frame)
        self._filled.set()
        return True

    def put_audio(self, audio: str) -> None:
        """Queue base64 audio; what is too old for the limit falls out at the other end."""
        # Base64 is ASCII; anything else could not be sent and is no audio.
        if not audio or not audio.isascii():
            return
        self.is_idle = False
        self._audio.append(audio)
        # Every piece costs a frame's overhead too, or a flood of tiny ones would know no limit.
        self._audio_chars += len(audio) + _PIECE_OVERHEAD
        while self._audio_chars > self._audio_limit_chars:
            self._take_audio()
            self.dropped += 1
        self._filled.set()

    def want_audio(self) -> None:
        """From now on audio may leave: the session is configured."""
        self._audio_wanted = True
        self._filled.set()

    async def next(self) -> bytes:
        """The next frame to send; waits for one."""
        while True:
            if self._commands:
                return self._commands.popleft()
            if self._audio and self._audio_wanted:
                return append(self._take_audio())
            self._filled.clear()
            # Whoever takes the next frame has sent the one before.
            self.is_idle = self._audio_wanted
            await self._filled.wait()

    def _take_audio(self) -> str:
        audio = self._audio.popleft()
        self._audio_chars -= len(audio) + _PIECE_OVERHEAD
        return audio


_PIECE_OVERHEAD = 64
"""Characters charged for each piece: about what its event costs on the wire besides the audio."""
