"""Who asks: a user's role, and the regions and stores that it reaches."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

EVERYTHING = "*"
_LONGEST = 200


class Role(IntEnum):
    """Each may do what those before it may: a viewer reads, a planner decides on orders and brings files of sales, an
    admin lets others in."""

    VIEWER = 1
    PLANNER = 2
    ADMIN = 3

    @property
    def title(self) -> str:
        return self.name.lower()


ROLES = {role.title: role for role in Role}


@dataclass(frozen=True)
class Grant:
    """A store of a region; `*` stands for all of them.

    >>> Grant.parse("north/7"), Grant.parse("north")
    (Grant(region='north', store='7'), Grant(region='north', store='*'))
    """

    region: str
    store: str = EVERYTHING

    @staticmethod
    def parse(text: str) -> "Grant":
        region, slash, store = text.partition("/")
        return Grant(region, store if slash else EVERYTHING)

    def __str__(self) -> str:
        return self.region if self.store == EVERYTHING else f"{self.region}/{self.store}"


def unknown_grants(grants: Iterable[Grant], regions: Iterable[str]) -> str:
    """Those of no region of these, or of a store without a name, in words; empty where there are none."""
    known = {EVERYTHING, *regions}
    return ", ".join(str(grant) for grant in grants if grant.region not in known or not grant.store)[:_LONGEST]


@dataclass(frozen=True)
class Principal:
    """A user as this request knows it. via: how it was recognised. csrf: what a session's form has to send back."""

    user_id: int
    name: str
    role: Role
    grants: frozenset[Grant]
    via: Literal["session", "token"]
    csrf: str | None = None

    def stores(self, region: str) -> frozenset[str] | None:
        """The stores of the region that it reaches; None stands for all of them."""
        own = [grant for grant in self.grants if grant.region in (EVERYTHING, region)]
        if any(grant.store == EVERYTHING for grant in own):
            return None
        return frozenset(grant.store for grant in own)

    def reaches(self, region: str, store: str | None = None) -> bool:
        """Whether the store, or any of the region, is its own."""
        stores = self.stores(region)
        return stores is None or (bool(stores) if store is None else store in stores)

    def covers(self, grant: Grant) -> bool:
        """Whether it reaches all that the grant would give."""
        mine = {(own.region, own.store) for own in self.grants}
        wider = {(region, store) for region in (EVERYTHING, grant.region) for store in (EVERYTHING, grant.store)}
        return bool(mine & wider)
