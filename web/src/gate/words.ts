/** What the gate says, Chinese first. */

import type { Quota } from "../pass/rules";

export type Language = "zh" | "en";

export const WORDS = {
  ALLOW: ["放行", "Let pass"],
  ALLOW_REG: ["登记放行", "Register, let pass"],
  CALL: ["联系社区", "Call community"],
  DENY: ["劝返", "Please step aside"],
  in: ["进", "In"],
  out: ["出", "Out"],
  onward: ["去往别处", "Onward"],
  homeward: ["回家", "Homeward"],
  direction: ["方向", "Direction"],
  scan: ["对准通行码", "Point at the code"],
  still_there: ["此证仍在镜头前，请移开后再扫", "This card is still in view: take it away first"],
  start_camera: ["开启摄像头", "Start camera"],
  camera_none: ["没有摄像头，可用扫码枪或输入号码", "No camera: use a scanner or type the number"],
  camera_denied: ["未获准使用摄像头，请在浏览器设置中允许", "The camera is not allowed; allow it in the browser's settings"],
  camera_busy: ["摄像头被占用，请关闭其他应用后再试", "The camera is in use; close other apps and try again"],
  torch: ["照明", "Light"],
  no_torch: ["此摄像头没有照明灯", "This camera has no light"],
  type_number: ["输号码", "Number"],
  type_door: ["查门牌", "Door"],
  life_exit: ["紧急通行", "Life exit"],
  life_exit_word: ["立即放行，放行后点一个词", "Let pass at once, then tap one word"],
  help: ["求助", "Help"],
  menu: ["更多", "More"],
  close: ["关闭", "Close"],
  cancel: ["取消", "Cancel"],
  next: ["下一位", "Next person"],
  registered: ["已登记，放行", "Registered, let pass"],
  id_seen: ["已核对门牌、姓名首字母和出生年份", "Door, initials and birth year compared"],
  override: ["注明原因放行", "Pass, with reason"],
  not_passed: ["未放行", "Did not pass"],
  call: ["打给社区", "Phone the community"],
  no_phone: ["本机未存社区电话", "No community phone is stored"],
  reason_medicine: ["就医取药", "Medicine"],
  reason_work: ["工作", "Work"],
  reason_care: ["照护老幼", "Care"],
  reason_community: ["社区同意", "Community agreed"],
  reason_mistake: ["信息有误", "Record is wrong"],
  companion: ["同户同行 +1", "Same household +1"],
  companions: ["同行", "Along"],
  recorded: ["已记录", "Recorded"],
  temperature: ["体温", "Temp."],
  temperature_again: ["偏高，请复测一次", "High: measure once more"],
  temperature_odd: ["请填 30 到 45 之间的读数", "A reading between 30 and 45, please"],
  measured: ["确定", "OK"],
  already_shown: ["此证十分钟内已出示过，请多核对", "Shown within ten minutes: look twice"],
  ask_refresh: ["请对方刷新后再扫", "Ask to refresh, then scan again"],
  tell_community: ["请告知社区", "Tell the community"],
  slip_hint: ["如有解除凭条或告知书，请一并扫描", "If there is a release slip or notice, scan it too"],
  until: ["到期", "Until"],
  door: ["门牌", "Door"],
  member: ["成员", "Member"],
  birth_year: ["出生年份", "Birth year"],
  initials: ["首字母", "Initials"],
  number: ["通行证号（10 位）", "Pass number (10 digits)"],
  look_up: ["查询", "Look up"],
  bad_number: ["号码有误，请再看一遍（校验位不符）", "Not a pass number: the check digits do not fit"],
  which: ["有多位同年出生，请问姓名首字母", "Several were born that year: ask for initials"],
  not_found: ["本小区名单中没有", "Not in this compound's list"],
  too_many: ["一小时内查询过多，请扫码或联系社区", "Too many look-ups in an hour: scan, or call the community"],
  nothing: ["什么都没有出示", "Nothing to show"],
  list_age: ["名单", "List"],
  no_list: ["尚无名单", "No list yet"],
  no_compound: ["住户表未到，暂不能查号码和门牌", "This compound's residents have not arrived: numbers and doors cannot be looked up yet"],
  chain_fork: ["信息链对不上，请报告指挥部", "The chain told two stories: report to the command"],
  chain_fork_elsewhere: ["见证方有证据：信息链对不上。照常查验放行，听指挥部通知", "A witness has evidence that the chain told two stories. Go on as always, wait for the command's word"],
  chain_other: ["信息链已换，见证方未确认：问过指挥部后，用值班台的登记码重新登记本机", "Another chain, not confirmed by the witnesses: ask the command, then enrol this device anew with the desk's code"],
  chain_followed: ["信息链已换新，见证方已确认", "The chain was begun anew, its witnesses confirm it"],
  sheet_consistent: ["公示单指纹一致", "The sheet's fingerprint agrees"],
  sheet_fork: ["公示单指纹对不上", "The sheet's fingerprint does not agree"],
  sheet_alone: ["公示单指纹已记下，联网后再比较", "The sheet's fingerprint is kept, and compared once online"],
  sheet_unreadable: ["公示单二维码没有读全", "The sheet's code was not read whole"],
  list_old: ["名单已旧", "List is old"],
  list_elsewhere: ["本机没有此证所属街道的名单", "No list here of this pass's street"],
  online: ["在线", "Online"],
  offline: ["离线", "Offline"],
  withdrawn: ["此设备已停用，只上传记录", "This device is withdrawn; records are still sent"],
  withdrawn_cleared: ["此设备已停用，名单和住户表已从本机删除；记录仍会上传，也可导出", "This device is withdrawn; lists and residents are deleted from it. Records are still sent, or exported"],
  unsent: ["未上传", "Unsent"],
  waiting: ["待送达", "Waiting"],
  aside: ["待核对", "To be checked"],
  clock_doubt: ["本机时间存疑", "Clock in doubt"],
  clock_suspect: ["多部手机的时间与本机不同，请校准", "Several phones disagree with this clock: set it"],
  silent_long: ["超过 24 小时没有传出任何记录：请导出文件，交到值班台", "Nothing sent for over 24 hours: take the file to the desk"],
  enrol_title: ["登记这台设备", "Enrol this device"],
  enrol_text: ["请在值班台打开本卡口的登记二维码，用这台设备扫描或打开链接。", "Open this gate's enrolment code at the desk and scan it, or open its link, on this device."],
  enrol_paste: ["或粘贴登记链接", "Or paste the enrolment link"],
  enrol_do: ["登记", "Enrol"],
  enrolling: ["正在登记…", "Enrolling…"],
  enrol_bad: ["这不是登记链接", "This is no enrolment link"],
  enrol_used: ["此登记码已被另一台设备使用", "This code was used by another device"],
  enrol_refused: ["登记码已过期或无效，请重新生成", "The code has expired or is not valid; make a new one"],
  enrol_root: ["对方不是登记码所指的系统，已拒绝", "The answer is not from the system that the code names; refused"],
  enrol_offline: ["无法连接，请检查网络后再试", "No connection; check the network and try again"],
  enrol_unsent: ["本机还有未上传的记录，先上传或导出", "This device still holds unsent records; send or export them first"],
  shift_title: ["上岗登记", "Begin the shift"],
  guard: ["值守员工号", "Guard's number"],
  not_listed: ["工号不在本卡口名单上：", "Not on this post's list:"],
  admitted_by: ["谁准许上岗（带班人工号，或接电话的社区）", "Admitted by (the leader's number, or the community on the phone)"],
  admitted_why: ["原因，如 代班", "Reason, such as: stands in"],
  admit: ["准许上岗并记录", "Admit and record"],
  admitted_both: ["请填准许人和原因", "Who admits, and why"],
  admitted_other: ["不能由本人准许", "Nobody admits themselves"],
  begin: ["开始值守", "Begin"],
  handover: ["交接班", "Handover"],
  leaves: ["交班人", "Leaves"],
  left_by: ["请接班人核对。交班人", "Please check. Left by"],
  i_leave: ["我交班", "I hand over"],
  handover_to: ["接班人工号", "Number of who takes over"],
  handover_other: ["请接班人本人输入自己的工号", "Who takes over types the own number"],
  i_take: ["我接班", "I take over"],
  open_issues: ["未了事项", "Open issues"],
  masks_left: ["口罩剩余", "Masks left"],
  thermometer: ["体温枪", "Thermometer"],
  works: ["可用", "works"],
  broken: ["不可用", "broken"],
  whole_number: ["请填数字", "A whole number, please"],
  exported: ["导出未上传记录", "Export unsent records"],
  export_file: ["导出文件", "Export file"],
  receipts: ["读取值班台回执", "Read the desk's receipts"],
  receipts_read: ["回执已收，送达", "Receipts read, delivered"],
  receipts_bad: ["不是值班台的回执文件；记录文件请交到值班台", "This is no file of receipts; take a file of records to the desk"],
  language: ["English", "中文"],
  kept: ["存储已持久保存", "Storage is kept"],
  not_kept: ["浏览器可能清除本机记录，请安装到桌面", "The browser may clear this storage: install the app"],
  storage_trouble: ["本机存储出错，请换设备", "The storage of this device failed; use another"],
  hours: ["小时", "h"],
  minutes: ["分", "min"],
  days: ["天", "d"],
  class_H: ["户证", "Household"],
  class_W: ["务工", "Worker"],
  class_S: ["保供", "Supply"],
  class_V: ["志愿者", "Volunteer"],
  class_X: ["访客", "Visitor"],
  class_M: ["医护", "Medical"],
  class_P: ["本人", "Person"],
  paper: ["纸质", "Paper"],
  fire: ["火灾", "Fire"],
  earthquake: ["地震", "Earthquake"],
  ambulance: ["急救", "Ambulance"],
  birth: ["生产", "Childbirth"],
  violence: ["暴力", "Violence"],
  count_in: ["进", "In"],
  count_out: ["出", "Out"],
  count_override: ["注明放行", "With reason"],
  count_turned: ["应放未放", "Not let pass"],
} as const satisfies Record<string, readonly [string, string]>;

