"""What is painted above the points: outlines, rings, the hovered point, words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QPolygonF

from napari_cryoml._widgets.frame import ThemeColours
from napari_cryoml.embedding.drawing import SELECTED

_MARGIN = 8
_THUMBNAIL_PX = 84
_RING_PX = 7.0
_MOST_RINGS = 500
_MOST_ARROWS = 2000
_HEAD_PX = 9.0
_SMALL = 0.85

_Places = npt.NDArray[np.float64]


def paint_outline(painter: QPainter, corners: _Places, mode: str) -> None:
    """Paint a lasso or a rectangle that is being drawn; dashed where it takes away."""
    colour = QColor(*SELECTED)
    fill = QColor(colour)
    fill.setAlpha(40)
    polygon = QPolygonF([QPointF(x, y) for x, y in corners.tolist()])
    # A dark line under a light one is seen on any ground.
    painter.setBrush(fill)
    painter.setPen(QPen(QColor(0, 0, 0, 120), 3.5))
    painter.drawPolygon(polygon)
    style = Qt.PenStyle.DashLine if mode == "subtract" else Qt.PenStyle.SolidLine
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour.lighter(125), 1.8, style))
    painter.drawPolygon(polygon)
    painter.setPen(QPen(colour, 1))
    if mode != "replace" and len(corners):
        sign = "+" if mode == "add" else "−"
        painter.drawText(QPointF(*corners[0]) + QPointF(6, -6), sign)


def paint_arrows(painter: QPainter, start: _Places, end: _Places, theme: ThemeColours) -> None:
    """Paint arrows between pixels xy, each of shape (m, 2); the first 2,000 of them."""
    colour = QColor(*SELECTED)
    for first, last in zip(start[:_MOST_ARROWS], end[:_MOST_ARROWS], strict=True):
        if not (np.isfinite(first).all() and np.isfinite(last).all()):
            continue
        along = last - first
        length = float(np.hypot(*along))
        if length < 1:
            continue
        along /= length
        across = np.array([-along[1], along[0]])
        head = min(_HEAD_PX, length / 2)
        neck = last - head * along
        tip = [last, neck + head / 2 * across, neck - head / 2 * across]
        for pen in (QPen(theme.background, 3.4), QPen(colour, 1.5)):
            painter.setPen(pen)
            painter.drawLine(QPointF(*first), QPointF(*neck))
        painter.setPen(QPen(theme.background, 1))
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in tip]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_rings(
    painter: QPainter, places: _Places, radius: float, theme: ThemeColours, wide: float = 2.0
) -> None:
    """Paint rings around pixels xy, shape (m, 2); the first 500 of them."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    size = max(radius + 3, _RING_PX)
    for x, y in places[:_MOST_RINGS].tolist():
        for pen in (QPen(theme.background, wide + 2.4), QPen(theme.text, wide)):
            painter.setPen(pen)
            painter.drawEllipse(QPointF(x, y), size, size)


def paint_label(
    painter: QPainter,
    place: tuple[float, float],
    text: str,
    thumbnail: QImage | None,
    theme: ThemeColours,
    bounds: QRectF,
) -> None:
    """Paint words and a picture beside a pixel, on the side where there is room."""
    lines = [line for line in text.split("\n") if line]
    if not lines and thumbnail is None:
        return
    metrics = QFontMetricsF(painter.font())
    line_width = max([metrics.horizontalAdvance(line) for line in lines], default=0.0)
    picture = _THUMBNAIL_PX if thumbnail is not None else 0
    width = max(line_width, picture) + 2 * _MARGIN
    height = len(lines) * metrics.height() + picture + 2 * _MARGIN
    height += _MARGIN / 2 if lines and picture else 0
    box = _beside(place, width, height, bounds)
    _paint_box(painter, box, theme)
    if thumbnail is not None:
        _paint_thumbnail(painter, box, thumbnail)
    painter.setPen(theme.text)
    baseline = box.bottom() - _MARGIN - metrics.descent() - (len(lines) - 1) * metrics.height()
    for index, line in enumerate(lines):
        painter.drawText(QPointF(box.left() + _MARGIN, baseline + index * metrics.height()), line)


