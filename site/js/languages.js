/**
 * The element's words in other languages than English: one module for each, fetched when somebody asks for it.
 */

/** @type {Record<string, () => Promise<{words: Record<string, string>}>>} */
const LANGUAGES = { de: () => import("./languages/de.js") };

/**
 * @param {string} asked such as "de"
 * @returns {Promise<{language: string, table: Record<string, string>}>} English and no table, if there are no words in that language
 */
export async function words(asked) {
  const fetched = await LANGUAGES[asked]?.().catch(console.error);
  return fetched ? { language: asked, table: fetched.words } : { language: "en", table: {} };
}

/**
 * Those texts of the markup that stay: labels and the words on buttons. To be asked for while all of it is in English.
 * @param {ParentNode} root
 * @returns {{english: string, write: (text: string) => void}[]}
 */
export function markup(root) {
  const found = [];
  for (const name of ["aria-label", "alt"]) {
    for (const element of root.querySelectorAll(`[${name}]`)) {
      found.push({ english: element.getAttribute(name) ?? "", write: (/** @type {string} */ text) => element.setAttribute(name, text) });
    }
  }
  for (const button of root.querySelectorAll("button")) {
    const english = button.textContent?.trim();
    if (english) found.push({ english, write: (/** @type {string} */ text) => (button.textContent = text) });
  }
  return found;
}
