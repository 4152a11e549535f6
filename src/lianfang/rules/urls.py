"""Where the documents are read."""

from django.urls import path

from . import views

app_name = "rules"
urlpatterns = [
    path("desk/rules/", views.desk_rules, name="desk_rules"),
    path("desk/rules/new/isolation/", views.draft_isolation, name="draft_isolation"),
    path("desk/rules/new/areas/", views.draft_areas, name="draft_areas"),
    path("desk/rules/<uuid:document_id>/", views.document, name="document"),
    path("desk/rules/<uuid:document_id>/verify/", views.verify, name="verify"),
    path("desk/rules/<uuid:document_id>/publish/", views.publish, name="publish"),
    path("desk/rules/<uuid:document_id>/end/", views.end, name="end"),
    path("open/rules/", views.open_rules, name="open_rules"),
    path("open/rules/<uuid:document_id>/text.json", views.text_file, name="text"),
]
