"""The systems on rotation-invariant features: ours from few labels, and the published one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml.classification._feature_classifier import Head
from napari_cryoml.classification._invariant_system import InvariantSystem
from napari_cryoml.classification._shared_covariance import LinearHead, fit_shared_covariance
from napari_cryoml.classification._system import UNKNOWN, Images, systems

if TYPE_CHECKING:
    from sklearn.svm import SVC

Rows = npt.NDArray[np.intp]


@systems.register("few_shot")
class FewShotSystem(InvariantSystem):
    """Classes from a handful of labels each, at once.

    Each class is a cloud of features, all clouds of one shape, and crops without a label help to
    find that shape; see `fit_shared_covariance`.
    """

    def fit_head(self, features: Images, labels: Rows, n_classes: int) -> Head:
        """Return the head fitted to labelled and unlabelled features."""
        return fit_shared_covariance(features, labels, n_classes, self.seed)

    def restore_head(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Head:
        """Return the head that gave these arrays."""
        return LinearHead.of_arrays(arrays)


@systems.register("rif_svm")
class SupportVectorSystem(InvariantSystem):
    """A support vector machine on rotation-invariant features: the baseline of Xu et al. 2017.

    Features are brought to mean 0 and deviation 1; the kernel is Gaussian. As published, degree 0
    has no sign.
    """

    published: ClassVar[str] = "Xu et al. 2017"
    uses_unlabelled: ClassVar[bool] = False

    n_shells: int = Field(
        18,
        ge=1,
        le=64,
        description="Shells around the middle of a crop; no more than its radius has pixels.",
    )
    degree: int = Field(
        12, ge=0, le=32, description="Highest degree of the spherical harmonics on a shell."
    )
    across: int = Field(
        0,
        ge=0,
        le=64,
        description="With how many shells further out each shell is compared; none as published.",
    )
    penalty: float = Field(
        1.0, gt=0, description="Cost C of a label on the wrong side of the margin."
    )
    gamma: float | Literal["scale"] = Field(
        "scale",
        description="Inverse square width of the kernel; scale is 1 over the number of features.",
    )

    def features_of(self, images: Images) -> Images:
        """Return the features of crops (k, 1, *shape), shape (k, d), without signs."""
        return np.abs(super().features_of(images))

    def fit_head(self, features: Images, labels: Rows, n_classes: int) -> Head:
        """Return the machine fitted to labelled features."""
        known = labels != UNKNOWN
        return SupportVectorHead.fitted(
            features[known], labels[known], n_classes, self.penalty, self.gamma
        )

    def restore_head(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Head:
        """Return the machine fitted again to what it was fitted to."""
        labels, (n_classes,) = arrays["labels"].astype(np.intp), arrays["n_classes"]
        features = arrays["features"].astype(np.float32)
        return SupportVectorHead.fitted(features, labels, int(n_classes), self.penalty, self.gamma)


@dataclass(frozen=True, slots=True, eq=False)
class SupportVectorHead:
    """A support vector machine and what it was fitted to, which is what files hold of it.

    Parameters
    ----------
    features : array of shape (m, d), float32
    labels : array of shape (m,), intp
    n_classes : int
    mean, spread : array of shape (d,)
    machine : SVC
    """

    features: Images
    labels: Rows
    n_classes: int
    mean: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    machine: SVC

    @classmethod
    def fitted(
        cls,
        features: Images,
        labels: Rows,
        n_classes: int,
        penalty: float,
        gamma: float | Literal["scale"],
    ) -> SupportVectorHead:
        """Return the machine fitted to labelled features; the same ones give the same machine."""
        from sklearn.svm import SVC

        mean, spread = features.mean(axis=0, dtype=float), features.std(axis=0, dtype=float)
        spread = np.where(spread > 1e-6 * np.abs(mean) + 1e-12, spread, np.inf)
        machine = SVC(C=penalty, gamma=gamma, decision_function_shape="ovr")
        machine.fit((features - mean) / spread, labels)
        return cls(features, labels, n_classes, mean, spread, machine)

    def scores(self, features: Images) -> Images:
        """Return one score a class, shape (n, n_classes): votes and distances, one against one."""
        scores = np.full((len(features), self.n_classes), -1e4, np.float32)
        found = self.machine.decision_function((features - self.mean) / self.spread)
        if found.ndim == 1:  # of two classes, the distance towards the second
            found = np.stack([-found, found], axis=1)
        scores[:, self.machine.classes_] = found
        return scores

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what it was fitted to."""
        count = np.array([self.n_classes], np.int64)
        return {"features": self.features, "labels": self.labels, "n_classes": count}
