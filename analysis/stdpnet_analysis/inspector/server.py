"""Answer the browser of `stdpnet inspect`, read-only: on this machine only, or from elsewhere with a token."""

from __future__ import annotations

import asyncio
import hmac
import io
import ipaddress
import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.util.paths import bokehjs_path
from PIL import Image
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler, StaticFileHandler

from stdpnet.errors import ConfigError, StdpnetError
from stdpnet_analysis.inspector import charts
from stdpnet_analysis.inspector.library import Library

STATIC = Path(__file__).parent / "static"
COOKIE = "stdpnet_token"
LARGEST = 2**20
"""Largest request, bytes: enough for a drawing of 300 x 300 pixels."""
WIDEST = 300
"""Most pixels of a side of a drawing."""
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'none'; "
    "form-action 'none'; base-uri 'none'"
)
"""The page loads nothing from other hosts. Bokeh needs inline styles, and its icons are data URIs."""


class Guarded(RequestHandler):
    """Base of all handlers: it checks who may ask, and tells the browser what a page may do."""

    def set_default_headers(self) -> None:
        """Forbid everything that the page does not need."""
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> None:
        """Refuse requests without the token, to another host name than this machine's, or from other pages."""
        token: str | None = self.settings["token"]
        if token is None and not is_local(self.request.host_name.strip("[]")):
            raise HTTPError(403, "this name is not the machine's own")
        origin = self.request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != self.request.host:
            raise HTTPError(403, "another page may not ask")
        if token is not None:
            given = self.get_query_argument("token", "") or self.get_cookie(COOKIE) or ""
            if not hmac.compare_digest(given.encode(), token.encode()):
                raise HTTPError(403, "open the address with the token that `stdpnet inspect` has printed")
            self.set_cookie(COOKIE, token, httponly=True, samesite="Strict")

    def write_error(self, status_code: int, **reason: Any) -> None:
        """Answer with one sentence."""
        error = reason["exc_info"][1] if "exc_info" in reason else None
        sentence = error.log_message if isinstance(error, HTTPError) else None
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": sentence or f"error {status_code}"}))


class Page(Guarded):
    """The page."""

    def get(self) -> None:
        """Answer the page; the token, once in a cookie, disappears from the address."""
        if self.get_query_argument("token", ""):
            self.redirect("/")
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish((STATIC / "page.html").read_bytes())


class Script(Guarded, StaticFileHandler):
    """Files of the page and of Bokeh."""


class Answer(Guarded):
    """Data of runs; one request at a time is computed, in a thread beside the event loop."""

    async def get(self, what: str) -> None:
        """Answer with data of a run."""
        await self._answer(QUESTIONS.get(what))

    async def post(self, what: str) -> None:
        """Answer with the activity that a drawing evokes; nothing is written."""
        await self._answer(_drawing if what == "drawing" else None)

    async def _answer(self, question: Callable[[Library, Guarded], Any] | None) -> None:
        if question is None:
            raise HTTPError(404, "there is no such thing here")
        pool: ThreadPoolExecutor = self.settings["pool"]
        try:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(pool, question, self.settings["library"], self)
        except StdpnetError as error:
            raise HTTPError(400, str(error)) from None
        if isinstance(found, bytes):
            self.set_header("Content-Type", "image/png")
            self.finish(found)
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps(found, default=float))


def _run(handler: Guarded) -> str:
    return handler.get_query_argument("run", "")


def _number(handler: Guarded, name: str) -> int:
    try:
        return int(handler.get_query_argument(name, "0"))
    except ValueError:
        raise ConfigError(f"{name}: is no whole number; give one") from None


def _drawn(handler: Guarded, *found: Any) -> list[Any]:
    dark = handler.get_query_argument("dark", "") == "1"
    return [charts.as_json(chart, dark) for chart in found]


def _watched(handler: Guarded, found: list[charts.Chart]) -> dict[str, Any]:
    """Return the columns of charts, and the charts themselves where the page does not have them yet."""
    new = found if handler.get_query_argument("charts", "1") == "1" else []
    return {"columns": [chart.columns for chart in found], "charts": _drawn(handler, *(chart.draw() for chart in new))}


def _progress(library: Library, handler: Guarded) -> Any:
    return _watched(handler, charts.progress(library.progress(_run(handler))))


def _histograms(library: Library, handler: Guarded) -> Any:
    found = library.histograms(_run(handler))
    return {**_watched(handler, charts.histograms(found)), "lacks": found["lacks"], "images": found["images"]}


def _compare(library: Library, handler: Guarded) -> Any:
    found = library.comparison(handler.get_query_arguments("run"))
    return {
        "charts": _drawn(handler, *charts.comparison(found)),
        "tables": found["tables"],
        "left_out": found["left_out"],
    }


