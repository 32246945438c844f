/**
 * The page around the element: pictures, saving, models, details, learning, offline. It wires and holds no state of its own.
 * The element has a script of its own before this one: the pad must not wait for what stands around it. What nobody needs
 * before it is asked for is loaded only then.
 */

import "./define.js"; // without the element there is nothing to wire
import { inTime } from "./errors.js";
import { keepDrawing, restoreDrawing } from "./keeping.js";
import { offerLearning } from "./learn.js";
import { behaveLikeMenus } from "./menus.js";
import { modelInAddress, offerModels } from "./models.js";
import { numbersInAddress, offerNumbers } from "./numbers.js";
import { offerPictures } from "./pictures.js";

/** @template {Element} T @param {string} selector @returns {T} */
const find = (selector) => /** @type {T} */ (document.querySelector(selector));

/** @type {import("./digit-recognizer.js").DigitRecognizer} */
const element = find("digit-recognizer");

setTimeout(restoreDrawing, 0, element); // apart: what a tab keeps is slow to come at first, and the pad can be drawn on meanwhile
const model = modelInAddress();
if (model) element.setAttribute("model", model);
if (numbersInAddress()) element.numbers = true;

offerPictures(find("#open"), find("#file"), element);
offerNumbers(find("#numbers"), element);
offerModels(find("#model"), element);
offerLearning(find("#correct"), find("#learn"), element, bring);
/** @type {HTMLButtonElement} */
const details = find("#details");
details.addEventListener("click", async () => (await bring(() => import("./details.js")))?.toggleDetails(details, find("#facts"), element));
find("#save").addEventListener("click", async ({ target }) => {
  const { save: what } = /** @type {HTMLElement} */ (target).dataset;
  if (what) (await bring(() => import("./saving.js")))?.save(what, element);
});
behaveLikeMenus(document.querySelectorAll("details.menu"));

// The engine comes first: keeping everything for later would take the network away from it.
const settled = new AbortController();
for (const outcome of ["ready", "error"]) element.addEventListener(outcome, goOffline, { signal: settled.signal });

function goOffline() {
  settled.abort();
  const offline = import("./offline.js"); // not before: until then nobody needs it
  offline.then(({ watchOffline }) => watchOffline({
    onOfflineReady: () => element.offlineReady(),
    onServed: () => element.recognizer?.keepMachineCode().catch(console.warn),
    onUpdate(apply) {
      const run = () => {
        keepDrawing(element);
        apply();
      };
      element.tell({ text: "A new version is ready.", action: { label: "Reload", run } }, "update");
    },
    onConnection: (online) => element.tell(online ? null : { text: "No network. Everything here works." }, "offline"),
  })).catch(console.warn);
}

/** A part that is needed only now; null, and a word, if it does not come. @template T @param {() => Promise<T>} load */
function bring(load) {
  return inTime(load()).catch((error) => {
    console.error(error);
    // Not "try again": some browsers never ask again for a module that did not come.
    const action = { label: "Reload", run: () => location.reload() };
    element.tell({ text: "A part of the page could not be loaded. Check the connection, then reload the page.", action });
    return null;
  });
}
