/** What the verifier says, in words for people who never heard of a Merkle tree. */

export type Language = "zh" | "en";

const WORDS = {
  title: ["核验凭据", "Verify a proof"],
  language: ["English", "中文"],
  explain: [
    "防疫信息链是一本居民、物业、社区三方各存一份、共同核对的记录。本页在您的设备上核验一张凭据，断网也能用；除非您要它联网查询，什么都不上传。",
    "The information chain is a record that residents, property and community each keep and check together. This page verifies a proof on your own device, works without network, and sends nothing anywhere unless you ask it to.",
  ],
  drop: ["文件可以是凭据的图片或文件、查阅证明、分叉证据、信任名单（policy.txt）；也可以直接拖到本页。", "A file may be a picture or file of a proof, the proof of a reading, evidence of a fork, or a trust file (policy.txt); it can also be dropped on this page."],
  camera: ["用摄像头扫描", "Scan with the camera"],
  stop: ["停止", "Stop"],
  file: ["选择图片或凭据文件", "Choose a picture or proof file"],
  paste: ["粘贴二维码文字或证明文件的内容，或输入公示单上的条数和指纹", "Paste the text of the code or of a proof file, or type size and fingerprint from a board sheet"],
  paste_do: ["核验", "Verify"],
  no_code: ["没有找到二维码，也不是本页认识的文件。如是图片，请靠近、摆正、避免反光后再试", "No code was found, and it is no file that this page knows. A picture: closer, straight, without glare"],
  camera_none: ["没有可用的摄像头", "There is no camera"],
  camera_denied: ["未获准使用摄像头", "The camera is not allowed"],
  camera_busy: ["摄像头被占用", "The camera is in use"],
  proved: ["已证明：这份记录在信息链中", "Proved: this record is in the information chain"],
  proved_not_witnessed: ["已记录，尚未达到见证人数", "Recorded, not yet witnessed by enough parties"],
  proved_not_whose: ["已入账并见证，但不能证明是哪个机关签的", "Recorded and witnessed; whose act it is, is not proved"],
  proved_key_replaced: ["已入账并见证，但签它的公钥当时已被替换", "Recorded and witnessed, by a key that was already replaced"],
  not_proved: ["不能证明", "Not proved"],
  failed_not_a_proof: ["这不是信息链的凭据，或者没有读全。", "This is no proof of the information chain, or it was not read whole."],
  failed_not_signed: ["签名不对，或者签名人不在本页信任的名单里。请勿采信。", "A signature is wrong, or the signer is not one this page trusts. Do not rely on it."],
  failed_older_list: ["还不能核对：签名的见证方里，有一方不在本机的信任名单上。本机的名单可能比这张凭据旧。请联网打开本页，核对并采用新名单后再验。在此之前不能采信。", "Not checked yet: a witness signed whom this device's trust file does not name. The file may be older than the proof. Open this page with network, compare and take the new file, and verify again. Until then do not rely on it."],
  failed_not_proved: ["内容与信息链对不上：可能被改动过。请勿采信。", "The content does not fit the chain: it may have been altered. Do not rely on it."],
  failed_pass_code: ["这是通行码或凭条，由卡口核验，不是信息链凭据。", "This is a pass or a slip, which gates verify; it is no proof of the chain."],
  failed_needs_record: ["这是 .tlog-proof 文件，还需要它所证明的那份记录。请两个文件一起选择。", "This is a .tlog-proof file; the record it is about is needed too. Choose both files together."],
  failed_no_policy: ["还没有信任名单（policy.txt）。请先联网打开本页一次。", "There is no list of whom to trust yet (policy.txt). Open this page once with network."],
  what_is: ["证明了什么", "What is proved"],
  what_not: ["没有证明什么", "What is not proved"],
  is_recorded: ["下面这份记录在信息链第 {index} 条，一个字也没有改过。", "The record below is entry {index} of the chain, unchanged to the last letter."],
  is_seen: ["{who} 在 {time} 前见过并签名。", "{who} saw and signed it by {time}."],
  is_size: ["截至信息链有 {size} 条记录时（{time}）。", "As of {size} entries in the chain ({time})."],
  is_quorum: ["信任名单要求 {of} 方中至少 {needed} 方见证：已达到。", "At least {needed} of {of} parties must have seen it: they have."],
  is_no_quorum: ["信任名单要求 {of} 方中至少 {needed} 方见证：还没有达到。记录存在，但还不能当作已见证。", "At least {needed} of {of} parties must have seen it: not yet. It is recorded, but not to be taken as witnessed."],
  is_asks_nobody: ["信任名单不要求任何一方见证：除信息链自己以外，没有人为它作证。", "The trust file asks for no witness: nobody vouches for it but the chain itself."],
  is_before: ["按 {day} 之前的见证方核对：那以后 {name} 接替了 {before}（第 {index} 条）。", "It holds under the witnesses before {day}, when {name} took the place of {before} (entry {index})."],
  is_former: ["按本机用到 {day} 的信任名单核对：那是已经结束的一本链。", "It holds under the trust file that this device used until {day}: that of a chain that has ended."],
  is_disclosed: ["纸上展示的个人内容与记录中的密封值一致。", "The personal content shown on the paper fits the sealed values in the record."],
  not_lawful: ["不证明这个决定合法或正确。您可以申诉。", "That the decision is lawful or right. You can object."],
  is_read: ["查阅日志第 {number} 号：{organ} 的 {who} 在 {time} 查看了下列内容。这一行在下面这份小时汇总之内。", "Line {number} of the journal: {who} of {organ} looked at the content below at {time}. The line stands in the digest below."],
  not_read_only: ["不证明只查阅过这一次；全部查阅见“谁看过我的信息”。", "That this was the only reading; all of them stand under “Who looked at my data”."],
  not_read_right: ["不证明这次查阅是应当的。您可以申诉。", "That the reading was right. You can object."],
  not_read_who: ["不证明代号背后是谁；审计人员可以查。", "Who is behind the pseudonym; an auditor can find out."],
  reading: ["查阅", "The reading"],
  read_fields: ["看了什么", "What was looked at"],
  read_purpose: ["用途", "Purpose"],
  read_reason: ["写下的理由", "Reason given"],
  later: ["之后有没有记录指向它", "Whether a later record names it"],
  later_ended: ["之后有一条记录使它终止或改变：{kind}，第 {index} 条，{time}。已核对，请一并看。", "A later entry ends or changes it: {kind}, no. {index} of {time}. It was checked here; look at it too."],
  later_named: ["之后有一条记录指向它：{kind}，第 {index} 条，{time}。已核对。", "A later entry names it: {kind}, no. {index} of {time}. It was checked here."],
  later_said: ["服务器说之后还有：{kind}，{time}。尚未见证，或本页不能核对。", "The server says there is another: {kind}, {time}. It is not witnessed yet, or this page cannot check it."],
  later_none: ["已联网查询：服务器说，截至第 {size} 条没有之后的记录指向它。这是服务器的话，没有证明。", "Asked with network: the server says that up to {size} entries none names it. That is the server's word, not a proof."],
  later_unknown: ["还没有查询，所以不知道它现在是否仍然有效。查询需要联网，会把这条记录的指纹发给服务器。", "Not asked yet, so it is not known whether it is still in force. Asking needs network, and sends the fingerprint of this record to the server."],
  later_ask: ["联网查询", "Ask the server"],
  later_no_answer: ["没有网络，或服务器没有回答：不知道它现在是否仍然有效。", "No network, or the server did not answer: it is not known whether it is still in force."],
  later_open: ["核验这一条", "Verify that one"],
  not_in_force: ["不证明它现在仍然有效：之后可能已经解除。", "That it is still in force: it may have been lifted since."],
  not_holder: ["不证明出示的人就是当事人。", "That who shows it is the person concerned."],
  is_organ: ["由签发机关 {organ} 亲自签名，它的公钥在信息链第 {index} 条公布。", "Signed by the organ {organ} itself; its key was announced in entry {index} of the chain."],
  not_organ_unchecked: ["签发机关自己的签名没有核对：本机还没有各机关的公钥名单。请联网打开本页一次。", "The organ's own signature was not checked: this device has no list of the organs' keys yet. Open this page once with network."],
  not_organ_unknown: ["本机的名单里没有签它的那把公钥，所以不证明是该机关签的。名单可能旧了，请联网打开本页一次再核验。", "Whose act it is: the list on this device does not have the key that signed it. The list may be old; open this page once with network and verify again."],
  not_organ_replaced: ["不证明是 {organ} 签的：第 {index} 条公布了接替的公钥，这一条在它之后。旧钥可能被盗，也可能是换钥或恢复数据库时正在办理的一件。请向该单位核实，在此之前不能当作它的决定。", "That {organ} signed it: entry {index} announced the next key, and this entry stands behind it. The old key may be stolen; it may also be an act under way while the key changed or the database was restored. Ask the organ, and until then do not take it for its act."],
  record: ["记录内容", "The record"],
  kind: ["事项", "Act"],
  organ: ["签发机关", "Organ"],
  scope: ["范围", "Scope"],
  basis: ["依据", "Legal basis"],
  issued: ["时间", "Time"],
  disclosed: ["纸上展示的内容", "Shown on the paper"],
  trust: ["本页信任谁", "Whom this page trusts"],
  trust_vouched: ["信任名单换了见证方。每一项变更都记在信息链里，并由本机名单上的见证方签过名：", "The trust file has changed witnesses. Each change stands in the chain, signed by the witnesses of the file on this device:"],
  trust_change: ["{day}，{name} 接替 {before}（第 {index} 条）", "{day}: {name} took the place of {before} (entry {index})"],
  trust_vouched_do: ["见证方签名只说明变更是公开的，不说明他们同意。请向居民、物业、社区问一句，再采用。", "Their signatures say that the change is public, not that they agree. Ask residents, property or community before taking it."],
  trust_changed: ["服务器上的信任名单与本机首次保存的不同，本机名单上的见证方没有为它作证，所以不能从服务器采用。请向居民、物业、社区当面要一份 policy.txt，用“选择图片或凭据文件”打开。", "The trust file on the server differs from the one this device saved first, and the witnesses of that one do not vouch for it; so it cannot be taken from the server. Get policy.txt from the hand of residents, property or community and open it here as a file."],
  trust_handed: ["您打开的信任名单与本机保存的不同，本机名单上的见证方没有为它作证。只有当面从居民、物业、社区拿到的，才可以采用。", "The trust file you opened differs from the one on this device, whose witnesses do not vouch for it. Take it only if it came from the hand of residents, property or community."],
  trust_same: ["这份信任名单和本机保存的相同。", "This trust file says the same as the one on this device."],
  trust_earlier: ["已经结束的链的信任名单，用到 {day}", "Trust file of a chain that has ended, used until {day}"],
  trust_take: ["已核对，采用新名单", "Compared: take the new list"],
  sheet_consistent: ["一致", "Consistent"],
  sheet_consistent_why: ["公示单上第 {size} 条时的指纹，是信息链现在 {newer} 条的开头，没有改动过。", "The sheet's fingerprint at {size} entries is the beginning of the chain's {newer} entries now; nothing was changed."],
  sheet_by: ["现在的状态由 {who} 签名。", "The present state is signed by {who}."],
  sheet_fork: ["不一致：信息链说了两套话", "Not consistent: the chain told two stories"],
  fork_paper: ["这张凭据", "this proof"],
  fork_sheet: ["公示单", "the sheet"],
  fork_held: ["同样是 {size} 条，{what}的指纹和本机以前见过的不同。", "At {size} entries {what} has another fingerprint than this device saw before."],
  fork_served: ["同样是 {size} 条，{what}的指纹和服务器现在给出的不同：服务器现在说的是另一本账。", "At {size} entries {what} has another fingerprint than the one the server gives out now: the server now tells another story."],
  fork_now: ["服务器现在给出的信息链，不是从本机见过的第 {size} 条接下来的：它对前面的内容改了口。", "The chain that the server shows now does not go on from what this device saw at {size} entries: it tells the beginning differently."],
  fork_typed: ["是手工输入的，请先核对有没有输错。", "It was typed: look for a slip first."],
  fork_do: ["请勿采信。把见过的纸都留好，拍下本页，告诉居民、物业、社区三方。", "Do not rely on it. Keep every paper that you checked, photograph this page, and tell residents, property and community."],
  fork_here: ["{what}上的指纹", "Fingerprint on {what}"],
  fork_seen: ["本机见过的指纹", "Fingerprint that this device saw"],
  fork_there_held: ["本机以前见过的指纹", "Fingerprint that this device saw before"],
  fork_there_served: ["服务器现在给出的指纹", "Fingerprint that the server gives out now"],
  fork_there_now: ["服务器现在给出的", "What the server gives out now"],
  evidence: ["分叉属实：信息链说了两套话", "The fork is real: the chain told two stories"],
  evidence_is: ["信息链 {origin} 的公钥签了两份检查点，一份 {smaller} 条，一份 {larger} 条，不可能同时为真。", "The key of the chain {origin} signed two checkpoints, at {smaller} and at {larger} entries, that cannot both be true."],
  evidence_at: ["{size} 条时的指纹", "Fingerprint at {size} entries"],
  evidence_not_which: ["哪一份是真的，不由这份文件证明。", "Which of the two is true."],
  evidence_not_who: ["是谁做的、是不是故意的，不由这份文件证明：公钥可能被盗，也可能是恢复了旧数据库。", "Who did it, or whether it was meant: the key may have been stolen, or an older database restored."],
  evidence_do: ["请保存这份文件，交给居民、物业、社区三方和审计人员。这本链以后的凭据请勿采信。", "Keep this file and give it to residents, property, community and an auditor. Do not rely on later proofs of this chain."],
  sheet_alone: ["还没有可以比较的", "Nothing to compare with yet"],
  sheet_alone_why: ["没有网络，本机也没有见过 {size} 条时的指纹。扫描的指纹已记在本机，下次见到或联网时再比较。", "There is no network, and this device has not seen the fingerprint at {size} entries. A scanned one is kept here and compared when another is met."],
  sheet_unreadable: ["不是信息链的指纹", "No fingerprint of the chain"],
  sheet_unreadable_why: ["没有读全，或者不是本页信任的信息链签的。请勿采信。", "It was not read whole, or the chain that this page trusts did not sign it. Do not rely on it."],
  organs: ["各机关的签名公钥：{count} 把，由信息链的公钥签名保证，只增不改。", "The organs' keys: {count}, under the signature of the chain; lines are only ever added."],
  organs_broken: ["服务器上的机关公钥名单删改了本机原有的内容，本机没有采用。请保存下面的名单，并告诉居民、物业、社区三方。", "The server's list of the organs' keys drops or changes lines that this device holds; it was not taken. Keep the list below and tell residents, property and community."],
  again: ["再核验一张", "Verify another"],
  technical: ["技术细节", "Technical details"],
} as const satisfies Record<string, readonly [string, string]>;

