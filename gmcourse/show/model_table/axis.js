// An axis: its range, round ticks, and where a number lies on it.

const [ROOM, TICKS] = [0.06, 6]; // beyond the numbers, as a share; at most so many ticks
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** The numbers' range, a little wider; of one number, a range about it of `least` to each side. */
function rangeOf(numbers, least) {
  if (!numbers.length) return [0, 1];
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const room = high > low ? ROOM * (high - low) : least(low);
  return [low - room, high + room];
}

const aTenth = (value) => 0.1 * Math.abs(value) || 1;

function linearTicks(low, high) {
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const every = [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= rough);
  const ticks = [];
  for (let k = Math.ceil(low / every); k * every <= high; k++) ticks.push(Number((k * every).toPrecision(12)));
  return ticks;
}

/** Powers of ten, thinned out where there are many; 1, 2 and 5 times them where there are few, even steps within one. */
function logTicks(low, high) {
  if (high - low < 0.9) return linearTicks(10 ** low, 10 ** high);
  const [first, last] = [Math.floor(low), Math.ceil(high)];
  const digits = high - low > 2.5 ? [1] : [1, 2, 5];
  const every = Math.max(1, Math.ceil((high - low) / TICKS));
  const ticks = [];
  for (let power = first; power <= last; power++) {
    if (power % every) continue;
    for (const digit of digits) ticks.push(Number((digit * 10 ** power).toPrecision(12)));
  }
  return ticks.filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high);
}

/** A tick as words: a power of ten from 10⁵ on and below 10⁻³. */
export function tickText(value) {
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size === 0 || (size < 1e5 && size >= 1e-3)) return sign + size.toLocaleString("en", { maximumSignificantDigits: 6 });
  const power = Math.floor(Math.log10(size) + 1e-9);
  const digits = Number((size / 10 ** power).toPrecision(6));
  const raised = (power < 0 ? "⁻" : "") + [...String(Math.abs(power))].map((digit) => RAISED[digit]).join("");
  return `${sign}${digits === 1 ? "" : `${digits}×`}10${raised}`;
}

/**
 * An axis for `numbers`: place(value) is 0 at its start and 1 at its end, null where a number has no logarithm; ticks
 * are [number, words].
 */
export function newAxis(numbers, log) {
  const scaled = log ? (value) => (value > 0 ? Math.log10(value) : null) : (value) => value;
  const [low, high] = rangeOf(numbers.map(scaled).filter((value) => value !== null), log ? () => 0.3 : aTenth);
  const place = (value) => {
    const at = scaled(value);
    return at === null ? null : (at - low) / (high - low);
  };
  const ticks = (log ? logTicks : linearTicks)(low, high).map((value) => [value, tickText(value)]);
  return { low, high, place, ticks };
}
