"""What a user can get wrong, through the shell: one sentence that says what to do, nothing lost.

The docks say the same sentences; their tests lie with them.
"""

import errno
import os
import pickle
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Annotations, Picks, PicksTable
from napari_cryoml.io import open_image, read_picks, write_mrc, write_picks
from napari_cryoml.picking import Picker
from napari_cryoml.project import Project

TINY = [f"--set={setting}" for setting in ("network.units=4", "training.crops=2", "separation=1")]
FIRST = "micrograph_000.mrc"


@pytest.fixture
def keepsake(tmp_path: Path) -> Path:
    """Return a folder with an older model and older picks, which no mistake may touch."""
    folder = tmp_path / "results"
    folder.mkdir()
    for name in ("m.safetensors", "p.star"):
        (folder / name).write_text(f"older {name}")
    return folder


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def refused(shell, keepsake: Path) -> Callable[..., str]:
    """Return a function that carries out a command which must be refused, and its sentence."""

    def run(*words: object) -> str:
        before = _content(keepsake)
        said = shell(*words, "--json")
        assert said.code == 2, said.err
        assert len(said.sentences) == 1, said.err
        sentence = said.sentences[0]
        assert sentence.endswith(".")
        assert not re.search(r"[.!?] [A-Z]", sentence), f"more than one sentence: {sentence}"
        assert said.json == {"error": sentence}
        assert _content(keepsake) == before
        return sentence

    return run


@pytest.fixture
def train(keepsake: Path, micrographs: Path) -> Callable[..., list]:
    """Return a function that gives the words of a training whose model would be replaced."""

    def words(images: object = micrographs, labels: object = None, *more: object) -> list:
        labels = labels or micrographs / "particles.star"
        named = ["--labels", labels, "--diameter", 24, "--steps", 1, *TINY]
        images = images if isinstance(images, list) else [images]
        return ["pick", "train", *images, *named, "--out", keepsake / "m.safetensors", *more]

    return words


@pytest.fixture
def run(keepsake: Path, model: Path) -> Callable[..., list]:
    """Return a function that gives the words of a picking whose picks would be replaced."""

    def words(*images: object, with_model: Path = model) -> list:
        out = ["--out", keepsake / "p.star", "--threshold", -6]
        return ["pick", "run", *images, "--model", with_model, *out]

    return words


def _labels(path: Path, *positions: tuple[float, float], image: str = FIRST) -> Path:
    picks = Picks(image, np.array(positions, float).reshape(-1, 2))
    return write_picks(PicksTable((picks,)), path)[0]


def _damaged(folder: Path, kind: str, micrographs: Path) -> Path:
    """Return an image that cannot be used."""
    path = folder / "bad.mrc"
    pixels = open_image(micrographs / FIRST).read()
    if kind == "text":
        path.write_text("these are my notes, and no image\n" * 100)
    elif kind == "empty":
        path.touch()
    elif kind == "truncated":
        path.write_bytes((micrographs / FIRST).read_bytes()[:-1000])
    elif kind == "constant":
        write_mrc(path, np.full_like(pixels, 3))
    elif kind == "nan":
        write_mrc(path, np.full_like(pixels, np.nan))
    return path


DAMAGES = {
    "text": r"bad\.mrc .*MRC",
    "empty": r"bad\.mrc .*",
    "truncated": r"bad\.mrc is cut short: .* copy it again",
    "constant": r"bad\.mrc .*",
    "nan": r"bad\.mrc .*",
}


# Images