export type Word = keyof typeof WORDS;

export function say(word: Word, language: Language, facts: Readonly<Record<string, string | number>> = {}): string {
  const text: string = WORDS[word][language === "zh" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, name: string) => shown(String(facts[name] ?? "")));
}

/**
 * Text that others wrote as one line that shows all of it; twin of `shown` in `lianfang_chain.words`. Markup cannot come in
 * here, but what turns the direction of reading could make a line say something else than it does.
 */
export function shown(text: string): string {
  return text.replace(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/g, "⏎").replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "�");
}

const PARTIES: Readonly<Record<string, readonly [string, string]>> = {
  residents: ["居民代表", "the residents"],
  property: ["物业", "property management"],
  community: ["社区", "the community"],
};

export function party(name: string, language: Language): string {
  // A later key of the same party has a number behind the name.
  const words = PARTIES[name.split("-")[0] ?? ""];
  return words === undefined ? name : words[language === "zh" ? 0 : 1];
}

/** Twin of `lianfang_chain.words`; a test holds both side by side. */
const KINDS: Readonly<Record<string, readonly [string, string]>> = {
  "orders:isolation:issued": ["个人居家隔离决定", "home isolation order"],
  "orders:order:lifted": ["提前解除", "order lifted"],
  "orders:release:noticed": ["解除通知", "release notice"],
  "orders:appeal:raised": ["提出异议", "appeal raised"],
  "orders:appeal:won": ["异议成立", "appeal won"],
  "orders:appeal:lost": ["异议不成立", "appeal lost"],
  "orders:case:destroyed": ["案卷到期销毁", "case destroyed after its term"],
  "orders:hold:withdrawn": ["撤回保留案卷的要求", "request to keep a case taken back"],
  "gates:act:signed": ["限次或封控令", "quota or perimeter act"],
  "gates:act:lifted": ["限次或封控令解除", "quota or perimeter act lifted"],
  "gates:passages:destroyed": ["通行记录到期销毁", "passages destroyed after their term"],
  "gates:ages:set": ["卡口凭证的时限", "how old evidence may be at gates"],
  "gates:passes:given": ["批量制发出入证", "passes given to a compound"],
  "gates:passes:withdrawn": ["批量作废出入证", "passes of a compound withdrawn"],
  "announcements:announcement:published": ["公告发布", "announcement published"],
  "announcements:announcement:superseded": ["公告被替代", "announcement superseded"],
  "announcements:announcement:withdrawn": ["公告撤回", "announcement withdrawn"],
  "rules:document:published": ["规则文件发布", "rule document published"],
  "rules:document:ended": ["规则文件设最后一天", "last day of a rule document set"],
  "ledger:disclosures:erased": ["个人明细已删除", "personal details erased"],
  "ledger:key:announced": ["公布单位签名公钥", "an organ's key announced"],
  "ledger:key:succeeded": ["单位更换签名公钥，由旧钥签名", "an organ's next key, signed by the one before"],
  "ledger:policy:changed": ["见证名单变更", "the list of witnesses changed"],
  "ledger:origin:continued": ["新链启用，附旧链分叉证据", "new chain begun, with the evidence of the old one"],
  "ledger:chain:reconciled": ["恢复后的核对记录", "reconciled after a restore"],
  "audit:grant:given": ["审计授权", "an audit granted"],
  "audit:sample:asked": ["请求审计抽样", "a sample asked for"],
  "accounts:read_log:batch": ["查阅记录的小时汇总", "hourly digest of the read log"],
  "credentials:passes:destroyed": ["出入证到期销毁", "passes destroyed after their term"],
  "concerns:reports:destroyed": ["报告和线索到期销毁", "reports and concerns destroyed after their term"],
  "credentials:status:published": ["通行状态表的小时摘要", "hourly digest of a status list"],
};
const SCOPES: Readonly<Record<string, readonly [string, string]>> = {
  district: ["全区", "district"],
  street: ["街道（乡镇）", "street or town"],
  community: ["社区（村）", "community"],
  grid: ["网格", "grid"],
  compound: ["小区", "compound"],
  building: ["楼栋", "building"],
  stairwell: ["单元", "stairwell"],
};
const LETTERS: Readonly<Record<string, string>> = { d: "district", s: "street", c: "community", g: "grid", m: "compound", b: "building", w: "stairwell" };

