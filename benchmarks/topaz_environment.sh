#!/usr/bin/env bash
# Make an environment with Topaz 0.3.20, to compare with: topaz_environment.sh FOLDER
# It is kept apart from this project's: torchvision, which Topaz asks for, would replace torch.
set -euo pipefail

folder=${1:?"say where to make the environment: $0 FOLDER"}
"${PYTHON:-python3}" -m venv "$folder"
python="$folder/bin/python"

"$python" -m pip install --quiet "pip>=25.1"
"$python" -m pip install --quiet "torch==2.13.0"
"$python" -m pip install --quiet --no-deps "torchvision==0.28.0" "topaz-em==0.3.20"
"$python" -m pip install --quiet \
  future h5py "numpy>=2" pandas pillow psutil scikit-learn scipy "setuptools>=77.0.3" tqdm

# torchvision's compiled operators only load next to the very build of torch they were made for.
# Topaz uses none of them, but the import fails unless the two it looks up are declared.
if ! "$python" -c "import torchvision" 2>/dev/null; then
  "$python" - <<'PATCH'
from importlib.util import find_spec
from pathlib import Path

module = Path(find_spec("torchvision").origin).with_name("_meta_registrations.py")
declaration = '''import torch
_declared = torch.library.Library("torchvision", "DEF")
_declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_declared.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
'''
module.write_text(declaration + module.read_text())
PATCH
fi

"$python" -c "import torchvision, topaz.training"
echo "$folder/bin/topaz is ready."