def test_an_empty_folder(refused, train, run, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert re.search(r"empty gives no image: .* were expected", refused(*train(empty)))
    assert re.search(r"empty gives no image: .* were expected", refused(*run(empty)))
    assert "no image" in refused(*run(empty / "*.mrc"))
    assert "There is no" in refused(*run(empty / "gone.mrc"))


@pytest.mark.parametrize("kind", DAMAGES)
def test_an_image_that_cannot_be_used(
    refused, train, run, tmp_path: Path, micrographs: Path, kind: str
) -> None:
    bad = _damaged(tmp_path, kind, micrographs)
    labels = _labels(tmp_path / "l.csv", *[(50, 50), (90, 90), (99, 20)], image=bad.name)
    assert re.search(DAMAGES[kind], refused(*run(bad)))
    assert re.search(DAMAGES[kind], refused(*train(bad, labels)))


@pytest.mark.parametrize("kind", DAMAGES)
def test_an_image_that_cannot_be_used_among_others_is_left_out(
    shell, run, keepsake: Path, tmp_path: Path, micrographs: Path, kind: str
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    _damaged(folder, kind, micrographs)
    (folder / FIRST).write_bytes((micrographs / FIRST).read_bytes())
    said = shell(*run(folder), "--json")
    assert said.code == 0
    (sentence,) = said.sentences
    assert sentence.startswith("Left out: ")
    assert "bad.mrc" in sentence
    assert read_picks(keepsake / "p.star").images == [FIRST]


def test_pixels_that_are_no_numbers_are_mended(
    shell, train, run, keepsake: Path, tmp_path: Path, micrographs: Path
) -> None:
    pixels = open_image(micrographs / FIRST).read().copy()
    pixels[:20, :30] = np.nan
    holed = write_mrc(tmp_path / FIRST, pixels, 4.0)
    said = shell(*run(holed))
    assert said.code == 0
    assert len(said.sentences) == 1
    assert re.search(rf"{FIRST} .*600 .*median", said.err)
    said = shell(*train(holed))
    assert (said.code, len(said.sentences)) == (0, 1)
    with pytest.warns(InputWarning, match="set to the median"):
        values = Picker.load(keepsake / "m.safetensors").score(open_image(holed)).values
    assert np.isfinite(values).all()


def test_two_images_of_one_name(refused, train, run, tmp_path: Path, micrographs: Path) -> None:
    other = tmp_path / FIRST
    other.write_bytes((micrographs / FIRST).read_bytes())
    for words in (train([micrographs, other]), run(micrographs, other)):
        sentence = refused(*words)
        assert f"Two images are named {FIRST}" in sentence
        assert str(other) in sentence
        assert "rename one" in sentence


# Labels


@pytest.mark.parametrize(
    ("positions", "sentence"),
    [
        ([], "holds no particles: label about ten"),
        ([(5000, 20), (-300, 3)], "All 2 labels lie outside .* --scale and --flip-y"),
        ([(50, 50)], "at least 2 labelled particles, and 1 was given: click a few more"),
    ],
    ids=["zero", "outside", "one"],
)
@pytest.mark.parametrize("suffix", [".star", ".csv"])
def test_labels_that_nothing_can_be_learnt_from(
    refused, train, micrographs: Path, tmp_path: Path, positions: list, sentence: str, suffix: str
) -> None:
    labels = _labels(tmp_path / f"labels{suffix}", *positions)
    assert re.search(sentence, refused(*train(micrographs, labels)))


def test_labels_of_other_images(refused, train, micrographs: Path, tmp_path: Path) -> None:
    labels = _labels(tmp_path / "labels.star", (50, 50), (90, 90), image="other.mrc")
    assert "use the labels of these images" in refused(*train(micrographs, labels))


def test_a_star_file_of_no_rows(refused, shell, micrographs: Path, tmp_path: Path) -> None:
    star = tmp_path / "none.star"
    star.write_text("data_particles\n\nloop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n\n")
    truth = micrographs / "particles.star"
    said = shell("convert", star, tmp_path / "out.csv")
    assert (said.code, len(said.sentences)) == (0, 1)
    assert "none.star holds no picks" in said.err
    assert read_picks_silently(tmp_path / "out.csv").n_picks == 0
    sentence = refused("pick", "evaluate", truth, "--truth", star, "--radius", 5)
    assert "none.star holds no particles to compare with" in sentence


def read_picks_silently(path: Path) -> PicksTable:
    """Return picks of a file that holds none."""
    with pytest.warns(UserWarning, match="holds no picks"):
        return read_picks(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("micrograph_000.box", "10 20 30 30\n10 twenty 30 30\n"),
        ("micrograph_000.box", "10 20\n30\n"),
        ("micrograph_000.box", "\x00\x01\x02\x03\xff"),
        ("labels.star", "data_particles\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n1 2\n3\n"),
        ("labels.star", "this is no table"),
        ("labels.csv", "a,b\n1,2\n"),
        ("labels.cbox", "data_cbox\nloop_\n_x\nnot a number\n"),
        ("labels.json", "{not json"),
        ("labels.cs", "not an array"),
        ("labels.xyz", "1 2 3"),
    ],
)
def test_a_corrupt_file_of_labels(
    refused, train, micrographs: Path, tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode("latin1"))
    before = path.read_bytes()
    assert name in refused(*train(micrographs, path))
    assert name in refused("convert", path, tmp_path / "results" / "p.star")
    assert path.read_bytes() == before


# Models


class Malicious:
    """Leaves a trace if it is ever unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("name", ["model.safetensors", "model.pt", "model.sav"])
def test_a_checkpoint_that_is_a_pickle(
    refused, train, run, tmp_path: Path, micrographs: Path, name: str
) -> None:
    path, trace = tmp_path / name, tmp_path / "trace"
    path.write_bytes(pickle.dumps(Malicious(trace)))
    word = "Topaz" if name.endswith(".sav") else "pickle"
    assert word in refused(*run(micrographs, with_model=path))
    assert word in refused(*train(micrographs, None, "--start", path))
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"text", b"\x10" + bytes(7) + b"{not json...."])
def test_a_checkpoint_that_is_none(
    refused, run, tmp_path: Path, micrographs: Path, content: bytes
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert "model.safetensors" in refused(*run(micrographs, with_model=path))
    assert "There is no" in refused(*run(micrographs, with_model=tmp_path / "gone.safetensors"))


def test_a_model_that_was_cut_short(refused, run, model, tmp_path: Path, micrographs: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(model.read_bytes()[:-100])
    assert "model.safetensors is damaged" in refused(*run(micrographs, with_model=path))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--diameter", 48], "for particles of 24 px, but the diameter is 48 px now: set it back"),
        (["--model", "conv63"], "2-D conv31 .*, but a 2-D conv63 .* choose the same network"),
        (["--set", "network.units=8"], "of 4 units .* of 8 units .* choose the same network"),
    ],
)
def test_a_model_of_another_kind_to_go_on_from(
    refused, train, model: Path, micrographs: Path, words: list, sentence: str
) -> None:
    before = model.read_bytes()
    assert re.search(sentence, refused(*train(micrographs, None, "--start", model, *words)))
    assert model.read_bytes() == before


def test_a_tomogram_for_a_model_of_micrographs(refused, run, tmp_path: Path) -> None:
    volume = write_mrc(tmp_path / "tomogram.mrc", np.random.default_rng(0).normal(0, 1, (20,) * 3))
    assert "trained on 2-D images" in refused(*run(volume))


# A full disk


@pytest.fixture
def full_disk(keepsake: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the folder of results take no more files, and return the folder of temporary ones."""
    refuge = keepsake.parent / "temporary"
    refuge.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(refuge))
    for name in ("replace", "rename"):
        monkeypatch.setattr(os, name, _full(getattr(os, name), keepsake))
    return refuge


