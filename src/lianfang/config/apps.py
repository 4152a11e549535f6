"""The application that knows all rooms."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "lianfang.config"
    label = "config"
