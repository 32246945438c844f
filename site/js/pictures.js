/**
 * Pictures from elsewhere: chosen, pasted or dropped anywhere on the page.
 */

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

/** @param {DataTransfer | null} data */
const holdsFiles = (data) => data?.types.includes("Files") ?? false;

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLInputElement} input of type file; hidden
 * @param {DigitRecognizer} element
 */
export function offerPictures(button, input, element) {
  /** @param {FileList | undefined | null} files */
  const open = async (files) => {
    const file = files?.[0];
    if (file) await element.openPicture(file).catch((error) => element.tell(error.message));
  };

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    await open(input.files);
    input.value = ""; // so that the same file can be chosen again
  });

  document.addEventListener("paste", (event) => open(event.clipboardData?.files));

  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event.dataTransfer)) return;
    event.preventDefault();
    element.toggleAttribute("data-drop", true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) element.toggleAttribute("data-drop", false); // left the window
  });
  document.addEventListener("drop", (event) => {
    element.toggleAttribute("data-drop", false);
    if (!holdsFiles(event.dataTransfer)) return;
    event.preventDefault(); // or the browser would leave the page for the file
    open(event.dataTransfer?.files);
  });
}
