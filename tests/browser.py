"""Chromium without a screen and without a network, driven over its own debugging protocol."""

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import websocket

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", "--remote-debugging-port=0",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # fmt: skip
PATIENCE_S = 180  # of a machine that does much else


class Page:
    """One tab. Scripts that are evaluated in it are the tester's own: no policy of the page applies to them."""

    def __init__(self, connection: websocket.WebSocket) -> None:
        self._connection, self._calls = connection, 0
        self("Page.enable")

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One call of the protocol, and its result."""
        self._calls += 1
        self._connection.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while (answer := json.loads(self._connection.recv())).get("id") != self._calls:
            pass  # an event
        assert "error" not in answer, f"{method}: {answer.get('error')}"
        return answer["result"]

    def open(self, address: str, width: int = 1280) -> None:
        """Load a page at a width, up to its load event."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self("Page.navigate", url="about:blank")
        self("Page.navigate", url=address)
        self.wait_for(
            f"location.href.startsWith({json.dumps(address)}) && document.readyState === 'complete'"
        )

    def ask(self, expression: str) -> Any:
        """The value of an expression, or of the promise that it gives."""
        said = self("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Until a condition holds."""
        end = time.monotonic() + PATIENCE_S
        while not self.ask(condition):
            assert time.monotonic() < end, f"waited too long for {condition}"
            time.sleep(0.1)  # to ask is work for the page


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """A browser with a fresh profile and one tab, for as long as the block runs."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with contextlib.closing(websocket.create_connection(_tab(profile), suppress_origin=True)) as tab:
                tab.settimeout(PATIENCE_S)
                yield Page(tab)
        finally:
            process.terminate()


def _tab(profile: Path) -> str:
    """The address of the browser's only tab."""
    end = time.monotonic() + PATIENCE_S
    file = profile / "DevToolsActivePort"
    while time.monotonic() < end:
        if file.is_file() and (lines := file.read_text().split()):
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json") as answer:
                tabs = [one for one in json.load(answer) if one["type"] == "page"]
            if tabs:
                return tabs[0]["webSocketDebuggerUrl"]
        time.sleep(0.05)
    raise TimeoutError("Chromium did not start")
