"""Set-up from a clean clone: what it installs, and its messages where that is not possible."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BASH = shutil.which("bash") or ""
INSTALLED = "installed libgl1, \ninstalled libglib2.0-0t64, libglib2.0-0 (= 2.80)\nconfig-files xvfb, \n"
APT = 'printf "%s %s\\n" "${DEBIAN_FRONTEND:-}" "apt-get $*" >>"$LOG"'

pytestmark = pytest.mark.skipif(sys.platform == "win32" or not BASH, reason="set-up is a bash script")


class Machine:
    """A folder with the script, and a PATH whose system commands are scripts of a few lines."""

    def __init__(self, folder: Path, root: bool) -> None:
        self.folder, self.log = folder, folder / "log"
        (folder / "scripts").mkdir()
        (folder / "bin").mkdir()
        shutil.copy(ROOT / "scripts" / "setup.sh", folder / "scripts")
        (folder / "list.txt").write_text("# a reason\nlibgl1\nlibglib2.0-0\nxvfb\njackd2\n")
        self.log.touch()
        self.command("dpkg-query", f"printf '{INSTALLED}'".replace("\n", "\\n"))
        self.command("apt-get", APT)
        self.command("id", f"echo {0 if root else 1000}")
        self.command("sudo", "exit 1")

    def command(self, name: str, body: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!{BASH}\n{body}\n")
        path.chmod(0o755)

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            [BASH, str(self.folder / "scripts" / "setup.sh"), *arguments],
            env=os.environ | {"PATH": path, "LOG": str(self.log)} | environ,
            capture_output=True,
            text=True,
            check=False,
        )


def test_root_installs_what_is_missing_without_a_question(tmp_path: Path) -> None:
    machine = Machine(tmp_path, root=True)
    done = machine.run("--packages", "list.txt")
    assert done.returncode == 0, done.stderr
    update, install = machine.log.read_text().splitlines()
    assert "update" in update
    assert install.startswith("noninteractive apt-get install -y")
    assert install.split()[-2:] == ["xvfb", "jackd2"]
    assert "libglib2.0-0" not in install


def test_apt_does_not_run_when_nothing_is_missing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, root=True)
    (tmp_path / "list.txt").write_text("libgl1\nlibglib2.0-0\n")
    done = machine.run("--packages", "list.txt")
    assert (done.returncode, done.stderr, machine.log.read_text()) == (0, "", "")


def test_without_rights_the_command_is_printed_and_set_up_continues(tmp_path: Path) -> None:
    machine = Machine(tmp_path, root=False)
    done = machine.run("--packages", "list.txt")
    assert done.returncode == 0
    assert "    sudo apt-get install --no-install-recommends xvfb jackd2" in done.stderr.splitlines()
    assert machine.log.read_text() == ""


def test_sudo_without_a_password_is_enough(tmp_path: Path) -> None:
    machine = Machine(tmp_path, root=False)
    machine.command("sudo", 'shift; "$@"')
    assert machine.run("--packages", "list.txt").stderr == "installing xvfb jackd2\n"
    assert "install" in machine.log.read_text()


def test_apt_without_a_network_does_not_stop_set_up(tmp_path: Path) -> None:
    machine = Machine(tmp_path, root=True)
    machine.command("apt-get", "exit 100")
    done = machine.run("--packages", "list.txt")
    assert done.returncode == 0
    assert "sudo apt-get install --no-install-recommends xvfb jackd2" in done.stderr


def test_an_old_python_is_rejected_with_its_version(tmp_path: Path) -> None:
    machine = Machine(tmp_path, root=True)
    machine.command("python3.10", '[ "$1" = -V ] && echo Python 3.10.12; exit 1')
    (tmp_path / "list.txt").write_text("libgl1\n")
    done = machine.run("list.txt", PYTHON="python3.10")
    assert done.returncode != 0
    assert "perform needs Python 3.11 to 3.14; python3.10 is Python 3.10.12" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_without_venv_names_the_package_to_install(tmp_path: Path) -> None:
    machine = Machine(tmp_path, root=True)
    machine.command(
        "python3.12", '[ "$1" = -m ] && exit 1; [ "${2: -9}" = "info[:2])" ] && echo 3.12; exit 0'
    )
    (tmp_path / "list.txt").write_text("libgl1\n")
    done = machine.run("list.txt", PYTHON="python3.12")
    assert done.returncode != 0
    assert "sudo apt-get install python3-venv    (or python3.12-venv)" in done.stderr
    assert not (tmp_path / ".venv").exists()


PYTHON = r"""
case "$*" in
"-m venv .venv") mkdir -p .venv/bin && cp "${BASH_SOURCE[0]}" .venv/bin/python ;;
*"config list") printf "global.index-url='https://mirror/simple'\nglobal.find-links='/a /b'\n" ;;
*find_spec*) exit 1 ;;
*"pip install"*) echo "pip $*" >>"$LOG" ; case "$*" in *" uv") exit 1 ;; esac ;;
*"info[:2])") echo 3.12 ;;
esac
"""


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """A machine with a Python, but neither packages to install nor uv."""
    machine = Machine(tmp_path, root=True)
    machine.command("python3.12", PYTHON)
    (tmp_path / "list.txt").write_text("libgl1\n")
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n")
    return machine


def test_uv_installs_from_where_pip_would(bare: Machine) -> None:
    bare.command("uv", 'echo "$UV_DEFAULT_INDEX $UV_FIND_LINKS $*" >>"$LOG"')
    done = bare.run("list.txt", "dev,link", PYTHON="python3.12")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == "installing the Python packages for dev,link in .venv\n"
    (line,) = bare.log.read_text().splitlines()
    assert line.startswith("https://mirror/simple /a,/b pip install ")
    assert line.endswith("-c constraints.txt torch==2.13.0 -e .[dev,link]")


def test_pip_installs_where_uv_cannot(bare: Machine) -> None:
    bare.command("uv", "echo no such wheel >&2; exit 2")
    done = bare.run("list.txt", PYTHON="python3.12")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (line,) = bare.log.read_text().splitlines()
    assert line.startswith("pip -m pip install ")
    assert line.endswith("-c constraints.txt torch==2.13.0 -e .")


def test_every_direct_dependency_is_pinned() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {name for name, _, version in (line.partition("==") for line in lines) if version}
    names = {want.partition(">")[0].partition(";")[0].strip() for want in wanted}
    assert {name.lower() for name in names} - {name.lower() for name in pinned} == set()
    assert "torch==2.13.0" in lines
