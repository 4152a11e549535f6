"""The paper with which a party joins: its key in groups to be read aloud, and room for both sides' signatures.

The public line reaches the command by mail, stick or messenger, and whoever carries it could put another in its place. So
the command enters it only with the fingerprint, which it takes from this paper or hears from the party.
"""

from __future__ import annotations

import hashlib
import html
from datetime import datetime
from typing import TYPE_CHECKING

from .mirror import ALL_PLACES
from .page import ZONE

if TYPE_CHECKING:
    from lianfang_chain.note import VerifierKey

    from .judge import Witness

__all__ = ["fingerprint", "joining_paper"]


def fingerprint(key: VerifierKey) -> str:
    """Eight groups of four: the first 128 bits of the SHA-256 of the public line, as `sha256sum` shows it.

    Another key with the same ones takes 2^128 trials.
    """
    digits = hashlib.sha256(str(key).encode()).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


def joining_paper(witness: Witness, title: str, port: int) -> str:
    """One page of A4 in both languages, to be printed twice. Only the two sides can fill in what is left free."""
    key, log = witness.signer.key, witness.store.log
    places = "全部 all" if ALL_PLACES in witness.places else "、".join(witness.places)
    rows = "".join(
        f'<tr><th>{chinese}<span lang="en">{english}</span></th><td>{value}</td></tr>'
        for chinese, english, value in (
            ("哪一方", "party", html.escape(title)),
            ("见证方的名字", "name of the witness", html.escape(key.name)),
            ("公钥", "public key", f"<code>{html.escape(str(key))}</code>"),
            ("公钥的指纹", "its fingerprint", _groups(fingerprint(key))),
            ("账本公钥的指纹", "fingerprint of the chain's key", _groups(fingerprint(log))),
            ("保存哪里的记录原文", "places whose entries are kept", html.escape(places)),
            ("区里的服务器找这台电脑的地址", "address as seen from the server", f"http://{'_' * 28}:{port}/"),
            ("打印日期", "printed on", f"{datetime.fromtimestamp(witness.now(), ZONE):%Y年%m月%d日}"),
        )
    )
    return f"""<!doctype html>
<html lang="zh-Hans"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>入网登记单 · {html.escape(title)}</title>
<style>
@page{{size:A4;margin:15mm}}
body{{font:12pt/1.35 "Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0 auto;max-width:180mm;color:#000;background:#fff}}
h1{{font-size:20pt;margin:0}}span[lang]{{display:block;font:400 8.5pt/1.3 sans-serif;color:#333}}
table{{width:100%;border-collapse:collapse;margin:3mm 0}}
th,td{{border:1px solid #000;padding:1mm 2mm;text-align:left;overflow-wrap:anywhere}}th{{width:34%;font-weight:400}}
.groups{{font:700 16pt/1.3 "Noto Sans Mono",monospace;display:grid;grid-template-columns:repeat(4,1fr)}}
ol{{margin:0 0 4mm;padding-left:7mm}}
.sides{{display:grid;grid-template-columns:1fr 1fr;gap:6mm}}
.sides div{{border:1px solid #000;padding:2mm}}.sides p{{margin:0 0 6mm}}
@media screen{{body{{padding:4mm}}}}@media print{{.screen{{display:none}}}}
</style></head><body><main>
<p class="screen">按 Ctrl+P 打印，印两份。Press Ctrl+P and print two. <a href="/">返回 back</a></p>
<h1>见证方入网登记单<span lang="en">A witness joins the chain</span></h1>
<table>{rows}</table>
<ol>
<li>指挥部念账本公钥的指纹，见证方对照本单；再由见证方念自己公钥的指纹，指挥部照着输入电脑。每四个字符停一停。
<span lang="en">The command reads the fingerprint of the chain's key aloud, the party compares; then the party reads
its own and the command types it. A pause after each four.</span></li>
<li>有一个字符不同，就不签字、不登记，打电话问清楚。
<span lang="en">If one character differs, sign nothing, enter nothing, and find out why.</span></li>
<li>都相同，两方在两份上签字，各留一份。私钥不写在这张单子上，也不给指挥部。
<span lang="en">If all are the same, both sign both papers and each keeps one. The private key is not on this paper and
is given to nobody.</span></li>
</ol>
<div class="sides">
<div><p>见证方：这把钥匙是我们的电脑做的，私钥只在我们手里。<span lang="en">The party: our computer made this key, and
only we have the private one.</span></p>{_lines()}</div>
<div><p>指挥部：指纹已经核对，登记的就是这把公钥。<span lang="en">The command: the fingerprint was compared, and this is
the key that we enter.</span></p>{_lines()}</div>
</div></main></body></html>
"""


def _groups(text: str) -> str:
    return f'<div class="groups">{"".join(f"<b>{group}</b>" for group in text.split())}</div>'


def _lines() -> str:
    return "".join(f"<p>{word} {'_' * 18}</p>" for word in ("姓名 name", "签字 signature", "日期 date"))