export type Word = keyof typeof WORDS;

export function say(word: Word, language: Language): string {
  return WORDS[word][language === "zh" ? 0 : 1];
}

/** What a quota leaves, told so that it stays true after the person has gone out. */
export function quotaWords({ left, times, days }: Quota, language: Language): string {
  if (language === "zh") {
    const window = days === 1 ? "今天" : `这 ${days} 天`;
    return left === 0 ? `${window}可出 ${times} 次，已用完` : `${window}可出 ${times} 次，此次后剩 ${left - 1} 次`;
  }
  const window = `in this ${days}-day window`;
  return left === 0 ? `0 of ${times} left ${window}` : `After this ${left - 1} of ${times} left ${window}`;
}

/** "2 小时 10 分", "35 分", "3 天". */
export function duration(seconds: number, language: Language): string {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  if (minutes >= 3 * 24 * 60) return `${Math.floor(minutes / 1440)} ${say("days", language)}`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest} ${say("minutes", language)}`;
  return rest === 0 ? `${hours} ${say("hours", language)}` : `${hours} ${say("hours", language)} ${rest} ${say("minutes", language)}`;
}

/** An instant as people write it in the legal zone, whatever the device's own zone is. */
export function instant(at: number, language: Language): string {
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    timeZone: "Asia/Shanghai",
    month: "long",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at * 1000);
}