/** The kind in words where we have them; the code itself always stands beside it. */
export function kindWords(kind: string, language: Language): string {
  const found = KINDS[kind];
  return found === undefined ? kind : `${found[language === "zh" ? 0 : 1]}（${kind}）`;
}

/** What kind of place an area is, and its own code: that of the statistical bureau down to the community. */
export function scopeWords(area: string, language: Language): string {
  const own = area.slice(area.lastIndexOf(".") + 1);
  const words = SCOPES[LETTERS[own.slice(0, 1)] ?? ""];
  return words === undefined ? area : `${words[language === "zh" ? 0 : 1]} ${own.slice(1)}`;
}

export function instant(at: number, language: Language): string {
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    timeZone: "Asia/Shanghai",
    dateStyle: "long",
    timeStyle: "short",
    hourCycle: "h23",
  }).format(at * 1000);
}

/** A day of the form 2020-02-13, as people write it. */
export function day(text: string, language: Language): string {
  const at = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(at)) return text;
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { timeZone: "UTC", dateStyle: "long" }).format(at);
}

const FIELDS: Readonly<Record<string, readonly [string, string]>> = {
  area: ["范围", "Area"],
  at: ["时间", "At"],
  auditor: ["审计人代号", "Pseudonym of the auditor"],
  by: ["替代它的编号", "Superseded by"],
  classes: ["证件类别", "Classes of passes"],
  count: ["数量", "Count"],
  day_hours: ["超过几小时须登记", "Hours after which a passage is registered"],
  days: ["天数", "Days"],
  door: ["门牌", "Door"],
  drafted_by: ["起草人编号", "Number of the drafter"],
  ends_at: ["到期", "Ends"],
  evidence: ["证据指纹（SHA-256）", "Fingerprint of the evidence (SHA-256)"],
  evidence_text: ["证据全文", "Evidence, whole"],
  first: ["起始编号", "First number"],
  former: ["原链", "Former chain"],
  former_vkey: ["原链公钥", "Key of the former chain"],
  from: ["起", "From"],
  hour: ["小时", "Hour"],
  kind: ["种类", "Kind"],
  measure: ["措施", "Measure"],
  name: ["名称", "Name"],
  name_en: ["英文名称", "Name in English"],
  no: ["编号", "Number"],
  notice_no: ["通知编号", "Number of the notice"],
  number: ["编号", "Number"],
  officer: ["经办人代号", "Pseudonym of the officer"],
  old_hours: ["超过几小时算旧", "Hours after which evidence is old"],
  order_no: ["决定编号", "Number of the order"],
  organ: ["机关", "Organ"],
  person: ["当事人编号", "Number of the person"],
  positions: ["删除的项", "Items erased"],
  proposed_by: ["提出人编号", "Number of the proposer"],
  readings: ["查阅次数", "Readings"],
  reason: ["原因", "Reason"],
  reasons: ["理由", "Reasons"],
  recovered: ["找回的记录", "Entries recovered"],
  retired: ["停用的公钥", "Key that counts no more"],
  reviewed_by: ["审核人编号", "Number of the reviewer"],
  root: ["根指纹", "Root"],
  rule: ["规则版本", "Version of the rule"],
  sha256: ["正文指纹（SHA-256）", "Fingerprint of the text (SHA-256)"],
  size: ["记录条数", "Entries"],
  starts_at: ["开始", "Begins"],
  text: ["内容", "Text"],
  times: ["次数", "Times"],
  until: ["至", "Until"],
  vkey: ["公钥", "Public key"],
  why: ["缘由", "Grounds"],
  witness: ["见证方", "Witness"],
  zones: ["小区", "Compounds"],
};

