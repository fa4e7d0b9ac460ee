"""The files that pages are made with: what a page runs is of one version."""

import re

from worker.web.assets import load


def test_scripts_import_the_versions_that_are_served() -> None:
    """By address, so that no browser runs a script that it kept beside a newer one."""
    assets = load()
    imported = [
        (importer.name, name.decode(), version.decode())
        for importer in assets.values()
        for name, version in re.findall(rb'from "\./(\w+\.js)(?:\?v=(\w+))?";', importer.body)
    ]
    assert {"stories_rows.js", "stories_stream.js"} <= {name for _, name, _ in imported}
    assert [each for each in imported if each[2] != assets[each[1]].version] == []
