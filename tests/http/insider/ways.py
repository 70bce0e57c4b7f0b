"""The one table of ways to write to a node's database without its keys, and what must become of each."""

from tests.http.insider.cases import CASES, FOLLOWING
from tests.http.insider.exchange import EXCHANGE
from tests.http.insider.gaps import OPEN
from tests.http.insider.people import PEOPLE
from tests.http.insider.record import RECORD

WAYS = (*CASES, *FOLLOWING, *PEOPLE, *EXCHANGE, *RECORD, *OPEN)
