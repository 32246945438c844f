/**
 * What there is to say about a prediction, for the eye and for the ear. Plain functions: they know no page.
 */

/** Below this, or with a rival above RIVAL, the second guess is named. */
const SURE = 0.75;
const RIVAL = 0.2;

/** @type {Record<string, string>} */
const REASONS = {
  "empty": "Nothing to read",
  "too-small": "Too small: draw it larger",
  "not-a-digit": "Not a digit?",
  "several": "Several digits?",
};

/** On the page a button says the second half of it. */
const SEVERAL_SPOKEN = "That looks like several digits. They can be read as a number.";

/** @param {Translate} t @param {number} digit */
const oneOf = (t, digit) => t(digit === 8 ? "an {}" : "a {}", digit);

/** The digit that comes second. @param {ReadDigit} digit */
function rival({ probabilities, digit }) {
  let second = -1;
  probabilities.forEach((p, d) => {
    if (d !== digit && (second < 0 || p > probabilities[second])) second = d;
  });
  return { digit: second, probability: probabilities[second] };
}

/** Never "100.0%" for what is not quite certain. @param {Translate} t @param {number} confidence */
function percent(t, confidence) {
  return confidence > 0.9995 ? t(">{}%", t.decimal(99.9)) : t("{}%", t.decimal(100 * confidence));
}

/** A number is right if all its digits are. @param {Prediction} prediction */
const confidenceOf = ({ digits, confidence }) => (digits.length > 1 ? digits.reduce((all, one) => all * one.confidence, 1) : confidence);

/** @param {Translate} t @param {ReadDigit[]} digits */
const guessOf = (t, digits) => t("perhaps {}", digits.length > 1 ? digits.map(({ digit }) => digit).join("") : oneOf(t, digits[0].digit));

/** What else an answer may be, with the weakest of its digits replaced. @param {Translate} t @param {ReadDigit[]} digits */
function doubtOf(t, digits) {
  if (digits.some(({ accepted }) => !accepted)) return guessOf(t, digits);
  const weakest = digits.reduce((least, one) => (one.confidence < least.confidence ? one : least));
  const second = rival(weakest);
  if (weakest.confidence >= SURE && second.probability <= RIVAL) return "";
  const others = digits.map((one) => (one === weakest ? second.digit : one.digit)).join("");
  return t("or {}?", digits.length > 1 ? others : oneOf(t, second.digit));
}

/** @param {Prediction | null} prediction null: nothing drawn @param {Translate} t @returns {Words} */
export function wordsFor(prediction, t) {
  const nothing = { text: "", confidence: "", doubt: "", guess: "", several: false, spoken: "" };
  if (!prediction) return { ...nothing, state: "none" };
  if (prediction.digit === null) return { ...nothing, state: "empty", doubt: t(REASONS.empty), spoken: t(REASONS.empty) };
  return /\d/.test(prediction.text) ? wordsForAnswer(prediction, t) : wordsForNone(prediction, t);
}

/** @param {Prediction} prediction @param {Translate} t @returns {Words} */
function wordsForAnswer(prediction, t) {
  const { text, digits } = prediction;
  const confidence = confidenceOf(prediction);
  const doubt = doubtOf(t, digits);
  const parts = [text.replaceAll("?", t(" unclear ")), t("{} percent", Math.round(100 * confidence)), doubt];
  const spoken = parts.filter(Boolean).join(", ");
  return { state: doubt ? "unsure" : "sure", text, confidence: percent(t, confidence), doubt, guess: "", several: false, spoken };
}

/** @param {Prediction} prediction @param {Translate} t @returns {Words} */
function wordsForNone(prediction, t) {
  const { reason, digits } = prediction;
  const several = reason === "several";
  const doubt = t(REASONS[reason ?? ""] ?? REASONS["not-a-digit"]);
  const guess = several || !digits.length ? "" : guessOf(t, digits); // all of them pressed into one: no guess worth a word
  const spoken = several ? t(SEVERAL_SPOKEN) : [doubt, guess].filter(Boolean).join(doubt.endsWith("?") ? " " : ", ");
  return { state: "declined", text: "", confidence: "", doubt, guess, several, spoken };
}
