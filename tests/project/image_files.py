"""Images with a file, as far as a project looks at them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class FileImage:
    name: str
    path: Path | None
    shape: tuple[int, ...] = (40, 50)
    pixel_size: float | None = 1.5

    @classmethod
    def make(cls, folder, name, shape=(40, 50)):
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"pixels")
        return cls(name, path, shape)

    def read(self, region=None):
        return np.zeros(self.shape, np.float32)
