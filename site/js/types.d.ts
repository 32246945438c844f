/** The types that more than one module, or an embedder's editor, wants to know. They are known everywhere; nothing loads this file. */

/** x, y, width, height in pixels of the source */
type Box = [number, number, number, number];

/** One movement of the pen. `points` is flat, x0, y0, x1, y1, ..., as is `width` in fractions of the pad's side (0, 0 is the upper left corner). A single point is a dot. */
interface Stroke {
  tool: "pen" | "eraser";
  width: number;
  points: number[];
}

interface Ink {
  data: Uint8Array;
  width: number;
  height: number;
}

interface Prediction {
  /** 0-9, the best guess even when not accepted; null without ink */
  digit: number | null;
  /** 0..1 */
  confidence: number;
  /** of the ten digits; they add up to 1 */
  probabilities: number[];
  accepted: boolean;
  /** why it is not accepted */
  reason: "empty" | "too-small" | "not-a-digit" | "several" | null;
  /** what was read: "7", "2026", "" if nothing; in a number "?" stands for a digit that is not accepted */
  text: string;
  /** in reading order; with several of them all other fields but `text` are those of the last */
  digits: { digit: number; confidence: number; probabilities: number[]; accepted: boolean; box: Box }[];
  /** the 28 x 28 values that the network saw, row by row, 0..1 */
  image: Float32Array;
  found: { box: Box | null; centre_of_mass: [number, number] | null; ink_fraction: number };
  model: string;
  ms: { preprocess: number; forward: number; total: number };
}

type ReadDigit = Prediction["digits"][number];

interface DebugImage {
  /** of the 28 x 28 image */
  png: Blob;
  image: Float32Array;
  /** of the source, as is height */
  width: number;
  height: number;
  box: Box | null;
  centre_of_mass: [number, number] | null;
  /** of the 28 x 28 image, as are max and mean */
  min: number;
  max: number;
  mean: number;
  inverted: boolean;
}

interface Health {
  status: "ok" | "degraded" | "error";
  versions: { inkling: string; pyodide: string; python: string; numpy: string };
  model: { name: string; sha256: string; parameters: number; mnist_test_accuracy: number };
  boot: { path: string; ms: Record<string, number>; why_not_faster: string | null };
  self_test: { ok: boolean };
}

/** What there is to say about a prediction (words.js). */
interface Words {
  /** "none": nothing drawn; "empty": a picture without ink; "declined": no answer, a guess at most */
  state: "none" | "empty" | "declined" | "unsure" | "sure";
  /** what was read and nothing else */
  text: string;
  /** that it is right */
  confidence: string;
  doubt: string;
  /** what it may be all the same */
  guess: string;
  /** it may be read as a number */
  several: boolean;
  spoken: string;
}

/** English in, another language out; `values` take the places of {}. What the table lacks stays English. */
interface Translate {
  (english: string, ...values: (string | number)[]): string;
  table: Record<string, string>;
  /** with one decimal */
  decimal(number: number): string;
}

/** What the status line says, with one thing that can be done about it. */
interface Notice {
  text: string;
  action?: { label: string; run: () => void };
}

/** Most urgent first; a notice passes. */
type NoticeKind = "notice" | "error" | "update" | "loading" | "offline" | "ready";

/** What becomes of the page's use without network (offline.js). */
interface OfflineEvents {
  /** everything is kept; the page works without network from now on */
  onOfflineReady(): void;
  /** a new version is complete; `apply` switches to it and reloads every open tab */
  onUpdate(apply: () => void): void;
  onConnection(online: boolean): void;
}

/** How far a boot has come; loaded and total in bytes. */
interface BootProgress {
  stage: string;
  loaded: number;
  total: number;
}

/** A file as the table of assets has it (assets.js). */
interface FileAsset {
  url: string;
  /** size once decoded; what a host sends in Brotli or gzip is less */
  bytes: number;
  /** in hex, of the same */
  sha256: string;
  /** whether there is a .gz beside it that is worth its own request */
  gz?: boolean;
  /** the host is known to send files as they are: that .gz is asked for at once */
  plain?: boolean;
  /** "reload" after a failure: whatever the browser has kept may be what is wrong */
  cache?: RequestCache;
  /** the file itself, in parts, each gzipped: the single file carries it, and nothing is fetched */
  data?: Uint8Array<ArrayBuffer>[];
}

/** What the worker starts from: the table of assets with absolute addresses; the default model is the one inside the snapshot. */
interface BootRequest {
  path: "snapshot" | "slim";
  /** what kept the page from a faster path */
  why: string | null;
  abi: string;
  files: Record<string, FileAsset>;
  models: Record<string, FileAsset>;
  defaultModel: string;
  model: string;
}

/** A request to the worker that has no answer yet. */
interface Pending {
  name: string;
  resolve(value: any): void;
  reject(reason: Error): void;
  onProgress?(value: any): void;
  restartTimer(): void;
  timer: number;
}

/** The function with which Pyodide calls C functions of wrong signature, where an engine has what it needs (WebAssembly's garbage collection). */
interface Trampoline {
  slot: number;
  call: Function;
}

/** The head of heap.bin (builder/snapshot.mjs makes it, restore.js reads it). */
interface HeapHeader {
  format: number;
  /** name of the network inside */
  model: string;
  /** file name -> sha256: the runtime that it belongs to */
  madeWith: Record<string, string>;
  libraries: {
    path: string; file: string; sha256: string; handles: number[]; memoryBase: number; tableBase: number; tableSize: number; global: boolean; refcount: number | null;
  }[];
  /** ownLength: what the module itself brings; bareLength: with what Pyodide adds before anything is loaded; slots: [slot, library, export] outside the libraries' ranges */
  table: { ownLength: number; bareLength: number; length: number; free: number[]; slots: [number, number | null, string | null][]; got: Record<string, number> };
  /** which JavaScript objects Python holds */
  state: any;
  heapSize: number;
  /** [begin, length] of what differs from a memory in which nothing has run yet */
  runs: [number, number][];
  /** the same of what does not differ and is not zero */
  untouched: [number, number][];
  /** of the latter */
  checksum: number;
}
