"""The embedded engine as a caller meets it: how soon it answers, and how well it hears.

`python -m bench.engine [--conversations 1,4] [--utterances 24] [--clips 0]`

Latency is measured through the real local cloud over its WebSocket: recorded human speech, paced in
real time, and the time from its last sample sent to the first audio received. The chat stand-in
never says the same words twice, so the voice is measured and not its memory.

Word error rate is of the ears alone, on the held-out recordings that nothing was tuned on.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.caller import Turn, converse
from bench.clips import Clip, clips
from bench.processes import PYTHON, answering, cpu_seconds, free_port, resident_mib, running
from bench.report import percentile, print_result
from bench.words import Heard, confidence_interval, normal_words, word_error_rate
from switchboard_local.engine.ears import MoonshineEars
from switchboard_local.engine.samples import RATE_HZ, from_pcm, resampled, to_pcm

_SILENCE_MS: Final = 400
"""What the demonstration profile asks for as the end of a turn."""
_SHORTEST_S: Final = 1.2
_LONGEST_S: Final = 5.0
_STAGGER_S: Final = 1.7


async def run(
    *, conversations: int | str = "1,4", utterances: int = 24, clips: int = 0
) -> dict[str, Any]:
    """Both measurements. `clips`: how many held-out recordings to transcribe, 0 for all."""
    counts = [int(count) for count in str(conversations).split(",")]
    latency = [await _latency(count, utterances) for count in counts]
    hearing = await _hearing(clips)
    return {
        f"end of speech to first audio, ms ({_SILENCE_MS} ms of silence end a turn)": [
            row for row, _ in latency
        ],
        "word error rate of the ears, held-out human speech at 8 kHz": [hearing[0]],
        "_turns": {
            str(count): [asdict(turn) for turn in turns]
            for count, (_, turns) in zip(counts, latency, strict=True)
        },
        "_misheard": hearing[1],
    }


async def _latency(conversations: int, utterances: int) -> tuple[dict[str, Any], list[Turn]]:
    """`utterances` in all, at least, shared among `conversations` at once."""
    each = -(-utterances // conversations)
    chosen = _utterances(each * conversations)
    async with _local_cloud() as (url, pid):
        cpu_s, began = cpu_seconds(pid), time.perf_counter()
        async with asyncio.TaskGroup() as calls:
            tasks = [
                calls.create_task(
                    converse(url, chosen[at::conversations], _SILENCE_MS, at * _STAGGER_S)
                )
                for at in range(conversations)
            ]
        took_s = time.perf_counter() - began
        turns = [turn for task in tasks for turn in task.result()]
        cores = (cpu_seconds(pid) - cpu_s) / took_s
        return _row(conversations, turns, cores, resident_mib(pid)), turns


def _row(conversations: int, turns: Sequence[Turn], cores: float, mib: float) -> dict[str, Any]:
    whole = [turn for turn in turns if not turn.cut_early]
    audio = [turn.audio_ms for turn in whole]
    heard = [Heard(turn.clip, turn.said, turn.understood) for turn in whole]
    return {
        "conversations": conversations,
        "turns": len(whole),
        "cut early": len(turns) - len(whole),
        "p50": round(percentile(audio, 50)),
        "p95": round(percentile(audio, 95)),
        "worst": round(max(audio)),
        "stopped p50": round(percentile([turn.stopped_ms for turn in whole], 50)),
        "created p50": round(percentile([turn.created_ms for turn in whole], 50)),
        "WER %": round(100 * word_error_rate(heard), 1),
        "service cores, without voice": round(cores, 2),
        "service MiB": round(mib),
    }


def _utterances(count: int) -> list[Clip]:
    """Single sentences of ordinary length, the same ones every time, again when they run out."""
    whole = [
        clip
        for clip in clips("held out")
        if _SHORTEST_S <= clip.seconds <= _LONGEST_S
        and not any(mark in clip.text.strip()[:-1] for mark in ".?!;:,")
    ]
    spread = whole[:: max(1, len(whole) // count)]
    return (spread * (1 + count // max(1, len(spread))))[:count]


@asynccontextmanager
async def _local_cloud() -> AsyncGenerator[tuple[str, int]]:
    """The local cloud with the embedded engine and the chat stand-in: its address and process."""
    port, chat_port = free_port(), free_port()
    url, chat = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{chat_port}"
    environment = {"LOCAL_CLOUD_PORT": str(port), "LOCAL_LLM_URL": f"{chat}/v1"}
    with TemporaryDirectory() as scratch:
        chat_log, log = Path(scratch, "chat"), Path(scratch, "cloud")
        serve = [PYTHON, "-m", "switchboard_local", "serve"]
        async with (
            running([PYTHON, "-m", "bench.chat", str(chat_port)], {}, chat_log) as standin,
            running(serve, environment, log) as cloud,
        ):
            await answering(f"{chat}/health", standin, chat_log)
            await answering(f"{url}/health", cloud, log)
            yield url, cloud.pid


async def _hearing(count: int) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Every held-out recording through the ears; also what was misheard."""
    ears = await MoonshineEars.load()
    chosen = clips("held out")[: count or None]
    heard: list[Heard] = []
    took_s: list[float] = []
    for clip in chosen:
        pcm, rate_hz = clip.pcm()
        audio = to_pcm(resampled(from_pcm(pcm), rate_hz, RATE_HZ))
        began = time.perf_counter()
        heard.append(Heard(clip.name, clip.text, await ears.transcribe(audio)))
        took_s.append(time.perf_counter() - began)
    await ears.close()
    low, high = confidence_interval(heard)
    row = {
        "ears": ears.info.name,
        "clips": len(heard),
        "words": sum(len(normal_words(each.said)) for each in heard),
        "WER %": round(100 * word_error_rate(heard), 2),
        "95 % from": round(100 * low, 2),
        "to": round(100 * high, 2),
        "clips without error": sum(each.errors == 0 for each in heard),
        "ms a clip, p50": round(1000 * percentile(took_s, 50)),
        "p95": round(1000 * percentile(took_s, 95)),
    }
    wrong = [
        {"clip": each.name, "said": each.said, "understood": each.understood}
        for each in heard
        if each.errors
    ]
    return row, wrong


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine")
    parser.add_argument("--conversations", default="1,4")
    parser.add_argument("--utterances", type=int, default=24)
    parser.add_argument("--clips", type=int, default=0)
    options = parser.parse_args()
    print_result(asyncio.run(run(**vars(options))))


if __name__ == "__main__":
    main()
