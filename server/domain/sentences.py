"""Puts texts that people wrote together as sentences, each of which ends once."""

ENDS = "。！？…!?."
CLOSERS = "”’）》」』】)\"'"


def sentences(*texts: str) -> str:
    """The texts one after the other, each ended by a full stop if it has no end of its own; empty ones are left out."""
    return "".join(text if _has_ended(text) else f"{text}。" for text in map(str.strip, texts) if text)


def clause(text: str) -> str:
    """The text as a part of a longer sentence: without the full stop at its end."""
    return text.strip().rstrip("。")


def _has_ended(text: str) -> bool:
    return text.rstrip(CLOSERS).endswith(tuple(ENDS))
