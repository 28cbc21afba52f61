import numpy as np
import pytest

from napari_cryoml.simulate import Contaminant, random_complex
from napari_cryoml.simulate._contaminants import draw, place

SPECIES = random_complex(20, "C3", seed=0)
RATES = {"ice": 3.0, "gold": 3.0, "aggregate": 3.0, "fragment": 3.0, "carbon": 1.0}


def layers(contaminant, shape=(120, 140)):
    matter, shade = np.zeros(shape), np.zeros(shape)
    draw(contaminant, matter, shade, SPECIES, np.random.default_rng(0))
    return matter, shade


def test_rates_decide_how_many_there_are():
    rng = np.random.default_rng(0)
    drawn = [c.kind for _ in range(200) for c in place(RATES, (200, 200), 20, rng)]
    assert drawn.count("carbon") == 200
    assert drawn.count("ice") == pytest.approx(600, rel=0.15)
    assert place(dict.fromkeys(RATES, 0.0), (200, 200), 20, rng) == []


@pytest.mark.parametrize("kind", ["ice", "gold", "aggregate", "fragment"])
def test_each_kind_is_drawn_where_it_lies(kind):
    matter, shade = layers(Contaminant(kind, (60.0, 70.0), 15.0))
    assert matter[50:70, 60:80].max() > 0.5
    np.testing.assert_allclose(matter[:20], 0, atol=0.1)
    np.testing.assert_allclose(shade[:20], 0, atol=0.1)
    assert (shade.max() > 0.5) == (kind in ("ice", "gold"))


def test_gold_is_a_dark_disc():
    _, shade = layers(Contaminant("gold", (60.0, 70.0), 8.0))
    distance = np.hypot(*(np.indices(shade.shape) - np.reshape((60, 70), (2, 1, 1))))
    assert shade[distance < 4].min() > 4
    assert shade[distance > 16].max() < 0.1


def test_carbon_surrounds_its_hole():
    hole = Contaminant("carbon", (60.0, 0.0), 90.0)
    _, shade = layers(hole)
    assert shade[60, 130] > 0.5
    assert shade[60, 40] < 0.01
    assert hole.covers([[60, 130], [60, 40]]).tolist() == [True, False]
    assert hole.covers([[60, 85]], margin=10).tolist() == [True]


def test_a_body_covers_its_disc_and_a_margin():
    body = Contaminant("ice", (10.0, 10.0), 5.0)
    assert body.covers([[10, 10], [10, 14], [10, 17]]).tolist() == [True, True, False]
    assert body.covers([[10, 17]], margin=3).tolist() == [True]


@pytest.mark.parametrize("kind", ["ice", "gold", "aggregate", "fragment"])
@pytest.mark.parametrize("position", [(-500.0, 20.0), (0.0, 139.0), (119.0, 500.0)])
def test_the_frame_may_cut_it_or_miss_it(kind, position):
    matter, _ = layers(Contaminant(kind, position, 15.0))
    assert np.isfinite(matter).all()
    assert (np.abs(matter).max() > 0.1) == (position == (0.0, 139.0))
