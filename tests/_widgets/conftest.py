"""Micrographs, a mocked view and jobs that do what a test says."""

from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from napari.components import ViewerModel

from napari_cryoml import checkpoint, io
from napari_cryoml._widgets.picker import PickerController, PickerView
from napari_cryoml._widgets.picker._live_group import LiveGroup
from napari_cryoml._widgets.picker._question import QuestionPanel
from napari_cryoml.data import Picks, ScoreMap
from napari_cryoml.jobs import Answer
from napari_cryoml.picking import ImagePicked, PickerConfig
from napari_cryoml.picking.live import LiveConfig
from napari_cryoml.training import TrainingEvent

PIXEL_SIZE = 2.0
SHAPE = (120, 100)


class FakeJob:
    """A job whose events and end the test brings about."""

    def __init__(self, function, *args, **kwargs):
        self.function, self.args, self.kwargs = function, args, kwargs
        self.state, self.error, self.result = "running", None, None
        self.stopped = False
        self._events = []

    def say(self, *events):
        self._events += events

    def poll(self):
        events, self._events = self._events, []
        return events

    def end(self, state="done", result=None, error=None):
        self.state, self.result, self.error = state, result, error

    def stop(self):
        self.stopped = True

    def cancel(self):
        if self.state == "running":
            self.state = "cancelled"


class Jobs(list):
    """Starts fake jobs and remembers them."""

    def start(self, function, *args, **kwargs):
        self.append(FakeJob(function, *args, **kwargs))
        return self[-1]


class FakeService:
    """A service whose answers the test gives."""

    def __init__(self, factory, *args, **kwargs):
        self.factory, self.args, self.kwargs = factory, args, kwargs
        self.state, self.error, self.pid = "running", None, 1
        self.asked, self.stopped = [], []
        self._answers = []

    def ask(self, request, replaces=None):
        self.asked.append((request, replaces))
        return len(self.asked) - 1

    def stop(self, ticket):
        self.stopped.append(ticket)

    def poll(self):
        answers, self._answers = self._answers, []
        return answers

    def say(self, event, ticket=None):
        """Let an event of a request be heard, of the latest one by default."""
        self.reply(ticket=ticket, event=event)

    def reply(self, reply=None, ticket=None, **answer):
        """Answer a request, the latest one by default."""
        ticket = len(self.asked) - 1 if ticket is None else ticket
        self._answers.append(Answer(ticket, reply, **answer))

    def close(self):
        self.state = "closed"


class Services(list):
    """Starts fake services and remembers them."""

    def start(self, factory, *args, **kwargs):
        self.append(FakeService(factory, *args, **kwargs))
        return self[-1]


@pytest.fixture
def jobs():
    return Jobs()


@pytest.fixture
def services():
    return Services()


@pytest.fixture
def folder(tmp_path):
    """Return a folder of three micrographs."""
    where = tmp_path / "micrographs"
    where.mkdir()
    rng = np.random.default_rng(0)
    for name in "abc":
        pixels = rng.normal(size=SHAPE).astype(np.float32)
        io.write_mrc(where / f"{name}.mrc", pixels, PIXEL_SIZE)
    return where


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def view(qapp):
    mock = MagicMock(spec=PickerView)
    mock.config.side_effect = lambda **values: PickerConfig(**values)
    mock.options.return_value = {}
    mock.goes_on.return_value = False
    mock.live_config.side_effect = lambda **values: LiveConfig(**values)
    mock.live_options.return_value = {}
    mock.live = MagicMock(spec=LiveGroup)
    mock.question = MagicMock(spec=QuestionPanel)
    return mock


@pytest.fixture
def controller(qtbot, viewer, view, jobs, services):
    made = PickerController(viewer, view, start_job=jobs.start, start_service=services.start)
    yield made
    made.teardown()


@pytest.fixture
def idle(qtbot, controller):
    """Return a function that waits until nothing is being read."""

    def wait():
        qtbot.waitUntil(lambda: not controller.reading, timeout=10_000)

    return wait


@pytest.fixture
def live(controller, folder, idle):
    """Return the controller with the three micrographs open, the first one on show."""
    controller.open_paths([folder])
    idle()
    assert controller.desk.shown == "a.mrc"
    return controller


@pytest.fixture
def opened(live):
    """Return the same with live picking off."""
    live.live.toggle(False)
    return live


def step(number, loss=1.0, validation=None):
    return TrainingEvent(done=number, total=10, step=number, loss=loss, validation=validation)


