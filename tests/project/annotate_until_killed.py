"""A program that labels until someone kills it; it says each label once it is saved."""

import sys

from napari_cryoml.data import Annotations
from napari_cryoml.project import Project

project = Project.open(sys.argv[1])
for number in range(100_000):
    project.annotate("a", add=Annotations.of_positives([[number, number]]))
    print(number, flush=True)
