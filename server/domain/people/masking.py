"""Masking (脱敏): what of a personal detail may be shown where the whole is not needed."""


def masked_name(name: str) -> str:
    """The first character and a star for each other: `张小明` -> `张**`."""
    return name[:1] + "*" * (len(name) - 1)


def masked_number(number: str) -> str:
    """The last four characters of an ID number or a telephone; short ones disappear altogether."""
    return "*" * (len(number) - 4) + number[-4:] if len(number) > 8 else "*" * len(number)


def masked(kind: str, value: str) -> str:
    """A form value as far as its field's type lets it be seen."""
    if kind in ("id_number", "mobile", "uscc"):
        return masked_number(value)
    return masked_name(value)
