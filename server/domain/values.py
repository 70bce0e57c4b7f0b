"""The base of every value, and how moments are written."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

# What a person writes into one place of a form, and the name of the place: keys of canonical JSON are ASCII.
WrittenText = Annotated[str, StringConstraints(max_length=2000)]
WrittenKey = Annotated[str, StringConstraints(max_length=100, pattern=r"^[ -~]*$")]

# What any moment, day or span may be that comes by form or by letter: arithmetic with it never leaves the calendar.
FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_DAYS = 3650
Days = Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS)]

D = TypeVar("D", bound=date)

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


class Value(BaseModel):
    """A frozen value; a change makes a new one (`value.model_copy(update=...)`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The value with these changes, which are not validated; raises TypeError for a name that it does not have.

        pydantic's own would keep a misspelled name beside the fields, and so lose the change without a word; it would
        also keep what was computed from the fields as they were (`cached_property`).
        """
        fields = self.__pydantic_fields__
        if update and not update.keys() <= fields.keys():
            unknown = ", ".join(f"`{name}`" for name in sorted(update.keys() - fields.keys()))
            raise TypeError(f"{type(self).__name__} has no {unknown}")
        changed = super().model_copy(update=update, deep=deep)
        if len(changed.__dict__) > len(fields):
            for name in changed.__dict__.keys() - fields.keys():
                del changed.__dict__[name]
        return changed


class Sensitive:
    """Marks a text, or a dictionary of values, that the store must seal: `Annotated[str, SENSITIVE]`."""


SENSITIVE = Sensitive()


def china_day(at: datetime) -> date:
    """The day on which this moment falls in China."""
    return at.astimezone(CHINA).date()


@lru_cache(maxsize=256)  # one commit writes its moment a dozen times
def moment_text(at: datetime) -> str:
    """RFC 3339 in UTC with fixed width, so that it sorts as text: `2026-11-23T05:45:00.123Z`."""
    utc = at.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def moment_key(at: datetime) -> str:
    """A moment as part of a query key; the letter in front keeps it from being read as a date."""
    return "t" + moment_text(at)


def moment_of_key(key: str) -> datetime:
    """The moment that `moment_key` wrote."""
    return datetime.fromisoformat(key.removeprefix("t"))


def in_milliseconds(at: datetime) -> datetime:
    """The moment in UTC, cut to whole milliseconds, as it is stored; ValueError if there is none such."""
    if at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    if at.tzinfo is UTC and not at.microsecond % 1000:
        return at
    try:
        utc = at.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError("no such moment in UTC") from fault
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def in_bounds(on: D) -> D:
    """The day or moment itself; ValueError if it is none of the years 2000 to 2100."""
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise ValueError(f"this must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return on


# A moment that was reckoned from others: it may lie a little beyond what anybody may say.
Reckoned = Annotated[datetime, AfterValidator(in_milliseconds), PlainSerializer(moment_text, return_type=str)]

Moment = Annotated[Reckoned, AfterValidator(in_bounds)]

# A day of a procedure: a deadline, a day of arrival. Days of a person's life are texts of the form.
Day = Annotated[date, AfterValidator(in_bounds)]
