"""The page's modules become one script, and what is served under a name of its own content is kept by browsers."""

import re
from pathlib import Path

import pytest

from functions.api.page_files import FOLDER, PAGES, SCRIPTS, link, page_files

LEAST_QUOTA = 10
"""Functions that a new AWS account runs at a time."""


def test_a_view_asks_for_few_files() -> None:
    for page in PAGES:
        text = page_files()[page].data.decode()
        asked = set(re.findall(r"/static/[\w.]+", text))
        script = next(page_files()[name.removeprefix("/static/")] for name in asked if name.endswith(".js"))
        assert len(asked) + 1 < LEAST_QUOTA, "the page itself, too"
        assert not re.search(rb"^import\b(?!\()", script.data, re.M)


def test_every_module_of_a_page_is_linked_once_after_what_it_imports() -> None:
    script = link("app.js")
    order = re.findall(r"^// (\w+\.js)$", script, re.M)
    assert len(order) == len(set(order)) > 30
    assert order[-1] == "app.js"
    for name in order:
        source = (FOLDER / name).read_text(encoding="utf-8")
        imported = re.findall(r'^import .* from "\./(\w+\.js)";$', source, re.M)
        assert all(order.index(one) < order.index(name) for one in imported)


def test_names_change_with_the_content() -> None:
    versioned = [name for name, file in page_files().items() if file.is_versioned]
    assert {re.sub(r"\.[0-9a-f]{20}\.", ".", name) for name in versioned} == {
        "icon.svg",
        "style.css",
        "workspace.css",
        *SCRIPTS,
    }
    assert all(page_files()[name].tag in name for name in versioned)


def test_exports_imports_and_awaits_of_modules_are_kept(tmp_path: Path) -> None:
    (tmp_path / "base.js").write_text(
        "export const one = await 1;\nexport async function two() {}\nexport class Three {}\n"
    )
    (tmp_path / "entry.js").write_text(
        'import * as base from "./base.js";\nimport {\n  one as first,\n  two,\n} from "./base.js";\nbase.Three;\n'
    )
    assert link("entry.js", tmp_path) == (
        "// base.js\nconst $base = await (async () => {\n"
        "const one = await 1;\nasync function two() {}\nclass Three {}\nreturn { one, two, Three };\n})();\n"
        "// entry.js\nconst $entry = await (async () => {\n"
        "const base = $base;\nconst {\n  one: first,\n  two,\n} = $base;\nbase.Three;\nreturn {  };\n})();\n"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('export { one } from "./base.js";\n', "cannot be linked"),
        ("export let one = 1;\n", "cannot be linked"),
        ('import one from "./base.js";\n', "cannot be linked"),
        ('import * as entry from "./entry.js";\n', "import each other: entry.js -> entry.js"),
    ],
)
def test_other_forms_are_refused(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "entry.js").write_text(source)
    with pytest.raises(ValueError, match=said):
        link("entry.js", tmp_path)
