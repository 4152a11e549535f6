/** An instant as people of the district read it, in the language of the page. @param at epoch seconds */
export function moment(at: number): string {
  return new Intl.DateTimeFormat(document.documentElement.lang || "zh", {
    timeZone: "Asia/Shanghai",
    dateStyle: "medium",
    timeStyle: "short",
  }).format(at * 1000);
}
