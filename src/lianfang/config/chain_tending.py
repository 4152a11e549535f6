"""`lianfang chain`: what people do to the chain itself, with the system stopped: reconcile, restart, new keys."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from lianfang.accounts.queries import public_names
from lianfang.accounts.rights import Purpose, Right
from lianfang.kernel.ids import random_bytes
from lianfang.ledger import announcing, keys, queries, rechecking, reconcile, resealing, restart
from lianfang_chain.note import COSIGNATURE, MalformedNote, NotSigned, VerifierKey
from lianfang_chain.witness.__main__ import create_key, load_key
from lianfang_chain.witness.joining import fingerprint
from lianfang_chain.witness.store import write_whole

from .importing import officer
from .supervise import say

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from lianfang.kernel.actor import Actor
    from lianfang.ledger.policy import WitnessKey
    from lianfang_chain.checkpoint import Checkpoint as TreeHead


def command(data: Path, arguments: argparse.Namespace) -> int:
    """Carry out one of the acts. The officer named answers for it and stands in the chain by pseudonym."""
    by = officer(arguments.user, purpose=Purpose.ADMINISTRATION, surface="lianfang chain")
    if by is None or not by.areas(Right.CONFIG_SYSTEM_OPERATE):
        say(f"{arguments.user} does not operate this system today")
        return 2
    act = {"reconcile": _reconcile, "restart": _restart, "invite": _invite, "new-key": _new_key}[
        arguments.act
    ]
    return act(data, arguments, by)


def _reconcile(data: Path, arguments: argparse.Namespace, by: Actor) -> int:
    """Bring back what the restored database lost, from the published files or a copy of a witness's folder."""
    if arguments.recheck:
        return _recheck(data, arguments, by)
    try:
        found, note = (
            reconcile.from_witness(arguments.witness) if arguments.witness else reconcile.from_files()
        )
        recovered = reconcile.recover(found, note, reason=arguments.reason, by=by)
    except (reconcile.CannotReconcile, MalformedNote, NotSigned, OSError) as error:
        say(f"not reconciled, nothing was changed: {error}")
        return 1
    say(
        f"{len(recovered.entries)} entries came back. Their acts were lost with the database; enter them again:"
    )
    for entry in recovered.entries:
        act = entry.act
        say(
            f"  {queries.instant(act.issued_at):%Y-%m-%d %H:%M}Z {act.kind:28} {act.organ:14} {act.scope} {act.act_id}"
        )
    for organ in recovered.ended_keys:
        say(f"{organ}: its key was changed after the backup and is lost; a new one is announced")
    say(f"the notice of it in the chain: {recovered.notice}")
    return 0


def _recheck(data: Path, arguments: argparse.Namespace, by: Actor) -> int:
    """Lift a suspension that nobody can prove: every witness is looked at, those of this machine in their folders."""
    content = json.loads((data / "chain.json").read_text())
    folders = {w["name"]: data / w["folder"] for w in content["witnesses"] if w.get("folder")}

    def look(witness: WitnessKey) -> TreeHead | None:
        here = folders.get(witness.name)
        return rechecking.in_folder(witness, here) if here else rechecking.over_http(witness)

    try:
        notice = rechecking.lift_unproved(
            look=look, without=arguments.without, reason=arguments.reason, by=by
        )
    except (rechecking.StillSuspended, OSError) as error:
        say(f"not lifted, nothing was changed: {error}")
        return 1
    say(f"no witness holds more than is stored here; the suspension is lifted: {notice}")
    for name in arguments.without:
        say(f"{name} was not heard; should it show more, the chain is suspended again")
    return 0


def _restart(data: Path, arguments: argparse.Namespace, by: Actor) -> int:
    """End the chain with the evidence and begin the next one on the same database."""
    evidence = arguments.evidence.read_bytes()
    former = restart.begun(evidence)
    if former is None:
        try:
            proved = (
                restart.proof_of_end(evidence)
                if arguments.no_fork
                else restart.proof_of_fork(
                    evidence, arguments.agreed.read_bytes() if arguments.agreed else b""
                )
            )
            origin = f"{keys.origin().rpartition('/')[0]}/{random_bytes(4).hex()}"
            former = restart.begin(proved, origin=origin, reason=arguments.reason, by=by)
        except restart.NoEvidence as error:
            say(f"not restarted, nothing was changed: {error}")
            return 1
    away = restart.finish(former, evidence)
    elsewhere = _rename(data, former.continued_as, away)
    restart.resume()
    say(f"the chain {former.origin} has ended; its files, key and evidence are in {away}")
    say(f"the chain {former.continued_as} begins with the next `lianfang up`; entry 0 says why")
    for name in elsewhere:
        say(f"  {name}: a new folder with the old witness.key in it, and the new origin and log-vkey")
    if elsewhere:
        say("  both stand in the line `log` of /open/chain/policy.txt once the system is up")
    return 0


def _rename(data: Path, origin: str, away: Path) -> list[str]:
    """New folders for the witnesses of this machine, then the new name; returns the witnesses elsewhere."""
    file = data / "chain.json"
    content = json.loads(file.read_text())
    for witness in content["witnesses"]:
        if not witness.get("folder"):
            continue
        folder, kept = data / witness["folder"], away / "witnesses" / witness["name"]
        if not kept.exists():
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.rename(folder, kept)
        if not (folder / "witness.key").exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(folder / "witness.key", (kept / "witness.key").read_bytes())
            (folder / "witness.key").chmod(0o600)
    if not (away / "chain.json").exists():
        shutil.copy2(file, away / "chain.json")
    content["origin"] = origin
    write_whole(file, json.dumps(content, ensure_ascii=False, indent=1).encode())
    return [w["name"] for w in content["witnesses"] if not w.get("folder") and not w.get("retired")]


