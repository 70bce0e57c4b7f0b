"""The folder of a demo, and what in it is the same at each start: ports, database names, keys, officers."""

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from server.demo.database import locked
from server.demo.people import DemoOfficer
from server.demo.platform import PlatformUser

FILE = "demo.json"
DATA_FORMAT = 5  # of the databases that nodes make, by their own mark
UNMARKED = 1  # version 0.1 wrote no number
PORTS_APART = 10
PLATFORM_PLACE = 5
OWNER_ONLY = 0o600


class OtherDemo(ValueError):
    """The folder holds a demo that was started in another way."""


class DemoUnreadable(ValueError):
    """The description of the demo in the folder is broken."""


class DemoOfAnotherVersion(ValueError):
    """The folder holds a demo whose data this program does not read; `data_format` is the number of its format."""

    code: ClassVar[str] = "demo_of_another_version"

    def __init__(self, folder: Path, data_format: int) -> None:
        held = "version 0.1" if data_format == UNMARKED else f"data format {data_format}"
        super().__init__(
            f"{self.code}: The folder {folder} holds a demo of {held}, and this program reads data format "
            f"{DATA_FORMAT} only. Nothing in it was changed. Choose another folder, or remove this one yourself."
        )


class PlannedNode(BaseModel):
    """A node of the demo: where it listens, where other nodes reach it if not there, and who sits at its desks."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    division: str
    port: int
    work_port: int
    wire_port: int = 0
    officers: tuple[DemoOfficer, ...]


class DemoPlan(BaseModel):
    """What is the same at each start, and the format of its data; `publisher_key` is empty until the keys are made.

    `citizens` are a few of those whom the platform knows, with what they log in with, for people who look for it here.
    `gives_papers` is said anew at each start.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    nodes: tuple[PlannedNode, ...]
    citizens: tuple[PlatformUser, ...] = ()
    platform_port: int
    databases: str
    data_format: int = UNMARKED
    is_strict: bool = False
    publisher_key: str = ""
    gives_papers: bool = False

    @property
    def ports(self) -> list[int]:
        """Every port that is listened at."""
        return [self.platform_port, *(port for node in self.nodes for port in (node.port, node.work_port))]


@contextmanager
def demo_folder(keep: Path | None) -> Iterator[Path]:
    """The folder to keep, alone in it, or one that is removed at the end; raises DataFolderInUse."""
    if keep:
        with locked(keep):
            yield keep.resolve()
        return
    with TemporaryDirectory(prefix="tongban-demo-") as folder:
        yield Path(folder)


def ports_from(first: int, nodes: int) -> list[int]:
    """The ports of a demo, in the order of `DemoPlan.ports`; all 0, which is any free one, if the first is."""
    pairs = [first + PORTS_APART * place + each for place in range(nodes) for each in (0, 1)]
    return [first + PLATFORM_PLACE, *pairs] if first else [0] * (1 + len(pairs))


def new_plan(
    officers: Mapping[str, Sequence[DemoOfficer]],
    *,
    ports: Sequence[int],
    citizens: tuple[PlatformUser, ...] = (),
    is_strict: bool = False,
) -> DemoPlan:
    """A plan for the nodes of these divisions at these ports, with the officers of each."""
    pairs = zip(ports[1::2], ports[2::2], strict=True)
    nodes = [
        PlannedNode(division=division, port=port, work_port=work_port, officers=tuple(its))
        for (division, its), (port, work_port) in zip(officers.items(), pairs, strict=True)
    ]
    databases = f"tongban_{secrets.token_hex(4)}"
    return DemoPlan(
        nodes=tuple(nodes),
        citizens=citizens,
        platform_port=ports[0],
        databases=databases,
        data_format=DATA_FORMAT,
        is_strict=is_strict,
    )


def kept_plan(folder: Path) -> DemoPlan | None:
    """The plan of the demo that was started in this folder before, if there was one.

    Raises DemoUnreadable and DemoOfAnotherVersion.
    """
    try:
        plan = DemoPlan.model_validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise DemoUnreadable(f"{folder / FILE} is not the description of a demo; choose another folder.") from None
    if plan.data_format != DATA_FORMAT:
        raise DemoOfAnotherVersion(folder, plan.data_format)
    return plan


def check_same(
    plan: DemoPlan, folder: Path, *, nodes: int | None, first_port: int | None, is_strict: bool = False
) -> None:
    """Whether the plan is what is wished for, as far as anything is; raises OtherDemo."""
    if nodes and nodes != len(plan.nodes):
        raise OtherDemo(f"The folder {folder} holds a demo of {len(plan.nodes)} nodes, not of {nodes}.")
    if first_port and plan.ports != ports_from(first_port, len(plan.nodes)):
        held = plan.nodes[0].port
        raise OtherDemo(f"The folder {folder} holds a demo at port {held}, which its nodes know each other by.")
    if is_strict and not plan.is_strict:
        raise OtherDemo(f"The folder {folder} holds a demo whose officers have no authenticators; choose another one.")


def keep_plan(plan: DemoPlan, folder: Path) -> None:
    """Write the plan, passwords of the officers included, to a file that only its owner may read."""
    new = folder / f"{FILE}.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w", encoding="utf-8") as file:
        file.write(plan.model_dump_json(indent=2))
    new.replace(folder / FILE)
