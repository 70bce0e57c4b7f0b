"""Assigning (分派): which colleague gets which task by rule, so that all have about as much in hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.domain.people.posts import Post, PostRole


@dataclass(frozen=True)
class Unassigned:
    """A task that nobody has in hand: of an item, at an authority, for posts in one of these roles."""

    id: str
    authority: str
    item: str
    roles: frozenset[PostRole]


@dataclass(frozen=True)
class Assignee:
    """Who may be given tasks: an officer who is present, with their posts in force, and how many tasks they hold."""

    name: str
    posts: tuple[Post, ...]
    held: int

    def fits(self, task: Unassigned) -> bool:
        """Whether a post of theirs is for this task."""
        return any(
            post.authority == task.authority and post.role in task.roles and post.covers(task.item)
            for post in self.posts
        )


def assigned(
    tasks: Sequence[Unassigned], assignees: Sequence[Assignee], *, most: int, most_held: int
) -> tuple[tuple[str, str], ...]:
    """Pairs of task and officer: each task in turn goes to who fits and holds the fewest, of several the first by name.

    At most so many pairs, and nobody holds more than `most_held`; a task that nobody fits is passed over.
    """
    held = {each.name: each.held for each in assignees}
    fitting: dict[tuple[str, str, frozenset[PostRole]], list[str]] = {}
    pairs: list[tuple[str, str]] = []
    for task in tasks:
        if len(pairs) == most:
            break
        kind = (task.authority, task.item, task.roles)
        if kind not in fitting:
            fitting[kind] = [each.name for each in assignees if each.fits(task)]
        free = [(held[name], name) for name in fitting[kind] if held[name] < most_held]
        if free:
            _, name = min(free)
            held[name] += 1
            pairs.append((task.id, name))
    return tuple(pairs)
