from ._candidate import Candidate, ClusterDone, Discovery
from ._config import DiscoveryConfig
from ._discover import discover
from ._discrepancy import Discrepancy, structural_discrepancy
from ._store import DiscoveryStore

__all__ = [
    "Candidate",
    "ClusterDone",
    "Discovery",
    "DiscoveryConfig",
    "DiscoveryStore",
    "Discrepancy",
    "discover",
    "structural_discrepancy",
]
