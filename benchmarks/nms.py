"""Time of non-maximum suppression against a greedy loop that keeps a set of suppressed pixels.

Run as ``python benchmarks/nms.py [--size 1024] [--radius 8]``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_cryoml.picking import find_peaks


def greedy_loop(scores: npt.NDArray[np.float32], radius: int, threshold: float) -> list[int]:
    """Return flat indices of the picks: one sorted loop over all pixels, and a set."""
    height, width = scores.shape
    reach = range(-radius, radius + 1)
    disc = [(dy, dx) for dy in reach for dx in reach if dy * dy + dx * dx <= radius * radius]
    flat, suppressed, taken = scores.ravel(), set(), []
    for index in np.argsort(-flat, kind="stable"):
        if flat[index] < threshold:
            break
        if index in suppressed:
            continue
        taken.append(int(index))
        y, x = divmod(int(index), width)
        for dy, dx in disc:
            if 0 <= y + dy < height and 0 <= x + dx < width:
                suppressed.add((y + dy) * width + x + dx)
    return taken


def best_of(repeats: int, function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the shortest time in seconds and the last result."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def main() -> None:
    """Compare on a smooth random field whose scores spread like log-odds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="edge of the map, pixels")
    parser.add_argument("--radius", type=int, default=8, help="suppression radius, pixels")
    options = parser.parse_args()
    noise = np.random.default_rng(0).normal(size=(options.size,) * 2)
    smooth = ndimage.gaussian_filter(noise, 4)
    scores = (smooth * 2.5 / smooth.std() - 1).astype(np.float32)
    slow, expected = best_of(3, lambda: greedy_loop(scores, options.radius, -6))
    print(f"greedy loop with a set    {slow * 1e3:8.1f} ms  {len(expected)} picks")
    for local_maxima in (False, True):
        fast, (positions, _) = best_of(
            9,
            lambda only=local_maxima: find_peaks(
                scores, options.radius, -6, subpixel=False, local_maxima=only
            ),
        )
        kind = "local maxima" if local_maxima else "all pixels"
        print(
            f"find_peaks, {kind:12}  {fast * 1e3:8.1f} ms  {len(positions)} picks  "
            f"{slow / fast:.0f} x"
        )
        if not local_maxima:
            flat = np.ravel_multi_index(tuple(positions.astype(int).T), scores.shape)
            assert flat.tolist() == expected, "the picks differ"


if __name__ == "__main__":
    main()
