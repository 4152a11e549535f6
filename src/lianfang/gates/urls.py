"""Pages about posts. The gates' own addresses are served by the front, not by Django."""

from django.urls import path

from . import views

app_name = "gates"
urlpatterns = [
    path("desk/gates/", views.posts, name="posts"),
    path("desk/gates/new/", views.new_gate, name="new_gate"),
    path("desk/gates/<uuid:gate_id>/", views.post, name="post"),
    path("desk/gates/<uuid:gate_id>/enrol/", views.enrol, name="enrol"),
    path("desk/gates/<uuid:gate_id>/folder/", views.folder, name="folder"),
    path("desk/gates/<uuid:gate_id>/backlog/", views.backlog, name="backlog"),
    path("desk/gates/<uuid:gate_id>/<uuid:device_id>/withdraw/", views.withdraw, name="withdraw"),
    path("desk/gates/<uuid:gate_id>/<uuid:device_id>/explain/", views.explain, name="explain"),
]
