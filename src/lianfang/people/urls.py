"""Desk pages about people and imports; the residents' own pages."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from lianfang.kernel import routes  # noqa: F401 - makes `area_path` known

from . import import_views, views


class CorrectableField(StringConverter):
    """A field that is corrected on a page."""

    regex = "name|phone|care"


class Spreadsheet(StringConverter):
    """The form of a file."""

    regex = "xlsx|csv"


register_converter(Spreadsheet, "spreadsheet")
register_converter(CorrectableField, "correctable")

app_name = "people"
urlpatterns = [
    path("desk/people/", views.people, name="people"),
    path("desk/people/inquiry/", views.inquiry, name="inquiry"),
    path("desk/people/inquiry/<uuid:person_id>/", views.inquiry_person, name="inquiry_person"),
    path("desk/people/corrections/", views.corrections, name="corrections"),
    path("desk/people/corrections/<uuid:correction_id>/", views.settle, name="settle"),
    path("desk/people/at/<area_path:path>/", views.place, name="place"),
    path("desk/people/at/<area_path:path>/new/", views.register, name="register"),
    path("desk/people/at/<area_path:path>/export/", views.export, name="export"),
    path("desk/people/exports/", views.exports, name="exports"),
    path("desk/people/exports/<uuid:request_id>/agree/", views.agree, name="agree_to_export"),
    path(
        "desk/people/exports/<uuid:request_id>/file/<spreadsheet:form>/",
        views.export_file,
        name="export_file",
    ),
    path("desk/people/<uuid:person_id>/", views.person, name="person"),
    path("desk/people/<uuid:person_id>/correct/<correctable:field>/", views.correct, name="correct"),
    path("desk/import/", import_views.imports, name="imports"),
    path("desk/import/duplicates/", import_views.duplicates, name="duplicates"),
    path("desk/import/duplicates/<uuid:duplicate_id>/", import_views.decide, name="decide"),
    path("desk/import/<uuid:run_id>/", import_views.run, name="run"),
    path("desk/import/<uuid:run_id>/write/", import_views.write, name="write"),
    path("desk/import/<uuid:run_id>/cancel/", import_views.cancel, name="cancel"),
    path("desk/import/<uuid:run_id>/faults/", import_views.faults, name="faults"),
    path("me/household/", views.household, name="household"),
    path("me/reads/", views.reads, name="reads"),
    path("me/reads/<int:read_id>/proof.txt", views.read_proof, name="read_proof"),
    path("me/correct/<correctable:field>/", views.ask, name="ask"),
]
