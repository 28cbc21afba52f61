"""Between napari layers and data: reader, writer, sample data and picker layers."""
