"""One loop for all objectives."""
