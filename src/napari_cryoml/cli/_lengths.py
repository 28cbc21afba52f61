"""Lengths as a user types them."""

from napari_cryoml.recipes import parse_length as parse_length
