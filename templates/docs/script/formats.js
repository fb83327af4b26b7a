/** The formats that payloads are held to: those of the generated server, read in the same way. Others only describe. */

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d+)?(Z|z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/;

function isDate(text) {
  const [, year, month, day] = DATE.exec(text)?.map(Number) ?? [];
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days(year, month);
}

function days(year, month) {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function isDateTime(text) {
  if (!isDate(text.slice(0, 10)) || !/[Tt ]/.test(text[10] ?? "")) return false;
  const time = TIME.exec(text.slice(11));
  return time !== null && time[4] !== undefined;
}

/** Whether a text is of the format, by the format's name. */
export const FORMATS = new Map([
  ["date-time", isDateTime],
  ["date", isDate],
  ["time", (text) => TIME.test(text)],
  ["uuid", (text) => /^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})$/i.test(text)],
  ["byte", (text) => /^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(text) && !text.includes("_")],
  [
    "decimal",
    (text) => /^[+-]?(?:\p{Nd}+\.?\p{Nd}*|\.\p{Nd}+)(?:e[+-]?\p{Nd}+)?$/iu.test(text.trim().replaceAll("_", "")),
  ],
]);