const MEASURES: Readonly<Record<string, readonly [string, string]>> = {
  home_isolation: ["居家隔离", "Isolation at home"],
  facility_isolation: ["集中隔离", "Isolation in a facility"],
  home_monitoring: ["居家健康监测", "Health monitoring at home"],
};
/** Those of the catalogue that ships (`rules/data/national.json`); a test holds both side by side. */
const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  wuhan_returnee: ["从武汉市返回", "Returned from Wuhan"],
  area_returnee_high: ["从高风险地区返回", "Returned from a high-risk area"],
  area_returnee_medium: ["从中风险地区返回", "Returned from a medium-risk area"],
  close_contact: ["确诊病例、疑似病例或无症状感染者的密切接触者", "Close contact of a case"],
  secondary_contact: ["密切接触者的密切接触者", "Contact of a close contact"],
  cohabitant: ["与隔离人员同住并选择一起隔离", "Lives with a person in isolation and chose to isolate together"],
  entrant_from_abroad: ["从境外入境", "Entered from abroad"],
  asymptomatic_discharged: ["无症状感染者解除集中隔离", "Asymptomatic person discharged from a facility"],
  mild_case: ["无症状感染者或轻型病例居家隔离", "Mild or asymptomatic case at home"],
  released_patient: ["治愈出院", "Discharged after recovery"],
};

