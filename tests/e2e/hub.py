"""A WebSub hub on loopback, in a thread of its own, as good or bad as a test wants it."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Coroutine
from io import BytesIO
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from tests.e2e.in_thread import InThread

T = TypeVar("T")
Form = dict[str, str]


class Hub(InThread):
    """Notes in `asked` what it is asked for; `answer` is its status, `confirms` whether it asks back, `echoes`
    whether it answers with what it was sent.

    lease_s: what it grants.
    """

    def __init__(self, lease_s: int = 864_000) -> None:
        super().__init__()
        self.asked: list[Form] = []
        self.answer, self.confirms, self.lease_s = 202, True, lease_s
        self.echoes = False
        self.confirmations: list[int] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hub"

    def of(self, mode: str, topic: str = "") -> list[Form]:
        """What it was asked for in this mode, in order."""
        return [form for form in self.asked if form["hub.mode"] == mode and topic in ("", form["hub.topic"])]

    def ask(self, form: Form, **changed: str) -> tuple[int, str]:
        """Ask back whether this was meant, with fields changed (`topic="..."`): status and body of the answer."""
        said = {"mode": form["hub.mode"], "topic": form["hub.topic"], "challenge": "abc", "lease_seconds": self.lease_s}
        query = {f"hub.{name}": str(value) for name, value in (said | changed).items()}
        return self._wait(self._get(form["hub.callback"], query))

    def push(self, form: Form, body: bytes | str, *, method: str = "sha256", secret: str = "", tries: int = 1) -> int:
        """Push a body, signed with the form's secret or this one (method "": not at all): the status.

        tries: so often until it is taken, as hubs do; 0 where nobody answers.
        """
        return self._wait(self.pushing(form, body, method=method, secret=secret, tries=tries))

    async def pushing(
        self, form: Form, body: bytes | str, *, method: str = "sha256", secret: str = "", tries: int = 1
    ) -> int:
        """The same in the hub's loop."""
        content = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": "application/rss+xml"}
        if method:
            made = hmac.new((secret or form["hub.secret"]).encode(), content, method).hexdigest()
            headers["X-Hub-Signature"] = f"{method}={made}"
        status = 0
        for _ in range(tries):
            try:
                async with self._session.post(form["hub.callback"], data=BytesIO(content), headers=headers) as response:
                    status = response.status
            except aiohttp.ClientError:
                status = 0
            if 200 <= status < 300:
                break
            await asyncio.sleep(0.05)
        return status

    def push_all(self, pushes: list[tuple[Form, str]], tries: int = 1) -> list[int]:
        """All of these at once; each status."""

        async def every() -> list[int]:
            return list(await asyncio.gather(*(self.pushing(form, body, tries=tries) for form, body in pushes)))

        return self._wait(every())

    def start(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Begin something in the hub's loop, and wait for nothing."""
        asyncio.run_coroutine_threadsafe(_awaited(work), self._loop)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _run(self) -> None:
        self._stopping, self._tasks = asyncio.Event(), set[asyncio.Task[None]]()
        app = web.Application()
        app.router.add_post("/hub", self._asked)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        connector = aiohttp.TCPConnector(limit=100)
        async with aiohttp.ClientSession(connector=connector) as self._session:
            self._ready.set()
            await self._stopping.wait()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await runner.cleanup()

    async def _asked(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.confirms and self.answer == 202:
            task = asyncio.create_task(self._confirm(form))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.echoes:
            return web.Response(status=self.answer, text=f"{form.get('hub.secret')} {form['hub.callback']}")
        return web.Response(status=self.answer, text="" if self.answer == 202 else "not here")

    async def _confirm(self, form: Form) -> None:
        query = {
            "hub.mode": form["hub.mode"],
            "hub.topic": form["hub.topic"],
            "hub.challenge": f"challenge-{len(self.asked)}",
            "hub.lease_seconds": str(self.lease_s),
        }
        status, said = await self._get(form["hub.callback"], query)
        self.confirmations.append(status)
        assert status != 200 or said == query["hub.challenge"]

    async def _get(self, url: str, query: Form) -> tuple[int, str]:
        async with self._session.get(url, params=query) as response:
            return response.status, await response.text()


async def _awaited(work: Callable[[], Awaitable[Any]]) -> None:
    await work()
