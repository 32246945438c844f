/**
 * The data sets that the page learns from and measures with. This is the table as it looks before a build: build.py writes the
 * real one over it in dist/. Each is fetched when somebody first needs it; URLs are relative to this module.
 */

/** @type {Record<string, FileAsset>} by file name, <data set>.npz */
export const data = {};
