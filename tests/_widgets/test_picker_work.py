import subprocess
import sys

import numpy as np

from napari_cryoml import io

PARENT = """
import sys, time
from pathlib import Path
import numpy as np
from napari_cryoml import checkpoint
from napari_cryoml._widgets.picker import PickerWidget, _work
from napari_cryoml.data import Annotations
from napari_cryoml.io import open_images
from napari_cryoml.jobs import ChildJob
from napari_cryoml.picking import ImagePicked, PickerConfig
from napari_cryoml.training import TrainingEvent

folder = Path(sys.argv[1])

def follow(job):
    events = []
    while True:
        state = job.state
        events += job.poll()
        if state != "running":
            return events
        time.sleep(0.02)

images = open_images([folder / "a.mrc"])
training = {"minutes": None, "steps": 3, "crops": 2, "crop_size": 48, "validate_every": 1e-6}
config = PickerConfig(diameter=14.0, training=training, device="cpu")
labels = {"a.mrc": Annotations.of_positives(np.array([[20.0, 20.0], [60.0, 60.0]]))}
out = folder / "model.safetensors"
train = ChildJob.start(_work.train, images, labels, config, out=out, start=None, preview=images[0])
bad = ChildJob.start(_work.pick, [], folder / "none", device="cpu")
events = follow(train)
assert train.state == "done", train.error
pictures = [at for at, event in enumerate(events) if isinstance(event, ImagePicked)]
steps = [at for at, event in enumerate(events) if isinstance(event, TrainingEvent)]
print(len(steps), len(pictures), pictures[0] < steps[-1], events[pictures[0]].score_map.values.ndim)
print(checkpoint.read_header(train.result)["summary"]["steps"])
follow(bad)
print(bad.state, "none" in bad.error, "Traceback" in bad.error)
print([name for name in ("torch", "sklearn", "umap") if name in sys.modules])
"""


def test_jobs_bring_their_results_to_a_process_that_has_no_torch(tmp_path):
    pixels = np.random.default_rng(0).normal(size=(96, 96)).astype(np.float32)
    io.write_mrc(tmp_path / "a.mrc", pixels, 2.0)
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    # Three steps, each of them measured; a picture a validation, and one of what is kept.
    assert done.stdout.splitlines() == ["3 4 True 2", "3", "failed True False", "[]"]
