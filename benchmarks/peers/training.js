/**
 * The same dense network trained by ConvNetJS and by TensorFlow.js on its WebAssembly backend: seconds for one pass over the images.
 */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import convnetjs from "convnetjs";

const [RATE, MOMENTUM, BATCH, SIZES] = [0.01, 0.9, 128, [784, 128, 64, 10]];
setWasmPaths(new URL(".", import.meta.url).href);

/** Random images and labels: how long a step takes does not depend on what is in the picture. @param {number} n */
const makeData = (n) => ({ images: Float32Array.from({ length: 784 * n }, Math.random), labels: Int32Array.from({ length: n }, (_, i) => i % 10) });

/** @param {number} n */
function trainConvNetJS(n) {
  const { images, labels } = makeData(n);
  const net = new convnetjs.Net();
  net.makeLayers([
    { type: "input", out_sx: 1, out_sy: 1, out_depth: 784 },
    ...SIZES.slice(1, -1).map((size) => ({ type: "fc", num_neurons: size, activation: "relu" })),
    { type: "softmax", num_classes: 10 },
  ]);
  const trainer = new convnetjs.SGDTrainer(net, { learning_rate: RATE, momentum: MOMENTUM, batch_size: BATCH });
  const x = new convnetjs.Vol(1, 1, 784, 0);
  const start = performance.now();
  for (let i = 0; i < n; i++) {
    x.w.set(images.subarray(784 * i, 784 * (i + 1)));
    trainer.train(x, labels[i]);
  }
  return (performance.now() - start) / 1000;
}

/** @param {number} n */
async function trainTensorFlow(n) {
  await tf.setBackend("wasm");
  await tf.ready();
  const { images, labels } = makeData(n);
  const layers = SIZES.slice(1).map((size, i) => [tf.variable(tf.randomNormal([SIZES[i], size], 0, Math.sqrt(2 / SIZES[i]))), tf.variable(tf.zeros([size]))]);
  const optimizer = tf.train.momentum(RATE, MOMENTUM);
  const start = performance.now();
  for (let i = 0; i < n; i += BATCH) {
    const size = Math.min(BATCH, n - i);
    const loss = tf.tidy(() => {
      const x = tf.tensor(images.subarray(784 * i, 784 * (i + size)), [size, 784]);
      const y = tf.oneHot(tf.tensor1d(labels.subarray(i, i + size), "int32"), 10);
      return optimizer.minimize(() => {
        const logits = layers.reduce((h, [W, b], j) => tf.add(tf.matMul(j ? tf.relu(h) : h, W), b), x);
        return tf.losses.softmaxCrossEntropy(y, logits);
      }, true);
    });
    await loss.data();
    loss.dispose();
  }
  return (performance.now() - start) / 1000;
}

Object.assign(window, { trainConvNetJS, trainTensorFlow });
