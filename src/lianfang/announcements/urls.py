"""Where announcements are written, and where everybody reads them."""

from django.urls import path, re_path

from . import open_views, views

app_name = "announcements"
urlpatterns = [
    path("desk/announcements/", views.desk, name="desk"),
    path("desk/announcements/new/", views.draft, name="draft"),
    path("desk/announcements/<uuid:announcement_id>/", views.announcement, name="announcement"),
    path("desk/announcements/<uuid:announcement_id>/review/", views.review, name="review"),
    path("desk/announcements/<uuid:announcement_id>/sign/", views.sign, name="sign"),
    path("desk/announcements/<uuid:announcement_id>/withdraw/", views.withdraw, name="withdraw"),
    re_path(
        r"^desk/announcements/(?P<announcement_id>[0-9a-f-]{36})/print/(?P<paper>sheet|loudspeaker)/$",
        views.paper,
        name="print",
    ),
    path("open/announcements/", open_views.listed, name="open"),
    path("open/announcements/<uuid:announcement_id>/", open_views.shown, name="open_one"),
    path("open/announcements/<uuid:announcement_id>/text.txt", open_views.text_file, name="text"),
]
