"""A form with secrets is sent to one address, and to no other that this one names."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from worker.fetch.guard import Guard
from worker.fetch.post import Posted, Poster

FORM = {"hub.secret": "SECRET", "hub.callback": "https://us.example/websub/f/TOKEN"}


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    async with Poster(user_agent="test", timeout_s=10.0, guard=Guard("1")) as poster:
        yield poster


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_redirect_is_followed(poster: Poster, status: int, host: str) -> None:
    """Neither to the same server nor to another: nothing else ever sees what is sent."""
    taken = list[str]()

    async def answer(request: web.Request) -> web.Response:
        taken.append(request.path)
        assert dict(await request.post()) == FORM
        return web.Response(status=status, headers={"Location": f"http://{host}:{port}/other"})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        posted = await poster.post(f"http://127.0.0.1:{port}/hub", FORM)
    finally:
        await runner.cleanup()
    assert posted == Posted(status, f"answers {status}, a redirect, which is not followed with a secret")
    assert taken == ["/hub"]
