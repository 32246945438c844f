"""The HTTP headers that a host should send: written to dist/_headers, and sent by the preview server."""

# 'wasm-unsafe-eval' lets WebAssembly be compiled and nothing else; there is no 'unsafe-eval' and no foreign host.
# default-src does not cover the last two.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'"
)
SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
IMMUTABLE = "public, max-age=31536000, immutable"  # a year: the folder's name changes with its content
REVALIDATE = "no-cache"  # kept, but asked about every time

# These keep their names from version to version.
STABLE_NAMES = ("index.html", "sw.js", "manifest.webmanifest", "js/inkling.js", "js/digit-recognizer.js", "inkling.html")


# The single file is for saving: its scripts stand in it, which the policy above forbids on a host.
ATTACHMENT = {"inkling.html": {"Content-Disposition": "attachment"}}


def headers_file(hashed_folders: list[str]) -> str:
    """dist/_headers in the form that Netlify, Cloudflare Pages and others read."""
    rules = [("/*", SECURITY)]
    rules += [(f"/{name}", {"Cache-Control": REVALIDATE} | ATTACHMENT.get(name, {})) for name in ("", *STABLE_NAMES)]
    rules += [(f"/{folder}/*", {"Cache-Control": IMMUTABLE}) for folder in hashed_folders]
    return "".join(path + "\n" + "".join(f"  {name}: {value}\n" for name, value in values.items()) for path, values in rules)