def _invite(data: Path, arguments: argparse.Namespace, by: Actor) -> int:
    """Print `witness.toml` for a party that will run its witness itself: docs/witness.en.md §2."""
    content = json.loads((data / "chain.json").read_text())
    before, name = _next_of(content, arguments.party)
    if before is None:
        say(f"no witness {arguments.party}")
        return 2
    log = keys.log_key()
    say(f"fingerprint of the chain's key, to be read aloud when the party joins: {fingerprint(log)}")
    say(
        "witness.toml for the party; this server's name, and its own folder and port, are put in by hand. Its first start"
        " shows the line and the fingerprint for `lianfang chain new-key --vkey`:"
    )
    say(f'folder = "witness"\nname = "{content["origin"]}/{name}"\norigin = "{log.name}"\nlog-vkey = "{log}"')
    say('log-url = "https://NAME-OF-THIS-SERVER/open/chain"\nhost = "0.0.0.0"\nport = 8471')
    say(f'title = "{before.get("title", arguments.party)}"')
    return 0


def _next_of(content: dict[str, Any], party: str) -> tuple[dict[str, Any] | None, str]:
    """The witness that signs for a party now, and the name of the one after it."""
    own = [w for w in content["witnesses"] if w["name"].partition("-")[0] == party]
    return next((w for w in own if not w.get("retired")), None), f"{party}-{len(own) + 1}"


def _new_key(data: Path, arguments: argparse.Namespace, by: Actor) -> int:
    """Replace the key of an organ or of a witness; the old one is put away, never deleted. That of the disclosures
    is destroyed, or it would go on opening copies.

    The log's key is the chain's name: `restart --no-fork` with the last cosigned checkpoint.
    """
    if arguments.organ:
        try:
            key = announcing.succeed_key(arguments.organ, by=by, names=public_names)
        except FileNotFoundError:
            say(f"{arguments.organ} has no key")
            return 2
        say(f"{arguments.organ}: {key}")
        say(
            "the next round announces it in the chain; entries by the old key show by their place when it ended"
        )
        return 0
    if arguments.disclosures:
        return _new_sealing_key()
    return _new_witness_key(data, arguments, by)


def _new_sealing_key() -> int:
    """Seal all disclosures anew; what cannot be undone is said."""
    try:
        sealed, closed = resealing.reseal_all()
    except keys.KeyUnusable as error:
        say(f"nothing was changed: {error}")
        return 1
    say(f"the disclosures of {sealed} entries are sealed anew, and the old key is destroyed")
    if closed:
        say(f"{closed} entries were sealed under a key that is not here; they stay closed")
    say("write the file of --case-keys anew now and destroy the older one and older backups of keys/")
    say(
        "who had the old key and a copy of the database could read the disclosures in it; no new key undoes that"
    )
    return 0


def _new_witness_key(data: Path, arguments: argparse.Namespace, by: Actor) -> int:
    """The next key of a party: made here for a witness of this machine, or handed in by a party with its own.

    The line of the old key stays, so that papers, which name witnesses by their line, keep their numbers.
    """
    file = data / "chain.json"
    content = json.loads(file.read_text())
    before, name = _next_of(content, arguments.party)
    if before is None:
        say(f"no witness {arguments.party}")
        return 2
    if arguments.vkey or arguments.url:
        try:
            key = VerifierKey.parse(arguments.vkey or "")
        except MalformedNote as error:
            say(f"nothing was changed; --vkey is the public line the party's own program showed: {error}")
            return 2
        if key.key_type != COSIGNATURE or str(key) in {w["vkey"] for w in content["witnesses"]}:
            say("nothing was changed; --vkey is not the key of a witness, or it stands there already")
            return 2
        # Who carries the line could have put another in its place; the fingerprint comes by voice or on paper.
        if "".join((arguments.fingerprint or "").lower().split()) != fingerprint(key).replace(" ", ""):
            say(
                "nothing was changed; --fingerprint is not that of --vkey: hear it from the party, or read its paper"
            )
            return 2
        if not arguments.url:
            say("nothing was changed; --url is the address at which the party's computer is asked")
            return 2
        after = {
            "name": name,
            "title": before.get("title", arguments.party),
            "vkey": str(key),
            "url": arguments.url,
        }
    elif before.get("folder"):
        folder = data / before["folder"]
        made = folder / "witness.key"
        if made.exists() and str(load_key(folder).key) == before["vkey"]:
            os.rename(made, keys.free_name(folder / "witness.key.old"))
        # Else a run before was cut off. Its key may stand in the chain already, so no third is made.
        key = create_key(folder, f"{content['origin']}/{name}").key
        after = {**before, "name": name, "vkey": str(key)}
    else:
        say(f"{arguments.party} runs elsewhere and makes its key itself; give it with --vkey and --url")
        return 2
    content["witnesses"].append(after)
    before |= {"retired": f"{by.at:%Y-%m-%d}", "folder": "", "url": ""}
    announcing.note_policy(name=name, vkey=str(key), retired=before["vkey"], by=by)
    write_whole(file, json.dumps(content, ensure_ascii=False, indent=1).encode())
    say(f"{name}: {key}")
    say("everybody who pins the policy file takes the new one; the old key's cosignatures count no more")
    return 0
