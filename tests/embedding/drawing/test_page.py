"""A page holds everything, asks for nothing, and takes what data hold for text."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.embedding.drawing import group_clouds, write_page

NODE = shutil.which("node")
EVIL = "</script><script>alert(1)</script>"


class Page(HTMLParser):
    """Elements, the text of scripts, and all that could be loaded."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.links, self.title = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "action")]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, text):
        if self.tags and self.tags[-1] == "script" and self.scripts:
            self.scripts[-1] += text
        elif self.tags and self.tags[-1] == "title":
            self.title += text


def embedding(n=6, **columns):
    ids = [f"p{row}" for row in range(n)]
    return Embedding(np.eye(n), ids, table=columns)


def written(path, *given, **options):
    text = write_page(path / "map.html", *given, **options).read_text("utf-8")
    page = Page(text)
    return page, json.loads(page.scripts[0])


def test_what_the_rows_hold_is_in_the_page(tmp_path):
    layout = np.array([[0.0, 1], [1, 2.123456789], [2, 3], [np.nan, 0], [3, 4], [4, 5]])
    rows = embedding(
        place=np.array(["ER", "ER", "Golgi", "", "ER", "Golgi"]),
        spread=np.array([0.5, np.nan, np.inf, 1, 2, 3]),
        n_cells=np.arange(6),
        alive=np.array([True, False] * 3),
    )
    page, data = written(tmp_path, rows, layout, title="My proteins", colour="place")
    assert data["names"] == [f"p{row}" for row in range(6)]
    assert data["x"] == [0, 1, 2, None, 3, 4]
    assert data["y"][1] == 2.1235
    place, spread, n_cells, alive = data["columns"]
    assert (place["kind"], place["words"]) == ("category", ["ER", "Golgi"])
    assert place["codes"] == [0, 0, 1, -1, 0, 1]
    assert (spread["kind"], spread["values"][:3]) == ("number", [0.5, None, None])
    assert n_cells["kind"] == alive["kind"] == "category"
    assert data["start"] == 0
    assert page.title.strip() == data["title"] == "My proteins"


def test_a_page_asks_nothing_of_a_network(tmp_path):
    page, _ = written(tmp_path, embedding(), np.zeros((6, 2)), thumbnails={0: b"png"})
    assert page.links == []
    assert set(page.tags) & {"link", "iframe", "object", "embed", "form"} == set()
    text = (tmp_path / "map.html").read_text("utf-8")
    assert not re.search(r"https?://|//[a-z]|@import|url\(|fetch\(|XMLHttp|eval\(|innerHTML", text)
    assert "default-src 'none'" in text


def test_a_name_that_is_a_script_stays_a_name(tmp_path):
    rows = Embedding(
        np.eye(4),
        [EVIL, "a&b", "]]>\u2028", "{{DATA}}{{TITLE}}"],
        table={f"c{EVIL}": np.array([EVIL, "<!--", "x", "y"])},
    )
    groups = group_clouds(np.random.default_rng(0).normal(size=(4, 2)), {EVIL: range(4)})
    options = {"title": EVIL, "groups": groups, "groups_title": EVIL}
    page, data = written(tmp_path, rows, np.eye(4)[:, :2], **options)
    assert page.tags.count("script") == len(page.scripts) == 2
    assert data["names"] == [EVIL, "a&b", "]]>\u2028", "{{DATA}}{{TITLE}}"]
    assert data["columns"][0]["name"] == f"c{EVIL}"
    assert (data["title"], data["groups"][0]["name"], data["groups_title"]) == (EVIL,) * 3
    assert page.title.strip() == EVIL  # as text, that is
    assert not set("<>&") & set(page.scripts[0])


@pytest.mark.skipif(NODE is None, reason="node reads the script, and it is not here")
def test_the_script_is_one(tmp_path):
    page, _ = written(tmp_path, embedding(), np.zeros((6, 2)))
    (tmp_path / "map.js").write_text(page.scripts[1], "utf-8")
    subprocess.run([NODE, "--check", tmp_path / "map.js"], check=True)


def test_groups_arrows_neighbours_and_thumbnails(tmp_path):
    rng = np.random.default_rng(0)
    layout = rng.normal(size=(40, 2))
    groups = group_clouds(layout, {"big": range(30), "tiny": [1, 2]})
    _, data = written(
        tmp_path,
        embedding(40),
        layout,
        groups=groups,
        arrows=(["p1"], layout[:1], layout[1:2]),
        neighbours={0: [(3, 0.98765), (2, 0.5)]},
        thumbnails={5: b"\x89PNG"},
    )
    big, tiny = data["groups"]
    assert (big["name"], big["rows"], tiny["cloud"]) == ("big", list(range(30)), None)
    wide, high = big["cloud"]["size"]
    mass = np.frombuffer(base64.b64decode(big["cloud"]["mass"]), np.uint8).reshape(high, wide)
    assert mass.max() > 250
    assert max(wide, high) <= 96
    left, right, bottom, top = big["cloud"]["extent"]
    line, column = np.unravel_index(mass.argmax(), mass.shape)
    densest = (
        left + (column + 0.5) / wide * (right - left),
        top - (line + 0.5) / high * (top - bottom),
    )
    np.testing.assert_allclose(densest, big["cloud"]["mode"], atol=0.25)
    assert data["arrows"]["names"] == ["p1"]
    assert data["neighbours"]["0"] == [[3, 0.988], [2, 0.5]]
    assert base64.b64decode(data["thumbnails"]["5"]) == b"\x89PNG"


def test_many_words_are_told_and_not_coloured_by(tmp_path):
    rows = embedding(100, gene=np.array([f"g{row}" for row in range(100)]))
    _, data = written(tmp_path, rows, np.zeros((100, 2)))
    assert data["columns"][0]["kind"] == "text"
    kinds = np.array([f"k{row % 8}" for row in range(100)])
    _, data = written(tmp_path, embedding(100, kind=kinds), np.zeros((100, 2)))
    colours = data["columns"][0]["colours"]
    assert len(set(colours)) == 8
    assert not {"#ffffff", "#000000"} & set(colours)


def test_no_rows_at_all(tmp_path):
    none = Embedding(np.empty((0, 3)), np.empty(0, str))
    _, data = written(tmp_path, none, np.empty((0, 2)))
    assert data["names"] == data["x"] == []


@pytest.mark.parametrize(
    ("name", "layout", "options", "words"),
    [
        ("map.png", np.zeros((6, 2)), {}, "A page ends in .html"),
        ("no/map.html", np.zeros((6, 2)), {}, "There is no folder"),
        ("map.html", np.zeros((5, 2)), {}, "A map of 6 rows has as many places"),
        ("map.html", np.zeros((6, 2)), {"colour": "x"}, "no column 'x' to colour by"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, layout, options, words):
    with pytest.raises(InputError, match=words):
        write_page(tmp_path / name, embedding(), layout, **options)