def _neuron(library: Library, handler: Guarded) -> Any:
    inside = library.inside(_run(handler))
    found = inside.neuron(_number(handler, "neuron"))
    votes = found.pop("votes")
    chart = [] if votes is None else [charts.bars("Votes", inside.view.classes, votes, "spikes per image")]
    return {**found, "charts": _drawn(handler, *chart)}


def _fields(library: Library, handler: Guarded) -> bytes:
    pixels, _, _ = library.fields(_run(handler), _number(handler, "position"))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _image(library: Library, handler: Guarded) -> Any:
    return _shown(library, handler, lambda inside: inside.image(_number(handler, "number")))


def _drawing(library: Library, handler: Guarded) -> Any:
    return _shown(library, handler, lambda inside: inside.drawing(pixels_of(handler.request.body)))


def _shown(library: Library, handler: Guarded, show: Callable[[Any], dict[str, Any]]) -> Any:
    inside = library.inside(_run(handler))
    for need in ("state", "images"):
        if (reason := inside.view.lacks(need)) is not None:
            raise ConfigError(reason)
    found = show(inside)
    activity, classes = found.pop("activity"), inside.view.classes
    found["classes"] = list(classes)
    found["spikes"] = activity and activity["spikes"]
    found["charts"] = [] if activity is None else _drawn(handler, *charts.activity(activity, classes))
    return found


QUESTIONS: dict[str, Callable[[Library, Guarded], Any]] = {
    "runs": lambda library, handler: library.runs(),
    "about": lambda library, handler: library.inside(_run(handler)).about(),
    "progress": _progress,
    "histograms": _histograms,
    "compare": _compare,
    "neuron": _neuron,
    "fields.png": _fields,
    "image": _image,
}
"""End of an address -> the function that computes its answer."""


def pixels_of(body: bytes) -> np.ndarray[Any, Any]:
    """Return the drawing (h, w) uint8 of a request: JSON, a list of rows of 0 to 255.

    Raises
    ------
    ConfigError
        If it is anything else.
    """
    try:
        rows = np.asarray(json.loads(body))
    except (ValueError, RecursionError):
        rows = np.zeros(0)
    kind = rows.ndim == 2 and rows.dtype.kind == "i"
    if not kind or not 1 <= min(rows.shape) <= max(rows.shape) <= WIDEST or rows.min() < 0 or rows.max() > 255:
        raise ConfigError(
            f"drawing: is no list of rows of whole numbers 0..255, at most {WIDEST} x {WIDEST}; draw anew"
        )
    return rows.astype(np.uint8)


def is_local(host: str) -> bool:
    """Return whether a host is this machine for itself: localhost, or a loopback address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def application(folder: Path, token: str | None = None) -> Application:
    """Return the web application.

    Parameters
    ----------
    folder : a folder of runs
    token : what a browser must send; None: only this machine is answered
    """
    pool = ThreadPoolExecutor(1, "inspector")
    return Application(
        [
            (r"/", Page),
            (r"/static/(page\.js|inside\.js|page\.css)", Script, {"path": str(STATIC)}),
            (r"/bokeh/(bokeh\.min\.js)", Script, {"path": str(bokehjs_path() / "js")}),
            (r"/api/([a-z.]+)", Answer),
        ],
        default_handler_class=Missing,
        library=Library(folder),
        token=token,
        pool=pool,
        log_function=lambda handler: None,
    )


class Missing(Guarded):
    """All other addresses."""

    def get(self) -> None:
        """Answer with error 404."""
        raise HTTPError(404, "there is no such thing here")


async def serve(folder: Path, host: str, port: int, ready: Callable[[str], object]) -> None:
    """Answer until this task is cancelled.

    Parameters
    ----------
    folder : a folder of runs
    host : address to listen at; where other machines can reach it, a token is required
    port : to listen at; 0: any free port
    ready : called with the address to open

    Raises
    ------
    ConfigError
        If the address cannot be listened at.
    """
    token = None if is_local(host) else secrets.token_urlsafe(24)
    answering = application(folder, token)
    try:
        sockets = bind_sockets(port, host)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"--host {host} --port {port}: cannot be listened at ({error}); choose another") from None
    server = HTTPServer(answering, max_buffer_size=LARGEST)
    server.add_sockets(sockets)
    name = f"[{host}]" if ":" in host else host
    ready(f"http://{name}:{sockets[0].getsockname()[1]}/{f'?token={token}' if token else ''}")
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()
        answering.settings["pool"].shutdown(wait=False, cancel_futures=True)
