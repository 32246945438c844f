/**
 * onnxruntime-web as its guide has it: the build with the WebAssembly backend alone, one thread (more need special headers).
 */

import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { visit } from "./digit.js";

const model = fetch(new URL("mlp.onnx", import.meta.url)).then((response) => response.arrayBuffer());
env.wasm.numThreads = 1;
env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href };

visit(async (image) => {
  const session = await InferenceSession.create(await model, { executionProviders: ["wasm"] });
  const { probabilities } = await session.run({ image: new Tensor("float32", image, [1, 784]) });
  return Array.from(probabilities.data);
});
