"""``python -m napari_cryoml`` is ``napari-cryoml``."""

import sys

from napari_cryoml.cli import main

if __name__ == "__main__":
    sys.exit(main())
