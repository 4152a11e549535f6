"""What a person is told when an act about people is refused, and what is wrong with a row of a roster."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

SENTENCES: Final["Mapping[str, StrPromise]"] = {
    "people:not_a_dwelling": _("请选择到户的住址。"),
    "people:name_not_acceptable": _("姓名应为 2 至 50 个字，只含汉字、字母和间隔号。"),
    "people:number_not_acceptable": _("证件号码有误，请对照证件原件核对。"),
    "people:number_contradicts_birth": _("出生日期或性别与身份证号码不一致。"),
    "people:phone_not_acceptable": _("电话应为 11 位手机号，或带区号的座机号。"),
    "people:number_taken": _("该证件号码已登记在他人名下，请报街道核实。"),
    "people:no_such_household": _("该户不在此住址。"),
    "people:guardian_not_fit": _("监护人须为另一名成年人。"),
    "people:ward_acts_alone": _("年满 14 周岁的人本人办理；无民事行为能力的，请注明依据。"),
    "people:merged_twice": _("其中一份档案已经并入另一份。"),
    "people:reason_needed": _("请写明查看或导出的理由；本人会看到。"),
    "people:roster_unreadable": _("这个文件不能作为名册导入，没有改动任何数据。"),
    "people:roster_mapping_incomplete": _("请为必需的列指定内容，且每项只指定一列：{columns}。"),
    "people:roster_has_faults": _("名册中有 {faults} 处错误，没有导入任何一行。"),
    "people:run_over": _("这次导入正在进行或已经结束。"),
    "people:run_cancelled": _("导入已取消，没有改动任何数据。"),
    "people:too_many_to_export": _("一次最多导出 {most} 人，请选择较小的范围。"),
    "people:own_export": _("自己申请的导出，由另一位有权导出的人员同意。"),
    "people:export_over": _("这份导出申请已超过一天，请重新申请。"),
    "people:not_agreed": _("还没有第二人同意这次导出。"),
    "people:not_batched_yet": _("这次查阅所在的小时还没有汇总入链，请一小时后再试。"),
    "people:conflict_decided": _("该更正已经处理。"),
    "people:field_not_correctable": _("这一项不能在此更正。"),
}

#: Why a file is no roster, by the fault that `reading` names.
UNREADABLE: Final["Mapping[str, StrPromise]"] = {
    "empty": _("文件是空的。"),
    "too_large": _("文件超过 {most} MB，请分小区导入。"),
    "old_excel": _("这是旧版 Excel（.xls）或加密文件，请另存为 .xlsx 后再试。"),
    "password": _("文件设有密码，请去掉密码后再试。"),
    "damaged": _("文件已损坏，打不开。请在原电脑上重新保存。"),
    "bomb": _("文件解压后异常庞大，已拒绝。"),
    "not_a_spreadsheet": _("这不是表格文件，请使用 .xlsx 或 .csv。"),
    "macros": _("文件含有宏，请另存为不含宏的 .xlsx。"),
    "formula": _("表中含有公式，请复制后“选择性粘贴为数值”再试。"),
    "too_many_rows": _("行数超过 {most}，请分批导入。"),
    "too_many_columns": _("列数超过 {most}。"),
    "quotes": _("第 {line} 行附近的引号不成对。"),
    "encoding": _("文字编码无法识别，请另存为 UTF-8 的 CSV 或 .xlsx。"),
    "ragged": _("第 {line} 行的内容超出了表头的列数，可能有错位。"),
    "no_headings": _("找不到表头：前十行中应有“姓名”“房号”等列名。"),
    "no_rows": _("表头下面没有内容。"),
    "long_cell": _("第 {line} 行有过长的内容（超过 500 字）。"),
}

#: What is wrong with a row. Said without repeating the value.
ROW_FAULTS: Final["Mapping[str, StrPromise]"] = {
    "name_missing": _("缺姓名"),
    "name_not_acceptable": _("姓名应为 2 至 50 个字，只含汉字、字母和间隔号"),
    "compound_missing": _("缺小区名称（表中没有此列时，请在导入页填写）"),
    "building_missing": _("缺楼栋"),
    "room_missing": _("缺房号"),
    "door_not_understood": _("楼栋、单元或房号看不懂，应如 5-2-0603"),
    "phone_not_acceptable": _("电话应为 11 位手机号，或带区号的座机号"),
    "care_not_known": _("特殊照护只能填：独居、高龄、孕妇、残疾、透析、慢病、婴幼儿、无智能手机"),
    "ward_acts_alone": _("年满 14 周岁，不填监护人"),
    "id_type_not_known": _("证件类型不认识"),
    "sex_not_known": _("性别应为男或女"),
    "birth_not_a_date": _("出生日期应如 1986-05-04"),
    "birth_contradicts_number": _("出生日期与身份证号码不一致"),
    "sex_contradicts_number": _("性别与身份证号码不一致"),
    "number_not_acceptable": _("证件号码有误"),
    "number_damaged_by_spreadsheet": _(
        "身份证号码被表格软件改坏（末尾变成 000 或 E+17），请按文本格式重填；本来就以 000 结尾的，请到户登记"
    ),
    "number_fifteen_digits": _("这是 15 位旧号码，请填 18 位"),
    "number_not_18_characters": _("身份证号码应为 18 位"),
    "number_no_such_birth_date": _("身份证号码中的出生日期不存在"),
    "number_born_in_the_future": _("身份证号码中的出生日期在今天之后"),
    "number_born_too_long_ago": _("身份证号码中的出生日期超过 130 年"),
    "number_wrong_check_digit": _("身份证号码校验位不对，请对照证件"),
    "number_twice": _("这个证件号码在表中出现过"),
    "row_twice": _("这个人在同一户中出现过"),
    "number_of_another_name": _("这个证件号码已登记在另一个姓名下"),
    "number_registered_elsewhere": _("这个证件号码已在别处登记，请报街道核实"),
    "guardian_not_found": _("同一户中找不到这名监护人，或其未成年"),
}


def row_fault(code: str) -> str:
    """The sentence of a row's fault, in the language of the moment."""
    return str(ROW_FAULTS[code])


def unreadable(facts: "Mapping[str, str | int]") -> str:
    """Why a file was not taken."""
    return str(UNREADABLE[str(facts.get("fault"))]).format(
        most=facts.get("most", ""), line=facts.get("line", "")
    )
