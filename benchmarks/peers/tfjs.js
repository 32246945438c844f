/**
 * TensorFlow.js with its core and its WebAssembly backend alone, and the layers written out: less to load than with tf.layers.
 */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { fused, ready, setBackend, softmax, tensor } from "@tensorflow/tfjs-core";
import { visit } from "./digit.js";
import { sizes } from "./settings.js";

const weights = fetch(new URL("mlp.bin", import.meta.url)).then((response) => response.arrayBuffer());
setWasmPaths(new URL(".", import.meta.url).href);
const backend = setBackend("wasm").then(ready);

visit(async (image) => {
  const numbers = Float32Array.from(new Float16Array(await weights)); // W, b of each layer, one after the other
  await backend;
  let [x, start] = [tensor(image, [1, 784]), 0];
  const take = (...shape) => tensor(numbers.subarray(start, (start += shape.reduce((a, b) => a * b))), shape);
  for (let i = 1; i < sizes.length; i++) {
    const activation = i < sizes.length - 1 ? "relu" : "linear";
    x = fused.matMul({ a: x, b: take(sizes[i - 1], sizes[i]), bias: take(sizes[i]), activation });
  }
  return Array.from(await softmax(x).data());
});
