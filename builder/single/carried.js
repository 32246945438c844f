/**
 * Opens a file that stands in the page, where the site's worker would fetch it.
 */

/** The file, decoded; null if it has no bytes with it. @param {FileAsset} file */
export const open = ({ data }) => data ? new Response(joined(data)) : null;

/** What gzipped parts hold, one after the other. @param {Uint8Array<ArrayBuffer>[]} parts */
function joined(parts) {
  const { readable, writable } = new TransformStream();
  const pour = async () => {
    for (const part of parts) {
      const body = /** @type {ReadableStream} */ (new Response(part).body);
      await body.pipeThrough(new DecompressionStream("gzip")).pipeTo(writable, { preventClose: true });
    }
    await writable.close();
  };
  pour().catch((error) => writable.abort(error).catch(() => {})); // whoever reads is told
  return readable;
}
