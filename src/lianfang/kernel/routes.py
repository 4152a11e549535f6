"""Arguments of addresses that several rooms have. Importing this makes them known to Django, once."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class AreaPath(StringConverter):
    """A place's path in an address: `area_path`."""

    regex = r"d[a-z0-9]+(?:\.[a-z0-9]+)*"


register_converter(AreaPath, "area_path")
