"""What an aggregate is called among those of all kinds: a case by its id here, any other by its kind and its id."""

FIRST = "cases"  # they were there before any other kind: no id of theirs has a slash in it
SLASH = "/"


def name_of(kind: str, id: str) -> str:
    """The name of the aggregate that this kind (by its collection) has under an id."""
    return id if kind == FIRST else f"{kind}{SLASH}{id}"


def kind_and_id(name: str) -> tuple[str, str]:
    """The kind (by its collection) and the id of the aggregate of this name."""
    kind, slash, id = name.partition(SLASH)
    return (kind, id) if slash else (FIRST, name)
