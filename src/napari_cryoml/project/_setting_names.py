"""Names of the settings that the Picker and the shell share."""

DIAMETER = "diameter_px"
"""Particle diameter in pixels of the first image."""

THRESHOLD = "threshold"
"""Least score of a pick."""

CURRENT_IMAGE = "current_image"
"""Name of the image that was looked at last."""
