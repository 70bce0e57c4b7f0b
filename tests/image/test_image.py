"""What an image needs of this machine, and the base it is built on."""

from pathlib import Path

import pytest

from tests.image.base import NoMirror, mirror_of
from tests.image.missing import missing
from tests.image.storage import StepFailed, Storage, step

SOURCES = """\
mirror://security bookworm-security main Debian-Security
mirror://debian bookworm-updates main Debian
mirror://other nodistro main Other
mirror://debian bookworm contrib Debian
mirror://debian bookworm main Debian
"""


def test_a_machine_with_all_of_it_lacks_nothing() -> None:
    assert missing(find=str, user=0) == []


def test_each_program_that_is_missing_is_named_with_its_package() -> None:
    buildah, debootstrap, apt, root = missing(find=lambda _: None, user=1000)
    assert "`buildah`" in buildah
    assert "install debootstrap" in debootstrap
    assert "`apt-get`" in apt
    assert root.startswith("root,")


def test_the_base_is_a_release_of_debian_itself() -> None:
    assert mirror_of(SOURCES) == ("mirror://debian", "bookworm")


@pytest.mark.parametrize("told", ["", "\n", "mirror://other nodistro main Other\n", "broken\n"])
def test_without_a_mirror_there_is_no_base(told: str) -> None:
    with pytest.raises(NoMirror):
        mirror_of(told)


async def test_a_step_that_fails_says_the_end_of_what_it_printed() -> None:
    with pytest.raises(StepFailed, match=r"ended with code 7\nthe reason"):
        await step("sh", "-c", "echo the reason; exit 7")
    with pytest.raises(StepFailed, match="did not end in 0 seconds"):
        await step("sleep", "60", seconds=0.2)


def test_a_command_in_a_container_sees_one_folder_and_the_network_of_the_host(tmp_path: Path) -> None:
    line = Storage(tmp_path).run_command("c", ["python", "-V"], folder=tmp_path, environ={"A": "b c"})
    assert line[:5] == ["buildah", "--root", f"{tmp_path}/root", "--runroot", f"{tmp_path}/run"]
    assert line[-4:] == ["c", "--", "python", "-V"]
    assert ["--volume", f"{tmp_path}:{tmp_path}", "--env", "A=b c"] == line[line.index("--volume") :][:4]
    assert line[line.index("--isolation") :][:4] == ["--isolation", "chroot", "--network", "host"]
