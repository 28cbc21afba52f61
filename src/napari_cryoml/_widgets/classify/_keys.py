"""The keys of the Classify dock, while the mouse or the keyboard is in it."""

from __future__ import annotations

from napari_cryoml._widgets.frame import DockKey

CLASSIFY_KEYS = (
    DockKey("U", "cut", "Cut crops of the picks, or stop"),
    DockKey("N", "add", "Add a class"),
    DockKey("J", "label", "Clicks on picks in the image give the chosen class, or not"),
    DockKey("Q", "train", "Train, or stop and keep what is there"),
    DockKey("H", "look", "Show in the viewer what the classifier looks at, or not"),
    DockKey("K", "average", "Average a class, or stop"),
    DockKey("Ctrl+Z", "undo", "Undo the last class"),
    DockKey("Ctrl+Shift+Z", "redo", "Redo"),
)
"""Those that do something while the dock has the keyboard."""

CROP_KEYS = (
    DockKey("1 … 9", "digit", "Give the crop the class of this key"),
    DockKey("Enter, G", "give", "Give the crop the chosen class"),
    DockKey("Backspace, W", "take", "Take its class away"),
    DockKey("Arrows", "walk", "Walk from crop to crop"),
)
"""What the crop with the frame around it obeys; the gallery itself takes them."""
