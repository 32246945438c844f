"""docs/api.md, out of docs/api.in.md and the comments in the scripts: python -m builder.api_page

TypeScript's compiler says what each member's type is (its declaration files keep the comments); here they become Markdown.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from builder.common import ROOT, SITE, BuildError, atomic_file, say
from builder.node import install_node_packages, node

TEMPLATE, PAGE = ROOT / "docs" / "api.in.md", ROOT / "docs" / "api.md"
COMPILER = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
OPTIONS = ("--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--allowJs")
# What the browser calls, and what only the page and the element's own parts do.
INNER = {"constructor", "connectedCallback", "disconnectedCallback", "attributeChangedCallback", "offlineReady", "repaint", "setWords",
         "formResetCallback", "formDisabledCallback", "formStateRestoreCallback", "formAssociated", "observedAttributes", "door", "shadow"}  # fmt: skip
PLACEHOLDER = re.compile(r"<!-- (parts|class|function|type|interfaces)((?: [\w-]+)*) -->")
MEMBER = re.compile(r"(?P<comment>/\*\*.*?\*/)?\s*(?P<code>(?:static )?(?:get |set )?(?P<name>[\w$]+)\b[^;{]*(?:\{[^{}]*\}[^;{]*)*;)", re.DOTALL)


def api_page() -> str:
    """The page's text. Raises BuildError if the template names what there is not, or the compiler fails."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([node(), str(COMPILER), "-p", str(ROOT), *OPTIONS, "--outDir", folder], capture_output=True, text=True, cwd=ROOT)
        if run.returncode:
            raise BuildError(f"the types of site/js could not be written: {run.stdout.strip()}")
        declared = {path.name.removesuffix(".d.ts"): path.read_text(encoding="utf-8") for path in Path(folder).rglob("site/js/*.d.ts")}
    declared["types"] = (SITE / "js" / "types.d.ts").read_text(encoding="utf-8")
    makers = {"parts": _parts, "class": _class, "function": _function, "type": _types, "interfaces": _interfaces}
    text = TEMPLATE.read_text(encoding="utf-8")
    return PLACEHOLDER.sub(lambda match: makers[match[1]](declared, *match[2].split()), text)


def _parts(_) -> str:
    """The names in the element's list of parts."""
    listed = _find(r"const PARTS = \[(.*?)\]", (SITE / "js" / "embedded.js").read_text(encoding="utf-8"), "the list of parts")
    return ", ".join(f"`{name}`" for name in re.findall(r'"([\w-]+)"', listed[1]))


def _class(declared: dict[str, str], module: str, name: str, base: str = "") -> str:
    """Members of a class, those of the class that it extends (in the module `base`) first."""
    bodies = [_find(rf"(/\*\*[^/]*\*/\n)?export declare class {name} extends \w+ \{{\n(.*?)^\}}", declared[each], name) for each in (base, module) if each]
    members = [member for body in bodies for member in MEMBER.finditer(body[2].replace("    #private;\n", ""))]
    written = {m["name"] for m in members if "set " in m["code"]}
    about = _described(bodies[-1][1]) if bodies[-1][1] and not base else []
    lines = []
    for member in members:
        if member["name"] in INNER or "set " in member["code"]:
            continue
        only = " (read only)" if "get " in member["code"] and member["name"] not in written else ""
        told = " ".join(_described(member["comment"]))
        lines.append(f"- `{_signature(member['code'])}`{only}{': ' + told if told else ''}")
    heading = f"### `<{base}>`'s properties and methods" if base else f"### {name}"
    return "\n\n".join([heading, *about, "\n".join(lines)])


def _function(declared: dict[str, str], module: str, name: str) -> str:
    found = _find(rf"(/\*\*(?:(?!\*/).)*\*/)\nexport declare function ({name}\(.*?\): [^;]*;)\n(?:/\*\*|export|\Z)", declared[module], name)
    return "\n\n".join([f"### {name}", f"`{_signature(found[2])}`", " ".join(_described(found[1]))])


def _types(declared: dict[str, str], module: str, *names: str) -> str:
    return "\n".join(_find(rf"^export (type {name} = .*?;)$(?! {{4}})", _flat(declared[module]), name)[1] for name in names)


def _interfaces(declared: dict[str, str], *names: str) -> str:
    found = (_find(rf"(/\*\* [^\n]* \*/\n)?^(?:interface {name} \{{.*?^\}}|type {name} = [^;]*;)", declared["types"], name)[0] for name in names)
    return "\n\n".join(found)


def _find(pattern: str, text: str, what: str) -> re.Match:
    match = re.search(pattern, text, re.DOTALL | re.MULTILINE)
    if not match:
        raise BuildError(f"docs/api.in.md asks for {what}, and it was not found")
    return match


def _flat(code: str) -> str:
    """Object types in one line."""
    return re.sub(r"\{\n([^{}]*?)\n\s*\}", lambda match: "{ " + " ".join(match[1].split()).rstrip(";") + " }", code)


def _signature(code: str) -> str:
    """A declaration in one line, without what the compiler adds for itself."""
    line = re.sub(r"^get (\w+)\(\)", r"\1", " ".join(code.split()).rstrip(";"))
    line = re.sub(r"\{[^{}:]*\}(\??): \{", r"options\1: {", line)  # names taken out of an object say what its type says again
    return re.sub(r"; \}", " }", re.sub(r'import\("[^"]+"\)\.', "", line))


def _described(comment: str | None) -> list[str]:
    """The sentences of a comment, and what its tags tell beside names and types."""
    if not comment:
        return []
    text = " ".join(line.strip().removeprefix("*").strip() for line in comment.strip().removeprefix("/**").removesuffix("*/").strip().splitlines())
    sentences, *tags = re.split(r"(?:^|\s)@(?=param|returns|throws|type)", text)
    lines = [sentences.strip()] if sentences.strip() else []
    for tag in tags:
        match = re.match(r"(param|returns|throws) (\{(?:[^{}]|\{[^{}]*\})*\}) ?(?:(\[?[\w.]+\]?)(?= |$))?(.*)", tag)
        if not match:
            continue
        kind, type_, name, rest = match.groups()
        rest = rest.strip() if kind == "param" else f"{name or ''}{rest}".strip()
        first = {"param": f"`{(name or '').strip('[]')}`:", "returns": "Returns", "throws": f"Throws {type_.strip('{}')}"}[kind]
        if rest:
            lines.append(f"{first} {rest}")
    return [line if line.endswith((".", ":", "?")) else line + "." for line in lines]


if __name__ == "__main__":
    try:
        install_node_packages()
        page = api_page().encode()
        with atomic_file(PAGE) as file:
            file.write(page)
        say(f"Wrote {PAGE.relative_to(ROOT)}")
    except BuildError as error:
        sys.exit(f"api_page: {error}")
