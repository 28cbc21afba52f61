"""What Lightning Fabric asks about the place of a process that we have started ourselves."""

from __future__ import annotations

from lightning_fabric.plugins.environments import ClusterEnvironment

from napari_cryoml.training._seat import Seat


class SeatEnvironment(ClusterEnvironment):  # type: ignore[misc]
    """Processes of one computer that are there already.

    Parameters
    ----------
    seat : Seat
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    @property
    def creates_processes_externally(self) -> bool:
        """Yes: Fabric is to start none."""
        return True

    @property
    def main_address(self) -> str:
        """The loopback."""
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        """None: the processes find each other over a file."""
        return 0

    @staticmethod
    def detect() -> bool:
        """No: it is given, never found."""
        return False

    def world_size(self) -> int:
        """Return how many processes there are."""
        return self._seat.size

    def set_world_size(self, size: int) -> None:
        """Do nothing: the seat says it."""

    def global_rank(self) -> int:
        """Return the number of this process."""
        return self._seat.rank

    def set_global_rank(self, rank: int) -> None:
        """Do nothing: the seat says it."""

    def local_rank(self) -> int:
        """Return the number of this process on this computer."""
        return self._seat.rank

    def node_rank(self) -> int:
        """Return the number of this computer."""
        return 0
