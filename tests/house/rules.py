"""The rules of the house; each is a function from the house to its breaches."""

from collections.abc import Callable, Iterator

from tests.house import arrows, doors, manners, shapes
from tests.house.house import Breach, House

Rule = Callable[[House], Iterator[Breach]]

RULES: tuple[Rule, ...] = (
    arrows.arrows_point_down,
    arrows.sub_rooms_point_down,
    arrows.imports_stand_on_top,
    arrows.no_circles,
    arrows.names_come_from_their_real_place,
    arrows.one_driver_import,
    arrows.a_pure_domain,
    shapes.modules_are_small,
    shapes.classes_are_small,
    shapes.functions_are_small,
    shapes.parameters_are_few,
    shapes.the_node_stays_small,
    shapes.modules_open_with_a_sentence,
    shapes.names_say_something,
    shapes.classes_have_names_of_their_own,
    manners.refusals_have_codes_of_their_own,
    manners.refusals_say_what_they_refuse,
    manners.every_door_says_who,
    manners.every_door_is_a_door,
    doors.a_door_does_what_it_declares,
)

# (rule, place) -> the reason. This list only shrinks: an entry that is no longer needed fails the tests.
EXEMPT: dict[tuple[str, str], str] = {}
