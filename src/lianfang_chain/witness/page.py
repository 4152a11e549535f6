"""The status page: one light, one sentence, what to do. For a volunteer who does this once a week."""

from __future__ import annotations

import html
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from lianfang_chain.cbor import NotCanonical
from lianfang_chain.client import CLOCK_SECONDS
from lianfang_chain.entry import Entry
from lianfang_chain.words import SCOPES, words_of

if TYPE_CHECKING:
    from .judge import Lights, Witness

__all__ = ["ZONE", "document", "groups", "light_of", "short_of", "status_of", "status_page"]

QUIET_SECONDS: Final = 300  # a log that is at work publishes each second; five minutes of silence is trouble
ZONE: Final = timezone(timedelta(hours=8))  # the one legal time of China
ALONE_SECONDS: Final = 60  # as the log's own alarm (ledger.md 6.6)
_SAY_CLOCK_SECONDS: Final = (
    120  # a difference that somebody should set right; at `CLOCK_SECONDS` nothing works
)
_PARTIES: Final = {"residents": "居民", "property": "物业", "community": "社区"}

_LIGHTS: Final = {
    "green": (
        "一切正常",
        "信息链没有被改动过，我们这一方已经核对并签名。您什么都不用做。",
        [],
    ),
    "yellow": (
        "请留意",
        "暂时没有核对成功。信息链本身不一定有问题，多半是网络断了，或者对方的电脑没有开。",
        [
            "看看网线、无线网是否接好。",
            "等十分钟。灯变绿就没事了。",
            "一小时后还是黄灯：打电话给社区值班室，告诉他们“见证程序亮黄灯”，并把下面灰色框里的话念给他们听。",
        ],
    ),
    "red": (
        "警报：记录对不上",
        "信息链对外说了两套话：有两份签过名的记录互相矛盾。证据已经存在这台电脑里，我们不会再为它签名。",
        [
            "不要关机，不要删除任何文件。",
            "马上打电话给另外两方（物业、社区）和指挥部，告诉他们“见证程序亮红灯”。",
            "点下面的“证据文件”，打印出来或者抄到 U 盘里，至少交给两个人保管。",
            "不要听任何人的话去“修好”它。要等三方一起到场再处理。",
        ],
    ),
    "damaged": (
        "文件夹损坏",
        "这台电脑里保存的记录和当初存进来的不一样了，多半是磁盘坏了，或者有人动过文件。信息链本身不一定有问题。",
        [
            "不要删除任何文件，不要自己修。",
            "打电话给社区值班室，告诉他们“见证程序说文件夹损坏”，并把下面灰色框里的话念给他们听。",
            "和社区的人一起，照说明书第七节“文件夹损坏”换一个新文件夹。",
        ],
    ),
    "alone": (
        "请留意：签名不够",
        "我们这一方已经核对并签名，但是一分钟以上，三方里签名的不到两方。账没有错，到期和解除照常生效。",
        [
            "打电话给下面灰色框里写的那一方，请他们看看见证电脑开着没有、网通不通。",
            "一小时后还是这样：打电话给社区值班室和指挥部，告诉他们“只有我们一方在签名”。",
        ],
    ),
    "white": (
        "还没有开始",
        "程序已经启动，还没有收到第一份记录。第一次连接可能需要几分钟。",
        [
            "第一次启动：印出本页下方的“入网登记单”，和指挥部对指纹。指挥部登记以后，灯自己变绿。",
            "如果半小时后还是白灯，打电话给社区值班室。",
        ],
    ),
}
_EVIDENCE: Final = """<p class="files">证据文件：<a href="/fork-evidence.txt" target="_blank">打开、打印</a>
<a href="/fork-evidence.txt" download>保存到 U 盘</a></p>"""
_COLOURS: Final = {
    "green": "#0a7a33",
    "yellow": "#a15c00",
    "alone": "#a15c00",
    "damaged": "#a15c00",
    "red": "#b00020",
    "white": "#555",
}