def picked(image, scores=(2.0, 1.0, -1.0)):
    positions = np.array([[10.0 * (i + 1), 20.0] for i in range(len(scores))])
    values = np.zeros((15, 13), np.float32)
    return ImagePicked(
        done=1,
        total=1,
        image=image,
        picks=Picks(image, positions, np.array(scores, np.float32), PIXEL_SIZE, 20.0),
        score_map=ScoreMap(values, np.array([8.0, 8.0]), np.zeros(2)),
        device="CPU",
    )


def trained(path, **summary):
    """Write what a training leaves behind, with this summary; return its path."""
    checkpoint.save(path, {"weight": torch.zeros(1)}, {"kind": "picker", "summary": summary})
    return path


def said(view):
    """Return the last sentence on show and whether it is an error."""
    call = view.show_message.call_args
    return call.args[0], call.kwargs.get("error", False)


# The Explorer


@pytest.fixture
def map_view(qapp):
    """Return a mocked view of the Explorer, with its parts."""
    from napari_cryoml._widgets.crops._average_panel import AveragePanel
    from napari_cryoml._widgets.crops._gallery import CropGallery
    from napari_cryoml._widgets.embedding import ExplorerView
    from napari_cryoml._widgets.embedding._canvas import EmbeddingCanvas
    from napari_cryoml._widgets.embedding._groups_tab import GroupsTab
    from napari_cryoml._widgets.embedding._link_tab import LinkTab
    from napari_cryoml._widgets.embedding._map_tab import MapTab
    from napari_cryoml._widgets.embedding._new_tab import NewTab
    from napari_cryoml._widgets.embedding._protein_tab import ProteinTab
    from napari_cryoml._widgets.embedding._selection_row import SelectionRow
    from napari_cryoml._widgets.embedding._source_row import SourceRow
    from napari_cryoml._widgets.embedding._tool_row import ToolRow
    from napari_cryoml.embedding import (
        NoveltyConfig,
        SpreadConfig,
        clusterings,
        encoders,
        projections,
    )

    mock = MagicMock(spec=ExplorerView)
    parts = {
        "source": SourceRow,
        "tools": ToolRow,
        "canvas": EmbeddingCanvas,
        "selection": SelectionRow,
        "gallery": CropGallery,
        "average": AveragePanel,
        "groups": GroupsTab,
        "new": NewTab,
        "options": MapTab,
        "link": LinkTab,
        "proteins": ProteinTab,
    }
    for name, kind in parts.items():
        setattr(mock, name, MagicMock(spec=kind))
    mock.chosen_method.return_value = "umap"
    mock.map_config.side_effect = lambda method: projections[method]()
    mock.encoder_config.side_effect = lambda: encoders["rings"]()
    mock.groups.config.side_effect = lambda: clusterings["kmeans"]()
    mock.groups.chosen = "kmeans"
    mock.new.novelty_config.side_effect = NoveltyConfig
    mock.new.spread_config.side_effect = SpreadConfig
    mock.options.values.return_value = {}
    mock.gallery.rows = np.empty(0, int)
    mock.gallery.side = 64
    return mock


@pytest.fixture
def explorer(qtbot, viewer, map_view, jobs, services):
    from napari_cryoml._widgets.embedding import ExplorerController

    made = ExplorerController(viewer, map_view, start_job=jobs.start, start_service=services.start)
    yield made
    made.teardown()


# The Classify dock


