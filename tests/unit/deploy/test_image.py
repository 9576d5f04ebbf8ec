"""The image: what is in its last stage, who runs it, and that onnxruntime is in it once."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from ray_backend.vision import dlib_pack

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "deploy" / "image"
LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
INSTRUCTIONS = [line.split(None, 1) for line in LINES if line.strip() and not line.startswith("#")]
STARTS = [index for index, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM"]
LAST_STAGE = INSTRUCTIONS[STARTS[-1] :]


def of_last_stage(word: str) -> list[str]:
    return [rest for each, rest in LAST_STAGE if each == word]


def test_the_base_is_pinned_slim_and_the_same_in_all_stages():
    assert INSTRUCTIONS[0] == ["ARG", "PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm"]
    assert {INSTRUCTIONS[start][1].split()[0] for start in STARTS} == {"${PYTHON_IMAGE}"}
    assert len(STARTS) > 1


def test_the_last_stage_installs_nothing():
    for command in of_last_stage("RUN"):
        assert not re.search(r"apt-get|apk|pip|gcc|g\+\+|make\b|curl|wget", command), command


def test_it_is_not_run_by_root():
    assert of_last_stage("USER") == ["rollcall"]
    after = LAST_STAGE[LAST_STAGE.index(["USER", "rollcall"]) :]
    assert not {word for word, _ in after} & {"COPY", "ADD", "RUN"}
    assert any("useradd --uid 10001" in command for command in of_last_stage("RUN"))


def test_it_is_the_rollcall_command_and_knows_whether_it_is_well():
    assert of_last_stage("ENTRYPOINT") == ['["rollcall"]']
    (check,) = of_last_stage("HEALTHCHECK")
    assert check.endswith('CMD ["rollcall", "cluster", "health"]')


def test_no_secret_is_baked_in():
    for word, rest in INSTRUCTIONS:
        assert not (word in ("ARG", "ENV") and re.search(r"PASSWORD|SECRET|TOKEN|API_KEY", rest)), rest


def test_what_is_copied_is_there_and_let_through():
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    for word, rest in INSTRUCTIONS:
        if word != "COPY" or rest.startswith("--from"):
            continue
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists()
            assert any(line == f"!{source}" or source.startswith(f"{line[1:]}/") for line in ignore), source


@pytest.fixture
def installed(tmp_path):
    """Runs install-packages with a pip that notes what it is asked for; returns that, and the outcome."""
    log = tmp_path / "log"
    pip = tmp_path / "pip"
    pip.write_text(
        f"""#!/bin/sh
echo "$@" >>{log}
case $1 in
list) sed -n 's/^install .*\\(onnxruntime-gpu\\).*==/\\1==/p' {log}; echo "$LEFT" ;;
esac
"""
    )
    pip.chmod(0o755)

    def run(accelerator: str, left: str = "", folder: Path = ROOT):
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LEFT": left}
        command = ["sh", str(IMAGE / "install-packages"), accelerator, str(folder)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
        return done, log.read_text().splitlines() if log.exists() else []

    return run


def pinned(package: str) -> str:
    return re.search(rf"^{package}==(.+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]


def test_for_processors_only_opencv_is_replaced(installed):
    done, asked = installed("cpu", left=f"onnxruntime=={pinned('onnxruntime')}")
    assert done.returncode == 0, done.stderr
    assert "-r" in asked[0]
    assert [line for line in asked if "uninstall" in line] == ["uninstall --quiet --yes opencv-python"]
    assert f"install --quiet --no-deps opencv-python-headless=={pinned('opencv-python')}" in asked
    assert not any("onnxruntime-gpu" in line for line in asked)


def test_for_graphics_cards_one_onnxruntime_goes_before_the_other_comes(installed):
    done, asked = installed("gpu")
    assert done.returncode == 0, done.stderr
    gone = asked.index("uninstall --quiet --yes onnxruntime")
    (came,) = [number for number, line in enumerate(asked) if "onnxruntime-gpu" in line]
    assert gone < came
    assert asked[came].endswith(f"onnxruntime-gpu[cuda,cudnn]=={pinned('onnxruntime')}")
    assert "constraints-gpu.txt" in asked[came]


@pytest.mark.parametrize("left", ["", "onnxruntime==1\nonnxruntime-gpu==1"])
def test_none_or_both_onnxruntimes_end_the_build(installed, left):
    done, _ = installed("cpu", left=left)
    assert done.returncode == 1
    assert "builds of onnxruntime; there has to be one" in done.stderr


def test_another_accelerator_is_refused_by_name(installed):
    done, asked = installed("tpu")
    assert done.returncode == 2
    assert "cpu or gpu, not 'tpu'" in done.stderr
    assert asked == []


def test_packages_of_the_gpu_build_are_all_pinned():
    lines = [line for line in (IMAGE / "constraints-gpu.txt").read_text().splitlines() if line[0] != "#"]
    assert all(re.fullmatch(r"nvidia-[a-z0-9-]+==[\d.]+", line) for line in lines)
    assert any(line.startswith("nvidia-cudnn") for line in lines)


def test_trimming_leaves_what_the_built_in_pack_reads(tmp_path):
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    models = packages / "face_recognition_models" / "models"
    keep = [models / dlib_pack.RESNET, models / dlib_pack.LANDMARKS, packages / "numpy" / "testing" / "a.py"]
    drop = [
        models / "shape_predictor_68_face_landmarks.dat",
        packages / "pandas" / "tests" / "a.py",
        packages / "numpy" / "linalg" / "tests" / "a.py",
        packages / "ray" / "jars" / "a.jar",
    ]
    others = [packages / name / "a.py" for name in ("scipy", "pyarrow")]
    for file in (*keep, *drop, *others):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)

    subprocess.run(["sh", str(IMAGE / "trim"), str(tmp_path)], check=True, timeout=20)

    assert all(file.exists() for file in (*keep, *others))
    assert not any(file.exists() for file in drop)
