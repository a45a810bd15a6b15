"""What one job hands to the next on their way to a sealed run: an order, and the submission it is of."""

from __future__ import annotations

from ....core.errors import DataError
from ....store.canon import write_whole
from .bench import Bench
from .decisions import LARGEST
from .making import Made
from .marks import Order
from .pinning import git_name
from .recorded import parse

ORDER = "order.json"
SENT = "submission.yaml"


def ordered(bench: Bench) -> tuple[Order, Made]:
    """Return what an earlier job ordered, and what its submission makes here."""
    folder = bench.artifact
    if folder is None or not (folder / ORDER).is_file():
        raise DataError(
            f"there is no {ORDER}",
            where=str(folder or "--artifact"),
            hint="name the folder that the stage gate wrote, with --artifact",
        )
    order = parse(Order, (folder / ORDER).read_bytes()[: 2 * LARGEST], where=str(folder / ORDER))
    data = (folder / SENT).read_bytes()
    if git_name(data) != order.blob:
        raise DataError(
            "this is not the submission that was ordered",
            where=str(folder / SENT),
            hint="give what the stage gate wrote, unchanged",
        )
    file = bench.out / order.path.rpartition("/")[2]
    write_whole(file, data)
    return order, bench.desk.make(file, order.suite)
