"""Time of dense scoring and of suppression, Topaz's and ours by turns."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from _record import table
from _topaz import Row, Topaz, counted, load_average, scratch_folder
from napari_cryoml.models import Detector, import_topaz
from napari_cryoml.picking import find_peaks, score_image
from nms import greedy_loop

Times = list[list[float]]

# Scoring ------------------------------------------------------------------------------------------


def compare_scoring(
    environment: Path, threads: int, size: int = 1024, repeats: int = 5
) -> Iterator[Row]:
    """Yield the times of scoring one image with the same weights, by turns, a row a network."""
    import torch

    torch.set_num_threads(threads)
    image = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
    for name in ("resnet8", "conv31"):
        # A process a network: the peak of memory is that of the process.
        with scratch_folder() as folder, Topaz(environment, threads) as topaz:
            np.save(folder / "image.npy", image)
            weights = folder / "weights.sav"
            made = topaz.ask("make_network", name=name, out=weights)
            detector = _import(weights, environment)
            row = {
                "network": name,
                **made,
                "size": size,
                "threads": threads,
                "load": load_average(),
            }
            yield row | _time_scoring(detector, image, topaz, folder, repeats)


def _import(weights: Path, environment: Path) -> Detector:
    """Return our network with Topaz's weights."""
    # Topaz only has to be found for that, not to be loaded.
    packages = [str(path) for path in environment.glob("lib/python*/site-packages")]
    sys.path.extend(packages)
    try:
        config, state = import_topaz(weights, trust=True)
    finally:
        del sys.path[-len(packages) :]
    detector = config.build()
    detector.load_state_dict(state)
    return detector.eval()


def _time_scoring(
    detector: Detector, image: npt.NDArray[np.float32], topaz: Topaz, folder: Path, repeats: int
) -> Row:
    times: dict[str, Times] = {key: [] for key in _SCORING}
    peaks = dict.fromkeys(("topaz_no_graph", "topaz"), 0.0)
    for _ in range(repeats):
        ours = _timed(times["ours"], lambda: score_image(detector, image))
        full = _timed(
            times["ours_full"], lambda: score_image(detector, image, full_resolution=True)
        )
        for key in peaks:
            answer = topaz.ask(
                "score",
                image=folder / "image.npy",
                keep_graph=key == "topaz",
                out=folder / "scores.npy",
            )
            times[key].append(answer["seconds"])
            peaks[key] = peaks[key] or answer["peak_gb"]
    theirs = np.load(folder / "scores.npy")
    margin = detector.receptive_field // 2
    differences = [
        _difference(ours, theirs, detector.stride, margin),
        _difference(full, theirs, 1, margin),
    ]
    return {
        "repeats": repeats,
        "stride": detector.stride,
        "difference": max(differences),
        **_medians(times),
        **{f"{key}_gb": value for key, value in peaks.items()},
    }


_SCORING = {
    "ours": "napari-cryoml, every {stride}th pixel",
    "ours_full": "napari-cryoml, every pixel",
    "topaz": "topaz-em, every pixel, as shipped",
    "topaz_no_graph": "topaz-em, every pixel, without the graph that it keeps",
}


def _difference(
    ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32], step: int, margin: int
) -> float:
    """Return the greatest difference where neither network sees beyond the border.

    There Topaz sees zeros and ours a mirror image.
    """
    skipped = math.ceil(margin / step)
    inner = slice(skipped, -skipped)
    return float(np.abs(ours - theirs[::step, ::step])[inner, inner].max())


def _timed(times: Times, function: Callable[[], Any]) -> Any:
    """Return a result, and note the seconds by the clock and those of all processors together."""
    start, start_cpu = time.perf_counter(), time.process_time()
    result = function()
    times.append([time.perf_counter() - start, time.process_time() - start_cpu])
    return result


def _medians(times: Mapping[str, Times]) -> Row:
    medians = {key: np.median(values, axis=0).tolist() for key, values in times.items()}
    return {
        **{f"{key}_seconds": clock for key, (clock, _) in medians.items()},
        **{f"{key}_cpu_seconds": cpu for key, (_, cpu) in medians.items()},
    }


