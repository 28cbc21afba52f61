"""Orientations: the Euler angles of each program, and the matrices used here.

The four conventions are two of Euler's (z-y-z and z-x-z), each with the rotation told in one
direction or the other:

* **RELION**: the matrix of ``Euler_angles2matrix(rot, tilt, psi)`` maps the space of the particle's
  reference to that of the tomogram (``ParticleSet::getMatrix4x4`` of RELION 4 and 5). It is the
  inverse of the intrinsic rotation z(rot) y'(tilt) z''(psi) of Heymann et al. 2005 (J. Struct.
  Biol. 151, 196). ``rlnTomoSubtomogramRot, Tilt, Psi`` turn the box itself, and act after
  ``rlnAngleRot, Tilt, Psi``.
* **Dynamo**: ``tdrot``, ``tilt`` and ``narot`` turn the template *clockwise* about its z, its new x
  and its new z axis until it lies on the particle (Dynamo's wiki, "Euler angles convention").
* **TOM, AV3, STOPGAP**: the reference is turned counter-clockwise about the fixed axes z (``phi``),
  x (``theta``, ``the``) and z (``psi``), in this order, until it lies on the particle.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial.transform import Rotation

from napari_cryoml.data import PicksTable
from napari_cryoml.io._formats import _rows

Matrices = npt.NDArray[np.float64]

_SAME_ROTATION = 1e-6  # largest difference of an entry; angles of single precision make 1e-7


@dataclass(frozen=True, slots=True)
class EulerConvention:
    """How a program writes a rotation as three angles.

    Parameters
    ----------
    columns : tuple of 3 str
        Names of the angles in the order of `sequence`, in degrees.
    sequence : str
        As scipy has it: upper case about the axes that turn along, lower case about fixed ones.
    inverse : bool
        Whether the angles tell how the particle is turned onto the reference.
    """

    columns: tuple[str, str, str]
    sequence: str
    inverse: bool

    def matrices(self, angles: npt.ArrayLike) -> Matrices:
        """Return the rotations that bring the reference onto the particles.

        Parameters
        ----------
        angles : array of shape (n, 3)
            Degrees, in the order of `columns`.

        Returns
        -------
        array of shape (n, 3, 3)
            Acting on columns zyx; NaN where an angle is.
        """
        degrees = np.asarray(angles, np.float64).reshape(-1, 3)
        known = np.isfinite(degrees).all(axis=1)
        out = np.full((len(degrees), 3, 3), np.nan)
        if known.any():
            rotations = Rotation.from_euler(self.sequence, degrees[known], degrees=True)
            xyz = (rotations.inv() if self.inverse else rotations).as_matrix()
            out[known] = other_axes(xyz)
        return out

    def angles(self, matrices: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the angles of rotations, degrees in the order of `columns`; NaN stays NaN."""
        zyx = np.asarray(matrices, np.float64).reshape(-1, 3, 3)
        known = np.isfinite(zyx).all(axis=(1, 2))
        out = np.full((len(zyx), 3), np.nan)
        if known.any():
            rotations = Rotation.from_matrix(other_axes(zyx[known]))
            rotations = rotations.inv() if self.inverse else rotations
            with warnings.catch_warnings():
                # Without a tilt only the sum of the other two is told; scipy sets one of them to 0.
                warnings.filterwarnings("ignore", "Gimbal lock", UserWarning)
                out[known] = rotations.as_euler(self.sequence, degrees=True)
        return out + 0.0  # no -0


RELION = EulerConvention(("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"), "ZYZ", inverse=True)
RELION_BOX = EulerConvention(
    ("rlnTomoSubtomogramRot", "rlnTomoSubtomogramTilt", "rlnTomoSubtomogramPsi"),
    "ZYZ",
    inverse=True,
)
DYNAMO = EulerConvention(("tdrot", "tilt", "narot"), "zxz", inverse=True)
MOTL = EulerConvention(("phi", "theta", "psi"), "zxz", inverse=False)
STOPGAP = EulerConvention(("phi", "the", "psi"), "zxz", inverse=False)


def other_axes(matrices: Matrices) -> Matrices:
    """Return matrices that act on columns xyz as they act on columns zyx, and the other way."""
    return np.ascontiguousarray(matrices[..., ::-1, ::-1])


def read_rotations(frame: pd.DataFrame, convention: EulerConvention) -> Matrices | None:
    """Return the rotations in a table, or None where there are none.

    Angles that are 0 throughout are those of particles that nobody has aligned.
    """
    angles = numbers_of(frame, convention.columns)
    if angles is None or not np.any(np.nan_to_num(angles)):
        return None
    return convention.matrices(angles)


def numbers_of(frame: pd.DataFrame, names: tuple[str, ...]) -> npt.NDArray[np.float64] | None:
    """Return columns as numbers, shape (n, k), NaN for what is none; None if one is missing."""
    if not set(names) <= set(frame.columns):
        return None
    columns = [pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64) for name in names]
    return np.column_stack(columns)


def written_angles(
    table: PicksTable, convention: EulerConvention, known: pd.DataFrame
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the angles to write, by name; none if nothing is known of any orientation.

    Angles that the table carries along from its file stay as they are where they tell the same
    rotation, so that a file that was read comes out as it was; elsewhere `Picks.rotations` win.
    Particles of unknown orientation get the angles they had, or else 0.

    Parameters
    ----------
    table : PicksTable
    convention : EulerConvention
    known : data frame
        The joined columns of the table.
    """
    rotations = _rows.joined_rotations(table)
    old = numbers_of(known, convention.columns)
    if rotations is None:
        return {} if old is None else _named(convention, np.nan_to_num(old))
    return _named(convention, agreeing_angles(rotations, convention, old))


def agreeing_angles(
    rotations: Matrices, convention: EulerConvention, old: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64]:
    """Return angles of rotations, shape (n, 3): the old ones where they tell the same."""
    new = convention.angles(rotations)
    if old is not None:
        with np.errstate(invalid="ignore"):
            same = np.abs(convention.matrices(old) - rotations).max(axis=(1, 2)) < _SAME_ROTATION
        kept = same | ~np.isfinite(new).all(axis=1)
        new = np.where(kept[:, None], old, new)
    return np.nan_to_num(new)


def _named(
    convention: EulerConvention, angles: npt.NDArray[np.float64]
) -> dict[str, npt.NDArray[np.float64]]:
    return dict(zip(convention.columns, angles.T, strict=True))


def shifts_of(frame: pd.DataFrame, names: tuple[str, str, str]) -> npt.NDArray[np.float64]:
    """Return the shifts of an alignment, shape (n, 3) in the order of `names`; 0 where unknown."""
    shifts = numbers_of(frame, names)
    return np.zeros((len(frame), 3)) if shifts is None else np.nan_to_num(shifts)
