/**
 * The page's first script: has the large files come while everything else is still being read.
 */

import { startAhead } from "./engine.js";

startAhead();