def light_of(witness: Witness, *, damage: str = "") -> str:
    """green, yellow, red, damaged (the own folder), alone (the others do not sign) or white (nothing yet)."""
    if witness.store.evidence:
        return "red"
    if damage:
        return "damaged"
    lights = witness.lights
    if lights.trouble or abs(lights.clock_off) > CLOCK_SECONDS:
        return "yellow"
    if lights.asked_at is None and not witness.store.note:
        return "white"
    if lights.asked_at is None or witness.now() - lights.asked_at > QUIET_SECONDS:
        return "yellow"
    if lights.alone_since is not None and witness.now() - lights.alone_since > ALONE_SECONDS:
        return "alone"
    return "green"


def status_of(witness: Witness) -> dict[str, object]:
    """The same for machines."""
    damage = witness.store.look(witness.now()).damage
    return {
        "name": witness.signer.key.name,
        "light": light_of(witness, damage=damage),
        "size": witness.store.size,
        "cosigned_at": witness.lights.cosigned_at,
        "asked_at": witness.lights.asked_at,
        "trouble": witness.lights.trouble or damage,
        "withheld": witness.lights.withheld,
        "forked": bool(witness.store.evidence),
        "clock_off": witness.lights.clock_off,
        "alone_since": witness.lights.alone_since,
    }


_TROUBLES: Final = {
    400: "收到的内容看不懂",
    403: "收到的内容签名不对",
    404: "收到的是另一本账",
    422: "收到的内容和签名对不上",
    500: "这台电脑存不下来，磁盘可能满了",
    503: "对方的服务器没有给出新记录",
}


def _trouble(witness: Witness) -> str:
    """What to read out on the telephone: the number and a sentence; the program's own words behind them."""
    lights = witness.lights
    if not lights.trouble:
        return ""
    why = _TROUBLES.get(lights.status, "原因不明")
    if lights.status == 503 and lights.not_admitted:
        why = "对方的服务器不让我们读记录，多半是这台电脑的日期或时间不准，也可能是我们的公钥还没有登记"
    if lights.status == 422 and lights.withheld and witness.of_all_places:
        why = f"账本有 {lights.withheld:,} 条记录不给我们看原文，而我们应当看到全部，所以没有签名"
    return f"{lights.status}号：{why}。\n（{lights.trouble}）"


def _alone(lights: Lights) -> str:
    """Whose signature is not there."""
    missing = "、".join(_PARTIES.get(name.partition("-")[0], name) for name in lights.not_signed)
    return f"还没有签名：{missing}。从 {_when(lights.alone_since)} 起签名不够。"


def _clock(lights: Lights) -> str:
    """A sentence where the clock is to be set; empty where it is right."""
    off = lights.clock_off
    if abs(off) <= _SAY_CLOCK_SECONDS:
        return ""
    much = f"约 {abs(off) // 60:,} 分钟" if abs(off) < 2 * 86_400 else f"约 {abs(off) // 86_400:,} 天"
    return (
        f"这台电脑的钟比区里的服务器{'快' if off > 0 else '慢'}{much}。请把日期和时间调准，打开“自动设置时间”。"
        "差到十分钟，就读不到新记录，签的名也不算数。"
    )


def _when(at: int | None) -> str:
    if at is None:
        return "还没有"
    return datetime.fromtimestamp(at, ZONE).strftime("%Y年%m月%d日 %H:%M:%S")


def status_page(witness: Witness, title: str) -> str:
    own, held = witness.store.look(witness.now()), witness.store.held
    damage = own.damage
    light = light_of(witness, damage=damage)
    heading, sentence, steps = _LIGHTS[light]
    esc = html.escape
    todo = "".join(f"<li>{step}</li>" for step in steps)
    trouble = _alone(witness.lights) if light == "alone" else _trouble(witness)
    if damage:
        trouble = f"文件夹损坏（{damage}）"
    clock = _clock(witness.lights)
    rows = "".join(_row(index, data) for index, data in reversed(own.recent))
    body = f"""{f"<p><strong>{clock}</strong></p>" if clock else ""}
{f"<h2>现在请这样做</h2><ol>{todo}</ol>" if todo else ""}
{_EVIDENCE if light == "red" else ""}
{f"<pre>{esc(trouble)}</pre>" if trouble else ""}
<h2>{esc(title)}</h2>
<dl><dt>信息链里的记录</dt><dd>{held.size if held else 0:,} 条</dd>
<dt>它们的指纹</dt><dd>{f"<code>{groups(short_of(held.root))}</code>" if held else "还没有"}</dd>
<dt>其中本地的记录</dt><dd>{own.count:,} 条，原文存在这台电脑里</dd>
<dt>没有给我们原文的记录</dt><dd>{_withheld(witness)}</dd>
<dt>最近一次签名</dt><dd>{_when(witness.lights.cosigned_at)}</dd>
<dt>最近一次联系</dt><dd>{_when(witness.lights.asked_at)}</dd></dl>
<p class="files"><a href="/compare">和公告栏的单子对一对</a></p>
<h2>本地最近的记录</h2>
{f"<table><tr><th>编号</th><th>时间</th><th>内容</th><th>范围</th></tr>{rows}</table>" if rows else "<p>还没有。</p>"}
<p class="files"><a href="/joining" target="_blank">入网登记单（公钥、指纹、两方签字）：打开、打印</a></p>
<p>防疫信息链：每一项决定都记在一本三方共同保管、共同签名的账里，谁也不能悄悄改。
居民、物业、社区各有一份，这台电脑就是其中之一。这里没有任何人的姓名和门牌。</p>"""
    return document(
        heading=heading, sentence=sentence, colour=_COLOURS[light], title=title, body=body, refresh=True
    )


