/** Words of the reasons and the next step: those of `vectors/verdicts.json`, which a test compares. */

import { AGES, type Ages } from "../pass/evidence";
import type { Reason } from "../pass/verdict";
import type { Language } from "./words";

export const REASONS: Readonly<
  Record<Reason, { readonly zh: string; readonly en: string; readonly next_zh: string; readonly next_en: string }>
> = {
  LIFE_EXIT: {
    zh: "紧急通行",
    en: "Life exit",
    next_zh: "立即放行，事后登记一个词",
    next_en: "Let pass at once, note one word afterwards",
  },
  ORDER_IN_FORCE: {
    zh: "隔离期未满",
    en: "An order is in force",
    next_zh: "请其靠边，说明到期时间和申诉电话",
    next_en: "Ask to step aside, tell the end and how to object",
  },
  CLOCK_IN_DOUBT: {
    zh: "本机时间存疑",
    en: "The clock of this device is in doubt",
    next_zh: "登记；校准本机时间",
    next_en: "Register; set the clock of the device",
  },
  END_UNKNOWN: {
    zh: "到期时间不明",
    en: "The end of the order is not known",
    next_zh: "打电话给社区",
    next_en: "Phone the community",
  },
  SIGNATURE_BAD: {
    zh: "无法核验此码",
    en: "This code cannot be verified",
    next_zh: "查号码或门牌；打电话给社区",
    next_en: "Look up number or door; phone the community",
  },
  NO_PASS: {
    zh: "未出示可读的通行证",
    en: "No readable pass was shown",
    next_zh: "输入号码或门牌；打电话给社区",
    next_en: "Type number or door; phone the community",
  },
  QUOTA_USED: {
    zh: "本期出行次数已用完",
    en: "The quota of this period is used",
    next_zh: "可因就医、工作、照护放行并注明",
    next_en: "May be let out for medicine, work, care, with the reason",
  },
  PERIMETER_CLOSED: {
    zh: "封控区域限行",
    en: "A closed perimeter is in force",
    next_zh: "打电话给社区",
    next_en: "Phone the community",
  },
  NOT_CLEARED: {
    zh: "本工地尚未核准",
    en: "Not yet cleared at this work site",
    next_zh: "联系用工单位",
    next_en: "Call the employer",
  },
  TEMPERATURE: {
    zh: "体温偏高",
    en: "High temperature",
    next_zh: "复测并联系社区医生",
    next_en: "Measure again and call the community medic",
  },
  PASS_INVALID: {
    zh: "此证已停用",
    en: "This pass was replaced or withdrawn",
    next_zh: "登记；提醒补办",
    next_en: "Register; remind to get a new one",
  },
  PASS_REISSUE: {
    zh: "此证需换发",
    en: "This pass must be re-issued",
    next_zh: "登记；提醒换发",
    next_en: "Register; remind to get it re-issued",
  },
  PASS_EXPIRED: {
    zh: "此证已过期",
    en: "This pass has expired",
    next_zh: "登记；提醒换发",
    next_en: "Register; remind to get it re-issued",
  },
  PASS_NOT_YET: {
    zh: "此证尚未生效",
    en: "This pass is not yet valid",
    next_zh: "登记",
    next_en: "Register",
  },
  CODE_STALE: {
    zh: "动态码已过时",
    en: "The rotating code is stale",
    next_zh: "请其刷新后再扫",
    next_en: "Ask to refresh and scan again",
  },
  NUMBER_ONLY: {
    zh: "仅凭号码",
    en: "Number only",
    next_zh: "核对姓名首字母和出生年份后登记",
    next_en: "Compare initials and birth year, then register",
  },
  ORDER_HOMEWARD: {
    zh: "隔离期内回家",
    en: "Under an order, on the way home",
    next_zh: "登记放行并告知社区",
    next_en: "Register, let pass, tell the community",
  },
  RELEASE_SLIP: {
    zh: "解除凭条有效",
    en: "The release slip is in effect",
    next_zh: "放行",
    next_en: "Let pass",
  },
  LIFT_SLIP: {
    zh: "提前解除凭条有效",
    en: "The lift slip is in effect",
    next_zh: "放行",
    next_en: "Let pass",
  },
  TERM_ENDED: {
    zh: "隔离期已满",
    en: "The term has ended",
    next_zh: "放行",
    next_en: "Let pass",
  },
  LIST_OLD: {
    zh: "名单已超过三天未更新",
    en: "The list is older than three days",
    next_zh: "登记放行；尽快联网",
    next_en: "Register and let pass; connect soon",
  },
  LIST_DAY_OLD: {
    zh: "名单已超过一天未更新",
    en: "The list is older than a day",
    next_zh: "登记放行",
    next_en: "Register and let pass",
  },
  KEYS_EXPIRED: {
    zh: "密钥清单已过期",
    en: "The key list has expired",
    next_zh: "登记放行；尽快联网",
    next_en: "Register and let pass; connect soon",
  },
  OK: {
    zh: "有效",
    en: "Valid",
    next_zh: "放行",
    next_en: "Let pass",
  },
  UNREADABLE: {
    zh: "无法判断",
    en: "Nothing could be decided",
    next_zh: "打电话给社区",
    next_en: "Phone the community",
  },
};

/** The reason as it stands on the screen: where the rule set sets other ages than a day and three, it says the hours. */
export function reasonWords(reason: Reason, ages: Ages, language: Language): string {
  const age = reason === "LIST_DAY_OLD" ? "day" : reason === "LIST_OLD" ? "old" : null;
  if (age === null || ages[age] === AGES[age]) return REASONS[reason][language];
  const hours = ages[age] / 3600;
  return language === "zh" ? `名单已超过 ${hours} 小时未更新` : `The list is older than ${hours} hours`;
}
