"""Run as a module: tell in one JSON line what Qt and OpenGL have to offer on this display.

In a process of its own, since a broken driver ends the process that asks.
"""

from __future__ import annotations

import json
import sys


def probe() -> dict[str, str]:
    """Return the Qt binding and platform, the size of the screen, and the OpenGL renderer."""
    from qtpy import API_NAME, QT_VERSION
    from qtpy.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

    app = QGuiApplication(sys.argv[:1])
    found = {"qt": f"{API_NAME}, Qt {QT_VERSION}", "platform": app.platformName()}
    screen = app.primaryScreen()
    if screen is not None:
        size = screen.size()
        found["screen"] = f"{size.width()} x {size.height()} px"
    surface = QOffscreenSurface()
    surface.create()
    context = QOpenGLContext()
    if not context.create() or not context.makeCurrent(surface):
        return found
    form = context.format()
    found["opengl"] = f"{form.majorVersion()}.{form.minorVersion()}"
    renderer = _renderer()
    if renderer:
        found["renderer"] = renderer
    context.doneCurrent()
    return found


def _renderer() -> str:
    from vispy.gloo import gl

    return str(gl.glGetParameter(gl.GL_RENDERER))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe()) + "\n")