def document(
    *, heading: str, sentence: str, colour: str, title: str, body: str, refresh: bool = False
) -> str:
    """A page of the witness: what matters in a large box, the rest below. `sentence` and `body` are markup."""
    esc = html.escape
    again = '<meta http-equiv="refresh" content="10">' if refresh else ""
    return f"""<!doctype html>
<html lang="zh-Hans"><head><meta charset="utf-8">{again}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{esc(heading)} · {esc(title)}</title>
<style>
body{{font:22px/1.6 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0 auto;max-width:44rem;
padding:1rem;color:#1a1a1a;background:#fff}}
.light{{background:{colour};color:#fff;border-radius:.6rem;padding:1rem 1.4rem}}
.light h1{{font-size:2.4rem;overflow-wrap:anywhere;line-height:1.3;margin:0}}
.light p{{margin:.4rem 0 0}}
ol{{padding-left:1.6rem}}li{{margin:.5rem 0}}
dl{{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1.2rem}}dt{{color:#444}}dd{{margin:0;font-weight:600}}
pre{{background:#eee;padding:.6rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:1rem}}
table{{width:100%;border-collapse:collapse;font-size:1.1rem}}td,th{{text-align:left;overflow-wrap:anywhere;padding:.3rem;border-bottom:1px solid #bbb}}
a{{color:#0645ad}}
.files a{{display:inline-block;padding:.4rem .8rem;border:2px solid;border-radius:.4rem;margin:.2rem}}
@media (max-width:30rem){{body{{font-size:19px}}dl{{grid-template-columns:1fr}}}}
.files a,button{{min-height:3rem;box-sizing:border-box}}
button{{font:inherit;font-weight:700;padding:.4rem 1.4rem;border:2px solid #0645ad;border-radius:.4rem;background:#0645ad;color:#fff}}
label{{display:block;margin:.8rem 0;font-weight:600}}
input{{display:block;box-sizing:border-box;width:100%;font:1.3em/1.6 monospace;padding:.3rem .5rem;border:2px solid #444;border-radius:.3rem}}
code{{font-size:1.1em}}
</style></head><body><main>
<div class="light" role="status"><h1>{esc(heading)}</h1><p>{sentence}</p></div>
{body}
</main></body></html>
"""


def short_of(root: bytes) -> str:
    """The beginning of a root as it is printed on the board sheet beside the number of entries."""
    return root.hex()[:16]


def groups(short: str) -> str:
    """In fours, to be read and compared by eye."""
    return " ".join(short[at : at + 4] for at in range(0, len(short), 4))


def _withheld(witness: Witness) -> str:
    count = witness.lights.withheld
    if not count:
        return "没有"
    return f"{count:,} 条" if witness.of_all_places else f"{count:,} 条（本次启动以来，属于别处的不给我们）"


def _row(index: int, data: bytes) -> str:
    try:
        act = Entry.parse(data).act
    except NotCanonical:
        return ""
    scope = SCOPES[act.scope_class][0]
    return (
        f"<tr><td>{index:,}</td><td>{_when(act.issued_at)[:-3]}</td>"
        f"<td>{html.escape(words_of(act.kind)[0])}</td><td>{scope}</td></tr>"
    )
