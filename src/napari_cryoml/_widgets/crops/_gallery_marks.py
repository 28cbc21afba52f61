"""What a crop in the gallery was labelled as, in colour and in shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen

from napari_cryoml._widgets.frame import NEGATIVE, POSITIVE

MarkKind: TypeAlias = Literal["positive", "negative", "class"]

_HALO = QColor(0, 0, 0, 170)
_LEAST_BADGE = 14.0
_BAR_SHARE = 0.2
_LEAST_BAR = 11.0
_WHITE = QColor("white")
_BLACK = QColor("black")


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of one crop.

    Parameters
    ----------
    kind : {"positive", "negative", "class"}
        A green ring, an orange x, or a bar with the name of the class.
    name : str
        Of the class.
    colour : tuple of int
        Red, green and blue of the class, 0 to 255.
    """

    kind: MarkKind
    name: str = ""
    colour: tuple[int, int, int] = (128, 128, 128)


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
    height = max(_BAR_SHARE * box.height(), _LEAST_BAR)
    bar = QRectF(box.left(), box.bottom() - height, box.width(), height)
    colour = QColor(*mark.colour)
    painter.fillRect(bar, colour)
    font = painter.font()
    font.setPixelSize(round(height - 2))
    painter.setFont(font)
    painter.setPen(_BLACK if colour.lightnessF() > 0.5 else _WHITE)
    text = painter.fontMetrics().elidedText(
        mark.name, Qt.TextElideMode.ElideRight, int(bar.width()) - 4
    )
    painter.drawText(bar, Qt.AlignmentFlag.AlignCenter, text)


def paint_placeholder(painter: QPainter, box: QRectF, colour: QColor) -> None:
    """Paint what stands for a picture that has not come yet: a dotted frame."""
    painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box.adjusted(0, 0, -1, -1))
    painter.drawPoint(QPointF(box.center()))