def paint_axes(
    painter: QPainter, names: tuple[str, str], counted: str, theme: ThemeColours, bounds: QRectF
) -> None:
    """Paint the names of the axes and how many points there are, small, in the lower corners."""
    _make_small(painter)
    metrics = QFontMetricsF(painter.font())
    line = metrics.height()
    left, floor = bounds.left() + _MARGIN, bounds.bottom() - _MARGIN
    corner = QPointF(left + line * 0.4, floor - line * 0.4)
    pen = QPen(theme.text, 1)
    painter.setOpacity(0.7)
    painter.setPen(pen)
    painter.drawLine(corner, corner + QPointF(26, 0))
    painter.drawLine(corner, corner - QPointF(0, 26))
    painter.drawText(corner + QPointF(30, line * 0.3), names[0])
    painter.save()
    painter.translate(corner + QPointF(line * 0.3, -30))
    painter.rotate(-90)
    painter.drawText(QPointF(0, 0), names[1])
    painter.restore()
    width = metrics.horizontalAdvance(counted)
    painter.drawText(QPointF(bounds.right() - _MARGIN - width, floor - metrics.descent()), counted)
    painter.setOpacity(1)


def paint_hint(painter: QPainter, text: str, theme: ThemeColours, bounds: QRectF) -> None:
    """Paint what to do, in the middle of an empty map."""
    painter.setPen(theme.text)
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(bounds.adjusted(24, 24, -24, -24), flags, text)


def paint_terms(
    painter: QPainter, terms: Sequence[tuple[str, QPointF]], theme: ThemeColours
) -> None:
    """Paint words around pixels, outlined so that they can be read on anything."""
    metrics = QFontMetricsF(painter.font())
    for word, centre in terms:
        path = QPainterPath()
        width = metrics.horizontalAdvance(word)
        baseline = centre + QPointF(-width / 2, (metrics.ascent() - metrics.descent()) / 2)
        path.addText(baseline, painter.font(), word)
        painter.strokePath(path, QPen(theme.background, 3, join=Qt.PenJoinStyle.RoundJoin))
        painter.fillPath(path, theme.text)


def _beside(place: tuple[float, float], width: float, height: float, bounds: QRectF) -> QRectF:
    gap = 14
    x, y = place
    left = x + gap if x + gap + width <= bounds.right() else x - gap - width
    top = min(max(y - height / 2, bounds.top() + 2), bounds.bottom() - height - 2)
    return QRectF(max(left, bounds.left() + 2), top, width, height)


def _paint_box(painter: QPainter, box: QRectF, theme: ThemeColours) -> None:
    fill = QColor(theme.background)
    fill.setAlpha(235)
    painter.setBrush(fill)
    painter.setPen(QPen(theme.muted, 1))
    painter.drawRoundedRect(box, 4, 4)


def _paint_thumbnail(painter: QPainter, box: QRectF, thumbnail: QImage) -> None:
    keep, smooth = Qt.AspectRatioMode, Qt.TransformationMode.SmoothTransformation
    side = round(_THUMBNAIL_PX * painter.device().devicePixelRatioF())
    scaled = thumbnail.scaled(side, side, keep.KeepAspectRatio, smooth)
    scaled.setDevicePixelRatio(painter.device().devicePixelRatioF())
    size = scaled.deviceIndependentSize()
    left = box.center().x() - size.width() / 2
    painter.drawImage(QPointF(left, box.top() + _MARGIN), scaled)


def _make_small(painter: QPainter) -> None:
    font = painter.font()
    font.setPointSizeF(max(font.pointSizeF() * _SMALL, 7))
    painter.setFont(font)
