"""Icons that are drawn in the colour of the theme: few fonts have signs for a lasso or a cloud."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

_SIDE = 18
_SCALE = 3
"""Pixels are drawn for screens of up to three times the usual density."""


def icon(name: str, colour: QColor) -> QIcon:
    """Return an icon: a key of `DRAWINGS`."""
    pixmap = QPixmap(_SIDE * _SCALE, _SIDE * _SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(_SCALE, _SCALE)
    painter.setPen(QPen(colour, 1.6, cap=Qt.PenCapStyle.RoundCap, join=Qt.PenJoinStyle.RoundJoin))
    DRAWINGS[name](painter)
    painter.end()
    return QIcon(pixmap)


def _pan(painter: QPainter) -> None:
    for turn in range(4):
        painter.save()
        painter.translate(9, 9)
        painter.rotate(90 * turn)
        painter.drawLine(QPointF(0, 0), QPointF(0, -7))
        painter.drawPolyline([QPointF(-2.2, -4.8), QPointF(0, -7), QPointF(2.2, -4.8)])
        painter.restore()


def _lasso(painter: QPainter) -> None:
    path = QPainterPath(QPointF(6, 12))
    path.cubicTo(QPointF(-1, 9), QPointF(3, 1.5), QPointF(10, 2.5))
    path.cubicTo(QPointF(19, 4), QPointF(17, 13), QPointF(6, 12))
    path.cubicTo(QPointF(4, 13.5), QPointF(6, 15), QPointF(4, 16.5))
    painter.drawPath(path)


def _rectangle(painter: QPainter) -> None:
    pen = painter.pen()
    pen.setDashPattern([2.2, 1.8])
    painter.setPen(pen)
    painter.drawRect(QRectF(2.5, 4, 13, 10))


def _fit(painter: QPainter) -> None:
    for turn in range(4):
        painter.save()
        painter.translate(9, 9)
        painter.rotate(90 * turn)
        painter.drawPolyline([QPointF(-6.5, -2.5), QPointF(-6.5, -6.5), QPointF(-2.5, -6.5)])
        painter.restore()


def _clouds(painter: QPainter) -> None:
    path = QPainterPath()
    for centre, radius in ((QPointF(6, 10.5), 3.5), (QPointF(10, 7.5), 4), (QPointF(13, 11), 3)):
        blob = QPainterPath()
        blob.addEllipse(centre, radius, radius)
        path = path.united(blob)
    painter.drawPath(path.simplified())


def _export(painter: QPainter) -> None:
    painter.drawLine(QPointF(9, 2.5), QPointF(9, 11))
    painter.drawPolyline([QPointF(6, 8.2), QPointF(9, 11.2), QPointF(12, 8.2)])
    painter.drawPolyline([QPointF(3, 12), QPointF(3, 15.5), QPointF(15, 15.5), QPointF(15, 12)])


DRAWINGS: dict[str, Callable[[QPainter], None]] = {
    "pan": _pan,
    "lasso": _lasso,
    "rectangle": _rectangle,
    "fit": _fit,
    "clouds": _clouds,
    "export": _export,
}