def scoring_table(rows: Sequence[Row]) -> str:
    """Return one row a network and way, with its time as a multiple of ours."""
    body = [
        [
            row["network"],
            words.format(stride=row["stride"]),
            f"{row[f'{key}_seconds']:.2f} s",
            f"{row[f'{key}_cpu_seconds']:.2f} s",
            f"{row[f'{key}_cpu_seconds'] / row['ours_cpu_seconds']:.1f}",
            f"{row[f'{key}_gb']:.1f} GB" if f"{key}_gb" in row else "",
        ]
        for row in rows
        for key, words in _SCORING.items()
    ]
    header = ["network", "scores of", "time", "processor time", "times ours", "peak memory"]
    worst = max(row["difference"] for row in rows)
    first = rows[0]
    text = (
        f"One {first['size']} x {first['size']} working image, {counted(first['threads'])}, "
        f"median of {first['repeats']} by turns, the same weights. The factor is that of the "
        "processor time, which other work beside hardly changes. Peak memory is that of Topaz's "
        f"process. The scores of a pixel differ by {worst:.0e} at most, away from the border."
    )
    return table(header, body) + "\n\n" + text


# Suppression --------------------------------------------------------------------------------------


def compare_suppression(
    environment: Path, size: int = 1024, radius: int = 8, repeats: int = 9
) -> Iterator[Row]:
    """Yield the times and the exactness of finding peaks, by turns, a row a threshold."""
    scores = smooth_scores(size)
    with scratch_folder() as folder, Topaz(environment, threads=1) as topaz:
        np.save(folder / "scores.npy", scores)
        for threshold in (-6.0, 0.0):
            row = {"size": size, "radius": radius, "threshold": threshold, "load": load_average()}
            yield row | _time_suppression(scores, radius, threshold, topaz, folder, repeats)


def smooth_scores(size: int) -> npt.NDArray[np.float32]:
    """Return a smooth random field whose values spread like log-odds."""
    noise = np.random.default_rng(0).normal(size=(size, size))
    smooth = ndimage.gaussian_filter(noise, 4)
    return (smooth * 2.5 / smooth.std() - 1).astype(np.float32)


def _time_suppression(
    scores: npt.NDArray[np.float32],
    radius: int,
    threshold: float,
    topaz: Topaz,
    folder: Path,
    repeats: int,
) -> Row:
    times: dict[str, Times] = {"ours": [], "ours_maxima": [], "topaz": []}
    request = {"scores": folder / "scores.npy", "radius": radius, "threshold": threshold}
    for _ in range(repeats):
        ours, _ = _timed(
            times["ours"],
            lambda: find_peaks(scores, radius, threshold, subpixel=False, local_maxima=False),
        )
        maxima, _ = _timed(times["ours_maxima"], lambda: find_peaks(scores, radius, threshold))
        answer = topaz.ask("suppress", **request, out=folder / "peaks.npy")
        times["topaz"].append(answer["seconds"])
    exact = set(greedy_loop(scores, radius, threshold))
    return {
        "repeats": repeats,
        "picks": len(exact),
        "maxima": len(maxima),
        "ours_differ": len(exact ^ _flat(ours, scores.shape)),
        "topaz_differ": len(exact ^ _flat(np.load(folder / "peaks.npy"), scores.shape)),
        **_medians(times),
    }


def _flat(positions: npt.NDArray[Any], shape: tuple[int, ...]) -> set[int]:
    index = np.ravel_multi_index(tuple(positions.astype(np.intp).T), shape)
    return set(index.tolist())


def suppression_table(rows: Sequence[Row]) -> str:
    """Return one row a threshold and way."""
    header = ["threshold", "suppression", "picks", "differ from exact", "time"]
    header += ["processor time", "Topaz / this"]
    body = []
    for row in rows:
        for key, words, picks, differ in (
            ("topaz", "topaz-em", "", row["topaz_differ"]),
            ("ours", "napari-cryoml, all pixels (as Topaz)", row["picks"], row["ours_differ"]),
            ("ours_maxima", "napari-cryoml, local maxima (default)", row["maxima"], ""),
        ):
            clock, cpu = row[f"{key}_seconds"], row[f"{key}_cpu_seconds"]
            times = [f"{clock * 1e3:.0f} ms", f"{cpu * 1e3:.0f} ms"]
            ratio = f"{row['topaz_cpu_seconds'] / cpu:.0f}"
            body.append([f"{row['threshold']:g}", words, picks, differ, *times, ratio])
    first = rows[0]
    text = (
        f"One {first['size']} x {first['size']} map, radius {first['radius']}, one thread, median "
        f"of {first['repeats']} by turns. Exact is a loop over all pixels by falling score; a pick "
        "that one has and the other has not counts as one difference. "
        "The factor is that of the processor time, which other work beside hardly changes."
    )
    return table(header, body) + "\n\n" + text
