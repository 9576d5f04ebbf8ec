"""The rules of docs/architecture.md that a reader could break without noticing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ("ray_backend", "streamlit_app", "scripts", "bench")
GENERATED = re.compile(r"/(__pycache__|results|node_modules)/")
LONGEST = 350
# Longer than that today: they may shrink, not grow.
LONGER_FOR_NOW: dict[str, int] = {}

# What each part may import of ours; a part may always import itself.
MAY_IMPORT = {
    "ray_backend.domain": set(),
    "ray_backend.ports": {"domain"},
    "ray_backend.clock": set(),
    "ray_backend.settings": set(),
    "ray_backend.runfile": set(),
    "ray_backend.observing": {"domain"},
    "ray_backend.services": {"ports", "domain", "observing"},
    "ray_backend.vision": {"ports", "domain", "settings"},
    "ray_backend.gallery": {"ports", "domain", "settings"},
    "ray_backend.storage": {"observing", "ports", "domain", "settings"},
    "ray_backend.bootstrap": {
        "clock", "domain", "gallery", "observing", "ports", "services", "settings", "storage", "vision",
    },
    # What routes need of vision, storage or Ray reaches them through the backend and the recogniser.
    "ray_backend.api": {"__version__", "client", "domain", "observing", "ports", "services", "settings"},
    "ray_backend.serving": {
        "__version__", "api", "bootstrap", "client", "domain", "observing", "ports", "services", "settings",
        "storage", "vision",
    },
    "ray_backend.client": {
        "bootstrap", "clock", "domain", "observing", "ports", "runfile", "serving", "services", "settings",
        "storage",
    },
}  # fmt: skip
# Where a library may be imported.
ONLY_IN = {
    "pymongo": ("ray_backend/storage/mongo", "bench/", "tests/"),
    "bson": ("ray_backend/storage/mongo.py",),
    "onnxruntime": ("ray_backend/vision/", "bench/", "tests/"),
    "insightface": ("ray_backend/vision/", "scripts/", "bench/", "tests/"),
    "dlib": ("ray_backend/vision/", "bench/", "tests/"),
    "streamlit": ("streamlit_app/", "tests/"),
    "ray": ("ray_backend/serving/", "ray_backend/jobs/", "bench/", "tests/"),
    "sqlite3": ("ray_backend/storage/", "bench/", "tests/"),
    "faiss": ("ray_backend/gallery/coarse.py",),
    "qdrant_client": ("ray_backend/gallery/", "tests/contract/test_gallery.py"),
    "fastapi": ("ray_backend/api/", "tests/api/"),
    "prometheus_client": (
        "ray_backend/observing/",
        "ray_backend/api/",
        "ray_backend/serving/",
        "tests/api/",
        "tests/cluster/",
        "tests/unit/observing/",
        "tests/unit/test_dashboards.py",
        "tests/unit/serving/",
    ),
    "pythonjsonlogger": ("ray_backend/observing/logs.py",),
    "opentelemetry": ("ray_backend/observing/tracing.py", "tests/"),
    "pynvml": ("ray_backend/serving/gpus.py",),
    "jwt": ("ray_backend/api/credentials.py", "tests/api/"),
    "argon2": ("ray_backend/services/passwords.py", "ray_backend/services/codes.py", "tests/"),
}
# Who may touch the environment besides settings.py, and why.
MAY_TOUCH_ENVIRONMENT = {
    "ray_backend/serving/environment.py": "sets Ray's own variables before Ray is imported",
    "ray_backend/web_app.py": "hands the environment on to the processes that it starts",
}


@cache
def files(*folders: str, suffixes: tuple[str, ...] = (".py",)) -> list[str]:
    """Our files under these folders by their path in the repository."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*")))
    names = (path.relative_to(ROOT).as_posix() for path in found if path.is_file())
    return [name for name in names if name.endswith(suffixes) and not GENERATED.search(name)]


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(path: str) -> set[str]:
    """The full names that a file imports, wherever it does so, but not those only type checkers see."""
    found: set[str] = set()
    for node in _running_nodes(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _running_nodes(node: ast.AST):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _running_nodes(child)


def part_of(path: str) -> str:
    """`ray_backend.domain` for each file of that folder, `ray_backend.client` for the module."""
    return ".".join(path.removesuffix(".py").split("/")[:2])


PARTS = [path for path in files("ray_backend") if part_of(path) in MAY_IMPORT]


def libraries(path: str) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def backend_parts(path: str) -> set[str]:
    """`{"domain", "ports"}`: which parts of the backend a file imports."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("ray_backend.")}


def offenders(paths: Iterable[str], wrong: Callable[[str], object]) -> dict[str, object]:
    """What is wrong with each file that has something wrong."""
    return {path: fault for path in paths if (fault := wrong(path))}


def test_the_rules_look_at_real_files():
    assert {part_of(path) for path in PARTS} == set(MAY_IMPORT)
    assert len(PARTS) > 30


def test_imports_run_one_way():
    def wrong(path: str) -> set[str]:
        part = part_of(path)
        return backend_parts(path) - MAY_IMPORT[part] - {part.split(".")[1]}

    assert offenders(PARTS, wrong) == {}


def test_the_backend_does_not_know_the_pages_or_the_tests():
    outside = {"streamlit_app", "tests", "bench", "scripts"}
    assert offenders(files("ray_backend"), lambda path: libraries(path) & outside) == {}


def test_pages_use_the_backend_through_its_client():
    allowed = {"client", "domain", "observing", "settings", "services", "__version__"}
    assert offenders(files("streamlit_app"), lambda path: backend_parts(path) - allowed) == {}


def test_the_core_needs_the_standard_library_and_numpy_only():
    allowed = sys.stdlib_module_names | {"numpy", "ray_backend"}
    core = [*files("ray_backend/domain"), "ray_backend/ports.py"]
    assert offenders(core, lambda path: libraries(path) - allowed) == {}


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stands_in_its_place_only(library):
    elsewhere = [path for path in files(*PROGRAM, "tests") if not path.startswith(ONLY_IN[library])]
    assert offenders(elsewhere, lambda path: library in libraries(path)) == {}


def touches_environment(path: str) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv", "environb"))
        or (isinstance(node, ast.alias) and node.name in ("environ", "getenv"))
        for node in ast.walk(tree(path))
    )


def test_only_the_settings_read_the_environment():
    others = [path for path in files("ray_backend", "streamlit_app") if path not in MAY_TOUCH_ENVIRONMENT]
    assert offenders(others, touches_environment) == {}


@pytest.mark.parametrize("path", MAY_TOUCH_ENVIRONMENT)
def test_who_may_touch_the_environment_reads_no_setting_from_it(path):
    """`os.environ["X"] = ...` and `os.environ | {...}` pass; taking a value out does not."""
    assert touches_environment(path), "it needs no exception any more"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            assert isinstance(node.ctx, ast.Store)
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("os.environ.get", "os.getenv", "os.environ.pop")


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after this."""
    program = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_importing_the_backend_loads_none_of_the_heavy_libraries():
    loaded = modules_after(
        "import ray_backend, ray_backend.client, ray_backend.settings, ray_backend.storage"
    )
    assert "pydantic" in loaded
    assert not loaded & {"ray", "onnxruntime", "pymongo", "insightface", "dlib", "streamlit", "pandas", "cv2"}


def test_putting_a_site_together_loads_no_driver_that_it_does_not_use():
    assert not modules_after("import ray_backend.bootstrap") & {
        "ray", "onnxruntime", "pymongo", "streamlit", "faiss", "qdrant_client",
    }  # fmt: skip


def length(path: str) -> int:
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def test_no_file_of_the_program_is_too_long():
    program = files(*PROGRAM, suffixes=(".py", ".js", ".css"))
    assert offenders(program, lambda path: max(0, length(path) - LONGER_FOR_NOW.get(path, LONGEST))) == {}


def test_a_file_that_became_short_needs_no_exception():
    assert [path for path in LONGER_FOR_NOW if length(path) <= LONGEST] == []


TEXT = (".py", ".js", ".css", ".html", ".md", ".toml", ".txt", ".yml", ".yaml", ".sh", ".json", "file", "run")
FOLDERS = (*PROGRAM, "tests", "docs", "deploy", ".ci")
# Somebody's home, or a folder of the machine that this was written on.
# /home/rollcall is the user of our own image.
MACHINE_PATH = re.compile(r"(?<![\w.~:/$}-])/(?!home/rollcall)(?:home|Users|root|work|mnt|tmp)/[\w.]+")


def test_no_file_knows_a_path_of_one_machine():
    beside = [path.name for path in ROOT.iterdir() if path.is_file() and path.name.endswith(TEXT)]
    texts = [*files(*FOLDERS, suffixes=TEXT), *beside]
    assert {"README.md", "Makefile", "tests/fakes.py"} <= set(texts)
    found = offenders(texts, lambda path: MACHINE_PATH.findall((ROOT / path).read_text(encoding="utf-8")))
    assert found == {}


@pytest.mark.parametrize("folder", ["home", "Users", "root", "work", "mnt", "tmp"])
@pytest.mark.parametrize("around", ['open("{}")', "cd {}", "`{}`", "see {}."])
def test_a_path_of_one_machine_is_recognised(folder, around):
    assert MACHINE_PATH.search(around.format(f"/{folder}/ada"))
