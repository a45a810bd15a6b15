"""Room in the cache: who must go, least recently used first, and whether that is enough."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from assay import AssayError

from .kept import Gone, Kept
from .parts import in_use
from .shelf import Shelf
from .sizes import spell_size


@dataclass(frozen=True, slots=True)
class Room:
    """The limit of a shelf."""

    shelf: Shelf
    limit: int

    def make(self, size: int) -> int:
        """Evict until a file of ``size`` bytes fits; return the bytes freed.  Call it ``alone``.

        Raises ``AssayError`` A504 before anything is evicted where there can be no room.
        """
        freed = 0
        while victims := self.victims(size):  # again where one came into use meanwhile
            for victim in victims:
                done = self.shelf.remove(victim.sha256)
                freed += done.freed if isinstance(done, Gone) else 0
        return freed

    def victims(self, size: int) -> list[Kept]:
        """Return what must go for a file of ``size`` bytes.  ``AssayError`` A504 where none would do."""
        self.check_size(size)
        there = self.shelf.list()
        total = sum(each.size for each in there)
        over, going = total + size - self.limit, list[Kept]()
        for each in reversed(there):
            if over <= 0:
                break
            if each.size and not each.pinned and not in_use(each.path):
                going.append(each)
                over -= each.size
        if over > 0:
            raise AssayError(
                f"the cache holds {spell_size(total)} of {spell_size(self.limit)}, and too much of it"
                f" is pinned or in use; {spell_size(over)} more are needed",
                where=str(self.shelf.folder),
                hint="raise the limit with --limit, or unpin something: assay model ls",
                code="A504",
            )
        return going

    def check_size(self, size: int) -> None:
        """Raise ``AssayError`` A504 for a file that no eviction makes room for."""
        if size > self.limit:
            raise AssayError(
                f"{spell_size(size)} are more than the whole cache may hold ({spell_size(self.limit)})",
                where=str(self.shelf.folder),
                hint="raise the limit with --limit or ASSAY_MODELS_LIMIT",
                code="A504",
            )

    def check_disk(self, size: int) -> None:
        """Raise ``AssayError`` A500 where the disk has less than ``size`` bytes free."""
        folder = self.shelf.folder.absolute()
        nearest = next(each for each in (folder, *folder.parents) if each.is_dir())
        free = shutil.disk_usage(nearest).free
        if size > free:
            raise AssayError(
                f"the disk has {spell_size(free)} free, and {spell_size(size)} are needed",
                where=str(nearest),
                hint="free some space, or set ASSAY_CACHE to a folder on another disk",
                code="A500",
            )
