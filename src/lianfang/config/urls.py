"""Every room mounts its own addresses; which surface they belong to is the first part of the path."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.urls import include, path

from . import app_files, openapi, pages

urlpatterns = (
    pages.urlpatterns
    + app_files.urlpatterns
    + openapi.urlpatterns
    + [
        path("", include(f"lianfang.{room}.urls"))
        for room in settings.ROOMS
        if (Path(__file__).parents[1] / room / "urls.py").exists()
    ]
)
