from ._baselines import (
    Baseline,
    BaselineConfig,
    DogConfig,
    LogConfig,
    TemplateConfig,
    baselines,
)
from ._config import PickerConfig
from ._dense import score_image
from ._events import ImageDone, ImagePicked, PickersCompared
from ._final import final_picks, rejected_picks, with_poses
from ._image_work import ImageWork, NetworkWork, PickedImage
from ._imported import picker_from_topaz
from ._kept_picks import KeptPicks
from ._labels import LABEL_COLUMN, labels_from_table, poses_from_table
from ._peaks import find_peaks
from ._pick import PickingPlan, pick_images, pick_with_baseline
from ._picker import Picker
from ._scoring import LOWEST_SCORE, picks_from_map, refine, score_working_image
from ._train import check_labels, train_picker
from ._watch import Folder, WatchConfig, watch_folder

__all__ = [
    "LABEL_COLUMN",
    "LOWEST_SCORE",
    "Baseline",
    "BaselineConfig",
    "DogConfig",
    "Folder",
    "ImageDone",
    "ImagePicked",
    "ImageWork",
    "KeptPicks",
    "LogConfig",
    "NetworkWork",
    "PickedImage",
    "Picker",
    "PickerConfig",
    "PickersCompared",
    "PickingPlan",
    "TemplateConfig",
    "WatchConfig",
    "baselines",
    "check_labels",
    "final_picks",
    "find_peaks",
    "labels_from_table",
    "pick_images",
    "pick_with_baseline",
    "picker_from_topaz",
    "picks_from_map",
    "poses_from_table",
    "refine",
    "rejected_picks",
    "score_image",
    "score_working_image",
    "train_picker",
    "watch_folder",
    "with_poses",
]
