"""A SCIM server that nobody here wrote, seen past everything of ours: its accounts, and how to put some there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Self

import httpx

from usher.core.model.resources import Json
from usher.core.scim.paths import GROUP_URN, USER_URN

TOKEN: Final = "let-me-in"


class Server:
    """A running server: its base address, and the bearer token that it takes. Tests share its accounts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = TOKEN
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"}
        self._client = httpx.Client(base_url=url, headers=headers, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def accounts(self) -> Sequence[Mapping[str, Json]]:
        """The first thousand."""
        return self._listed("/Users")

    def groups(self) -> Sequence[Mapping[str, Json]]:
        """The first thousand, with their members."""
        return self._listed("/Groups")

    def _listed(self, collection: str) -> Sequence[Mapping[str, Json]]:
        answer = self._client.get(collection, params={"startIndex": 1, "count": 1000}).raise_for_status()
        found: Sequence[Mapping[str, Json]] = answer.json().get("Resources", [])
        return found

    def group(self, target_id: str) -> Mapping[str, Json] | None:
        """One group with its members, None where there is none of that id."""
        answer = self._client.get(f"/Groups/{target_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: Mapping[str, Json] = answer.raise_for_status().json()
        return found

    def plant(self, account: Mapping[str, Json]) -> None:
        """Makes an account that was there before us."""
        self._client.post("/Users", json={"schemas": [USER_URN], **account}).raise_for_status()

    def plant_group(self, group: Mapping[str, Json]) -> None:
        """Makes a group that was there before us."""
        self._client.post("/Groups", json={"schemas": [GROUP_URN], **group}).raise_for_status()

    def empty(self) -> None:
        """Removes every account and every group."""
        for collection in ("/Groups", "/Users"):
            while listed := self._listed(collection):
                for one in listed:
                    self._client.delete(f"{collection}/{one['id']}").raise_for_status()
