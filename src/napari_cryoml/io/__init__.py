"""Between files and data: the only place where axis order, units and flips are mended."""
