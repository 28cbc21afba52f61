import numpy as np
import pytest
from PIL import Image

from napari_cryoml._errors import InputError
from napari_cryoml.embedding.drawing import MapView, group_clouds, write_figure

SMALL = {"size": (3.0, 2.4), "dpi": 60}


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(60, 2)), rng.normal(size=(40, 2)) + np.array([9, 0])])


@pytest.fixture
def codes():
    return np.repeat([0, 1], [60, 40])


def colours_of(path):
    pixels = np.array(Image.open(path).convert("RGB")).reshape(-1, 3)
    return {tuple(colour) for colour in pixels.tolist()}


def test_a_png_has_the_size_and_the_colours(tmp_path, points, codes):
    palette = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    path = write_figure(tmp_path / "map.png", points, codes=codes, palette=palette, **SMALL)
    assert Image.open(path).size == (180, 144)
    seen = np.array(sorted(colours_of(path)), int)
    assert (np.abs(seen - (255, 0, 0)).max(axis=1) < 40).any()
    assert (np.abs(seen - (0, 0, 255)).max(axis=1) < 40).any()


def test_an_svg_keeps_words_as_words_and_points_as_shapes(tmp_path, points, codes):
    codes[:5] = -1
    path = write_figure(
        tmp_path / "map.svg",
        points,
        codes=codes,
        names=["ice", "ribosome"],
        title="My map",
        axes=("PCA 1", "PCA 2"),
        legend_title="Class",
    )
    text = path.read_text()
    for word in ("ice (55)", "ribosome (40)", "none (5)", "My map", "PCA 1", "PCA 2", "Class"):
        assert f">{word}<" in text
    assert text.count("<use ") >= 100
    assert "<image" not in text


def test_many_points_are_a_picture_in_the_svg(tmp_path):
    points = np.random.default_rng(0).normal(size=(6000, 2))
    text = write_figure(tmp_path / "map.svg", points).read_text()
    assert "<image" in text
    assert text.count("<use ") < 100


def test_clouds_have_their_names_at_the_modes(tmp_path, points, codes):
    path = write_figure(
        tmp_path / "map.svg",
        points,
        codes=codes,
        names=["ice", "ribosome"],
        clouds=True,
        legend=False,
    )
    text = path.read_text()
    assert "<image" in text
    assert ">ice<" in text


def test_values_have_a_bar(tmp_path, points):
    values = np.linspace(0, 1, 100)
    values[3] = np.nan
    path = write_figure(
        tmp_path / "map.svg", points, values, limits=(0.0, 8.0), legend_title="novelty"
    )
    assert ">novelty<" in path.read_text()
    assert ">8<" in path.read_text()


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_map_gives_the_same_file(tmp_path, points, codes, suffix):
    one = write_figure(tmp_path / f"a{suffix}", points, codes=codes, **SMALL).read_bytes()
    assert write_figure(tmp_path / f"b{suffix}", points, codes=codes, **SMALL).read_bytes() == one


def test_dark_is_dark(tmp_path, points):
    dark = write_figure(tmp_path / "dark.png", points, dark=True, **SMALL)
    light = write_figure(tmp_path / "light.png", points, **SMALL)
    means = [np.array(Image.open(path).convert("L")).mean() for path in (dark, light)]
    assert means[0] < 80 < 180 < means[1]


def test_a_view_shows_a_part(tmp_path, points, codes):
    view = MapView((9.0, 0.0), 0.05, (100, 100))
    path = write_figure(tmp_path / "part.svg", points, codes=codes, view=view, legend=False)
    inside = np.abs(points - (9, 0)).max(axis=1) <= 2.5
    assert path.read_text().count("<use ") == inside.sum()


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.full((3, 2), np.nan), np.ones((1, 2))])
def test_next_to_nothing_can_be_drawn(tmp_path, points):
    codes = np.full(len(points), -1)
    assert write_figure(tmp_path / "map.png", points, codes=codes, clouds=True, **SMALL).exists()


def test_hundreds_of_categories_have_a_legend_that_ends(tmp_path):
    points = np.random.default_rng(0).normal(size=(300, 2))
    text = write_figure(tmp_path / "map.svg", points, codes=np.arange(300)).read_text()
    assert ">and 240 more<" in text


def test_no_window_and_no_state_of_pyplot_is_touched(tmp_path, points):
    import matplotlib.pyplot as plt

    write_figure(tmp_path / "map.png", points, **SMALL)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("map.pdf", {}, "ends in .png or .svg"),
        ("map", {}, "ends in .png or .svg"),
        ("nowhere/map.png", {}, "no folder"),
        ("map.png", {"codes": np.zeros(3, int)}, "as many categories"),
        ("map.png", {"values": np.zeros(3)}, "as many values"),
    ],
)
def test_mistakes_are_told_in_a_sentence(tmp_path, points, name, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        write_figure(tmp_path / name, points, **arguments)


def test_groups_have_numbers_on_the_map_and_names_in_the_legend(tmp_path, points):
    groups = group_clouds(points, {"left <&>": range(60), "right": range(60, 100), "no": [1]})
    path = write_figure(tmp_path / "map.svg", points, groups=groups, legend_title="Processes")
    text = path.read_text()
    for word in ("1  left &lt;&amp;&gt; (60)", "2  right (40)", "Processes", "1", "2"):
        assert f">{word}<" in text
    assert "3  no" not in text
    assert "<image" in text
    assert "fill: #a0a0a0" in text


def test_arrows_are_shapes(tmp_path, points):
    plain = write_figure(tmp_path / "a.svg", points).read_text()
    arrows = points[:30], points[30:60]
    drawn = write_figure(tmp_path / "b.svg", points, arrows=arrows).read_text()
    assert drawn.count("<path") >= plain.count("<path") + 30
    none = points[:0], points[:0]
    assert write_figure(tmp_path / "c.svg", points, arrows=none).read_text() == plain
