/** Registers <digit-recognizer>. Import digit-recognizer.js instead to give the element another name. */

import { DigitRecognizer } from "./digit-recognizer.js";

customElements.define("digit-recognizer", DigitRecognizer);
