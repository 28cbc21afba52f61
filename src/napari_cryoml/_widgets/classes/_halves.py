"""The two halves of a dock that labels crops: classes with the gallery, and tabs below them."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtWidgets import QSplitter, QTabWidget, QVBoxLayout, QWidget

from napari_cryoml._widgets.classes._class_gallery import ClassGallery
from napari_cryoml._widgets.classes._class_group import ClassGroup
from napari_cryoml._widgets.frame import scrolled, tighten


def lay_out_halves(
    splitter: QSplitter,
    classes: ClassGroup,
    gallery: ClassGallery,
    tabs: QTabWidget,
    pages: Mapping[str, QWidget],
    *,
    tabs_px: int,
) -> None:
    """Fill a vertical splitter: three parts for labelling, two for the tabs.

    Parameters
    ----------
    splitter : QSplitter
    classes : ClassGroup
    gallery : ClassGallery
    tabs : QTabWidget
    pages : mapping of str to QWidget
        By the titles of their tabs.
    tabs_px : int
        Least height of the tabs.
    """
    for title, page in pages.items():
        tabs.addTab(scrolled(page), title)
    tabs.setMinimumHeight(tabs_px)
    labelling = QWidget()
    column = QVBoxLayout(labelling)
    tighten(column)
    column.addWidget(classes)
    column.addWidget(gallery, 1)
    splitter.addWidget(labelling)
    splitter.addWidget(tabs)
    splitter.setChildrenCollapsible(False)
    splitter.setStretchFactor(0, 3)
    splitter.setStretchFactor(1, 2)