def _full(original: Callable, folder: Path) -> Callable:
    def refuse(source: object, target: object, **options: object) -> object:
        if Path(str(target)).parent == folder:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        return original(source, target, **options)

    return refuse


def test_a_full_disk_keeps_the_older_model_and_the_new_one(
    refused, train, micrographs: Path, full_disk: Path
) -> None:
    sentence = refused(*train())
    assert re.search(r"no space left to write .*m\.safetensors: free some", sentence)
    (kept,) = full_disk.rglob("m.safetensors")
    assert str(kept) in sentence
    assert Picker.load(kept).summary["positives"] == 28


def test_a_full_disk_keeps_the_older_picks_and_the_new_ones(
    refused, run, micrographs: Path, full_disk: Path
) -> None:
    sentence = refused(*run(micrographs))
    assert re.search(r"p\.star was not written: the disk is full", sentence)
    (kept,) = full_disk.rglob("p.star")
    assert str(kept) in sentence
    assert read_picks(kept).n_picks > 10


@pytest.mark.parametrize("refused_call", ["replace", "fsync", "mkdtemp"])
def test_where_nothing_can_be_written_the_older_files_stay(
    refused, train, run, micrographs: Path, full_disk: Path, monkeypatch, refused_call: str
) -> None:
    def refuse(*words: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile if refused_call == "mkdtemp" else os, refused_call, refuse)
    assert re.search(r"no space left .*m\.safetensors: free some.*folder\.$", refused(*train()))
    if refused_call == "replace":
        assert re.search(r"p\.star was not written: .* try again\.$", refused(*run(micrographs)))
    assert [path for path in full_disk.rglob("*") if path.is_file()] == []


def test_a_full_disk_keeps_the_source_of_a_conversion(
    refused, keepsake: Path, micrographs: Path, full_disk: Path
) -> None:
    sentence = refused("convert", micrographs / "particles.star", keepsake / "p.star")
    assert "the disk is full" in sentence


def test_a_full_disk_for_heat_maps_does_not_cost_the_picks(
    shell, model, micrographs: Path, tmp_path: Path, full_disk: Path, keepsake: Path
) -> None:
    words = ["--model", model, "--out", tmp_path / "p.csv", "--heatmaps", keepsake]
    said = shell("pick", "run", micrographs, *words, "--threshold", -6)
    assert said.code == 0
    assert len(said.sentences) == 1
    assert said.err.startswith("No more heat maps: ")
    assert len(read_picks(tmp_path / "p.csv")) == 2


def test_a_full_disk_keeps_every_label_of_a_project(tmp_path: Path, micrographs: Path) -> None:
    label = Annotations.of_positives([[20, 20]])
    many = Annotations.of_positives(np.random.default_rng(0).uniform(0, 200, (50_000, 2)))
    with Project.create(tmp_path / "p.cryoml") as project:
        project.add_images([open_image(micrographs / FIRST)])
        project.annotate(FIRST, add=label)
        pages = project._store.row("PRAGMA page_count")[0]
        project._store.row(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(InputError, match=r"is full: free some space .* before it is saved"):
            project.annotate(FIRST, add=many)
        assert len(project.annotations(FIRST)) == 1
        project._store.row("PRAGMA max_page_count = 1000000")
        project.annotate(FIRST, add=label)
    with Project.open(tmp_path / "p.cryoml") as project:
        assert len(project.annotations(FIRST)) == 2
