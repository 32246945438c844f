import { start } from "./stock.js";

const predict = start();
self.onmessage = async ({ data: ink }) => self.postMessage((await predict)(ink).digit);