/** A value as people write it: instants in the legal zone, codes of ours in words. */
export function valueWords(value: string | number | bigint, language: Language): string {
  if (typeof value !== "string") return String(value);
  const words = MEASURES[value] ?? REASONS[value];
  if (words !== undefined) return words[language === "zh" ? 0 : 1];
  const at = /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? value : instant(at / 1000, language);
}

/** Twin of the labels of the rooms, for the proof of a reading. */
const READ_FIELDS: Readonly<Record<string, readonly [string, string]>> = {
  name: ["姓名", "name"],
  sex: ["性别", "sex"],
  birth_date: ["出生日期", "date of birth"],
  id_no: ["证件号码", "identity number"],
  phone: ["手机", "phone"],
  address: ["住址", "address"],
  household: ["同户成员关系", "relation in the household"],
  care: ["特殊照护", "special care"],
  origin: ["户籍地", "place of registration"],
  masked: ["隐去姓名的条目", "entry with the name masked"],
};
const PURPOSES: Readonly<Record<string, readonly [string, string]>> = {
  own_data: ["本人查看", "own data"],
  register_keeping: ["户档登记", "keeping the register"],
  report_intake: ["受理报告", "taking in a report"],
  case_inquiry: ["流行病学调查", "case inquiry"],
  isolation: ["办理隔离", "isolation"],
  service_of_notice: ["送达告知书", "serving a notice"],
  care: ["照护安排", "care"],
  passes: ["办理出入证", "passes"],
  gate: ["卡点工作", "work at a gate"],
  appeal: ["处理申诉", "an appeal"],
  audit: ["审计", "audit"],
  administration: ["管理", "administration"],
  public_information: ["公开信息", "public information"],
};

/** A field or a purpose of a reading; the code where there are no words. */
export function readingWords(code: string, language: Language): string {
  return (READ_FIELDS[code] ?? PURPOSES[code])?.[language === "zh" ? 0 : 1] ?? code;
}

/** The name of a field in words where we have them, else as it stands in the record. */
export function fieldWords(name: string, language: Language): string {
  return FIELDS[name]?.[language === "zh" ? 0 : 1] ?? name;
}
