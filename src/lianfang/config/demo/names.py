"""Names of invented people and places, put together from syllables.

Whoever bears such a name by chance is not meant: numbers, telephones and doors belong to nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - the generator is passed in, seeded

#: Surnames with weights near those of the region; the last ones are rare and test lists and typefaces.
_SURNAMES: Final = {
    "李": 80, "王": 74, "张": 70, "刘": 58, "陈": 52, "杨": 46, "周": 30, "黄": 26, "何": 24, "罗": 23,
    "赵": 22, "唐": 20, "徐": 18, "曾": 16, "邓": 15, "吴": 15, "胡": 14, "谢": 13, "蒋": 12, "郭": 11,
    "朱": 11, "文": 9, "冯": 9, "郑": 8, "彭": 8, "马": 8, "宋": 8, "许": 7, "孙": 7, "高": 7, "林": 7,
    "梁": 6, "袁": 6, "龙": 6, "廖": 6, "余": 6, "叶": 5, "苏": 5, "田": 5, "魏": 5, "向": 4, "代": 4,
    "任": 4, "钟": 4, "严": 4, "尹": 3, "付": 3, "卢": 3, "单": 2, "覃": 2, "解": 1, "仇": 1, "冼": 1,
    "缪": 1, "欧阳": 2, "上官": 1, "令狐": 1, "尉迟": 1, "逄": 1, "亓": 1, "靳": 1,
}  # fmt: skip
#: Given syllables by sex and time of birth: before 1960, before 1990, later.
_GIVEN: Final = {
    ("F", 0): "秀 英 桂 兰 玉 珍 淑 芳 素 华 琼 清 贵 碧 群 凤 莲 菊 翠 蓉",
    ("F", 1): "丽 敏 静 娟 艳 霞 燕 红 梅 琴 莉 萍 晓 雪 玲 慧 倩 洁 婷 蓉 小 春 海 文",
    ("F", 2): "欣 怡 梓 涵 诗 雨 萱 语 桐 思 琪 可 馨 若 汐 妍 沐 瑶 一 诺 晨 芮 佳 奕",
    ("M", 0): "国 建 明 德 正 富 荣 云 光 华 志 昌 兴 世 忠 开 文 元 贵 福",
    ("M", 1): "伟 强 勇 军 磊 洋 超 杰 涛 鹏 波 辉 刚 斌 浩 海 小 文 俊 峰 鑫 林 宏 东",
    ("M", 2): "宇 轩 浩 然 子 涵 博 文 俊 熙 梓 豪 一 鸣 泽 睿 晨 皓 天 佑 沐 辰 奕 航",
}
#: Seldom in names and seldom in typefaces; each is checked against the typefaces that papers are set in.
RARE: Final = [
    "喆",
    "堃",
    "翀",
    "燊",
    "淼",
    "垚",
    "犇",
    "祎",
    "骉",
    "甯",
    "珺",
    "琞",
    "昉",
    "旻",
    "晞",
    "翯",
    "濛",
    "嫚",
    "婳",
    "頔",
    "㛃",
    "䶮",
    "𠮷",
]
#: Given names of people of the Yi and other nationalities, whose family name stands first before the dot.
_MINORITY_FAMILY: Final = [
    "阿的",
    "吉克",
    "沙马",
    "阿苦",
    "曲比",
    "吉木",
    "阿尔",
    "俄木",
    "海来",
    "勒格",
    "苏呷",
    "马海",
    "加巴",
    "阿西",
]
_MINORITY_GIVEN: Final = {
    "F": ["阿依", "阿呷", "日黑", "依布", "阿果", "伍果", "曲洗", "阿洛", "史洗", "木呷莫", "阿支"],
    "M": ["木呷", "尔古", "拉坡", "石布", "伍牛", "阿木", "日哈", "尔布", "子布", "克古", "石一", "友古"],
}
_LATIN: Final = ("Anna Lindqvist", "Jonas Weber", "María Castillo")

#: Two syllables and an ending make an estate; the first syllables are chosen as nobody names estates.
_ESTATE_FIRST: Final = [
    "澜",
    "砚",
    "棠",
    "芷",
    "栎",
    "霁",
    "汀",
    "岫",
    "榆",
    "萤",
    "椿",
    "笛",
    "湄",
    "荻",
    "桁",
    "瑛",
    "鹭",
    "苔",
    "枫",
    "垣",
]
_ESTATE_SECOND: Final = ["禾", "溪", "庭", "麓", "湾", "屿", "堂", "岚", "坞", "陌", "筑", "桥", "栖", "台"]
_ESTATE_ENDING: Final = ["苑", "花园", "小区", "家园", "新村", "雅居"]


def person_name(rng: Random, *, male: bool, born: int, family: str = "") -> str:
    """A name; children bear the family name given."""
    sex = "M" if male else "F"
    if not family:
        chance = rng.random()
        if chance < 0.0004:
            return rng.choice(_LATIN)
        family = rng.choice(_MINORITY_FAMILY) + "·" if chance < 0.05 else surname(rng)
    if family.endswith("·"):
        return family + rng.choice(_MINORITY_GIVEN[sex])
    syllables = _SYLLABLES[sex, 0 if born < 1960 else 1 if born < 1990 else 2]
    chance = rng.random()
    if chance < 0.006:
        return family + rng.choice(RARE)
    if chance < 0.18:
        return family + rng.choice(syllables)
    if chance < 0.24:
        return family + rng.choice(syllables) * 2
    return family + rng.choice(syllables) + rng.choice(syllables)


def surname(rng: Random) -> str:
    """A family name by weight."""
    return rng.choices(_SURNAME_LIST, cum_weights=_SURNAME_WEIGHTS)[0]


def family_of(name: str) -> str:
    """What a child takes over: the part before the dot with it, else the surname; nothing of a Latin name."""
    if "·" in name:
        return name[: name.index("·") + 1]
    if name.isascii() or " " in name:
        return ""
    return name[:2] if name[:2] in _SURNAMES else name[:1]


def estate_names(rng: Random) -> list[str]:
    """Every estate name there is, shuffled."""
    every = [a + b + c for a in _ESTATE_FIRST for b in _ESTATE_SECOND for c in _ESTATE_ENDING]
    rng.shuffle(every)
    return every


def characters() -> str:
    """Every character a generated name may hold."""
    parts = [
        *_SURNAMES,
        *_GIVEN.values(),
        *RARE,
        *_MINORITY_FAMILY,
        *_MINORITY_GIVEN["F"],
        *_MINORITY_GIVEN["M"],
        *_LATIN,
        *_ESTATE_FIRST,
        *_ESTATE_SECOND,
        *_ESTATE_ENDING,
        "·",
    ]
    return "".join(sorted(set("".join(parts)) - {" "}))


_SYLLABLES: Final = {key: text.split() for key, text in _GIVEN.items()}
_SURNAME_LIST: Final = list(_SURNAMES)
_SURNAME_WEIGHTS: Final = [sum(list(_SURNAMES.values())[: i + 1]) for i in range(len(_SURNAMES))]
