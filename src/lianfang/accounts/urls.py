"""Doors and the offices' pages."""

from django.urls import path

from . import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.log_in, name="login"),
    path("login/start/", views.start, name="start"),
    path("login/set-up/", views.set_up, name="set_up"),
    path("login/second-factor/", views.second_factor, name="second_factor"),
    path("login/out/", views.log_out, name="log_out"),
    path("enter/", views.enter, name="enter"),
    path("enter/<slug:code>/", views.enter_by_link, name="enter_by_link"),
    path("desk/offices/", views.offices, name="offices"),
    path("desk/offices/organs/", views.organs, name="organs"),
    path("desk/offices/organs/new/", views.new_organ, name="new_organ"),
    path("desk/offices/organs/divisions/", views.enter_divisions, name="enter_divisions"),
    path("desk/offices/organs/<slug:organ_code>/", views.organ, name="organ"),
    path("desk/offices/grant/", views.grant, name="grant"),
    path("desk/offices/new-officer/", views.new_officer, name="new_officer"),
    path("desk/offices/proposed/<uuid:proposed_id>/confirm/", views.confirm, name="confirm"),
    path("desk/offices/<uuid:office_id>/end/", views.end, name="end"),
    path("desk/offices/<uuid:office_id>/start-code/", views.start_code, name="start_code"),
]
