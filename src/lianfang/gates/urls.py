"""Pages about posts. The gates' own addresses are served by the front, not by Django."""

from django.urls import path

from lianfang.kernel import routes  # noqa: F401 - makes `area_path` known

from . import act_views, pass_views, round_views, views

app_name = "gates"
urlpatterns = [
    path("me/pass/", pass_views.own, name="own_pass"),
    path("me/pass/enrol/", pass_views.enrol_phone, name="enrol_phone"),
    path("me/pass/renew/", pass_views.renew_phone, name="renew_phone"),
    path("desk/people/<uuid:person_id>/passes/", pass_views.desk, name="person_passes"),
    path("desk/people/<uuid:person_id>/passes/work/", pass_views.work, name="work_pass"),
    path("desk/people/<uuid:person_id>/passes/<uuid:pass_id>/clear/", pass_views.clear, name="clear_worker"),
    path(
        "desk/people/<uuid:person_id>/passes/phone/<uuid:work_id>/clear/",
        pass_views.clear_on_phone,
        name="clear_on_phone",
    ),
    path(
        "desk/people/<uuid:person_id>/passes/phone/<uuid:work_id>/withdraw/",
        pass_views.withdraw_work,
        name="withdraw_work",
    ),
    path("desk/people/<uuid:person_id>/passes/<uuid:pass_id>/card/", pass_views.card, name="print_pass"),
    path(
        "desk/people/<uuid:person_id>/passes/<uuid:pass_id>/withdraw/",
        pass_views.withdraw_pass,
        name="withdraw_pass",
    ),
    path("desk/passes/", round_views.compounds, name="compounds"),
    path("desk/passes/<area_path:area>/", round_views.compound, name="compound"),
    path("desk/passes/rounds/<uuid:round_id>/withdraw/", round_views.withdraw, name="withdraw_round"),
    path("desk/passes/rounds/<uuid:round_id>/print/<int:part>/", round_views.cards, name="print_round"),
    path("desk/gates/", views.posts, name="posts"),
    path("desk/gates/new/", views.new_gate, name="new_gate"),
    path("desk/gates/acts/", act_views.acts, name="acts"),
    path("desk/gates/acts/new/", act_views.propose, name="propose_act"),
    path("desk/gates/acts/ages/", act_views.set_ages, name="set_ages"),
    path("desk/gates/acts/<uuid:act_id>/", act_views.act, name="act"),
    path("desk/gates/acts/<uuid:act_id>/sign/", act_views.sign, name="sign_act"),
    path("desk/gates/acts/<uuid:act_id>/lift/", act_views.lift, name="lift_act"),
    path("desk/gates/files/", views.bring, name="bring"),
    path("desk/gates/files/<uuid:file_id>/", views.carried, name="carried"),
    path("desk/gates/files/<uuid:file_id>/receipts/", views.receipts, name="receipts"),
    path("desk/gates/calls/<int:signal_id>/answer/", views.answer, name="answer"),
    path("desk/gates/<uuid:gate_id>/", views.post, name="post"),
    path("desk/gates/<uuid:gate_id>/edit/", views.edit, name="edit_gate"),
    path("desk/gates/<uuid:gate_id>/close/", views.close, name="close_gate"),
    path("desk/gates/<uuid:gate_id>/tickets/<int:ticket_id>/close/", views.close_ticket, name="close_ticket"),
    path("desk/gates/<uuid:gate_id>/codes/<int:code_id>/open/", views.open_code, name="open_code"),
    path("desk/gates/<uuid:gate_id>/enrol/", views.enrol, name="enrol"),
    path("desk/gates/<uuid:gate_id>/folder/", views.folder, name="folder"),
    path("desk/gates/<uuid:gate_id>/backlog/", views.backlog, name="backlog"),
    path("desk/gates/<uuid:gate_id>/<uuid:device_id>/withdraw/", views.withdraw, name="withdraw"),
    path("desk/gates/<uuid:gate_id>/<uuid:device_id>/explain/", views.explain, name="explain"),
]
