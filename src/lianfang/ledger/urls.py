"""Addresses of the chain. `checkpoint` and `tile/` are where the tiled-log specification has them."""

from django.urls import path

from . import views

app_name = "ledger"
urlpatterns = [
    path("open/chain/", views.overview, name="overview"),
    path("open/chain/checkpoint", views.checkpoint, name="checkpoint"),
    path("open/chain/checkpoint/<int:size>", views.checkpoint_of, name="checkpoint_of"),
    path("open/chain/consistency/<int:old>/<int:new>", views.consistency, name="consistency"),
    path("open/chain/tile/<path:path>", views.tile, name="tile"),
    path("open/chain/policy.txt", views.policy, name="policy"),
    path("open/chain/strict-policy.txt", views.strict_policy, name="strict_policy"),
    path("open/chain/policy/<int:size>.txt", views.policy_at, name="policy_at"),
    path("open/chain/strict-policy/<int:size>.txt", views.strict_policy_at, name="strict_policy_at"),
    path("open/chain/policy-change/<int:index>.txt", views.policy_change, name="policy_change"),
    path("open/chain/later/<slug:leaf>/<slug:fingerprint>", views.later_entries, name="later_entries"),
    path("open/chain/organs.txt", views.organs, name="organs"),
    path("open/chain/alarms.json", views.alarms, name="alarms"),
    path("open/chain/fork/<slug:witness>.txt", views.fork_evidence, name="fork_evidence"),
    path("open/chain/former/<slug:ended>/<path:path>", views.former_file, name="former_file"),
    path("open/chain/entry/<uuid:entry_id>/", views.entry, name="entry"),
    path("open/chain/entry/<uuid:entry_id>/entry.cbor", views.entry_file, name="entry_file"),
    path("open/chain/entry/<uuid:entry_id>/proof.tlog-proof", views.tlog_proof, name="tlog_proof"),
    path("open/chain/entry/<uuid:entry_id>/proof.txt", views.paper_proof, name="paper_proof"),
]
