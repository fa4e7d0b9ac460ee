"""Takes docs/page.png, the picture of the page on top of the README: half a day of the demo newsroom in a real browser.

Run it with `make picture`; it needs Chromium. The clock stands still, so that the picture is the same each time.
"""

import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from docs.picture import articles
from tests.e2e.site import fill, running_site
from tests.servers import free_port
from worker.clock import ManualClock
from worker.config import load
from worker.errors import BadInput
from worker.runtime import open_runtime

TARGET = Path(__file__).with_name("page.png")
_SIZE: ViewportSize = {"width": 1200, "height": 750}
_SHARPNESS = 1.5
_LOOKED_BEFORE_S = 2400.0
"""When whoever sees the picture last looked: what came since is marked."""


def main() -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    found = articles()
    now = max(article.received for article in found) + 60
    listen = {"STORYWIRE_LISTEN": f"127.0.0.1:{free_port()}"}
    with (
        tempfile.TemporaryDirectory(prefix="sw-") as folder,
        open_runtime(load(listen, data_dir=folder), ManualClock(now)) as runtime,
    ):
        fill(runtime, found)
        with running_site(runtime) as site:
            TARGET.write_bytes(taken(site.url, now - _LOOKED_BEFORE_S))


def taken(url: str, looked: float) -> bytes:
    """The page at this address, as PNG, as somebody sees it who looked last at that time."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise BadInput("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(
            viewport=_SIZE,
            device_scale_factor=_SHARPNESS,
            color_scheme="light",
        )
        page.add_init_script(f"localStorage.setItem('storywire.looked', '{looked}')")
        page.goto(url)
        page.locator("#live[data-state=live]").wait_for()
        picture = page.screenshot(animations="disabled")
        browser.close()
    return picture


if __name__ == "__main__":
    main()
