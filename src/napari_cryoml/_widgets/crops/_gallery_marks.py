"""What a crop in the gallery was labelled as, in colour and in shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen

from napari_cryoml._widgets.frame import NEGATIVE, POSITIVE

MarkKind: TypeAlias = Literal["positive", "negative", "class", "predicted"]

_HALO = QColor(0, 0, 0, 170)
_LEAST_BADGE = 14.0
_BAR_SHARE = 0.2
_LEAST_BAR = 11.0
_WHITE = QColor("white")
_BLACK = QColor("black")


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of one crop, or what a classifier says of it.

    Parameters
    ----------
    kind : {"positive", "negative", "class", "predicted"}
        A green ring, an orange x, or the name of the class: in a bar of its colour if it was
        given by hand, in an outline of its colour if it was predicted.
    name : str
        Of the class.
    colour : tuple of int
        Red, green and blue of the class, 0 to 255.
    sure : bool
        Whether a prediction is sure; the outline is dotted if it is not.
    """

    kind: MarkKind
    name: str = ""
    colour: tuple[int, int, int] = (128, 128, 128)
    sure: bool = True


def paint_mark(painter: QPainter, box: QRectF, mark: Mark) -> None:
    """Paint a mark over the picture of a crop.

    Parameters
    ----------
    painter : QPainter
    box : QRectF
        The picture.
    mark : Mark
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if mark.kind == "class":
        _paint_bar(painter, box, mark)
    elif mark.kind == "predicted":
        _paint_outline(painter, box, mark)
    else:
        _paint_badge(painter, box, mark.kind)
    painter.restore()


def _paint_badge(painter: QPainter, box: QRectF, kind: MarkKind) -> None:
    colour = POSITIVE if kind == "positive" else NEGATIVE
    painter.setPen(QPen(colour, 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box.adjusted(1, 1, -1, -1))
    size = max(box.width() / 4, _LEAST_BADGE)
    badge = QRectF(box.right() - size - 3, box.top() + 3, size, size)
    # A dark disc below: crops are bright in places, and so is the green.
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_HALO)
    painter.drawEllipse(badge.adjusted(-1.5, -1.5, 1.5, 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 2.5))
    inner = badge.adjusted(3, 3, -3, -3)
    if kind == "positive":
        painter.drawEllipse(inner)
    else:
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())


def _paint_bar(painter: QPainter, box: QRectF, mark: Mark) -> None:
    colour = QColor(*mark.colour)
    bar = _bar_in(box)
    painter.fillRect(bar, colour)
    _write(painter, bar, mark.name, _BLACK if colour.lightnessF() > 0.5 else _WHITE)


def _paint_outline(painter: QPainter, box: QRectF, mark: Mark) -> None:
    bar = _bar_in(box)
    painter.fillRect(bar, _HALO)
    line = Qt.PenStyle.SolidLine if mark.sure else Qt.PenStyle.DotLine
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(*mark.colour), 2, line))
    painter.drawRect(box.adjusted(1, 1, -1, -1))
    _write(painter, bar, mark.name, _WHITE, "" if mark.sure else "?")


def _bar_in(box: QRectF) -> QRectF:
    height = max(_BAR_SHARE * box.height(), _LEAST_BAR)
    return QRectF(box.left(), box.bottom() - height, box.width(), height)


def _write(painter: QPainter, bar: QRectF, name: str, colour: QColor, end: str = "") -> None:
    font = painter.font()
    font.setPixelSize(round(bar.height() - 2))
    painter.setFont(font)
    painter.setPen(colour)
    metrics = painter.fontMetrics()
    room = int(bar.width()) - 6 - metrics.horizontalAdvance(end)
    text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room) + end
    painter.drawText(bar, Qt.AlignmentFlag.AlignCenter, text)


def paint_placeholder(painter: QPainter, box: QRectF, colour: QColor) -> None:
    """Paint what stands for a picture that has not come yet: a dotted frame."""
    painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box.adjusted(0, 0, -1, -1))
    painter.drawPoint(QPointF(box.center()))
