"""Drive headless Chromium by its own protocol, over the web socket of tornado."""

import asyncio
import base64
import json
import shutil
import subprocess
import time
from urllib.request import urlopen

from tornado.websocket import websocket_connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-quic"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"]


class Browser:
    """One page of a browser; `complaints` has what went to its console at some levels, and exceptions."""

    def __init__(self, profile, dark=False, width=1280, levels=("error", "warning")):
        command = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._levels, self.complaints, self._number = levels, [], 0
        self._loop = asyncio.new_event_loop()
        port = self._port(profile / "DevToolsActivePort")
        with urlopen(f"http://127.0.0.1:{port}/json") as answer:
            page = next(each for each in json.load(answer) if each["type"] == "page")
        self._socket = self._loop.run_until_complete(self._connected(page["webSocketDebuggerUrl"]))
        for domain in ("Runtime", "Page", "Log"):
            self.do(f"{domain}.enable")
        self.resize(width, mobile=width < 500)
        self.prefer(dark)

    async def _connected(self, address):
        return await websocket_connect(address, max_message_size=2**26)

    def _port(self, file):
        for _ in range(600):
            if file.exists() and (text := file.read_text()).count("\n"):
                return int(text.split()[0])
            time.sleep(0.05)
        raise TimeoutError("Chromium does not answer")

    def do(self, method, **parameters):
        return self._loop.run_until_complete(asyncio.wait_for(self._do(method, parameters), 60))

    async def _do(self, method, parameters):
        self._number += 1
        await self._socket.write_message(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            said = json.loads(await self._socket.read_message())
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]
            if said.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(said["params"]["exceptionDetails"])
            if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] in self._levels:
                self.complaints.append(said["params"]["entry"])
            if said.get("method") == "Runtime.consoleAPICalled" and said["params"]["type"] in self._levels:
                self.complaints.append(said["params"]["args"])

    def resize(self, width, mobile=False):
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=mobile)

    def prefer(self, dark):
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", features=[scheme])

    def eval(self, expression):
        found = self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression, seconds=60):
        end = time.monotonic() + seconds
        while not (found := self.eval(expression)):
            assert time.monotonic() < end, f"{expression}: {self.eval('document.body.innerText')}"
            time.sleep(0.05)
        return found

    def key(self, name, text=None):
        self.do("Input.dispatchKeyEvent", type="keyDown", key=name, code=name, **({"text": text} if text else {}))
        self.do("Input.dispatchKeyEvent", type="keyUp", key=name, code=name)

    def drag(self, points):
        for number, (x, y) in enumerate(points):
            kind = "mousePressed" if number == 0 else "mouseMoved"
            self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        self.do("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path):
        shot = self.do("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self._process.terminate()
        self._process.wait()
        self._loop.close()
