"""Residents' own pages, the desk, and what anybody may check."""

from django.urls import path, re_path

from . import concern_views, ending_views, open_views, order_views, own_views, print_views, proof_views, views

app_name = "orders"
urlpatterns = [
    path("me/order/", own_views.own, name="own"),
    path("me/order/<uuid:order_id>/appeal/", own_views.appeal, name="own_appeal"),
    path("me/order/<uuid:order_id>/hold/", ending_views.hold, name="own_hold"),
    path("me/order/hold/<uuid:hold_id>/withdraw/", ending_views.withdraw, name="own_withdraw"),
    path("me/order/<uuid:order_id>/proof/", proof_views.own, name="own_proof"),
    path("me/order/<uuid:order_id>/proof/<uuid:entry_id>.txt", proof_views.own_file, name="own_proof_file"),
    path("me/report/", own_views.report, name="report"),
    path("me/report/arrival/", own_views.arrival, name="arrival"),
    path("me/report/symptoms/", own_views.symptoms, name="symptoms"),
    path("desk/orders/", views.desk, name="desk"),
    path("desk/orders/concern/<uuid:concern_id>/", concern_views.concern, name="concern"),
    path("desk/orders/concern/<uuid:concern_id>/propose/", concern_views.propose, name="propose"),
    path("desk/orders/concern/<uuid:concern_id>/sign/", concern_views.sign, name="sign"),
    path("desk/orders/proposal/<uuid:proposal_id>/", concern_views.proposal, name="proposal"),
    path("desk/orders/proposal/<uuid:proposal_id>/second/", concern_views.second, name="second"),
    path("desk/orders/proposal/<uuid:proposal_id>/refuse/", concern_views.refuse, name="refuse"),
    path("desk/orders/person/<uuid:person_id>/", views.person, name="person"),
    path("desk/orders/person/<uuid:person_id>/inquiry/", concern_views.inquiry, name="inquiry"),
    path("desk/orders/<uuid:order_id>/appeal/", order_views.appeal_for, name="appeal_for"),
    path("desk/orders/<uuid:order_id>/hold/", ending_views.hold_for, name="hold_for"),
    path("desk/orders/hold/<uuid:hold_id>/withdraw/", ending_views.withdraw_for, name="withdraw_for"),
    path("desk/orders/report/<uuid:person_id>/arrival/", concern_views.proxy_arrival, name="proxy_arrival"),
    path(
        "desk/orders/report/<uuid:person_id>/symptoms/", concern_views.proxy_symptoms, name="proxy_symptoms"
    ),
    path("desk/orders/sealed/", ending_views.open_sealed, name="open_sealed"),
    path("desk/orders/serving/", views.serving, name="serving"),
    path("desk/orders/care/", views.care, name="care"),
    path("desk/orders/appeals/", views.appeals, name="appeals"),
    path("desk/orders/appeals/<uuid:appeal_id>/", order_views.decide, name="decide"),
    path("desk/orders/sheets/", views.sheets, name="sheets"),
    path("desk/orders/sheets/<uuid:sheet_id>/down/", order_views.take_down, name="take_down"),
    path("desk/orders/sheets/<uuid:sheet_id>/print/", print_views.sheet, name="print_sheet"),
    path("desk/orders/checks/", views.checks, name="checks"),
    path("desk/orders/print/", print_views.bulk, name="print_bulk"),
    path("desk/orders/print/proofs/", print_views.bulk_proofs, name="print_bulk_proofs"),
    path("desk/orders/<uuid:order_id>/", order_views.order, name="order"),
    path("desk/orders/<uuid:order_id>/serve/", order_views.serve, name="serve"),
    path(
        "desk/orders/<uuid:order_id>/care/<uuid:dependant_id>/", order_views.record_care, name="record_care"
    ),
    path(
        "desk/orders/<uuid:order_id>/accept/<uuid:dependant_id>/", order_views.accept_care, name="accept_care"
    ),
    path("desk/orders/<uuid:order_id>/lift/", order_views.lift, name="lift"),
    path("desk/orders/<uuid:order_id>/destroy/", ending_views.destroy, name="destroy"),
    path("desk/orders/<uuid:order_id>/second-phase/", order_views.second_phase, name="second_phase"),
    path("desk/orders/<uuid:order_id>/notice/", order_views.notice, name="notice"),
    path("desk/orders/<uuid:order_id>/check/<slug:kind>/", order_views.check, name="check"),
    path("desk/orders/<uuid:order_id>/sheet/", order_views.post_sheet, name="post_sheet"),
    re_path(
        r"^desk/orders/(?P<order_id>[0-9a-f-]{36})/print/(?P<paper>notice|release|employer|door|spoken)/$",
        print_views.paper,
        name="print",
    ),
    path("desk/orders/<uuid:order_id>/proof/", proof_views.printed, name="print_proof"),
    path("open/orders/sheet/<uuid:sheet_id>/", open_views.sheet, name="open_sheet"),
    path("open/orders/certificate/<uuid:order_id>/", open_views.certificate, name="open_certificate"),
]
