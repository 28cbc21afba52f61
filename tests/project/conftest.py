import inspect
from pathlib import Path

import pytest
from image_files import FileImage

from napari_cryoml.project import Project


def pytest_generate_tests(metafunc):
    """Run the tests that ask for the shape of image a in 2-D and in 3-D, the others in 2-D."""
    if "shape" in inspect.signature(metafunc.function).parameters:
        metafunc.parametrize("shape", [(40, 50), (20, 40, 50)], ids=["2d", "3d"], indirect=True)


@pytest.fixture
def shape(request):
    return getattr(request, "param", (40, 50))


@pytest.fixture
def project_path(tmp_path) -> Path:
    return tmp_path / "test.cryoml"


@pytest.fixture
def project(project_path, tmp_path, shape):
    """A project with images a and b."""
    with Project.create(project_path) as project:
        project.add_images([FileImage.make(tmp_path, "a", shape), FileImage.make(tmp_path, "b")])
        yield project
