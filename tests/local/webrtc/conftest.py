"""Debian's Chromium in front of a page, with a microphone that is a file."""

import wave
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from playwright.async_api import Page, async_playwright

from tests.local.realtime.conftest import JS, node
from tests.local.realtime.doubles import served, silence, tone

__all__ = ["node"]

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
SDK: Final = JS / "node_modules/@openai/agents-realtime/dist/bundle"

type Visiting = Callable[[str], AbstractAsyncContextManager[Page]]
"""Opens a page by its name in a fresh browser."""


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """A question after a second and a half; in the midst of its answer, an interruption."""
    pcm = silence(1500) + tone(700) + silence(7000) + tone(1000) + silence(30_000)
    path = tmp_path / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.repeat(np.frombuffer(pcm, np.int16), 2).tobytes())
    return path


@pytest.fixture
def pages() -> Generator[str]:
    """The address of the pages: another origin than the local cloud's."""
    app = FastAPI()
    if SDK.is_dir():
        app.mount("/sdk", StaticFiles(directory=SDK))
    app.mount("/", StaticFiles(directory=Path(__file__).parent / "pages"))
    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def visiting(pages: str, microphone: Path) -> Visiting:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    return partial(_visit, pages, microphone)


@asynccontextmanager
async def _visit(pages: str, microphone: Path, name: str) -> AsyncGenerator[Page]:
    microphone_flag = f"--use-file-for-fake-audio-capture={microphone}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, microphone_flag]
        )
        page = await browser.new_page()
        await page.goto(f"{pages}/{name}")
        yield page
        await browser.close()
