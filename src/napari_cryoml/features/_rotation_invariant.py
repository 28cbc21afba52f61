"""What shells of a crop hold of each degree of spherical harmonics."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._crop_harmonics import crop_harmonics


def rotation_invariant(
    crops: npt.NDArray[np.floating], n_shells: int = 18, degree: int = 12
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

    Returns
    -------
    array of shape (n, (degree + 1) * n_shells), float32
        Degree by degree, from the innermost shell outwards; NaN for a crop that is not finite.

    References
    ----------
    Kazhdan, Funkhouser and Rusinkiewicz 2003 (Symp. Geometry Processing 156), section 3. Xu et
    al. 2009 for its use on subtomograms.
    """
    # The first ring is the middle itself, a single voxel.
    return crop_harmonics(crops, n_shells + 1, degree, standardise=True)[:, 1:]
