"""Where somebody may import what, and the divisions that a file of theirs may name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final

from services.registry.imports.checked_row import Terms
from services.registry.imports.ledger import KEEP
from services.registry.imports.ledgers import LEDGERS
from services.registry.imports.place import Node
from shared.identity.access import RIGHTS, Directory, NoRole
from shared.identity.scope import Divisions, Scope

IMPORT: Final = "import_ledger"
_NEEDED: Final = frozenset({KEEP, *(ledger.action for ledger in LEDGERS)})


class ImportScope(Scope):
    """``action`` lets somebody send a file, ``needed`` are the rights that its rows ask for."""

    def __init__(
        self,
        directory: Directory,
        divisions: Divisions,
        clock: Callable[[], datetime],
        action: str = IMPORT,
        needed: Collection[str] = _NEEDED,
    ) -> None:
        super().__init__(directory, divisions, clock)
        self._action = action
        self._needed = needed

    async def division(self, person: str) -> str:
        """The division of a role that lets the person import today, the widest. Raises NoRole."""
        grants = await self.grants(person, self._action)
        if not grants:
            raise NoRole
        return min((grant.division for grant in grants), key=lambda code: (len(code), code))

    async def terms(self, person: str) -> Terms:
        """Without a role today there are no roots, and every row lies outside."""
        grants = await self.grants(person, self._action)
        roots = {
            action: [grant.division for grant in grants if action in RIGHTS[grant.role]] for action in self._needed
        }
        nodes = await self._nodes({root for of_action in roots.values() for root in of_action})
        return Terms(nodes, roots, self.today)

    async def _nodes(self, roots: Iterable[str]) -> list[Node]:
        """All below the roots and above them, and every county: a child may be registered in another one."""
        divisions, codes = await self._divisions(), list(roots)
        own = divisions.find({"_id": {"$in": codes}}, {"path": 1})
        above = [code async for root in own for code in root["path"] or ()]
        wanted = [
            {"path": {"$in": codes}},
            {"_id": {"$in": above}},
            {"kind": {"$in": ["province", "city", "county"]}},
        ]
        found = divisions.find({"$or": wanted}, {"name": 1, "kind": 1, "parent": 1})
        return [Node(one["_id"], one["name"], one["kind"], one["parent"]) async for one in found]
