/**
 * What the recogniser says when it can not do what it was asked for.
 */

/**
 * An error with one thing that the person can do about it. Its `name` tells which; `instanceof` does not, as a page may have this class twice.
 */
export class RecognizerError extends Error {
  /**
   * @param {{type?: string, message: string, hint?: string}} description
   */
  constructor({ type = "Error", message, hint = "" }) {
    super(message);
    this.name = type;
    this.hint = hint;
  }
}

/** Browsers tell a picture of another site only by not letting it go. @param {Record<string, any>} fields */
export function notSendable({ bitmap }) {
  return bitmap
    ? new RecognizerError({ type: "PictureError", message: "The canvas shows a picture from another site; browsers do not let it be read.", hint: "Copy the picture to this site." })
    : new RecognizerError({ message: "This can not be sent to the recogniser.", hint: "Send plain values." });
}

export const closed = () => new RecognizerError({ type: "AbortError", message: "The recogniser was closed." });

/** @param {string} message */
export function unsupported(message) {
  return new RecognizerError({ type: "Unsupported", message, hint: "Use a current version of Chrome, Edge, Firefox or Safari." });
}

/**
 * A module that is fetched only now; or an error in people's words, if it does not come.
 * @template T
 * @param {Promise<T>} module
 * @param {number} [patience] ms
 * @returns {Promise<T>}
 */
export function part(module, patience) {
  return inTime(module, patience).catch((error) => {
    console.error(error);
    throw new RecognizerError({ type: "LoadError", message: "A part of the page could not be loaded.", hint: "Check the connection, then reload the page." });
  });
}

/**
 * The promise, or an error after so many ms: what stalls is told, too.
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function inTime(promise, patience = 30_000) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(reject, patience, new Error("too late"))));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
