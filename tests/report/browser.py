"""A headless Chromium, driven by the DevTools protocol over a pair of pipes."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 60.0
"""Seconds until a browser that says nothing is given up."""


def find_browser() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Tab:
    """One page in a browser: what it says on its console is kept."""

    def __init__(self, process: subprocess.Popen[bytes], reading: int, writing: int) -> None:
        self._process, self._reading, self._writing = process, reading, writing
        self._held, self._number, self._session = b"", 0, ""
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.events: list[str] = []
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable", {})

    def _send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, f"{method}: {found['error']}"
                return dict(found["result"])

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._held:
            ready, _, _ = select.select(
                [self._reading], [], [], max(0, deadline - time.monotonic())
            )
            assert ready, "the browser said nothing for a minute"
            part = os.read(self._reading, 1 << 20)
            assert part, "the browser ended"
            self._held += part
        one, _, self._held = self._held.partition(b"\0")
        message: dict[str, Any] = json.loads(one)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, about: dict[str, Any]) -> None:
        self.events.append(method)
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(about["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.complaints.append(str(about["args"]))
        elif method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(about["entry"]))
        elif method == "Network.requestWillBeSent":
            url = about["request"]["url"]
            if not url.startswith("data:"):
                self.requested.append(url)

    def show(self, path: Path, width: int, height: int = 900) -> None:
        """Open a file in a window of that size, and wait until it is there."""
        self._send(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        self.events.clear()
        self._send("Page.navigate", {"url": path.resolve().as_uri()})
        while "Page.loadEventFired" not in self.events:
            self._next()

    def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is waited for."""
        found = self._send(
            "Runtime.evaluate",
            {"expression": expression, "returnByValue": True, "awaitPromise": True},
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str, code: int, times: int = 1) -> None:
        """Press a key as a person does."""
        typed = {"text": "\r"} if key == "Enter" else {}
        for _ in range(times):
            for kind in ("keyDown" if typed else "rawKeyDown", "keyUp"):
                about = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
                self._send("Input.dispatchKeyEvent", about | (typed if kind == "keyDown" else {}))

    def type_of_media(self, **features: str) -> None:
        """Pretend that the reader has set preferences, such as for reduced motion."""
        held = [{"name": k.replace("_", "-"), "value": value} for k, value in features.items()]
        self._send("Emulation.setEmulatedMedia", {"features": held})

    def photograph(self, path: Path, whole: bool = True) -> None:
        """Save what is shown as PNG."""
        self.run("Promise.all(Array.from(document.images, (each) => each.decode()))")
        about = {"captureBeyondViewport": whole, "format": "png", **self._clip(whole)}
        found = self._send("Page.captureScreenshot", about)
        path.write_bytes(base64.b64decode(found["data"]))

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self._send("Page.getLayoutMetrics", {})["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "scale": 1, **{k: size[k] for k in ("width", "height")}}}


@contextmanager
def browser() -> Iterator[Tab]:
    """Yield a page of a browser of its own; skip where there is no browser."""
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium on this machine (Debian's package is called chromium)")
    # The browser reads commands from its file 3 and answers to its file 4.
    (its_in, our_out), (our_in, its_out) = os.pipe(), os.pipe()
    its_in, its_out = (fcntl.fcntl(each, fcntl.F_DUPFD, 20) for each in (its_in, its_out))

    def hand_over() -> None:
        os.dup2(its_in, 3)
        os.dup2(its_out, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-extensions", "--disable-component-update",
                "--disable-background-networking", f"--user-data-dir={folder}",
                "--remote-debugging-pipe", "about:blank",
            ],
            preexec_fn=hand_over,
            pass_fds=(3, 4),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for each in (its_in, its_out):
            os.close(each)
        try:
            yield Tab(process, our_in, our_out)
        finally:
            process.kill()
            process.wait(30)
            for each in (our_in, our_out):
                os.close(each)
