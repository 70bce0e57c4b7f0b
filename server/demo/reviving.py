"""Processes of a demo that are killed are started again at once, as a supervisor would, until the demo ends."""

from server.demo.processes import ChildFailed, together
from server.demo.provinces import Demo


async def revive_killed(demo: Demo) -> None:
    """Do so for ever; raises ChildFailed for a process that ended in any other way than by a signal."""
    await together(*(_keep(demo, place) for place in range(len(demo.running))))


async def _keep(demo: Demo, place: int) -> None:
    while True:
        child = demo.running[place]
        if await child.process.wait() >= 0:
            raise ChildFailed(child, "ended by itself")
        division, _, what = child.name.partition(" ")
        (province,) = (each for each in demo.provinces if each.division == division)
        demo.running[place] = await province.process(what)
