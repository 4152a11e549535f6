"""The area column: an ltree path such as `d510402.s510402001.c510402001003.mk3.b7`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

    _PathField = models.Field[str, str]
    _PathLookup = models.Lookup[str]
else:  # only the stubs know these two as generic
    _PathField = models.Field
    _PathLookup = models.Lookup


class AreaField(_PathField):
    """A place in the tree of areas.

    Lookups: `within` and `within_any` (at or below), `contains_area` (at or above).
    """

    description = "ltree path of an area"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "ltree"

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else str(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return self.get_prep_value(value)

    def get_placeholder(self, value: Any, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> str:
        return "%s::ltree"


class _AreaLookup(_PathLookup):
    operator = ""
    cast = "ltree"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        return f"{left} {self.operator} %s::{self.cast}", (*left_params, self.rhs)

    def get_prep_lookup(self) -> Any:
        return self.rhs


@AreaField.register_lookup
class Within(_AreaLookup):
    """At or below the given area."""

    lookup_name = "within"
    operator = "<@"


@AreaField.register_lookup
class ContainsArea(_AreaLookup):
    """At or above the given area."""

    lookup_name = "contains_area"
    operator = "@>"


@AreaField.register_lookup
class WithinAny(_PathLookup):
    """At or below any of the given areas; none given, none found."""

    lookup_name = "within_any"

    def get_prep_lookup(self) -> Any:
        return [a for a in self.rhs if a]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        return f"{left} <@ ANY (%s::ltree[])", (*left_params, self.rhs)


def within_any(field: str, areas: Iterable[str]) -> models.Q:
    """The condition that `field` lies at or below one of the areas, typed for callers."""
    return models.Q(**{f"{field}__within_any": list(areas)})