@pytest.fixture
def class_view(qapp):
    """Return a mocked view of the Classify dock, with its parts."""
    from napari_cryoml._widgets.classes._class_gallery import ClassGallery
    from napari_cryoml._widgets.classes._class_group import ClassGroup
    from napari_cryoml._widgets.classes._class_table import ClassTable
    from napari_cryoml._widgets.classes._result_tab import ResultTab
    from napari_cryoml._widgets.classes._train_tab import TrainTab
    from napari_cryoml._widgets.classify import ClassifyView
    from napari_cryoml._widgets.classify._average_tab import AverageTab
    from napari_cryoml._widgets.classify._export_tab import ExportTab
    from napari_cryoml._widgets.classify._look_tab import LookTab
    from napari_cryoml._widgets.classify._source_group import SourceGroup
    from napari_cryoml._widgets.crops import AveragePanel, CropGallery, GalleryGrid
    from napari_cryoml._widgets.frame import ConfigForm
    from napari_cryoml._widgets.jobs import JobPanel
    from napari_cryoml.averaging import AverageConfig, RefineConfig
    from napari_cryoml.classification import systems
    from napari_cryoml.preprocess import CropsConfig

    mock = MagicMock(spec=ClassifyView)
    parts = {
        "source": SourceGroup,
        "classes": ClassGroup,
        "gallery": ClassGallery,
        "train": TrainTab,
        "result": ResultTab,
        "look": LookTab,
        "average": AverageTab,
        "export": ExportTab,
    }
    for name, kind in parts.items():
        setattr(mock, name, MagicMock(spec=kind))
    mock.gallery.crops = MagicMock(spec=CropGallery)
    mock.gallery.crops.rows = np.empty(0, int)
    mock.gallery.crops.side = 64
    mock.gallery.crops.grid = MagicMock(spec=GalleryGrid)
    mock.gallery.is_in_use = False
    mock.source.crops_config.side_effect = lambda diameter=None: CropsConfig(diameter=diameter)
    mock.source.tilts = (-60.0, 60.0)
    mock.source.form = MagicMock(spec=ConfigForm)
    mock.source.form.values.return_value = {}
    mock.train.chosen = "few_shot"
    mock.train.config.side_effect = lambda: systems.create(mock.train.chosen)
    mock.train.values.return_value = {}
    mock.train.panel = MagicMock(spec=JobPanel)
    mock.result.table = MagicMock(spec=ClassTable)
    mock.average.chosen = ("predicted", "")
    mock.average.panel = MagicMock(spec=AveragePanel)
    mock.average.config.side_effect = lambda ndim: RefineConfig() if ndim == 3 else AverageConfig()
    mock.export.chosen = ("predicted", "one")
    return mock


@pytest.fixture
def classify(qtbot, viewer, class_view, jobs, services):
    from napari_cryoml._widgets.classify import ClassifyController

    made = ClassifyController(
        viewer, class_view, start_job=jobs.start, start_service=services.start
    )
    yield made
    made.teardown()


# The Cells dock


@pytest.fixture
def home(monkeypatch, tmp_path):
    """Have projects of images without a file kept in a folder of the test."""
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def cells_view(qapp):
    """Return a mocked view of the Cells dock, with its parts."""
    from qtpy.QtWidgets import QPushButton

    from napari_cryoml._widgets.cells import CellsView
    from napari_cryoml._widgets.cells._check_tab import CheckTab
    from napari_cryoml._widgets.cells._export_tab import ExportTab
    from napari_cryoml._widgets.cells._map_tab import MapTab
    from napari_cryoml._widgets.cells._source_group import CellSource
    from napari_cryoml._widgets.classes import (
        ClassGallery,
        ClassGroup,
        ClassTable,
        ResultTab,
        TrainTab,
    )
    from napari_cryoml._widgets.crops import CropGallery, GalleryGrid
    from napari_cryoml._widgets.jobs import JobPanel
    from napari_cryoml.classification import systems
    from napari_cryoml.embedding import encoders
    from napari_cryoml.preprocess import CellsConfig, SegmentConfig

    mock = MagicMock(spec=CellsView)
    parts = {
        "source": CellSource,
        "classes": ClassGroup,
        "suggest": QPushButton,
        "standard": QPushButton,
        "gallery": ClassGallery,
        "train": TrainTab,
        "result": ResultTab,
        "check": CheckTab,
        "map": MapTab,
        "export": ExportTab,
    }
    for name, kind in parts.items():
        setattr(mock, name, MagicMock(spec=kind))
    mock.gallery.crops = MagicMock(spec=CropGallery)
    mock.gallery.crops.rows = np.empty(0, int)
    mock.gallery.crops.side = 64
    mock.gallery.crops.grid = MagicMock(spec=GalleryGrid)
    mock.gallery.is_in_use = False
    mock.source.cells_config.side_effect = lambda **roles: CellsConfig(size=16, **roles)
    mock.source.segment_config.side_effect = SegmentConfig
    mock.source.values.return_value = {}
    mock.train.chosen = "few_shot"
    mock.train.follows = True
    mock.train.config.side_effect = lambda: systems.create(mock.train.chosen)
    mock.train.values.return_value = {}
    mock.train.panel = MagicMock(spec=JobPanel)
    mock.result.table = MagicMock(spec=ClassTable)
    mock.map.chosen = ("protein", "rings")
    mock.map.config.side_effect = lambda: encoders["rings"]()
    return mock


@pytest.fixture
def cells(qtbot, viewer, cells_view, services, home):
    from napari_cryoml._widgets.cells import CellsController

    made = CellsController(viewer, cells_view, start_service=services.start)
    yield made
    made.teardown()
