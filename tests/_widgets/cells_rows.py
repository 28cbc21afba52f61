"""Images of made-up cells, and what the services of the Cells dock are asked and answer."""

import numpy as np

from napari_cryoml.data import ArrayCrops

SPACING, RADIUS, N_SIDE = 24, 7, 5
N_CELLS = N_SIDE * N_SIDE


def field(shift=0):
    """Return an image (2, Y, X) of protein and marker, labels (Y, X), and the kind of each cell.

    Even cells have a spot, odd ones a ring; `shift` moves all of them to the right.
    """
    side = SPACING * N_SIDE
    y, x = np.mgrid[:side, :side].astype(np.float32)
    image = np.full((2, side, side), 10.0, np.float32)
    labels = np.zeros((side, side), np.int32)
    kinds = []
    for number in range(N_CELLS):
        row, column = divmod(number, N_SIDE)
        centre = (row + 0.5) * SPACING, (column + 0.5) * SPACING + shift
        distance = np.hypot(y - centre[0], x - centre[1])
        inside = distance <= RADIUS
        spot = number % 2 == 0
        image[0] += 90 * (distance < 3 if spot else inside & (distance > 5))
        image[1] += 100 * inside
        labels[inside] = number + 1
        kinds.append("spot" if spot else "ring")
    image += np.random.default_rng(0).normal(0, 1, image.shape).astype(np.float32)
    return image, labels, np.array(kinds)


def crops(n=12, **columns):
    """Return n crops of noise in two channels, with columns."""
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(n, 2, 16, 16)).astype(np.float32)
    return ArrayCrops.of(pixels, columns={k: np.asarray(v) for k, v in columns.items()})


def add_field(viewer, shift=0, name="yeast"):
    """Add the channels and the labels of a field to a viewer; return the labels layer."""
    image, labels, _ = field(shift)
    viewer.add_image(image[0], name=f"{name} GFP")
    viewer.add_image(image[1], name=f"{name} RFP")
    return viewer.add_labels(labels, name="nuclei")


def add_classes(dock, *names):
    for name in names:
        dock.labelling.add()
        dock.labelling.rename(dock.desk.current, name)
