"""What shells of a crop hold of each degree of spherical harmonics."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._crop_harmonics import crop_harmonics


def rotation_invariant(
    crops: npt.NDArray[np.floating], n_shells: int = 18, degree: int = 12, across: int = 0
) -> npt.NDArray[np.float32]:
    """Return the power spectrum of crops in spherical harmonics, shell by shell.

    A crop of mean 0 and deviation 1 (see `crop_harmonics`, ``standardise``) is expanded on each
    shell into spherical harmonics, in 2-D on each ring into sines and cosines. The norm of the
    coefficients of one degree, ``sqrt(sum_m |c_lm|^2)``, does not change when the crop is turned
    about its middle. All pixels of a shell count, not samples of it, so that noise is averaged;
    norms are in units of those of white noise. Degree 0 keeps its sign.

    Parameters
    ----------
    crops : array of shape (n, y, x) or (n, z, y, x)
        Their middle is pixel ``size // 2`` along each axis.
    n_shells : int, default 18
        Shells of even spacing, the outermost at the largest radius that fits into the crop.
    degree : int, default 12
        Highest degree.
    across : int, default 0
        With how many shells further out each shell is compared, degree by degree:
        ``sum_m c_lm(r) c_lm(r')`` does not change by a turn either, and tells how the shells are
        turned against each other. The noise of shells that lie apart cancels in it.

    Returns
    -------
    array of shape (n, d), float32
        Degree by degree, from the innermost shell outwards, ``(degree + 1) * n_shells`` of them;
        then the comparisons, pair by pair. NaN for a crop that is not finite.

    References
    ----------
    Kazhdan, Funkhouser and Rusinkiewicz 2003 (Symp. Geometry Processing 156), section 3. Xu et
    al. 2009 for its use on subtomograms. Kam 1977 (Macromolecules 10:927) for what the shells of
    a particle have in common in all its orientations.
    """
    # The first ring is the middle itself, a single voxel.
    found = crop_harmonics(crops, n_shells + 1, degree, standardise=True, across=across)
    return found[:, 1:]
