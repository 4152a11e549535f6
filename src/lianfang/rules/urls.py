"""Where the documents are read."""

from django.urls import path

from . import views

app_name = "rules"
urlpatterns = [
    path("desk/rules/", views.desk_rules, name="desk_rules"),
    path("open/rules/", views.open_rules, name="open_rules"),
]
