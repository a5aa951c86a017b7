"""Full comparisons on the command line, against a real HTTP server."""

from __future__ import annotations

import json

from integration.cli.folders import Folder
from usher.testing.hostile_server import HostileServer

ALL = "scope: {include: All}"
EACH_TIME = f"{ALL}\n  schedule: {{fullInterval: 1ms}}"


def test_what_somebody_changed_is_told_put_back_and_orphans_are_named(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada", "bob"])
    folder.change("people.yaml", ALL, EACH_TIME)
    assert folder.sync().exit_code == 0
    nothing_yet = folder.run("links", "people", "--orphans")
    assert nothing_yet.exit_code == 0
    assert "no full comparison has been made yet" in nothing_yet.stdout
    assert folder.sync().exit_code == 0
    ada = next(iter(app.app.accounts))
    app.app.change(ada, "title", "Emperor")
    orphan = app.app.plant({"userName": "stranger", "active": True})

    planned = folder.run("plan")
    assert "2 linked users compared with the app: 1 changed by somebody else, 0 gone, 1 orphans" in planned.stdout
    assert app.app.document(ada)["title"] == "Emperor"
    synced = folder.sync()
    assert "2 linked users compared with the app: 0 changed by somebody else, 0 gone, 1 orphans" in synced.stdout
    assert app.app.document(ada)["title"] != "Emperor"

    shown = folder.run("links", "people", "--orphans")
    assert "default/people: 1 orphan" in shown.stdout
    assert orphan in shown.stdout
    (data,) = json.loads(folder.run("links", "people", "--orphans", "-o", "json").stdout)["orphans"]
    assert (data["resourceType"], data["total"], data["targetIds"]) == ("User", 1, [orphan])
    assert folder.run("logs", "people").stdout.count("DriftedRevert") == 1


def test_orphans_are_not_handed_over(folder: Folder) -> None:
    result = folder.run("links", "people", "--orphans", "--transfer", "other")
    assert result.exit_code == 2
    assert "give one of them" in result.stderr
