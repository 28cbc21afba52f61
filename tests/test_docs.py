"""The pages say what the code does: links, tables, commands and examples."""

import ast
import importlib
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
RUN = "extending.md"


@pytest.fixture(scope="module")
def options():
    spec = importlib.util.spec_from_file_location("docs_options", DOCS / "options.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def flags_of(options):
    """The flags of each command by its name; making the commands takes a second."""
    return {
        name: {
            flag
            for entry in options.parameters_of(name)
            for flag in (*entry.opts, *entry.secondary_opts)
        }
        for name, _ in options.commands()
    }


def by_name(page):
    return page.name


def fenced(page, *languages):
    """Return the contents of the fenced blocks of some languages."""
    fence = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [code for name, code in fence.findall(page.read_text()) if name in languages]


def commands_in(page):
    """Return the words of each call of napari-cryoml in the blocks of a page."""
    lines = []
    for block in fenced(page, "bash", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] == ["napari-cryoml"]:
                end = words.index("|") if "|" in words else len(words)
                lines.append(words[1:end])
    return lines


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_and_pictures_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    targets = [target.partition("#") for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [target for target in targets if "://" not in target[0]]
    missing = [name for name, _, _ in local if name and not (page.parent / name).exists()]
    assert missing == []
    for name, _, anchor in local:
        if anchor:
            assert anchor in anchors(page.parent / name if name else page), f"{name}#{anchor}"


def anchors(page):
    """Return the anchors that mkdocs makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


def test_tables_are_those_of_the_code(options):
    for name in options.PAGES:
        text = (DOCS / name).read_text()
        assert options.fill(text) == text, f"{name} is old: run python docs/options.py"


def test_every_table_is_on_a_page(options):
    text = "".join((DOCS / name).read_text() for name in options.PAGES)
    assert [name for name in options.TABLES if f"<!-- end {name} -->" not in text] == []


def test_the_key_table_has_every_key_of_the_dock(options):
    page = (DOCS / "picker.md").read_text()
    block = re.search("<!-- keys -->(.*?)<!-- end keys -->", page, re.DOTALL).group(1)
    rows = dict(re.findall(r"^\| `(.+?)` \| (.+) \|$", block, re.MULTILINE))
    assert rows == {options.spelled(key.key): key.title for key in options.KEYS}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_commands_and_their_flags_exist(page, flags_of):
    for words in commands_in(page):
        if words[0].startswith("-"):
            continue
        name = next(name for name in flags_of if words[: len(name.split())] == name.split())
        own = words[: words.index("--")] if "--" in words else words  # the rest is a recipe's
        given = {word for word in own if word.startswith("--")}
        assert given <= flags_of[name] | {"--help"}, " ".join(words)


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_flags_in_the_text_exist(page, flags_of):
    flags = set().union(*flags_of.values())
    mentioned = set(re.findall(r"`(--[a-z][a-z-]*)", page.read_text()))
    assert mentioned <= flags | {"--help", "--version", "--save-recipe"}


def test_options_that_are_set_exist(options):
    configs = [
        options.PickerConfig,
        options.LiveConfig,
        options.MicrographConfig,
        options.SubtomogramConfig,
        options.TomogramConfig,
        options.AlignConfig,
        options.RefineConfig,
        options.DiscoveryConfig,
        *(options.systems[name] for name in options.systems),
        *(options.encoders[name] for name in options.encoders),
        *(options.baselines[name] for name in options.baselines),
        *(options.measurement_sets[name] for name in options.measurement_sets),
    ]
    names = {name for config in configs for name, _ in options.flat_fields(config)}
    networks = [options.classifiers[name] for name in options.classifiers]
    inner = {name for config in networks for name, _ in options.flat_fields(config)}
    names |= {f"network_options.{name}" for name in inner}
    names |= {f"segment.{name}" for name, _ in options.flat_fields(options.SegmentConfig)}
    set_somewhere = {
        name for page in PAGES for name in re.findall(r"--set ([a-z][\w.]*)=", page.read_text())
    }
    assert set_somewhere
    assert set_somewhere <= names


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != RUN], ids=by_name)
def test_examples_import_what_exists(page):
    for code in fenced(page, "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                assert [a.name for a in node.names if not hasattr(module, a.name)] == []


def test_the_examples_of_extending_run(tmp_path):
    blocks = fenced(DOCS / RUN, "python")
    script = tmp_path / "examples.py"
    # A name space for all, but each block by itself: some stand for files of their own.
    script.write_text(
        f"space = {{}}\nfor code in {blocks!r}:\n    exec(compile(code, 'block', 'exec'), space)\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(blocks) > 5
