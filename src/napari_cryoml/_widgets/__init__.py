"""The docks: each a view and a controller."""
