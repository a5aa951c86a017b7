"""The people of the directory, what happens to them, and how the app has to be afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from directory.configuration import GROUPS, PEOPLE
from directory.entries import Entry
from directory.population import people
from directory.slapd import Slapd

IN_SCOPE: Final = "(&(objectClass=inetOrgPerson)(!(employeeType=Contractor)))"
"""Contractors are in the directory, and none of them may ever have an account."""
TEAM: Final = "Team"
JOINERS: Final = 3


@dataclass(slots=True)
class Company:
    """Who is there, by uid. `inside` has the titles of those in scope; `left` are those who once were in it.

    `ever` is who was in scope at any time: nobody else may get an account.
    """

    slapd: Slapd
    inside: dict[str, str] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    team: list[str] = field(default_factory=list)
    days: int = 0
    _places: dict[str, str] = field(default_factory=dict)

    @property
    def ever(self) -> set[str]:
        """As above."""
        return self.inside.keys() | self.left

    @property
    def members(self) -> set[str]:
        """Those of the team who are in scope."""
        return set(self.team) & self.inside.keys()

    def found(self, count: int) -> None:
        """Puts so many people and a team into the directory, which does not run yet."""
        entries = people(count)
        for entry in entries:
            self._places[entry.text("uid")] = entry.dn
            if entry.text("employeeType") != "Contractor":
                self.inside[entry.text("uid")] = entry.text("title") if "title" in entry.attributes else ""
        self.team = list(self.inside)[:5]
        self.slapd.load([*entries, self._team_entry()])

    def pass_a_day(self) -> None:
        """A leaver, who alternates between two ways, a mover, a contractor, and joiners, the first of them in the team.

        The first who joined yesterday leaves today, so that a member of the team leaves too. The last change is one of
        the number of people in scope: whoever tells the new number has seen everything.
        """
        self.days += 1
        self._leave(f"joiner{self.days - 1}.0" if self.days > 1 else next(reversed(self.inside)))
        mover = list(self.inside)[self.days % 20]
        self.inside[mover] = f"Title {self.days}"
        self.slapd.modify(self._places[mover], {"title": (self.inside[mover],)})
        self._join(f"contractor{self.days}", "Contractor")
        self._join(f"joiner{self.days}.0", "Employee")
        self.team.append(f"joiner{self.days}.0")
        self.slapd.modify(self._team_entry().dn, {"member": self._team_entry().attributes["member"]})
        for number in range(1, JOINERS):
            self._join(f"joiner{self.days}.{number}", "Employee")

    def _leave(self, uid: str) -> None:
        self.left.add(uid)
        del self.inside[uid]
        if self.days % 2:
            self.slapd.modify(self._places[uid], {"employeeType": ("Contractor",)})
        else:
            self.slapd.delete(self._places[uid])

    def _join(self, uid: str, kind: str) -> None:
        attributes = {
            "objectClass": ("inetOrgPerson",),
            "uid": (uid,),
            "cn": (uid.title(),),
            "sn": (uid,),
            "mail": (f"{uid}@example.com",),
            "employeeType": (kind,),
        }
        self._places[uid] = f"uid={uid},{PEOPLE}"
        if kind == "Employee":
            self.inside[uid] = ""
        self.slapd.add(self._places[uid], attributes)

    def _team_entry(self) -> Entry:
        members: Iterable[str] = (self._places[uid] for uid in self.team)
        attributes = {"objectClass": ("groupOfNames",), "cn": (TEAM,), "member": tuple(members)}
        return Entry(f"cn={TEAM},{GROUPS}", attributes)
