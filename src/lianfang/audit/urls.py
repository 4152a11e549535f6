"""Addresses of the audit."""

from django.urls import path

from . import views

app_name = "audit"
urlpatterns = [
    path("desk/audit/", views.desk, name="desk"),
    path("desk/audit/give/", views.give, name="give"),
    path("desk/audit/<uuid:grant_id>/", views.grant, name="grant"),
    path("desk/audit/<uuid:grant_id>/evidence.zip", views.evidence, name="evidence"),
    path("desk/audit/<uuid:grant_id>/sample/", views.sample, name="sample"),
    path("desk/audit/<uuid:grant_id>/identity/<uuid:entry_id>/", views.identity, name="identity"),
]
