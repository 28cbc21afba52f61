"""Names of the settings that the Picker and the shell share."""

DIAMETER = "diameter_px"
"""Particle diameter in pixels of the first image."""

THRESHOLD = "threshold"
"""Least score of a pick, once the user has chosen it."""

CURRENT_IMAGE = "current_image"
"""Name of the image that was looked at last."""

OPTIONS = "options"
"""Options of the picker other than the diameter, nested as its Config is."""

CLASSES = "classes"
"""Classes that rows of embeddings can have: name, colour and key of each."""
