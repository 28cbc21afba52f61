"""A program that maps and classifies until someone kills it; it says each step once it is saved."""

import sys

import numpy as np

from napari_cryoml.data import Embedding
from napari_cryoml.project import Project
from napari_cryoml.project import _embedding_records as records

records._PART_BYTES = 1000
project = Project.open(sys.argv[1])
embedding = Embedding(np.ones((200, 8), np.float32), np.arange(200).astype(str))
for number in range(100_000):
    added = project.add_embedding(f"{number}", embedding)
    project.set_embedding_columns(added, {"UMAP0": np.full(200, number)})
    project.classify([f"{number}"], "junk")
    print(number, flush=True)
