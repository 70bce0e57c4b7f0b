"""The posts of officers in the store: one document each; an ended one stays, with its end."""

from contextlib import suppress
from datetime import date, datetime, time

from server.domain.errors import StaleVersion
from server.domain.people.posts import NoSuchPost, Post
from server.domain.values import CHINA, moment_text
from server.store.database import Database, Document, Duplicate, Query, is_safe
from server.store.ends import End, Ends
from server.store.members import read, rewrite
from server.store.queries import BAR, POSTS_AT, POSTS_OF_OFFICER, under

POSTS = "posts"
MOST_READ = 500
ATTEMPTS = 5
NO_END = "9999-12-31"
ENDED = "ended"  # after all last days d...
STALE = "该岗位刚有变更，请刷新后重试。"


class Posts:
    """All posts, by officer and by authority or window."""

    def __init__(self, database: Database, ends: Ends) -> None:
        self._database = database
        self._ends = ends

    async def add(self, post: Post) -> Post:
        """Store a new one; if there is one under its id already, that one comes back."""
        try:
            await self._database.insert(POSTS, _document(post))
        except Duplicate:
            return await self.post(post.id)
        return post

    async def post(self, id: str) -> Post:
        """The post of this id; raises NoSuchPost."""
        return self._as_it_counts(await self._stored(id))

    async def of_officer(self, officer: str) -> list[Post]:
        """All of an officer: by their last day, then those that were ended."""
        low, high = under(officer)
        return await self._between(POSTS_OF_OFFICER, low, high)

    async def not_over(self, officer: str, *, on: date) -> list[Post]:
        """Those of an officer that were not ended and whose last day is not past; some may not have begun."""
        return await self._not_ended(POSTS_OF_OFFICER, *_from(officer, on))

    async def at(self, place: str, *, on: date) -> list[Post]:
        """The same of an authority or a window."""
        return await self._not_ended(POSTS_AT, *_from(place, on))

    async def end(self, id: str, *, at: datetime) -> Post:
        """End a post; one that has ended stays as it is. Raises NoSuchPost, StaleVersion."""
        for _ in range(ATTEMPTS):
            post = await self._stored(id)
            if post.ended_at:
                return post
            end = await self._ends.end(POSTS, id, at=at, until=_over_at(post))
            with suppress(StaleVersion):
                return await self._replace(post, _ended(post, end, version=post.version + 1))
        raise StaleVersion(STALE)

    async def _stored(self, id: str) -> Post:
        document = await self._database.get(POSTS, id) if is_safe(id) else None
        if document is None:
            raise NoSuchPost("没有这个岗位。")
        return _post(document)

    def _as_it_counts(self, post: Post) -> Post:
        """A post that has ended has ended, whatever its document says."""
        end = self._ends.of(POSTS, post.id)
        if end is None or post.ended_at:
            return post
        self._ends.tell(POSTS, post.id)
        return _ended(post, end, version=post.version)

    async def _replace(self, before: Post, after: Post) -> Post:
        written = _document(after)
        if not await rewrite(self._database, POSTS, after.id, change=lambda _: written, version=before.version):
            raise StaleVersion(STALE)
        return after

    async def _between(self, query: Query, low: str, high: str) -> list[Post]:
        found = await self._database.between(query, low, high, limit=MOST_READ) if is_safe(low) else []
        return [self._as_it_counts(_post(document)) for document in found]

    async def _not_ended(self, query: Query, low: str, high: str) -> list[Post]:
        return [post for post in await self._between(query, low, high) if not post.ended_at]


def _from(owner: str, on: date) -> tuple[str, str]:
    return BAR.join((owner, _last_day(on))), BAR.join((owner, ENDED))


def _last_day(day: date | None) -> str:
    return f"d{day or NO_END}"


def _over_at(post: Post) -> datetime | None:
    """A moment at which its last day is over everywhere, if it has one."""
    return datetime.combine(post.to_day, time.max, tzinfo=CHINA) if post.to_day else None


def _ended(post: Post, end: End, *, version: int) -> Post:
    return post.model_copy(update={"ended_at": end.moment, "version": version})


def _document(post: Post) -> Document:
    last = ENDED if post.ended_at else _last_day(post.to_day)
    fields = post.model_dump(mode="json", exclude={"id", "ended_at"})
    return {
        "_id": post.id,
        **fields,
        "ended_at": moment_text(post.ended_at) if post.ended_at else "",
        "officer_key": BAR.join((post.officer, last, post.id)),
        "authority_key": BAR.join((post.place, last, post.officer, post.id)),
    }


def _post(document: Document) -> Post:
    return read(Post, {**document, "id": document["_id"], "ended_at": document["ended_at"] or None})
